// SPDX-License-Identifier: Apache-2.0

package jpegscale

import (
	"errors"
	"fmt"
)

// ErrKind is a JPEG of a kind that this package leaves to others.
var ErrKind = errors.New("a kind of JPEG that is not decoded at a scale")

// Plane is one channel: rows of samples, Stride bytes apart.
type Plane struct {
	Pix    []byte
	Stride int
	// Width and Height are how many samples the picture takes. The last one may reach
	// beyond the picture's edge: then there is a fraction.
	Width, Height float64
	// Scale is how many samples of the JPEG's own plane became one, in each direction:
	// 1, 2, 4 or 8.
	Scale int
}

// Decoder reads one JPEG after the other: first Read, then Planes.
type Decoder struct {
	head   header
	tables [2][4]huffman // by class (0 is DC, 1 AC) and number
	quant  [4][64]uint16 // in zigzag order
	folds  [3]fold       // by component
	bits   bits
	small  [64]float32 // the block being made
}

// Read takes in a JPEG up to its pixels and gives the picture's size. The payload is used
// until Planes has returned. The error is ErrKind, or says what is broken.
func (d *Decoder) Read(payload []byte) (width, height int, err error) {
	d.head = header{}
	if err := d.read(payload); err != nil {
		return 0, 0, err
	}
	return d.head.width, d.head.height, nil
}

// Planes decodes what Read has read, in planes whose memory it uses as far as it goes:
// one of grey, or Y, Cb and Cr. No plane is made smaller than width x height, nor larger
// than it is in the JPEG.
func (d *Decoder) Planes(planes []Plane, width, height int) ([]Plane, error) {
	h := &d.head
	if len(h.components) == 0 {
		return nil, errors.New("no JPEG was read")
	}
	if need := h.blocks() / 4; need > len(h.scan) { // at least a bit each for DC and for the end of AC
		return nil, fmt.Errorf("%d bytes of pixels for %d x %d: needed are at least %d", len(h.scan), h.width, h.height, need)
	}
	if err := d.bits.unstuff(h.scan, h.segments()); err != nil {
		return nil, err
	}
	defer func() { d.head = header{} }() // the payload is the caller's again
	planes = grow(planes, len(h.components))
	for i, c := range h.components {
		shift := c.shift(float64(width), float64(height))
		planes[i] = h.plane(planes[i].Pix, c, shift)
		d.folds[i].fit(shift, &d.quant[c.quant])
	}
	return planes, d.scan(planes)
}

// shift is the largest reduction, as a power of two, that leaves width x height.
func (c component) shift(width, height float64) int {
	shift := 0
	for shift < maxShift && c.width/float64(int(2)<<shift) >= width && c.height/float64(int(2)<<shift) >= height {
		shift++
	}
	return shift
}

// maxShift is 1/8: a block becomes one sample.
const maxShift = 3

// plane lays out a component's samples, all of its blocks, those beyond the edge as well.
func (h *header) plane(pix []byte, c component, shift int) Plane {
	side := 8 >> shift
	p := Plane{
		Stride: h.mcusX * c.h * side, Scale: 1 << shift,
		Width: c.width / float64(int(1)<<shift), Height: c.height / float64(int(1)<<shift),
	}
	p.Pix = grow(pix, p.Stride*h.mcusY*c.v*side)
	return p
}

// grow is a slice of n, in the memory of s if there is enough.
func grow[T any](s []T, n int) []T {
	if cap(s) >= n {
		return s[:n]
	}
	return append(make([]T, 0, n), s...)[:n]
}
