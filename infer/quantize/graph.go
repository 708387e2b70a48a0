// SPDX-License-Identifier: Apache-2.0

package quantize

import (
	"errors"
	"fmt"
	"slices"

	"google.golang.org/protobuf/proto"

	"edgex-offload/infer/onnx/onnxpb"
)

// Bounds of a graph.
const (
	maxModelBytes = 1 << 30
	maxNodes      = 50_000
)

// network is a graph under edit. What it knows of the graph is brought up to date by index.
type network struct {
	model *onnxpb.ModelProto
	graph *onnxpb.GraphProto

	weights map[string]*onnxpb.TensorProto // initializers by name
	maker   map[string]*onnxpb.NodeProto   // by output
	users   map[string][]*onnxpb.NodeProto // by input, in the graph's order, each node once
	// fixed names are seen from outside: the graph's outputs, and what subgraphs read.
	fixed map[string]bool
}

// parse reads a model.
func parse(model []byte) (*network, error) {
	if len(model) > maxModelBytes {
		return nil, fmt.Errorf("the graph has %d bytes: allowed are up to %d", len(model), maxModelBytes)
	}
	n := &network{model: &onnxpb.ModelProto{}}
	if err := proto.Unmarshal(model, n.model); err != nil {
		return nil, fmt.Errorf("not an ONNX file, or damaged: %w", err)
	}
	n.graph = n.model.GetGraph()
	switch {
	case n.graph == nil || len(n.graph.Node) == 0 || len(n.graph.Output) == 0:
		return nil, errors.New("not an ONNX file, or damaged: it has no graph with nodes and outputs")
	case len(n.graph.Node) > maxNodes:
		return nil, fmt.Errorf("the graph has %d nodes: allowed are up to %d", len(n.graph.Node), maxNodes)
	}
	for _, w := range n.graph.Initializer {
		if w.GetDataLocation() == onnxpb.TensorProto_EXTERNAL {
			return nil, fmt.Errorf("weight %q lies in a file beside the graph: save the model as one file", w.GetName())
		}
	}
	return n, n.index()
}

// index looks at the graph anew. The error is about a graph that is not in order.
func (n *network) index() error {
	n.weights = map[string]*onnxpb.TensorProto{}
	n.maker = map[string]*onnxpb.NodeProto{}
	n.users = map[string][]*onnxpb.NodeProto{}
	n.fixed = map[string]bool{}
	known := map[string]bool{"": true}
	for _, w := range n.graph.Initializer {
		n.weights[w.GetName()] = w
		known[w.GetName()] = true
	}
	for _, w := range n.graph.SparseInitializer {
		known[w.GetValues().GetName()] = true
	}
	for _, in := range n.graph.Input {
		known[in.GetName()] = true
	}
	for _, node := range n.graph.Node {
		for i, in := range node.Input {
			if !known[in] {
				return fmt.Errorf("node %s reads %q, which nothing before it makes: the graph is damaged", nameOf(node), in)
			}
			if in != "" && !slices.Contains(node.Input[:i], in) {
				n.users[in] = append(n.users[in], node)
			}
		}
		for _, a := range node.Attribute {
			n.fixInside(a.G)
			for _, g := range a.Graphs {
				n.fixInside(g)
			}
		}
		for _, out := range node.Output {
			if out != "" && known[out] {
				return fmt.Errorf("node %s makes %q, which is there already: the graph is damaged", nameOf(node), out)
			}
			known[out] = true
			n.maker[out] = node
		}
	}
	for _, out := range n.graph.Output {
		if !known[out.GetName()] {
			return fmt.Errorf("nothing makes output %q: the graph is damaged", out.GetName())
		}
		n.fixed[out.GetName()] = true
	}
	return nil
}

// fixInside marks what a subgraph reads from outside, and more: names of its own do no harm.
func (n *network) fixInside(g *onnxpb.GraphProto) {
	if g == nil {
		return
	}
	for _, node := range g.Node {
		for _, in := range node.Input {
			n.fixed[in] = true
		}
		for _, a := range node.Attribute {
			n.fixInside(a.G)
			for _, inner := range a.Graphs {
				n.fixInside(inner)
			}
		}
	}
	for _, out := range g.Output {
		n.fixed[out.GetName()] = true
	}
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

// standard says whether a node is an operator of ONNX itself.
func standard(node *onnxpb.NodeProto, ops ...string) bool {
	return (node.GetDomain() == "" || node.GetDomain() == "ai.onnx") && slices.Contains(ops, node.GetOpType())
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
	taken := func(s string) bool {
		_, made := n.maker[s]
		return made || n.weights[s] != nil || slices.ContainsFunc(n.graph.Input, func(in *onnxpb.ValueInfoProto) bool { return in.GetName() == s })
	}
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
		for _, in := range node.Input {
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

func (n *network) bytes() ([]byte, error) {
	return proto.MarshalOptions{Deterministic: true}.Marshal(n.model)
}
