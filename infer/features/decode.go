// SPDX-License-Identifier: Apache-2.0

package features

import (
	"encoding/binary"
	"fmt"
	"math"
)

// CutOf reads of encoded features only the cut that they belong to.
func CutOf(b []byte) (Cut, error) {
	if len(b) < len(magic)+1+len(Cut{}) || string(b[:len(magic)]) != magic {
		return Cut{}, fmt.Errorf("%w: they begin with %q", ErrFormat, magic)
	}
	if v := b[len(magic)]; v != version {
		return Cut{}, fmt.Errorf("%w: version %d: known is %d", ErrFormat, v, version)
	}
	return Cut(b[len(magic)+1:]), nil
}

// Decode reads features into memory of its own. What it takes is bounded by MaxValues, and by
// what the header says before anything is unpacked.
func (c *Codec) Decode(b []byte) (Features, error) {
	if c.err != nil {
		return Features{}, c.err
	}
	cut, err := CutOf(b)
	if err != nil {
		return Features{}, err
	}
	r := &reader{rest: b[len(magic)+1+len(cut):]}
	f := Features{Cut: cut, At: r.placement()}
	tensors, bytes := r.tensors()
	if r.err != nil {
		return Features{}, fmt.Errorf("%w: %w", ErrFormat, r.err)
	}
	data, err := c.unpack.DecodeAll(r.rest, make([]byte, 0, bytes))
	if err != nil {
		return Features{}, fmt.Errorf("%w: %w", ErrFormat, err)
	}
	if len(data) != bytes {
		return Features{}, fmt.Errorf("%w: %d bytes of data: the shapes need %d", ErrFormat, len(data), bytes)
	}
	for _, t := range tensors {
		data = t.restore(data)
		f.Tensors = append(f.Tensors, t.Tensor)
	}
	return f, nil
}

// stored is a tensor as the header has it.
type stored struct {
	Tensor
	as            Encoding
	count         int
	scale, offset float32
}

func (t *stored) restore(data []byte) []byte {
	t.Data = make([]float32, t.count)
	if t.as == Float32 {
		for i := range t.Data {
			t.Data[i] = math.Float32frombits(binary.LittleEndian.Uint32(data[4*i:]))
		}
		return data[4*t.count:]
	}
	for i, q := range data[:t.count] {
		t.Data[i] = float32(float64(t.offset) + float64(t.scale)*float64(q))
	}
	return data[t.count:]
}

// reader takes the header apart; after the first error it gives zeros.
type reader struct {
	rest []byte
	err  error
}

func (r *reader) take(n int) []byte {
	if r.err == nil && len(r.rest) < n {
		r.err = fmt.Errorf("they end %d bytes too early", n-len(r.rest))
	}
	if r.err != nil {
		return make([]byte, n)
	}
	b := r.rest[:n]
	r.rest = r.rest[n:]
	return b
}

func (r *reader) byte() int       { return int(r.take(1)[0]) }
func (r *reader) uint32() uint32  { return binary.LittleEndian.Uint32(r.take(4)) }
func (r *reader) number() float32 { return math.Float32frombits(r.uint32()) }

func (r *reader) placement() Placement {
	var v [6]int
	for i := range v {
		n := r.uint32()
		if n > maxSide && r.err == nil {
			r.err = fmt.Errorf("%d pixels: allowed are up to %d", n, maxSide)
		}
		v[i] = int(n)
	}
	return Placement{v[0], v[1], v[2], v[3], v[4], v[5]}
}

// tensors gives the headers of all and how many bytes their data takes.
func (r *reader) tensors() (list []*stored, bytes int) {
	n := r.byte()
	if r.err == nil && (n < 1 || n > MaxTensors) {
		r.err = fmt.Errorf("%d tensors: allowed are 1 to %d", n, MaxTensors)
	}
	left := int64(MaxValues)
	for i := 0; i < n && r.err == nil; i++ {
		t := r.tensor(left)
		left -= int64(t.count)
		size := 4
		if t.as == Uint8 {
			size = 1
		}
		bytes += size * t.count
		list = append(list, t)
	}
	return list, bytes
}

func (r *reader) tensor(left int64) *stored {
	t := &stored{}
	t.Name = string(r.take(r.byte()))
	t.as = Encoding(r.byte())
	rank := r.byte()
	if r.err == nil && (t.Name == "" || t.as > Uint8 || rank > MaxRank) {
		r.err = fmt.Errorf("tensor %q of encoding %d and rank %d: allowed are a name, 0 or 1, and up to %d", t.Name, t.as, rank, MaxRank)
	}
	for i := 0; i < rank && r.err == nil; i++ {
		t.Shape = append(t.Shape, int64(r.uint32()))
	}
	t.scale, t.offset = r.number(), r.number()
	if r.err != nil {
		return t
	}
	n, err := count(t.Name, t.Shape, left)
	if err != nil {
		r.err = err
		return t
	}
	if reach := float64(t.offset) + levels*float64(t.scale); !(math.Abs(reach) <= math.MaxFloat32) || !(math.Abs(float64(t.offset)) <= math.MaxFloat32) {
		r.err = fmt.Errorf("tensor %q has scale %v and offset %v: allowed are those of finite values", t.Name, t.scale, t.offset)
	}
	t.count = int(n)
	return t
}
