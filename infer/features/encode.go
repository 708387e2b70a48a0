// SPDX-License-Identifier: Apache-2.0

package features

import (
	"encoding/binary"
	"fmt"
	"math"
)

const (
	magic   = "OFFT"
	version = 1
	levels  = 255 // steps of a uint8
)

// Encode writes features, with every tensor in this encoding. The error names the tensor that
// cannot be: one that is too large, or holds what is no finite number.
func (c *Codec) Encode(f Features, as Encoding) ([]byte, error) {
	if c.err != nil {
		return nil, c.err
	}
	if len(f.Tensors) < 1 || len(f.Tensors) > MaxTensors {
		return nil, fmt.Errorf("features: %d tensors: allowed are 1 to %d", len(f.Tensors), MaxTensors)
	}
	if as != Float32 && as != Uint8 {
		return nil, fmt.Errorf("features: encoding %d: allowed are %d (float32) and %d (uint8)", as, Float32, Uint8)
	}
	head, err := f.At.append(append(append([]byte(magic), version), f.Cut[:]...))
	if err != nil {
		return nil, err
	}
	head = append(head, byte(len(f.Tensors)))
	data := make([]byte, 0, f.bytes(as))
	left := int64(MaxValues)
	for _, t := range f.Tensors {
		n, err := count(t.Name, t.Shape, left)
		if err != nil {
			return nil, fmt.Errorf("features: %w", err)
		}
		if int64(len(t.Data)) != n || t.Name == "" || len(t.Name) > MaxName {
			return nil, fmt.Errorf("features: tensor %q of %v has %d values: needed are a name of 1 to %d bytes and as many values as the shape says", t.Name, t.Shape, len(t.Data), MaxName)
		}
		left -= n
		scale, offset, err := t.scale(as)
		if err != nil {
			return nil, err
		}
		head = t.appendHead(head, as, scale, offset)
		data = t.appendData(data, as, scale, offset)
	}
	return c.pack.EncodeAll(data, head), nil
}

func (f Features) bytes(as Encoding) int {
	n := 0
	for _, t := range f.Tensors {
		n += len(t.Data)
	}
	if as == Float32 {
		n *= 4
	}
	return min(n, maxPacked) // what is too large is refused
}

func (at Placement) append(b []byte) ([]byte, error) {
	for _, v := range at.list() {
		if v < 0 || v > maxSide {
			return nil, fmt.Errorf("features: placement %+v: allowed are 0 to %d pixels", at, maxSide)
		}
		b = binary.LittleEndian.AppendUint32(b, uint32(v))
	}
	return b, nil
}

// maxSide of a picture in pixels; JPEG ends there.
const maxSide = 1 << 16

func (at Placement) list() [6]int {
	return [6]int{at.PictureWidth, at.PictureHeight, at.Left, at.Top, at.Width, at.Height}
}

// scale finds step and offset of the affine quantisation of Jacob et al. 2018
// (https://arxiv.org/abs/1712.05877, section 2.1), with a real offset in place of a whole zero
// point: after a Relu it is 0, and zeros stay exactly 0.
func (t Tensor) scale(as Encoding) (scale, offset float32, err error) {
	low, high, whole := math.Inf(1), math.Inf(-1), true
	for i, v := range t.Data {
		x := float64(v)
		if math.IsNaN(x) || math.IsInf(x, 0) {
			return 0, 0, fmt.Errorf("features: value %d of tensor %q is %v: allowed are finite numbers", i, t.Name, v)
		}
		low, high = min(low, x), max(high, x)
		whole = whole && x == math.Trunc(x)
	}
	switch {
	case as == Float32:
		return 1, 0, nil
	case whole && high-low <= levels && math.Abs(low) <= 1<<23:
		return 1, float32(low), nil
	}
	return float32(min((high-low)/levels, math.MaxFloat32)), float32(low), nil
}

func (t Tensor) appendHead(b []byte, as Encoding, scale, offset float32) []byte {
	b = append(append(b, byte(len(t.Name))), t.Name...)
	b = append(b, byte(as), byte(len(t.Shape)))
	for _, d := range t.Shape {
		b = binary.LittleEndian.AppendUint32(b, uint32(d))
	}
	b = binary.LittleEndian.AppendUint32(b, math.Float32bits(scale))
	return binary.LittleEndian.AppendUint32(b, math.Float32bits(offset))
}

func (t Tensor) appendData(b []byte, as Encoding, scale, offset float32) []byte {
	if as == Float32 {
		for _, v := range t.Data {
			b = binary.LittleEndian.AppendUint32(b, math.Float32bits(v))
		}
		return b
	}
	inverse := 0.
	if scale > 0 {
		inverse = 1 / float64(scale)
	}
	for _, v := range t.Data {
		q := (float64(v)-float64(offset))*inverse + .5
		b = append(b, byte(max(0, min(levels, q))))
	}
	return b
}
