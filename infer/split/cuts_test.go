// SPDX-License-Identifier: Apache-2.0

package split_test

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"edgex-offload/infer/onnx"
	"edgex-offload/infer/onnx/onnxtest"
	"edgex-offload/infer/split"
)

func opsAt(m *onnx.Model, cuts []split.Cut) [][]string {
	var list [][]string
	for _, c := range cuts {
		var ops []string
		for _, name := range c.Tensors {
			ops = append(ops, m.Producer(name).GetOpType())
		}
		list = append(list, ops)
	}
	return list
}

func TestCutsOfAResidualNetwork(t *testing.T) {
	m := onnxtest.Residual(1, 16, 3)
	assert.Equal(t, [][]string{
		{"Relu"}, // before the first block
		{"Relu", "Conv"},
		{"Relu", "BatchNormalization"},
		{"Relu", "Relu"}, // inside, with what goes around it
		{"Relu", "Conv"},
		{"Relu", "BatchNormalization"},
		{"Relu"}, // behind it
		{"Relu", "Conv"},
		{"Relu", "BatchNormalization"},
		{"Relu", "Relu"},
		{"Relu", "Conv"},
		{"Relu", "BatchNormalization"},
		{"Relu"},
		{"Flatten"},
	}, opsAt(m, split.Cuts(m, []string{"scores"})))
}

func TestCutsOfMobileNetV2(t *testing.T) {
	m := onnxtest.MobileNetV2(1)
	single := 0
	for _, c := range split.Cuts(m, []string{"scores"}) {
		if len(c.Tensors) == 1 {
			single++
		}
	}
	assert.Equal(t, 1+17+2*6+1+2, single, "the stem, behind each block, two inside of the 6 that widen and have no way around, one in the first, and the end")
}

func TestWhatIsNotNeededIsNotCut(t *testing.T) {
	b := onnxtest.New("side", 1)
	x := b.Input("x", 1, 4)
	a := b.Node("Exp", nil, x)
	side := b.Node("Sin", nil, x) // another output, which nobody reads
	shape := b.Node("Shape", nil, a)
	c := b.Node("Exp", nil, a)
	out := b.Node("Reshape", nil, c, shape)
	b.Output(out)
	b.Output(side)
	m := b.Model()
	assert.Equal(t, []split.Cut{{Tensors: []string{a}, Nodes: 1}}, split.Cuts(m, []string{out}), "int64 of Shape is not sent")
	assert.Empty(t, split.Cuts(m, []string{out, side}), "the outputs are made from the beginning on")
}

// Each cut parts the graph: both parts can be taken out.
func TestCutsOfRandomGraphs(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		b := onnxtest.New("random", 1)
		tensors := []string{b.Input("x", 1)}
		for range rapid.IntRange(2, 15).Draw(t, "nodes") {
			// Near neighbours, so that there are cuts.
			pick := func(label string) string {
				return tensors[max(0, len(tensors)-1-rapid.IntRange(0, 3).Draw(t, label))]
			}
			tensors = append(tensors, b.Node("Add", nil, pick("left"), pick("right")))
		}
		out := tensors[len(tensors)-1]
		b.Output(out, 1)
		m := b.Model()
		for _, c := range split.Cuts(m, []string{out}) {
			_, err := m.Extract([]string{"x"}, c.Tensors)
			require.NoError(t, err)
			_, err = m.Extract(c.Tensors, []string{out})
			require.NoError(t, err)
		}
	})
}
