// SPDX-License-Identifier: Apache-2.0

package mlp

import (
	"encoding/binary"
	"fmt"
	"maps"
	"math"
	"slices"

	"google.golang.org/protobuf/encoding/protowire"
)

// The names of a file's input and output.
const (
	InputName  = "state"
	OutputName = "values"
)

// What a file says of itself: opset 13 has had Gemm and Relu as they are since, and IR 8
// came with it.
const (
	irVersion = 8
	opset     = 13
)

// Field numbers of onnx.proto (https://github.com/onnx/onnx/blob/main/onnx/onnx.proto).
const (
	modelIR       protowire.Number = 1
	modelProducer protowire.Number = 2
	modelGraph    protowire.Number = 7
	modelOpset    protowire.Number = 8
	modelMetadata protowire.Number = 14

	opsetVersion protowire.Number = 2
	entryKey     protowire.Number = 1
	entryValue   protowire.Number = 2

	graphNode        protowire.Number = 1
	graphName        protowire.Number = 2
	graphInitializer protowire.Number = 5
	graphInput       protowire.Number = 11
	graphOutput      protowire.Number = 12

	nodeInput     protowire.Number = 1
	nodeOutput    protowire.Number = 2
	nodeOp        protowire.Number = 4
	nodeAttribute protowire.Number = 5
	attributeName protowire.Number = 1
	attributeInt  protowire.Number = 3
	attributeType protowire.Number = 20

	tensorDims  protowire.Number = 1
	tensorType  protowire.Number = 2
	tensorName  protowire.Number = 8
	tensorRaw   protowire.Number = 9
	valueName   protowire.Number = 1
	valueType   protowire.Number = 2
	typeTensor  protowire.Number = 1
	elementType protowire.Number = 1
	tensorShape protowire.Number = 2
	shapeDim    protowire.Number = 1
	dimValue    protowire.Number = 1
)

const (
	onnxFloat = 1 // TensorProto.FLOAT
	onnxInt   = 2 // AttributeProto.INT
)

// message is a protobuf message that is being written.
type message []byte

func (m message) number(n protowire.Number, v uint64) message {
	return protowire.AppendVarint(protowire.AppendTag(m, n, protowire.VarintType), v)
}

func (m message) bytes(n protowire.Number, v []byte) message {
	return protowire.AppendBytes(protowire.AppendTag(m, n, protowire.BytesType), v)
}

func (m message) text(n protowire.Number, v string) message { return m.bytes(n, []byte(v)) }

// ONNX writes a network with one input, InputName of [1, inputs], and one output, OutputName
// of [1, outputs], both float32. The same network and metadata give the same bytes.
func (n *Network) ONNX(metadata map[string]string) ([]byte, error) {
	if err := n.Validate(); err != nil {
		return nil, fmt.Errorf("network: %w", err)
	}
	var file message
	file = file.number(modelIR, irVersion).text(modelProducer, "edgex-offload").bytes(modelGraph, n.graph())
	file = file.bytes(modelOpset, message(nil).number(opsetVersion, opset))
	for _, key := range slices.Sorted(maps.Keys(metadata)) {
		file = file.bytes(modelMetadata, message(nil).text(entryKey, key).text(entryValue, metadata[key]))
	}
	return file, nil
}

func (n *Network) graph() message {
	var nodes, weights message
	from := InputName
	for i := range n.Layers {
		l, last := &n.Layers[i], i == len(n.Layers)-1
		w, b, to := fmt.Sprintf("weight%d", i), fmt.Sprintf("bias%d", i), fmt.Sprintf("sum%d", i)
		if last {
			to = OutputName
		}
		nodes = nodes.bytes(graphNode, gemm([]string{from, w, b}, to))
		weights = weights.bytes(graphInitializer, tensor(w, l.Weights, l.Out, l.In)).bytes(graphInitializer, tensor(b, l.Bias, l.Out))
		if from = fmt.Sprintf("layer%d", i); !last {
			nodes = nodes.bytes(graphNode, message(nil).text(nodeInput, to).text(nodeOutput, from).text(nodeOp, "Relu"))
		}
	}
	g := nodes.text(graphName, "policy")
	g = append(g, weights...)
	return g.bytes(graphInput, value(InputName, n.Inputs())).bytes(graphOutput, value(OutputName, n.Outputs()))
}

// gemm is y = x·Wᵀ + b.
func gemm(inputs []string, output string) (m message) {
	for _, in := range inputs {
		m = m.text(nodeInput, in)
	}
	transposed := message(nil).text(attributeName, "transB").number(attributeInt, 1).number(attributeType, onnxInt)
	return m.text(nodeOutput, output).text(nodeOp, "Gemm").bytes(nodeAttribute, transposed)
}

func tensor(name string, values []float32, dims ...int) (m message) {
	for _, d := range dims {
		m = m.number(tensorDims, uint64(d))
	}
	raw := make([]byte, 0, 4*len(values))
	for _, v := range values {
		raw = binary.LittleEndian.AppendUint32(raw, math.Float32bits(v))
	}
	return m.number(tensorType, onnxFloat).text(tensorName, name).bytes(tensorRaw, raw)
}

func value(name string, width int) message {
	var shape message
	for _, d := range []int{1, width} {
		shape = shape.bytes(shapeDim, message(nil).number(dimValue, uint64(d)))
	}
	kind := message(nil).number(elementType, onnxFloat).bytes(tensorShape, shape)
	return message(nil).text(valueName, name).bytes(valueType, message(nil).bytes(typeTensor, kind))
}
