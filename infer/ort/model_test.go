// SPDX-License-Identifier: Apache-2.0

package ort

import (
	"encoding/binary"
	"math"

	"google.golang.org/protobuf/encoding/protowire"
)

// Graphs for tests, written field by field as onnx.proto has them.

// io is an input or output: a size, or a name for a dimension that varies.
type io struct {
	name     string
	elemType uint64
	dims     []any // int or string
}

// node is an operator; attr holds whole numbers.
type node struct {
	op      string
	in, out []string
	attr    map[string]int
}

// weight is an initializer of one dimension.
type weight struct {
	name   string
	values []float32
}

func message(number protowire.Number, fields ...[]byte) []byte {
	var body []byte
	for _, f := range fields {
		body = append(body, f...)
	}
	return protowire.AppendBytes(protowire.AppendTag(nil, number, protowire.BytesType), body)
}

func text(number protowire.Number, s string) []byte { return message(number, []byte(s)) }

func number(field protowire.Number, v int) []byte {
	return protowire.AppendVarint(protowire.AppendTag(nil, field, protowire.VarintType), uint64(v))
}

// onnxModel is a model.onnx of opset 13.
func onnxModel(nodes []node, inputs, outputs []io, weights ...weight) []byte {
	var graph [][]byte
	for _, n := range nodes {
		var fields [][]byte
		for _, s := range n.in {
			fields = append(fields, text(1, s))
		}
		for _, s := range n.out {
			fields = append(fields, text(2, s))
		}
		fields = append(fields, text(4, n.op))
		for name, v := range n.attr {
			fields = append(fields, message(5, text(1, name), number(3, v), number(20, 2)))
		}
		graph = append(graph, message(1, fields...))
	}
	graph = append(graph, text(2, "test"))
	for _, w := range weights {
		var raw []byte
		for _, v := range w.values {
			raw = binary.LittleEndian.AppendUint32(raw, math.Float32bits(v))
		}
		graph = append(graph, message(graphInitializer, number(1, len(w.values)), number(2, onnxFloat), text(tensorName, w.name), message(9, raw)))
	}
	for _, v := range inputs {
		graph = append(graph, v.encode(graphInput))
	}
	for _, v := range outputs {
		graph = append(graph, v.encode(graphOutput))
	}
	model := append(number(1, 8), message(8, text(1, ""), number(2, 13))...)
	return append(model, message(modelGraph, graph...)...)
}

func (v io) encode(field protowire.Number) []byte {
	var dims [][]byte
	for _, d := range v.dims {
		switch d := d.(type) {
		case int:
			dims = append(dims, message(shapeDim, number(dimValue, d)))
		case string:
			dims = append(dims, message(shapeDim, text(dimParam, d)))
		}
	}
	kind := v.elemType
	if kind == 0 {
		kind = onnxFloat
	}
	tensor := message(typeTensor, number(tensorElemType, int(kind)), message(tensorShape, dims...))
	return message(field, text(valueName, v.name), message(valueType, tensor))
}
