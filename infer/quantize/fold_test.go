// SPDX-License-Identifier: Apache-2.0

package quantize

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"edgex-offload/infer/onnx/onnxtest"
	"edgex-offload/infer/ort/orttest"
)

// A folded graph computes what the given one does.
func TestFoldedEqualsTheOriginal(t *testing.T) {
	backend := orttest.Runtime(t)
	rapid.Check(t, func(t *rapid.T) {
		seed := rapid.Uint64().Draw(t, "seed")
		b := onnxtest.New("fold", seed)
		x := b.Input("x", onnxtest.Dynamic, 3, 8, 8)
		in := 3
		for range rapid.IntRange(1, 3).Draw(t, "layers") {
			out := rapid.IntRange(1, 6).Draw(t, "channels")
			x = square(b, x, in, out, 3, 1, 1, 1, rapid.Bool().Draw(t, "bias"))
			in = out
			for range rapid.IntRange(0, 3).Draw(t, "steps") {
				x = step(t, b, x, out)
			}
		}
		b.Output(x)
		model := file(b)
		n, _, err := ready(model)
		require.NoError(t, err)
		m, err := n.checked()
		require.NoError(t, err)
		folded := onnxtest.Bytes(m)
		spec, s := signal(3, 8, 8), noise(seed, 1, 3, 8, 8)[0]
		want, got := outputs(t, backend, spec, model, s), outputs(t, backend, spec, folded, s)
		assert.Less(t, apart(want[0], got[0]), 1e-4)
	})
}

// step adds one of the steps that exporters leave behind a convolution.
func step(t *rapid.T, b *onnxtest.Builder, x string, channels int) string {
	c := int64(channels)
	constant := func() string {
		shape := rapid.SampledFrom([][]int64{nil, {1}, {c, 1, 1}, {1, c, 1, 1}}).Draw(t, "shape")
		return b.Random(1, .2, shape...)
	}
	switch op := rapid.SampledFrom([]string{"BatchNormalization", "Add", "Sub", "Mul", "Div", "Relu", "Identity"}).Draw(t, "op"); op {
	case "BatchNormalization":
		return b.BatchNorm(x, channels)
	case "Relu", "Identity":
		return b.Node(op, nil, x)
	case "Div":
		return b.Node(op, nil, x, constant())
	default:
		if rapid.Bool().Draw(t, "constant first") {
			return b.Node(op, nil, constant(), x)
		}
		return b.Node(op, nil, x, constant())
	}
}

func TestWhatIsFolded(t *testing.T) {
	for name, c := range map[string]struct {
		build func(b *onnxtest.Builder, x string) string
		left  []string
	}{
		"normalization": {func(b *onnxtest.Builder, x string) string {
			return b.BatchNorm(square(b, x, 3, 4, 3, 1, 1, 1, false), 4)
		}, []string{"Conv"}},
		"bias outside": {func(b *onnxtest.Builder, x string) string {
			return b.Node("Add", nil, square(b, x, 3, 4, 3, 1, 1, 1, false), b.Random(0, 1, 4, 1, 1))
		}, []string{"Conv"}},
		"bias in a Constant that is given a shape": {func(b *onnxtest.Builder, x string) string {
			flat := b.Node("Constant", onnxtest.Attributes{"value": unnamed(4)})
			return b.Node("Add", nil, square(b, x, 3, 4, 3, 1, 1, 1, false), b.Node("Reshape", nil, flat, b.Ints(1, -1, 1, 1)))
		}, []string{"Conv"}},
		"a second reader keeps the sum": {func(b *onnxtest.Builder, x string) string {
			y := square(b, x, 3, 4, 3, 1, 1, 1, true)
			return b.Node("Mul", nil, y, b.Node("Add", nil, y, b.Scalar(2)))
		}, []string{"Conv", "Add", "Mul"}},
		"one number per column is none per channel": {func(b *onnxtest.Builder, x string) string {
			return b.Node("Add", nil, square(b, x, 3, 8, 3, 1, 1, 1, true), b.Random(0, 1, 8))
		}, []string{"Conv", "Add"}},
		"a gain that overflows": {func(b *onnxtest.Builder, x string) string {
			y := b.Node("Mul", nil, square(b, x, 3, 4, 3, 1, 1, 1, true), b.Scalar(3e38))
			return b.Node("Mul", nil, y, b.Scalar(1e30))
		}, []string{"Conv", "Mul"}},
		"Gemm with alpha and beta": {func(b *onnxtest.Builder, x string) string {
			flat := b.Node("Flatten", nil, x)
			y := b.Node("Gemm", onnxtest.Attributes{"alpha": float32(.5), "beta": float32(2)}, flat, b.Random(0, 1, 192, 5), b.Random(0, 1, 5))
			return b.Node("Add", nil, y, b.Random(0, 1, 5))
		}, []string{"Flatten", "Gemm"}},
	} {
		t.Run(name, func(t *testing.T) {
			b := onnxtest.New("fold", 1)
			b.Output(c.build(b, b.Input("x", 1, 3, 8, 8)))
			n, _, err := ready(file(b))
			require.NoError(t, err)
			var left []string
			for _, node := range n.graph.Node {
				left = append(left, node.GetOpType())
			}
			assert.Equal(t, c.left, left)
		})
	}
}

// Two layers with the same weights, of which one is followed by a normalization.
func TestSharedWeightsAreFoldedForOneAlone(t *testing.T) {
	b := onnxtest.New("shared", 1)
	x := b.Input("x", 1, 4, 8, 8)
	w := b.Random(0, .3, 4, 4, 3, 3)
	pads := onnxtest.Attributes{"pads": []int{1, 1, 1, 1}}
	first := b.BatchNorm(b.Node("Conv", pads, x, w), 4)
	b.Output(b.Node("Conv", pads, first, w))
	model := file(b)
	backend := orttest.Runtime(t)
	n, _, err := ready(model)
	require.NoError(t, err)
	m, err := n.checked()
	require.NoError(t, err)
	spec, s := signal(4, 8, 8), noise(1, 1, 4, 8, 8)[0]
	assert.Less(t, apart(outputs(t, backend, spec, model, s)[0], outputs(t, backend, spec, onnxtest.Bytes(m), s)[0]), 1e-5)
}

// A shape that is computed from the batch becomes "as before" and "the rest".
func TestComputedShapesBecomeConstant(t *testing.T) {
	for name, keep := range map[string]int64{"as it is": 1, "of another dimension": 2} {
		t.Run(name, func(t *testing.T) {
			b := onnxtest.New("shape", 1)
			x := b.Input("x", onnxtest.Dynamic, 4, 4, 8)
			shape := b.Node("Shape", nil, x)
			batch := b.Node("Slice", nil, shape, b.Ints(0), b.Ints(1), b.Ints(0))
			channels := b.Node("Unsqueeze", nil, b.Node("Gather", onnxtest.Attributes{"axis": 0}, shape, b.Add(scalarInt(keep))), b.Ints(0))
			b.Output(b.Node("Reshape", nil, x, b.Node("Concat", onnxtest.Attributes{"axis": 0}, batch, channels, b.Ints(-1))))
			n, _, err := ready(file(b))
			require.NoError(t, err)
			if keep != 1 { // it would be wrong to say "as before" there
				assert.Greater(t, len(n.graph.Node), 1)
				return
			}
			require.Len(t, n.graph.Node, 1, fmt.Sprint(n.graph.Node))
			dims, ok := n.sizes(n.graph.Node[0].Input[1], 0)
			assert.True(t, ok)
			assert.Equal(t, []size{{value: 0}, {value: 0}, {value: -1}}, dims)
		})
	}
}
