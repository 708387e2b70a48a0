// SPDX-License-Identifier: Apache-2.0

package wire

import (
	"fmt"

	"edgex-offload/infer/oip/inference"
)

// Contents is a tensor in the field of its type, as a peer may prefer it to raw bytes. FP16
// and BF16 have no field: false.
func Contents(d Datatype, values []float32) (*inference.InferTensorContents, bool) {
	switch d {
	case Bool:
		return &inference.InferTensorContents{BoolContents: convert(values, func(v float32) bool { return truth(v) == 1 })}, true
	case Int8, Int16, Int32:
		most := int64(1)<<(8*d.Size()-1) - 1
		return &inference.InferTensorContents{IntContents: convert(values, func(v float32) int32 { return int32(signed(v, most)) })}, true
	case Int64:
		return &inference.InferTensorContents{Int64Contents: convert(values, func(v float32) int64 { return signed(v, 1<<63-1) })}, true
	case Uint8, Uint16, Uint32:
		most := uint64(1)<<(8*d.Size()) - 1
		return &inference.InferTensorContents{UintContents: convert(values, func(v float32) uint32 { return uint32(unsigned(v, most)) })}, true
	case Uint64:
		return &inference.InferTensorContents{Uint64Contents: convert(values, func(v float32) uint64 { return unsigned(v, 1<<64-1) })}, true
	case FP32:
		return &inference.InferTensorContents{Fp32Contents: append([]float32(nil), values...)}, true
	case FP64:
		return &inference.InferTensorContents{Fp64Contents: convert(values, func(v float32) float64 { return float64(v) })}, true
	}
	return nil, false
}

// Count is how many values a tensor has in the field of its type.
func Count(d Datatype, c *inference.InferTensorContents) int {
	switch d {
	case Bool:
		return len(c.GetBoolContents())
	case Int8, Int16, Int32:
		return len(c.GetIntContents())
	case Int64:
		return len(c.GetInt64Contents())
	case Uint8, Uint16, Uint32:
		return len(c.GetUintContents())
	case Uint64:
		return len(c.GetUint64Contents())
	case FP32:
		return len(c.GetFp32Contents())
	case FP64:
		return len(c.GetFp64Contents())
	}
	return 0
}

// GetContents reads a tensor from the field of its type, which has to hold as many values
// as dst.
func GetContents(dst []float32, d Datatype, c *inference.InferTensorContents) error {
	switch d {
	case Bool:
		return take(dst, "bool_contents", c.GetBoolContents(), func(v bool) float32 {
			if v {
				return 1
			}
			return 0
		})
	case Int8, Int16, Int32:
		return take(dst, "int_contents", c.GetIntContents(), func(v int32) float32 { return float32(v) })
	case Int64:
		return take(dst, "int64_contents", c.GetInt64Contents(), func(v int64) float32 { return float32(v) })
	case Uint8, Uint16, Uint32:
		return take(dst, "uint_contents", c.GetUintContents(), func(v uint32) float32 { return float32(v) })
	case Uint64:
		return take(dst, "uint64_contents", c.GetUint64Contents(), func(v uint64) float32 { return float32(v) })
	case FP32:
		return take(dst, "fp32_contents", c.GetFp32Contents(), func(v float32) float32 { return v })
	case FP64:
		return take(dst, "fp64_contents", c.GetFp64Contents(), func(v float64) float32 { return float32(v) })
	}
	return fmt.Errorf("%s has no field of contents: it travels as raw contents alone", d)
}

func convert[T any](values []float32, to func(float32) T) []T {
	list := make([]T, len(values))
	for i, v := range values {
		list[i] = to(v)
	}
	return list
}

func take[T any](dst []float32, field string, values []T, to func(T) float32) error {
	if len(values) != len(dst) {
		return fmt.Errorf("%s holds %d values: needed are %d", field, len(values), len(dst))
	}
	for i, v := range values {
		dst[i] = to(v)
	}
	return nil
}
