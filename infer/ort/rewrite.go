// SPDX-License-Identifier: Apache-2.0

package ort

import (
	"encoding/binary"
	"math"

	"google.golang.org/protobuf/encoding/protowire"
)

// More field numbers of onnx.proto, of what is added to a graph.
const (
	graphNode      protowire.Number = 1
	nodeInput      protowire.Number = 1
	nodeOutput     protowire.Number = 2
	nodeOpType     protowire.Number = 4
	nodeAttribute  protowire.Number = 5
	attributeName  protowire.Number = 1
	attributeInt   protowire.Number = 3
	attributeType  protowire.Number = 20
	tensorDims     protowire.Number = 1
	tensorDataType protowire.Number = 2
	tensorRaw      protowire.Number = 9
	attributeIsInt                  = 2
	halfName                        = "offload/half"
	oneDimName                      = "offload/one"
	float32Suffix                   = "/float32"
)

// plain says that the graph's own tensor is what the session is fed or gives.
func (v value) plain() bool { return v.elemType == onnxFloat && !v.rankZero() }

// rankZero: ONNX Runtime's binding for Go cannot hold a tensor without dimensions.
func (v value) rankZero() bool { return v.hasShape && len(v.dims) == 0 }

// whole says whether the type holds whole numbers alone.
func (v value) whole() bool {
	return v.elemType >= 2 && v.elemType <= 7 || v.elemType == 12 || v.elemType == 13
}

// inSession is the name of the float32 tensor that stands for v in the session.
func (v value) inSession() string {
	if v.plain() {
		return v.name
	}
	return v.name + float32Suffix
}

// rewrite gives the graph as the session gets it. Inputs that are weights as well are
// taken off: as inputs they could be replaced in each run, so that ONNX Runtime would fold
// nothing into them (UltraFace runs three times faster without). Of ins and outs those that
// are not float32 get a Cast between, so that whoever calls deals with one type; on the way to
// whole numbers it rounds. An output without dimensions becomes one of one.
func (h header) rewrite(model []byte, ins, outs []value) []byte {
	e := edit{h: h, drop: map[string]bool{}}
	for _, v := range h.inputs {
		if h.weights[v.name] {
			e.drop[v.name] = true
		}
	}
	for _, v := range ins {
		if !v.plain() {
			e.feed(v)
		}
	}
	for _, v := range outs {
		if !v.plain() {
			e.give(v)
		}
	}
	if len(e.drop)+len(e.values) == 0 {
		return model
	}
	return e.apply(model)
}

// edit is what changes in a graph.
type edit struct {
	h             header
	drop          map[string]bool // inputs
	before, after [][]byte        // nodes
	values        [][]byte        // inputs, outputs and initializers, with their tags
	half, one     bool            // these constants are there
}

func (e *edit) feed(v value) {
	e.drop[v.name] = true
	from := v.inSession()
	e.values = append(e.values, encodeValue(graphInput, from, v.dims))
	if v.whole() { // rounds, as Cast cuts off
		e.constant(&e.half, encodeTensor(halfName, onnxFloat, nil, binary.LittleEndian.AppendUint32(nil, math.Float32bits(.5))))
		e.before = append(e.before,
			encodeNode("Add", []string{from, halfName}, from+"/half", 0),
			encodeNode("Floor", []string{from + "/half"}, from+"/whole", 0))
		from += "/whole"
	}
	e.before = append(e.before, encodeNode("Cast", []string{from}, v.name, v.elemType))
}

func (e *edit) give(v value) {
	from, to, dims := v.name, v.inSession(), v.dims
	if v.rankZero() {
		e.constant(&e.one, encodeTensor(oneDimName, onnxInt64, []int64{1}, binary.LittleEndian.AppendUint64(nil, 1)))
		e.after = append(e.after, encodeNode("Reshape", []string{from, oneDimName}, to+"/one", 0))
		from, dims = to+"/one", []dim{{size: 1}}
	}
	e.after = append(e.after, encodeNode("Cast", []string{from}, to, onnxFloat))
	e.values = append(e.values, encodeValue(graphOutput, to, dims))
}

func (e *edit) constant(there *bool, initializer []byte) {
	if !*there {
		e.values = append(e.values, initializer)
	}
	*there = true
}

// apply writes the graph anew: nodes stay in topological order.
func (e *edit) apply(model []byte) []byte {
	out := make([]byte, 0, len(model)+1024)
	_ = eachField(model, func(f field) error { // parseGraph has read it without an error
		if f.number != modelGraph || f.kind != protowire.BytesType {
			out = append(out, f.raw...)
			return nil
		}
		graph := make([]byte, 0, len(f.bytes)+1024)
		for _, node := range e.before {
			graph = append(graph, node...)
		}
		_ = eachField(f.bytes, func(f field) error {
			if name, _ := stringField(f.bytes, valueName); f.number != graphInput || !e.drop[name] {
				graph = append(graph, f.raw...)
			}
			return nil
		})
		for _, part := range append(e.after, e.values...) {
			graph = append(graph, part...)
		}
		out = protowire.AppendTag(out, modelGraph, protowire.BytesType)
		out = protowire.AppendBytes(out, graph)
		return nil
	})
	return out
}

// encodeNode is an operator with one output; castTo is Cast's attribute, 0 for none.
func encodeNode(op string, in []string, out string, castTo uint64) []byte {
	var b []byte
	for _, name := range in {
		b = appendText(b, nodeInput, name)
	}
	b = appendText(b, nodeOutput, out)
	b = appendText(b, nodeOpType, op)
	if castTo != 0 {
		to := appendText(nil, attributeName, "to")
		to = appendNumber(to, attributeInt, castTo)
		to = appendNumber(to, attributeType, attributeIsInt)
		b = appendMessage(b, nodeAttribute, to)
	}
	return appendMessage(nil, graphNode, b)
}

// encodeValue is a float32 input or output.
func encodeValue(number protowire.Number, name string, dims []dim) []byte {
	var shape []byte
	for _, d := range dims {
		var b []byte
		switch {
		case d.name != "":
			b = appendText(b, dimParam, d.name)
		case d.size > 0:
			b = appendNumber(b, dimValue, uint64(d.size))
		}
		shape = appendMessage(shape, shapeDim, b)
	}
	tensor := appendNumber(nil, tensorElemType, onnxFloat)
	if dims != nil {
		tensor = appendMessage(tensor, tensorShape, shape)
	}
	b := appendText(nil, valueName, name)
	b = appendMessage(b, valueType, appendMessage(nil, typeTensor, tensor))
	return appendMessage(nil, number, b)
}

func encodeTensor(name string, elemType uint64, dims []int64, raw []byte) []byte {
	var b []byte
	for _, d := range dims {
		b = appendNumber(b, tensorDims, uint64(d))
	}
	b = appendNumber(b, tensorDataType, elemType)
	b = appendText(b, tensorName, name)
	b = appendMessage(b, tensorRaw, raw)
	return appendMessage(nil, graphInitializer, b)
}

func appendText(b []byte, number protowire.Number, s string) []byte {
	return protowire.AppendString(protowire.AppendTag(b, number, protowire.BytesType), s)
}

func appendMessage(b []byte, number protowire.Number, message []byte) []byte {
	return protowire.AppendBytes(protowire.AppendTag(b, number, protowire.BytesType), message)
}

func appendNumber(b []byte, number protowire.Number, n uint64) []byte {
	return protowire.AppendVarint(protowire.AppendTag(b, number, protowire.VarintType), n)
}
