// SPDX-License-Identifier: Apache-2.0

package ort

import (
	"errors"
	"fmt"

	"google.golang.org/protobuf/encoding/protowire"
)

// Field numbers of onnx.proto (https://github.com/onnx/onnx/blob/main/onnx/onnx.proto).
const (
	modelGraph             protowire.Number = 7
	graphInitializer       protowire.Number = 5
	graphInput             protowire.Number = 11
	graphOutput            protowire.Number = 12
	graphSparseInitializer protowire.Number = 15
	tensorName             protowire.Number = 8
	sparseValues           protowire.Number = 1
	valueName              protowire.Number = 1
	valueType              protowire.Number = 2
	typeTensor             protowire.Number = 1
	tensorElemType         protowire.Number = 1
	tensorShape            protowire.Number = 2
	shapeDim               protowire.Number = 1
	dimValue               protowire.Number = 1
	dimParam               protowire.Number = 2
)

// Numbers of TensorProto.DataType.
const (
	onnxFloat    = 1
	onnxInt64    = 7
	onnxString   = 8
	onnxBFloat16 = 16
)

// header is what model.onnx says of the graph's inputs and outputs. Reading it from the
// file costs microseconds; asking ONNX Runtime costs a session.
type header struct {
	inputs, outputs []value
	weights         map[string]bool // initializers, by name
}

// value is an input or output.
type value struct {
	name     string
	elemType uint64
	tensor   bool
	hasShape bool
	dims     []dim
	// shape is what an input is fed, with a batch of one in front.
	shape []int64
	// inPlace tells of an output that it has the shape that it declares.
	inPlace bool
}

// dim is a dimension: a number, a name, or neither.
type dim struct {
	size int64
	name string
}

var errNotONNX = errors.New("model.onnx is not an ONNX file, or damaged")

// parseGraph reads a model's header.
func parseGraph(model []byte) (header, error) {
	h := header{weights: map[string]bool{}}
	graphs := 0
	err := eachField(model, func(f field) error {
		if f.number != modelGraph || f.kind != protowire.BytesType {
			return nil
		}
		graphs++
		return eachField(f.bytes, h.read)
	})
	if err != nil {
		return header{}, fmt.Errorf("%w: %w", errNotONNX, err)
	}
	if graphs != 1 || len(h.outputs) == 0 {
		return header{}, fmt.Errorf("%w: it has %d graphs with %d outputs", errNotONNX, graphs, len(h.outputs))
	}
	return h, nil
}

func (h *header) read(f field) error {
	if f.kind != protowire.BytesType {
		return nil
	}
	switch f.number {
	case graphInitializer:
		name, err := stringField(f.bytes, tensorName)
		h.weights[name] = true
		return err
	case graphSparseInitializer:
		return eachField(f.bytes, func(f field) error {
			if f.number != sparseValues || f.kind != protowire.BytesType {
				return nil
			}
			name, err := stringField(f.bytes, tensorName)
			h.weights[name] = true
			return err
		})
	case graphInput:
		v, err := parseValue(f.bytes)
		h.inputs = append(h.inputs, v)
		return err
	case graphOutput:
		v, err := parseValue(f.bytes)
		h.outputs = append(h.outputs, v)
		return err
	}
	return nil
}

func parseValue(b []byte) (v value, err error) {
	err = eachField(b, func(f field) error {
		switch f.number {
		case valueName:
			v.name = string(f.bytes)
		case valueType:
			return eachField(f.bytes, func(f field) error {
				if f.number != typeTensor || f.kind != protowire.BytesType {
					return nil
				}
				v.tensor = true
				return v.readTensor(f.bytes)
			})
		}
		return nil
	})
	return v, err
}

func (v *value) readTensor(b []byte) error {
	return eachField(b, func(f field) error {
		switch {
		case f.number == tensorElemType && f.kind == protowire.VarintType:
			v.elemType = f.varint
		case f.number == tensorShape && f.kind == protowire.BytesType:
			v.hasShape = true
			return eachField(f.bytes, func(f field) error {
				if f.number != shapeDim {
					return nil
				}
				d, err := parseDim(f.bytes)
				v.dims = append(v.dims, d)
				return err
			})
		}
		return nil
	})
}

func parseDim(b []byte) (d dim, err error) {
	err = eachField(b, func(f field) error {
		switch {
		case f.number == dimValue && f.kind == protowire.VarintType:
			d.size = int64(f.varint)
		case f.number == dimParam && f.kind == protowire.BytesType:
			d.name = string(f.bytes)
		}
		return nil
	})
	return d, err
}

// field is one field of a message in protobuf's wire format.
type field struct {
	number protowire.Number
	kind   protowire.Type
	bytes  []byte // of BytesType
	varint uint64 // of VarintType
	raw    []byte // all of it, with its tag
}

func eachField(b []byte, do func(field) error) error {
	for len(b) > 0 {
		number, kind, size := protowire.ConsumeTag(b)
		if size < 0 {
			return protowire.ParseError(size)
		}
		f := field{number: number, kind: kind}
		value := b[size:]
		length := protowire.ConsumeFieldValue(number, kind, value)
		if length < 0 {
			return protowire.ParseError(length)
		}
		f.raw = b[:size+length]
		switch f.kind {
		case protowire.BytesType:
			f.bytes, _ = protowire.ConsumeBytes(value)
		case protowire.VarintType:
			f.varint, _ = protowire.ConsumeVarint(value)
		}
		if err := do(f); err != nil {
			return err
		}
		b = b[size+length:]
	}
	return nil
}

func stringField(b []byte, number protowire.Number) (s string, err error) {
	err = eachField(b, func(f field) error {
		if f.number == number && f.kind == protowire.BytesType {
			s = string(f.bytes)
		}
		return nil
	})
	return s, err
}
