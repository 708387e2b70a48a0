// SPDX-License-Identifier: Apache-2.0

package onnx_test

import (
	"bytes"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"google.golang.org/protobuf/encoding/protowire"
	"google.golang.org/protobuf/proto"

	"edgex-offload/infer/onnx"
	"edgex-offload/infer/onnx/onnxpb"
	"edgex-offload/infer/onnx/onnxtest"
)

func TestWrongGraphsAreRefused(t *testing.T) {
	wrong := func(change func(p *onnxpb.ModelProto)) *onnxpb.ModelProto {
		p := onnxtest.ConvBNRelu(1, 8, 2).Proto
		change(p)
		return p
	}
	relu := func(p *onnxpb.ModelProto) *onnxpb.NodeProto { return p.Graph.Node[2] }
	for says, p := range map[string]*onnxpb.ModelProto{
		"it has no graph":               {},
		"its graph has no output":       {Graph: &onnxpb.GraphProto{}},
		`output 1 is named "scores"`:    wrong(func(p *onnxpb.ModelProto) { p.Graph.Output = append(p.Graph.Output, p.Graph.Output[0]) }),
		`input 1 is named "input"`:      wrong(func(p *onnxpb.ModelProto) { p.Graph.Input = append(p.Graph.Input, p.Graph.Input[0]) }),
		`output "gone" is made by no`:   wrong(func(p *onnxpb.ModelProto) { p.Graph.Output[0].Name = proto.String("gone") }),
		`reads "gone", which nothing`:   wrong(func(p *onnxpb.ModelProto) { relu(p).Input[0] = "gone" }),
		"the graph has a cycle":         wrong(func(p *onnxpb.ModelProto) { p.Graph.Node[0].Input[0] = relu(p).Output[0] }),
		`makes "input", which`:          wrong(func(p *onnxpb.ModelProto) { relu(p).Output[0] = "input" }),
		"initializer 1 is named":        wrong(func(p *onnxpb.ModelProto) { p.Graph.Initializer[1].Name = p.Graph.Initializer[0].Name }),
		"has 864 bytes: needed are 868": wrong(func(p *onnxpb.ModelProto) { p.Graph.Initializer[0].Dims = []int64{217} }),
		"negative dimension":            wrong(func(p *onnxpb.ModelProto) { p.Graph.Initializer[0].Dims[0] = -8 }),
		"is too large":                  wrong(func(p *onnxpb.ModelProto) { p.Graph.Initializer[0].Dims = []int64{1 << 40, 1 << 40} }),
		"has 2 values: needed are 3": wrong(func(p *onnxpb.ModelProto) {
			p.Graph.Initializer[0] = &onnxpb.TensorProto{Name: p.Graph.Initializer[0].Name, DataType: proto.Int32(1), Dims: []int64{3}, FloatData: []float32{1, 2}}
		}),
	} {
		_, err := onnx.New(p)
		require.ErrorContains(t, err, says)
		require.ErrorIs(t, err, onnx.ErrFormat)
	}
}

// A file of empty messages would take a hundred times its size.
func TestABombIsRefused(t *testing.T) {
	node := protowire.AppendBytes(protowire.AppendTag(nil, 1, protowire.BytesType), nil)
	graph := bytes.Repeat(node, 2<<20)
	_, err := onnx.Parse(protowire.AppendBytes(protowire.AppendTag(nil, 7, protowire.BytesType), graph))
	assert.ErrorContains(t, err, "many times its own size")
}

func TestSubgraphsTooDeepAreRefused(t *testing.T) {
	g := &onnxpb.GraphProto{}
	for range 1000 {
		g = &onnxpb.GraphProto{Node: []*onnxpb.NodeProto{{Attribute: []*onnxpb.AttributeProto{{G: g}}}}}
	}
	g.Output = []*onnxpb.ValueInfoProto{{Name: proto.String("x")}}
	_, err := onnx.New(&onnxpb.ModelProto{Graph: g})
	require.ErrorContains(t, err, "deep in each other")
	data, err := proto.Marshal(&onnxpb.ModelProto{Graph: g})
	require.NoError(t, err)
	_, err = onnx.Parse(data)
	assert.ErrorContains(t, err, "more than 100 messages within each other")
}

func FuzzParse(f *testing.F) {
	b, _, _, _ := branching()
	for _, m := range []*onnx.Model{b.Model(), onnxtest.ConvBNRelu(1, 8, 2)} {
		f.Add(onnxtest.Bytes(m))
	}
	for _, data := range files(f) {
		if len(data) < 32<<10 { // mutants of more are slow
			f.Add(data)
		}
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		m, err := onnx.Parse(data)
		if err != nil {
			require.ErrorIs(t, err, onnx.ErrFormat)
			return
		}
		written, err := m.Marshal()
		require.NoError(t, err)
		again, err := onnx.Parse(written)
		require.NoError(t, err, "what was written can be read")
		require.Len(t, again.Order(), len(m.Graph().GetNode()))
		for _, n := range m.Order() {
			for _, name := range n.GetOutput() {
				m.ElemType(name)
			}
			for _, in := range n.GetInput() {
				_, _ = onnx.Float32s(m.Constant(in))
				_, _ = onnx.Int64s(m.Constant(in))
			}
		}
		for _, v := range m.Inputs() {
			_, _ = m.Extract([]string{v.GetName()}, []string{m.Outputs()[0].GetName()})
			onnx.Dims(v)
		}
	})
}
