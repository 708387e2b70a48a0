// SPDX-License-Identifier: Apache-2.0

package ort

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"edgex-offload/infer"
)

// The sizes of batches may be a caller's choice: what each leaves behind is bounded.
func TestMemoryOfBatchesIsBounded(t *testing.T) {
	const values = 1 << 20 // 4 MiB in, as much out
	wide := onnxModel(
		[]node{{op: "Relu", in: []string{"x"}, out: []string{"y"}}},
		[]io{{name: "x", dims: []any{"N", values}}}, []io{{name: "y", dims: []any{"N", values}}},
	)
	g, is := load(t, newRuntime(t, Options{}), wide, signal(values)).(*graph)
	require.True(t, is)
	for _, batch := range []int{1, 2, 3, 4, 2, 5, 1, 6, 3} {
		err := g.Run(t.Context(), batch, func([][]float32) error { return nil }, func(out []infer.Tensor) error {
			assert.Equal(t, []int64{int64(batch), values}, out[0].Shape)
			return nil
		})
		require.NoError(t, err)
		kept := 0
		for size, idle := range g.idle {
			for _, s := range idle {
				if size > 1 {
					kept += s.bytes()
				}
			}
		}
		assert.Equal(t, kept, g.idleBytes)
		assert.LessOrEqual(t, kept, maxIdleBytes)
		assert.Len(t, g.idle[1], 1, "single examples keep theirs")
	}
}
