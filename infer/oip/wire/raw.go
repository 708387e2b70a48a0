// SPDX-License-Identifier: Apache-2.0

package wire

import (
	"encoding/binary"
	"math"
	"unsafe"

	"github.com/x448/float16"
)

// Put writes values in a data type, little endian, into dst, which has their size.
func Put(dst []byte, d Datatype, values []float32) {
	if d == FP32 {
		if plain := Bytes(values); plain != nil {
			copy(dst, plain)
			return
		}
	}
	put := putter(d)
	size := d.Size()
	for i, v := range values {
		put(dst[i*size:], v)
	}
}

// Get reads as many values as dst holds from raw, which has their size.
func Get(dst []float32, d Datatype, raw []byte) {
	if d == FP32 {
		if plain := Bytes(dst); plain != nil {
			copy(plain, raw)
			return
		}
	}
	get := getter(d)
	size := d.Size()
	for i := range dst {
		dst[i] = get(raw[i*size:])
	}
}

// Bytes shows values as the bytes that FP32 has on the wire, where this processor has them
// so in memory (little endian); nil where it does not.
func Bytes(values []float32) []byte {
	if binary.NativeEndian.Uint16([]byte{1, 0}) != 1 {
		return nil
	}
	if len(values) == 0 {
		return []byte{}
	}
	return unsafe.Slice((*byte)(unsafe.Pointer(unsafe.SliceData(values))), 4*len(values)) //nolint:gosec // float32 has 4 bytes without padding, and bytes need no alignment
}

func putter(d Datatype) func(dst []byte, v float32) {
	le := binary.LittleEndian
	switch d {
	case Bool:
		return func(b []byte, v float32) { b[0] = truth(v) }
	case Uint8:
		return func(b []byte, v float32) { b[0] = uint8(unsigned(v, math.MaxUint8)) }
	case Uint16:
		return func(b []byte, v float32) { le.PutUint16(b, uint16(unsigned(v, math.MaxUint16))) }
	case Uint32:
		return func(b []byte, v float32) { le.PutUint32(b, uint32(unsigned(v, math.MaxUint32))) }
	case Uint64:
		return func(b []byte, v float32) { le.PutUint64(b, unsigned(v, math.MaxUint64)) }
	case Int8:
		return func(b []byte, v float32) { b[0] = uint8(signed(v, math.MaxInt8)) }
	case Int16:
		return func(b []byte, v float32) { le.PutUint16(b, uint16(signed(v, math.MaxInt16))) }
	case Int32:
		return func(b []byte, v float32) { le.PutUint32(b, uint32(signed(v, math.MaxInt32))) }
	case Int64:
		return func(b []byte, v float32) { le.PutUint64(b, uint64(signed(v, math.MaxInt64))) }
	case FP16:
		return func(b []byte, v float32) { le.PutUint16(b, float16.Fromfloat32(v).Bits()) }
	case BF16:
		return func(b []byte, v float32) { le.PutUint16(b, toBF16(v)) }
	case FP64:
		return func(b []byte, v float32) { le.PutUint64(b, math.Float64bits(float64(v))) }
	}
	return func(b []byte, v float32) { le.PutUint32(b, math.Float32bits(v)) }
}

func getter(d Datatype) func(raw []byte) float32 {
	le := binary.LittleEndian
	switch d {
	case Bool:
		return func(b []byte) float32 { return float32(min(b[0], 1)) }
	case Uint8:
		return func(b []byte) float32 { return float32(b[0]) }
	case Uint16:
		return func(b []byte) float32 { return float32(le.Uint16(b)) }
	case Uint32:
		return func(b []byte) float32 { return float32(le.Uint32(b)) }
	case Uint64:
		return func(b []byte) float32 { return float32(le.Uint64(b)) }
	case Int8:
		return func(b []byte) float32 { return float32(int8(b[0])) }
	case Int16:
		return func(b []byte) float32 { return float32(int16(le.Uint16(b))) }
	case Int32:
		return func(b []byte) float32 { return float32(int32(le.Uint32(b))) }
	case Int64:
		return func(b []byte) float32 { return float32(int64(le.Uint64(b))) }
	case FP16:
		return func(b []byte) float32 { return float16.Frombits(le.Uint16(b)).Float32() }
	case BF16:
		return func(b []byte) float32 { return math.Float32frombits(uint32(le.Uint16(b)) << 16) }
	case FP64:
		return func(b []byte) float32 { return float32(math.Float64frombits(le.Uint64(b))) }
	}
	return func(b []byte) float32 { return math.Float32frombits(le.Uint32(b)) }
}

func truth(v float32) byte {
	if v != 0 { // also what is not a number, as in C
		return 1
	}
	return 0
}

// unsigned rounds to the nearest whole number of 0 to most. A float that is beyond a type
// has no defined conversion in Go, so the ends are looked at first.
func unsigned(v float32, most uint64) uint64 {
	r := math.RoundToEven(float64(v))
	switch {
	case !(r > 0): // also not a number
		return 0
	case r >= float64(most):
		return most
	}
	return uint64(r)
}

// signed rounds to the nearest whole number of -most-1 to most.
func signed(v float32, most int64) int64 {
	r := math.RoundToEven(float64(v))
	switch {
	case r != r:
		return 0
	case r >= float64(most):
		return most
	case r <= -float64(most)-1:
		return -most - 1
	}
	return int64(r)
}

// toBF16 rounds to the nearest, ties to even; what is not a number stays none.
func toBF16(v float32) uint16 {
	bits := math.Float32bits(v)
	if v != v {
		return uint16(bits>>16) | 0x40
	}
	return uint16((bits + 0x7fff + bits>>16&1) >> 16)
}
