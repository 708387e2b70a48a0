// SPDX-License-Identifier: Apache-2.0

package quantize

import (
	"context"
	"math/rand/v2"

	"github.com/stretchr/testify/require"

	"edgex-offload/infer"
	"edgex-offload/infer/onnx"
	"edgex-offload/infer/onnx/onnxpb"
	"edgex-offload/infer/onnx/onnxtest"
	"edgex-offload/infer/ort"
)

// signal is a model that is fed values of this shape as they are.
func signal(shape ...int) infer.Spec {
	return infer.Spec{Decoder: infer.Classification, Input: infer.Input{Type: "signal", Shape: shape}}
}

// noise makes samples of normal values.
func noise(seed uint64, count int, shape ...int) []Sample {
	r := rand.New(rand.NewPCG(seed, 0))
	n := 1
	for _, d := range shape {
		n *= d
	}
	list := make([]Sample, count)
	for i := range list {
		values := make([]float32, n)
		for k := range values {
			values[k] = float32(r.NormFloat64())
		}
		list[i] = Sample{values}
	}
	return list
}

// outputs runs a graph once and gives all of its outputs.
func outputs(t require.TestingT, backend *ort.Runtime, spec infer.Spec, model []byte, s Sample) (all [][]float32) {
	graph, err := backend.Load(context.Background(), infer.Source{ONNX: model, Spec: spec})
	require.NoError(t, err)
	defer graph.Close()
	require.NoError(t, run(context.Background(), graph, s, func(list []infer.Tensor) error {
		for _, o := range list {
			all = append(all, append([]float32(nil), o.Data...))
		}
		return nil
	}))
	return all
}

// apart is the error of values relative to what they should be.
func apart(want, got []float32) float64 {
	differ, power := difference(want, got)
	return relative(differ, power)
}

// square is a Conv of square kernels with what the tests vary.
func square(b *onnxtest.Builder, x string, in, out, kernel, stride, pad, groups int, bias bool) string {
	inputs := []string{x, b.Random(0, .3, int64(out), int64(in/groups), int64(kernel), int64(kernel))}
	if bias {
		inputs = append(inputs, b.Random(0, .5, int64(out)))
	}
	return b.Node("Conv", onnxtest.Attributes{
		"kernel_shape": []int{kernel, kernel}, "strides": []int{stride, stride}, "group": groups, "pads": []int{pad, pad, pad, pad},
	}, inputs...)
}

// file is a builder's graph; a mistake of it panics.
func file(b *onnxtest.Builder) []byte { return onnxtest.Bytes(b.Model()) }

// unnamed is a tensor of n numbers for a Constant node.
func unnamed(n int) *onnxpb.TensorProto {
	values := make([]float32, n)
	for i := range values {
		values[i] = float32(i) + .5
	}
	return onnx.Float32("", []int64{int64(n)}, values)
}

func scalarInt(v int64) *onnxpb.TensorProto { return onnx.Int64("scalar", nil, []int64{v}) }

// runtime is what orttest gives.
type runtime = *ort.Runtime
