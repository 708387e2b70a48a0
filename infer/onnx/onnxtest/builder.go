// SPDX-License-Identifier: Apache-2.0

// Package onnxtest builds graphs for tests and benchmarks: with random weights, so what they
// answer means nothing, while their shapes and their work are those of real ones.
//
// A Builder is not safe for concurrent use.
package onnxtest

import (
	"fmt"
	"math"
	"math/rand/v2"

	"google.golang.org/protobuf/proto"

	"edgex-offload/infer/onnx"
	"edgex-offload/infer/onnx/onnxpb"
)

// Opset is what the graphs are written for, and irVersion the format: ONNX Runtime 1.23 and
// OpenCV read both.
const (
	Opset     = 13
	irVersion = 8
)

// Dynamic is a dimension that varies, as the batch.
const Dynamic = -1

// Builder adds node after node to a graph. The tensors are named in its order, as "conv_3".
type Builder struct {
	graph  *onnxpb.GraphProto
	random *rand.Rand
	named  int
}

// New begins a graph; its weights come from the seed.
func New(name string, seed uint64) *Builder {
	return &Builder{graph: &onnxpb.GraphProto{Name: proto.String(name)}, random: rand.New(rand.NewPCG(seed, 0))}
}

// Input declares a float32 input.
func (b *Builder) Input(name string, dims ...int64) string {
	return b.InputOf(onnxpb.TensorProto_FLOAT, name, dims...)
}

// InputOf declares an input of another type.
func (b *Builder) InputOf(of onnxpb.TensorProto_DataType, name string, dims ...int64) string {
	b.graph.Input = append(b.graph.Input, onnx.TensorValue(name, int32(of), dims))
	return name
}

// Output declares a float32 output; dims as in Input, none for not known.
func (b *Builder) Output(tensor string, dims ...int64) {
	b.OutputOf(onnxpb.TensorProto_FLOAT, tensor, dims...)
}

// OutputOf declares an output of another type.
func (b *Builder) OutputOf(of onnxpb.TensorProto_DataType, tensor string, dims ...int64) {
	b.graph.Output = append(b.graph.Output, onnx.TensorValue(tensor, int32(of), dims))
}

// Weight adds a float32 initializer.
func (b *Builder) Weight(values []float32, dims ...int64) string {
	return b.Add(onnx.Float32(b.name("weight"), dims, values))
}

// Ints adds an int64 initializer of one dimension.
func (b *Builder) Ints(values ...int64) string {
	return b.Add(onnx.Int64(b.name("ints"), []int64{int64(len(values))}, values))
}

// Scalar adds a float32 initializer without dimensions.
func (b *Builder) Scalar(v float32) string { return b.Weight([]float32{v}) }

// Add adds any initializer and gives its name.
func (b *Builder) Add(t *onnxpb.TensorProto) string {
	b.graph.Initializer = append(b.graph.Initializer, t)
	return t.GetName()
}

// Random adds a weight of normal values.
func (b *Builder) Random(mean, deviation float64, dims ...int64) string {
	n := int64(1)
	for _, d := range dims {
		n *= d
	}
	values := make([]float32, n)
	for i := range values {
		values[i] = float32(mean + deviation*b.random.NormFloat64())
	}
	return b.Weight(values, dims...)
}

// Attributes of a node: int, []int, float32, string, *onnxpb.TensorProto or *onnxpb.GraphProto.
type Attributes map[string]any

// Node adds an operator of ONNX's own domain with one output and gives its name.
func (b *Builder) Node(op string, attributes Attributes, inputs ...string) string {
	return b.Nodes(op, 1, attributes, inputs...)[0]
}

// Nodes adds an operator of several outputs.
func (b *Builder) Nodes(op string, outputs int, attributes Attributes, inputs ...string) []string {
	n := &onnxpb.NodeProto{OpType: proto.String(op), Input: inputs}
	n.Name = proto.String(b.name(op))
	for i := range outputs {
		out := n.GetName()
		if i > 0 {
			out = fmt.Sprintf("%s_%d", out, i)
		}
		n.Output = append(n.Output, out)
	}
	for _, key := range sorted(attributes) {
		n.Attribute = append(n.Attribute, attribute(key, attributes[key]))
	}
	b.graph.Node = append(b.graph.Node, n)
	return n.GetOutput()
}

// Conv adds a convolution of square kernels without bias, padded so that stride 1 keeps the size.
// Its weights keep the variance (He et al. 2015, https://arxiv.org/abs/1502.01852).
func (b *Builder) Conv(x string, in, out, kernel, stride, groups int) string {
	deviation := math.Sqrt(2 / float64(in/groups*kernel*kernel))
	w := b.Random(0, deviation, int64(out), int64(in/groups), int64(kernel), int64(kernel))
	pad := (kernel - 1) / 2
	return b.Node("Conv", Attributes{
		"kernel_shape": []int{kernel, kernel}, "strides": []int{stride, stride}, "group": groups, "pads": []int{pad, pad, pad, pad},
	}, x, w)
}

// BatchNorm adds a normalisation of near identity.
func (b *Builder) BatchNorm(x string, channels int) string {
	c := int64(channels)
	variance := make([]float32, channels)
	for i := range variance {
		variance[i] = float32(.5 + b.random.Float64())
	}
	return b.Node("BatchNormalization", Attributes{"epsilon": float32(1e-5)}, x,
		b.Random(1, .1, c), b.Random(0, .1, c), b.Random(0, .1, c), b.Weight(variance, c))
}

// Relu6 adds a clip to 0 to 6.
func (b *Builder) Relu6(x string) string { return b.Node("Clip", nil, x, b.Scalar(0), b.Scalar(6)) }

// Proto is the graph's file, not checked.
func (b *Builder) Proto() *onnxpb.ModelProto {
	return &onnxpb.ModelProto{
		IrVersion: proto.Int64(irVersion), ProducerName: proto.String("edgex-offload, random weights"),
		OpsetImport: []*onnxpb.OperatorSetIdProto{{Version: proto.Int64(Opset)}}, Graph: b.graph,
	}
}

// Model checks the graph; a mistake of its builder panics.
func (b *Builder) Model() *onnx.Model {
	m, err := onnx.New(b.Proto())
	if err != nil {
		panic(fmt.Sprintf("onnxtest: %s: %v", b.graph.GetName(), err))
	}
	return m
}

// Bytes is the graph's file; a mistake of its builder panics.
func Bytes(m *onnx.Model) []byte {
	data, err := m.Marshal()
	if err != nil {
		panic(fmt.Sprintf("onnxtest: %v", err))
	}
	return data
}
