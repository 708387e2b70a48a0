// SPDX-License-Identifier: Apache-2.0

package onnxtest

import (
	"edgex-offload/infer/onnx"
)

// MobileNetV2Classes is how many scores MobileNetV2 gives.
const MobileNetV2Classes = 1000

// MobileNetV2 is a network of MobileNetV2's layout and size (Sandler et al. 2018,
// https://arxiv.org/abs/1801.04381, table 2: 300 million multiply-adds, 3.5 million weights) with
// random weights: input "input" float32 [N 3 224 224], output "scores" [N 1000], logits. Its
// normalisations are not folded into the convolutions.
func MobileNetV2(seed uint64) *onnx.Model { return MobileNetV2Sized(seed, 224) }

// MobileNetV2Sized is MobileNetV2 for pictures of another size, side x side.
func MobileNetV2Sized(seed uint64, side int) *onnx.Model {
	b := New("mobilenet-v2, random weights", seed)
	x := b.Input("input", Dynamic, 3, int64(side), int64(side))
	x = b.convBN6(x, 3, 32, 3, 2, 1)
	in := 32
	for _, row := range []struct{ expand, out, repeat, stride int }{
		{1, 16, 1, 1},
		{6, 24, 2, 2},
		{6, 32, 3, 2},
		{6, 64, 4, 2},
		{6, 96, 3, 1},
		{6, 160, 3, 2},
		{6, 320, 1, 1},
	} {
		for i := range row.repeat {
			stride := row.stride
			if i > 0 {
				stride = 1
			}
			x = b.invertedResidual(x, in, row.out, row.expand, stride)
			in = row.out
		}
	}
	x = b.convBN6(x, in, 1280, 1, 1, 1)
	x = b.Node("GlobalAveragePool", nil, x)
	x = b.Node("Flatten", Attributes{"axis": 1}, x)
	b.gemm(x, "scores", 1280, MobileNetV2Classes)
	b.Output("scores", Dynamic, MobileNetV2Classes)
	return b.Model()
}

func (b *Builder) convBN6(x string, in, out, kernel, stride, groups int) string {
	return b.Relu6(b.BatchNorm(b.Conv(x, in, out, kernel, stride, groups), out))
}

// invertedResidual widens, filters each channel by itself, and narrows without a nonlinearity.
func (b *Builder) invertedResidual(x string, in, out, expand, stride int) string {
	y, wide := x, in*expand
	if expand > 1 {
		y = b.convBN6(y, in, wide, 1, 1, 1)
	}
	y = b.convBN6(y, wide, wide, 3, stride, wide)
	y = b.BatchNorm(b.Conv(y, wide, out, 1, 1, 1), out)
	if stride == 1 && in == out {
		return b.Node("Add", nil, x, y)
	}
	return y
}

// gemm adds a dense layer whose output has the given name.
func (b *Builder) gemm(x, name string, in, out int) {
	b.Node("Gemm", Attributes{"transB": 1}, x, b.Random(0, .03, int64(out), int64(in)), b.Random(0, .1, int64(out)))
	b.graph.Node[len(b.graph.Node)-1].Output[0] = name
}

// ConvBNRelu is a small classifier: input "input" [N 3 size size], convolution, normalisation,
// Relu, mean and a dense layer to "scores" [N classes], logits.
func ConvBNRelu(seed uint64, size, classes int) *onnx.Model {
	b := New("conv-bn-relu, random weights", seed)
	x := b.Input("input", Dynamic, 3, int64(size), int64(size))
	x = b.Node("Relu", nil, b.BatchNorm(b.Conv(x, 3, 8, 3, 2, 1), 8))
	b.head(x, 8, classes)
	return b.Model()
}

// Residual is a small classifier with two residual blocks, as ConvBNRelu else.
func Residual(seed uint64, size, classes int) *onnx.Model {
	b := New("residual, random weights", seed)
	x := b.Input("input", Dynamic, 3, int64(size), int64(size))
	x = b.Node("Relu", nil, b.BatchNorm(b.Conv(x, 3, 8, 3, 2, 1), 8))
	for range 2 {
		y := b.Node("Relu", nil, b.BatchNorm(b.Conv(x, 8, 8, 3, 1, 1), 8))
		y = b.BatchNorm(b.Conv(y, 8, 8, 3, 1, 1), 8)
		x = b.Node("Relu", nil, b.Node("Add", nil, x, y))
	}
	b.head(x, 8, classes)
	return b.Model()
}

func (b *Builder) head(x string, channels, classes int) {
	x = b.Node("Flatten", Attributes{"axis": 1}, b.Node("GlobalAveragePool", nil, x))
	b.gemm(x, "scores", channels, classes)
	b.Output("scores", Dynamic, int64(classes))
}
