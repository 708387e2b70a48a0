// SPDX-License-Identifier: Apache-2.0

package onnx_test

import (
	"slices"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"google.golang.org/protobuf/proto"
	"pgregory.net/rapid"

	"edgex-offload/infer/onnx"
	"edgex-offload/infer/onnx/onnxpb"
	"edgex-offload/infer/onnx/onnxtest"
)

func namesOf(values []*onnxpb.ValueInfoProto) []string {
	var names []string
	for _, v := range values {
		names = append(names, v.GetName())
	}
	return names
}

func ops(nodes []*onnxpb.NodeProto) []string {
	var names []string
	for _, n := range nodes {
		names = append(names, n.GetOpType())
	}
	return names
}

func TestExtract(t *testing.T) {
	m := onnxtest.ConvBNRelu(1, 8, 3)
	relu := m.Graph().GetNode()[2].GetOutput()[0]

	head, err := m.Extract([]string{"input"}, []string{relu})
	require.NoError(t, err)
	assert.Equal(t, []string{"Conv", "BatchNormalization", "Relu"}, ops(head.Graph().GetNode()))
	assert.Len(t, head.Graph().GetInitializer(), 5, "the kernel and what the normalisation has")
	assert.Equal(t, int64(onnxtest.Opset), head.Opset("ai.onnx"))

	tail, err := m.Extract([]string{relu}, []string{"scores"})
	require.NoError(t, err)
	assert.Equal(t, []string{"GlobalAveragePool", "Flatten", "Gemm"}, ops(tail.Graph().GetNode()))
	assert.Len(t, tail.Graph().GetInitializer(), 2)
	assert.Equal(t, []string{relu}, namesOf(tail.Inputs()))
	assert.Equal(t, int32(onnxpb.TensorProto_FLOAT), tail.Inputs()[0].GetType().GetTensorType().GetElemType())
	assert.Equal(t, []int64{-1, 3}, onnx.Dims(tail.Outputs()[0]))
}

func TestExtractRefuses(t *testing.T) {
	m := onnxtest.Residual(1, 8, 3)
	nodes := m.Graph().GetNode()
	first, inner := nodes[2].GetOutput()[0], nodes[4].GetOutput()[0]
	weight := m.Graph().GetInitializer()[0].GetName()
	for says, ends := range map[string][2][]string{
		`cannot be computed from "` + inner + `" alone: "input" is needed as well`: {{inner}, {"scores"}},
		`there is no tensor "gone" in the graph`:                                   {{"gone"}, {"scores"}},
		`"score" in the graph: is it one of "scores"?`:                             {{"input"}, {"score"}},
		`"` + weight + `" is a weight`:                                             {{weight}, {"scores"}},
		`is named twice, or is both input and output`:                              {{first}, {first}},
		`"input" is an input of the graph`:                                         {{first}, {"input"}},
		`"input" is not needed for "scores": leave it out`:                         {{first, "input"}, {"scores"}},
		`needs inputs and outputs: there are 0 and 1`:                              {nil, {"scores"}},
	} {
		_, err := m.Extract(ends[0], ends[1])
		assert.ErrorContains(t, err, says)
	}
}

func TestExtractAtOneOfSeveralOutputsOfANode(t *testing.T) {
	b := onnxtest.New("split", 1)
	halves := b.Nodes("Split", 2, onnxtest.Attributes{"axis": 1}, b.Input("x", 1, 4))
	sum := b.Node("Add", nil, halves[0], halves[1])
	b.Output(sum, 1, 2)
	m := b.Model()
	_, err := m.Extract([]string{halves[0], "x"}, []string{sum})
	require.ErrorContains(t, err, "of which another output is needed as well")
	part, err := m.Extract(halves, []string{sum})
	require.NoError(t, err)
	assert.Equal(t, []string{"Add"}, ops(part.Graph().GetNode()))
}

// branching is x -> Relu -> If, whose branches read the Relu's output and a weight from outside.
func branching() (*onnxtest.Builder, string, string, string) {
	b := onnxtest.New("branching", 1)
	relu := b.Node("Relu", nil, b.Input("x", 2))
	outer := b.Weight([]float32{1, 2}, 2)
	branch := func(op string) *onnxpb.GraphProto {
		out := op + "_out"
		return &onnxpb.GraphProto{
			Name:   proto.String(op),
			Node:   []*onnxpb.NodeProto{{OpType: proto.String(op), Input: []string{relu, outer}, Output: []string{out}}},
			Output: []*onnxpb.ValueInfoProto{onnx.TensorValue(out, int32(onnxpb.TensorProto_FLOAT), []int64{2})},
		}
	}
	condition := b.InputOf(onnxpb.TensorProto_BOOL, "condition", 1)
	out := b.Node("If", onnxtest.Attributes{"then_branch": branch("Add"), "else_branch": branch("Mul")}, condition)
	b.Output(out, 2)
	return b, relu, outer, out
}

func TestWhatSubgraphsReadCountsAsRead(t *testing.T) {
	b, relu, outer, out := branching()
	m := b.Model()
	assert.Equal(t, []string{"condition", relu, outer}, m.Uses(m.Producer(out)))
	assert.Equal(t, []string{"If"}, ops(m.Consumers(relu)))
	tail, err := m.Extract([]string{relu, "condition"}, []string{out})
	require.NoError(t, err)
	assert.NotNil(t, tail.Initializer(outer))
	_, err = m.Extract([]string{"condition"}, []string{out})
	assert.ErrorContains(t, err, `"x" is needed as well`)
}

func TestOrder(t *testing.T) {
	b := onnxtest.New("shuffled", 1)
	x := b.Input("x", 1)
	for range 5 {
		x = b.Node("Relu", nil, x)
	}
	b.Output(x, 1)
	p := b.Proto()
	slices.Reverse(p.Graph.Node)
	m, err := onnx.New(p)
	require.NoError(t, err)
	order := m.Order()
	slices.Reverse(order)
	assert.Equal(t, m.Graph().GetNode(), order)
}

// Whatever the part, each of its tensors has an origin in it, and its nodes are some of the whole.
func TestPartsOfRandomGraphs(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		b := onnxtest.New("random", 1)
		tensors := []string{b.Input("x", 1)}
		for range rapid.IntRange(1, 12).Draw(t, "nodes") {
			pick := func(label string) string { return rapid.SampledFrom(tensors).Draw(t, label) }
			tensors = append(tensors, b.Node("Add", nil, pick("left"), pick("right")))
		}
		b.Output(tensors[len(tensors)-1], 1)
		m := b.Model()
		cut := rapid.SampledFrom(tensors).Draw(t, "cut")
		out := rapid.SampledFrom(tensors[1:]).Draw(t, "out")
		part, err := m.Extract([]string{cut}, []string{out})
		if err != nil {
			return
		}
		for _, n := range part.Graph().GetNode() {
			if !slices.Contains(m.Graph().GetNode(), n) {
				t.Fatalf("node %v is none of the whole", n)
			}
		}
		if cut == "x" { // everything can be computed from the only input
			return
		}
		if _, err := m.Extract([]string{"x"}, []string{cut}); err != nil {
			t.Fatalf("no head for %q: %v", cut, err)
		}
	})
}
