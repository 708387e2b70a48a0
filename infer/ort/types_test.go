// SPDX-License-Identifier: Apache-2.0

package ort

import (
	"context"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"edgex-offload/infer"
)

// Graphs of other types look like graphs of float32.
func TestTypes(t *testing.T) {
	r := newRuntime(t, Options{})
	for name, c := range map[string]struct {
		elemType  uint64
		give, got []float32
	}{
		"uint8":    {2, []float32{0, 1.4, 254.6, 255}, []float32{0, 1, 255, 255}},
		"int8":     {3, []float32{-128, -1.6, 1.6, 127}, []float32{-128, -2, 2, 127}},
		"int32":    {6, []float32{-5, 0, 1, 1 << 20}, []float32{-5, 0, 1, 1 << 20}},
		"int64":    {7, []float32{101, 30521, 0, 102}, []float32{101, 30521, 0, 102}},
		"bool":     {9, []float32{0, 1, 2, 0}, []float32{0, 1, 1, 0}},
		"float16":  {10, []float32{.5, -2, 1. / 3, 6}, []float32{.5, -2, .33325195, 6}},
		"float64":  {11, []float32{.5, -2, 1e30, 6}, []float32{.5, -2, 1e30, 6}},
		"bfloat16": {16, []float32{.5, -2, 3, 6}, []float32{.5, -2, 3, 6}},
	} {
		t.Run(name, func(t *testing.T) {
			shape := []any{"N", 4}
			model := onnxModel([]node{{op: "Identity", in: []string{"x"}, out: []string{"y"}}}, []io{{name: "x", elemType: c.elemType, dims: shape}}, []io{{name: "y", elemType: c.elemType, dims: shape}})
			g := load(t, r, model, signal(4))
			assert.Equal(t, infer.About{
				Provider: CPU, Batches: true,
				Inputs:  []infer.Port{{Name: "x", Type: name, Shape: []int64{-1, 4}}},
				Outputs: []infer.Port{{Name: "y", Type: name, Shape: []int64{-1, 4}}},
			}, g.About())
			got, err := run(context.Background(), g, c.give...)
			require.NoError(t, err)
			assert.Equal(t, []infer.Tensor{{Name: "y", Shape: []int64{1, 4}, Data: c.got}}, got)
		})
	}
}

// An anomaly score often comes as a tensor without dimensions.
func TestAnOutputWithoutDimensions(t *testing.T) {
	model := onnxModel([]node{{op: "ReduceMax", in: []string{"x"}, out: []string{"y"}, attr: map[string]int{"keepdims": 0}}},
		[]io{{name: "x", dims: []any{1, 4}}}, []io{{name: "y", dims: []any{}}})
	g := load(t, newRuntime(t, Options{}), model, signal(4))
	for range 2 {
		got, err := run(context.Background(), g, 1, 7, 3, 2)
		require.NoError(t, err)
		assert.Equal(t, []infer.Tensor{{Name: "y", Shape: []int64{1}, Data: []float32{7}}}, got)
	}
	assert.False(t, g.About().Batches)
}

func TestABatch(t *testing.T) {
	g := load(t, newRuntime(t, Options{}), relu, signal(4))
	for _, batch := range []int{3, 1, 3, 2} {
		want := make([]float32, 4*batch)
		err := g.Run(context.Background(), batch, func(in [][]float32) error {
			require.Len(t, in[0], 4*batch)
			for i := range in[0] {
				want[i] = float32(i)
				in[0][i] = want[i]
			}
			return nil
		}, func(out []infer.Tensor) error {
			assert.Equal(t, []int64{int64(batch), 4}, out[0].Shape)
			assert.Equal(t, want, out[0].Data)
			return nil
		})
		require.NoError(t, err)
	}
	fixed := onnxModel([]node{{op: "Relu", in: []string{"x"}, out: []string{"y"}}}, []io{{name: "x", dims: []any{1, 4}}}, []io{{name: "y", dims: []any{1, 4}}})
	err := load(t, newRuntime(t, Options{}), fixed, signal(4)).Run(context.Background(), 2, nil, nil)
	assert.ErrorContains(t, err, "a batch of 2: the graph takes one at a time")
}
