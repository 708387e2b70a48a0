// SPDX-License-Identifier: Apache-2.0

package ort

import (
	"context"
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"edgex-offload/infer/mlp"
)

func network(tb testing.TB, r *Runtime, widths ...int) (*mlp.Network, *Network) {
	tb.Helper()
	n, err := mlp.New(rand.New(rand.NewPCG(1, 0)), widths...)
	require.NoError(tb, err)
	file, err := n.ONNX(map[string]string{"trained": "not at all"})
	require.NoError(tb, err)
	loaded, err := r.LoadNetwork(context.Background(), file, n.Inputs(), n.Outputs())
	require.NoError(tb, err)
	tb.Cleanup(func() { assert.NoError(tb, loaded.Close()) })
	return n, loaded
}

// What package mlp writes is what ONNX Runtime runs.
func TestANetworkIsTheSameInGoAndHere(t *testing.T) {
	r := newRuntime(t, Options{})
	rng := rand.New(rand.NewPCG(2, 0))
	for _, widths := range [][]int{{20, 32, 32, 3}, {5, 2}, {1, 256, 1}} {
		inGo, here := network(t, r, widths...)
		x := make([]float32, inGo.Inputs())
		got, want := make([]float32, inGo.Outputs()), make([]float32, inGo.Outputs())
		for range 200 {
			for i := range x {
				x[i] = rng.Float32()*2 - 1
			}
			require.NoError(t, inGo.Values(x, want))
			require.NoError(t, here.Values(x, got))
			assert.InDeltaSlice(t, want, got, 1e-5)
		}
	}
}

func TestANetworkOfAnotherSizeIsRefused(t *testing.T) {
	r := newRuntime(t, Options{})
	n, err := mlp.New(rand.New(rand.NewPCG(1, 0)), 4, 2)
	require.NoError(t, err)
	file, err := n.ONNX(nil)
	require.NoError(t, err)
	_, err = r.LoadNetwork(context.Background(), file, 5, 2)
	assert.Error(t, err)
	_, err = r.LoadNetwork(context.Background(), file, 4, 3)
	assert.ErrorContains(t, err, "needed is one of 3 values")
}

func BenchmarkNetwork(b *testing.B) {
	_, n := network(b, newRuntime(b, Options{}), 20, 32, 32, 3)
	x, y := make([]float32, 20), make([]float32, 3)
	b.ReportAllocs()
	for b.Loop() {
		_ = n.Values(x, y)
	}
}
