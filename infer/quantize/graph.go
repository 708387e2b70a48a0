// SPDX-License-Identifier: Apache-2.0

package quantize

import (
	"fmt"
	"slices"

	"google.golang.org/protobuf/proto"

	"edgex-offload/infer/onnx"
	"edgex-offload/infer/onnx/onnxpb"
)

// network is a graph under edit. What it knows of the graph is brought up to date by index.
type network struct {
	model *onnxpb.ModelProto
	graph *onnxpb.GraphProto

	weights map[string]*onnxpb.TensorProto // initializers by name
	inputs  map[string]bool
	maker   map[string]*onnxpb.NodeProto   // by output
	users   map[string][]*onnxpb.NodeProto // by input, in the graph's order, each node once
	// fixed names are seen from elsewhere: the graph's outputs, and what subgraphs read.
	fixed map[string]bool
}

// parse reads a model.
func parse(model []byte) (*network, error) {
	m, err := onnx.Parse(model)
	if err != nil {
		return nil, err
	}
	if name, is := m.HasExternalData(); is {
		return nil, fmt.Errorf("weight %q lies in a file beside the graph: save the model as one file", name)
	}
	n := &network{model: m.Proto, graph: m.Graph()}
	return n, n.index()
}

// index looks at the graph anew and puts its nodes in order. The error is about a graph that
// is damaged.
func (n *network) index() error {
	m, err := onnx.New(n.model)
	if err != nil {
		return err
	}
	n.graph.Node = m.Order()
	n.weights = map[string]*onnxpb.TensorProto{}
	n.inputs = map[string]bool{}
	n.maker = map[string]*onnxpb.NodeProto{}
	n.users = map[string][]*onnxpb.NodeProto{}
	n.fixed = map[string]bool{}
	for _, w := range n.graph.Initializer {
		n.weights[w.GetName()] = w
	}
	for _, in := range n.graph.Input {
		n.inputs[in.GetName()] = true
	}
	for _, node := range n.graph.Node {
		for _, name := range m.Uses(node) {
			n.users[name] = append(n.users[name], node)
			if !slices.Contains(node.Input, name) {
				n.fixed[name] = true
			}
		}
		for _, out := range node.Output {
			n.maker[out] = node
		}
	}
	for _, out := range n.graph.Output {
		n.fixed[out.GetName()] = true
	}
	return nil
}

// nameOf is how a node is called in reports and in Options.Keep.
func nameOf(node *onnxpb.NodeProto) string {
	switch {
	case node.GetName() != "":
		return node.GetName()
	case len(node.Output) > 0:
		return node.Output[0]
	}
	return node.GetOpType()
}

// standard says whether a node is one of these operators of ONNX itself.
func standard(node *onnxpb.NodeProto, ops ...string) bool {
	return slices.ContainsFunc(ops, func(op string) bool { return onnx.IsOp(node, op) })
}

// onlyUser is the one node that reads a tensor, which nothing else sees; nil if there is none.
func (n *network) onlyUser(tensor string) *onnxpb.NodeProto {
	if users := n.users[tensor]; len(users) == 1 && !n.fixed[tensor] {
		return users[0]
	}
	return nil
}

// replace has each node that reads one tensor read another.
func (n *network) replace(old, new string) {
	for _, node := range n.users[old] {
		for i, in := range node.Input {
			if in == old {
				node.Input[i] = new
			}
		}
		if !slices.Contains(n.users[new], node) {
			n.users[new] = append(n.users[new], node)
		}
	}
	delete(n.users, old)
}

// addWeight puts an initializer under a name that nothing has yet, which it returns.
func (n *network) addWeight(w *onnxpb.TensorProto) string {
	name := n.free(w.GetName())
	w.Name = proto.String(name)
	n.graph.Initializer = append(n.graph.Initializer, w)
	n.weights[name] = w
	return name
}

// free is a name that nothing has yet.
func (n *network) free(name string) string {
	taken := func(s string) bool { return n.maker[s] != nil || n.weights[s] != nil || n.inputs[s] }
	for i, candidate := 2, name; ; i++ {
		if !taken(candidate) {
			return candidate
		}
		candidate = fmt.Sprintf("%s_%d", name, i)
	}
}

// drop removes nodes.
func (n *network) drop(gone map[*onnxpb.NodeProto]bool) {
	n.graph.Node = slices.DeleteFunc(n.graph.Node, func(node *onnxpb.NodeProto) bool { return gone[node] })
}

// sweep removes what nothing reads any more, and the notes on tensors, which may be of
// tensors that are gone.
func (n *network) sweep() error {
	n.graph.ValueInfo = nil
	if err := n.index(); err != nil {
		return err
	}
	needed := map[string]bool{}
	for name := range n.fixed {
		needed[name] = true
	}
	var kept []*onnxpb.NodeProto
	for _, node := range slices.Backward(n.graph.Node) {
		if !slices.ContainsFunc(node.Output, func(out string) bool { return needed[out] }) {
			continue
		}
		kept = append(kept, node)
		for _, in := range node.Input { // what its subgraphs read is fixed
			needed[in] = true
		}
	}
	slices.Reverse(kept)
	n.graph.Node = kept
	n.graph.Initializer = slices.DeleteFunc(n.graph.Initializer, func(w *onnxpb.TensorProto) bool { return !needed[w.GetName()] })
	return n.index()
}

// clone is a copy that can be edited by itself.
func (n *network) clone() *network {
	c := &network{model: proto.CloneOf(n.model)}
	c.graph = c.model.GetGraph()
	_ = c.index() // it went well with the original
	return c
}

// checked is the model that the network has become.
func (n *network) checked() (*onnx.Model, error) { return onnx.New(n.model) }
