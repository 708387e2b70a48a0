// SPDX-License-Identifier: Apache-2.0

package onnx

import (
	"slices"

	"edgex-offload/infer/onnx/onnxpb"
)

// Model is a checked ONNX model with its look-ups.
type Model struct {
	// Proto is the model itself. Whoever changes it makes a new Model of it with New.
	Proto *onnxpb.ModelProto

	producer  map[string]int   // the node that makes a tensor
	consumers map[string][]int // the nodes that read it, each once
	uses      [][]string       // what each node reads
	order     []int
	weights   map[string]*onnxpb.TensorProto
	sparse    map[string]bool // sparse initializers
	inputs    map[string]bool
	values    map[string]*onnxpb.ValueInfoProto // what is declared, of inputs and outputs too
}

// Graph is the model's one graph.
func (m *Model) Graph() *onnxpb.GraphProto { return m.Proto.GetGraph() }

// Inputs are the graph's inputs that have to be fed: weights may be listed as inputs as well, and
// are not among them.
func (m *Model) Inputs() []*onnxpb.ValueInfoProto {
	return slices.DeleteFunc(slices.Clone(m.Graph().GetInput()), func(v *onnxpb.ValueInfoProto) bool { return m.IsWeight(v.GetName()) })
}

// Outputs are the graph's outputs.
func (m *Model) Outputs() []*onnxpb.ValueInfoProto { return m.Graph().GetOutput() }

// Producer is the node that makes a tensor; nil for an input, a weight and an unknown name.
func (m *Model) Producer(tensor string) *onnxpb.NodeProto {
	if i, is := m.producer[tensor]; is {
		return m.Graph().GetNode()[i]
	}
	return nil
}

// Consumers are the nodes that read a tensor, themselves or in a subgraph, in the graph's order.
func (m *Model) Consumers(tensor string) []*onnxpb.NodeProto {
	nodes := make([]*onnxpb.NodeProto, len(m.consumers[tensor]))
	for i, at := range m.consumers[tensor] {
		nodes[i] = m.Graph().GetNode()[at]
	}
	return nodes
}

// Order lists the nodes so that each comes after those whose outputs it reads.
func (m *Model) Order() []*onnxpb.NodeProto {
	nodes := make([]*onnxpb.NodeProto, len(m.order))
	for i, at := range m.order {
		nodes[i] = m.Graph().GetNode()[at]
	}
	return nodes
}

// Initializer is the weight with this name; nil if there is none, or a sparse one.
func (m *Model) Initializer(name string) *onnxpb.TensorProto { return m.weights[name] }

// IsWeight says whether a tensor is an initializer, dense or sparse.
func (m *Model) IsWeight(name string) bool { return m.weights[name] != nil || m.sparse[name] }

// Value is what the graph declares of a tensor (an input, an output or one within); nil for
// nothing.
func (m *Model) Value(tensor string) *onnxpb.ValueInfoProto { return m.values[tensor] }

// Has says whether there is a tensor of this name: an input, a weight or a node's output.
func (m *Model) Has(tensor string) bool {
	if _, made := m.producer[tensor]; made {
		return true
	}
	return m.inputs[tensor] || m.IsWeight(tensor)
}

// Opset is the version of a domain's operators that the graph is written for; "" is ONNX's own
// domain. 0 means that it is not imported.
func (m *Model) Opset(domain string) int64 {
	for _, o := range m.Proto.GetOpsetImport() {
		if isDomain(o.GetDomain(), domain) {
			return o.GetVersion()
		}
	}
	return 0
}

// isDomain: ONNX's own domain has two names.
func isDomain(a, b string) bool {
	const long = "ai.onnx"
	return a == b || (a == "" || a == long) && (b == "" || b == long)
}

// IsOp says whether a node is this operator of ONNX's own domain.
func IsOp(n *onnxpb.NodeProto, op string) bool {
	return n.GetOpType() == op && isDomain(n.GetDomain(), "")
}

// Attribute is a node's attribute; nil if it has none of this name.
func Attribute(n *onnxpb.NodeProto, name string) *onnxpb.AttributeProto {
	for _, a := range n.GetAttribute() {
		if a.GetName() == name {
			return a
		}
	}
	return nil
}
