// SPDX-License-Identifier: Apache-2.0

package split

import (
	"slices"

	"edgex-offload/infer/onnx"
	"edgex-offload/infer/onnx/onnxpb"
)

// mostTensors of one cut: more are hardly smaller together than one before them.
const mostTensors = 4

// Cut is a set of tensors that parts a graph: all that its outputs need of its inputs goes
// through them.
type Cut struct {
	// Tensors in the order in which they are made.
	Tensors []string
	// Nodes is how many of the graph's nodes are before the cut.
	Nodes int
}

// Cuts finds the cuts of what computes outputs, from the input on. A cut of one tensor is found
// whatever the file's order of nodes; cuts of several, as inside a residual block, are those that
// the order passes. Of neighbours between which next to nothing happens (a normalisation, an
// activation) only the last is one: a runtime computes them as one, and after an activation they
// compress best.
//
// The order in which nodes run has at each place a set of tensors that are still to be read:
// that is a cut if all of them can be sent.
func Cuts(m *onnx.Model, outputs []string) []Cut {
	w := walk{m: m, left: map[string]int{}, fixed: map[string]bool{}}
	nodes := w.needed(outputs)
	var cuts []Cut
	for i, n := range nodes {
		w.pass(n)
		if i+1 == len(nodes) {
			break // that would be the outputs
		}
		// A node that computes with weights alone leaves the cut before it as it is.
		if cut, is := w.cut(outputs); is && (len(cuts) == 0 || !slices.Equal(cuts[len(cuts)-1].Tensors, cut)) {
			cuts = append(cuts, Cut{Tensors: cut, Nodes: i + 1})
		}
	}
	return slices.DeleteFunc(cuts, func(c Cut) bool { return poor(m, c.Tensors) })
}

// walk goes through the nodes in order.
type walk struct {
	m     *onnx.Model
	left  map[string]int  // readers of a tensor that are still to come
	fixed map[string]bool // tensors that no input has a part in, which either part may compute
	live  []string
}

// needed lists the nodes that the outputs need, in order.
func (w *walk) needed(outputs []string) []*onnxpb.NodeProto {
	wanted := map[string]bool{}
	for _, name := range outputs {
		wanted[name] = true
		w.left[name]++ // the caller reads it
	}
	order := w.m.Order()
	var nodes []*onnxpb.NodeProto
	for _, n := range slices.Backward(order) {
		if !slices.ContainsFunc(n.GetOutput(), func(name string) bool { return wanted[name] }) {
			continue
		}
		nodes = append(nodes, n)
		for _, name := range w.m.Uses(n) {
			wanted[name] = true
			w.left[name]++
		}
	}
	for _, v := range w.m.Inputs() {
		if w.left[v.GetName()] > 0 {
			w.live = append(w.live, v.GetName())
		}
	}
	slices.Reverse(nodes)
	return nodes
}

// pass runs a node.
func (w *walk) pass(n *onnxpb.NodeProto) {
	fixed := true
	for _, name := range w.m.Uses(n) {
		w.left[name]--
		fixed = fixed && (w.fixed[name] || w.m.IsWeight(name))
	}
	w.live = slices.DeleteFunc(w.live, func(name string) bool { return w.left[name] == 0 })
	for _, name := range n.GetOutput() {
		w.fixed[name] = fixed
		if !fixed && w.left[name] > 0 {
			w.live = append(w.live, name)
		}
	}
}

// cut says whether what is live now can be sent. An input that is still needed, or an output that
// is there already, cannot.
func (w *walk) cut(outputs []string) ([]string, bool) {
	if len(w.live) == 0 || len(w.live) > mostTensors {
		return nil, false
	}
	for _, name := range w.live {
		if w.m.Producer(name) == nil || slices.Contains(outputs, name) || !sendable(w.m.ElemType(name)) {
			return nil, false
		}
	}
	return slices.Clone(w.live), true
}

// sendable says whether features can carry a type.
func sendable(of int32) bool {
	switch onnxpb.TensorProto_DataType(of) {
	case onnxpb.TensorProto_FLOAT, onnxpb.TensorProto_FLOAT16, onnxpb.TensorProto_UINT8, onnxpb.TensorProto_INT8:
		return true
	}
	return false
}

// poor says whether a neighbour of the cut is the better one. A tail has to begin with the
// DequantizeLinear itself, to be run in whole numbers.
func poor(m *onnx.Model, cut []string) bool {
	for _, name := range cut {
		if onnx.IsOp(m.Producer(name), "DequantizeLinear") {
			return true
		}
	}
	return len(cut) == 1 && hardlyLeft(m, cut[0])
}

// hardlyLeft says whether the only node that reads a tensor changes it so little that the cut
// behind is the better one.
func hardlyLeft(m *onnx.Model, tensor string) bool {
	readers := m.Consumers(tensor)
	if len(readers) != 1 || len(readers[0].GetOutput()) != 1 {
		return false
	}
	switch readers[0].GetOpType() {
	case "BatchNormalization", "Relu", "Clip", "LeakyRelu", "PRelu", "Elu", "Sigmoid", "HardSigmoid", "HardSwish", "Tanh", "Softmax", "LogSoftmax",
		"Identity", "Dropout", "Cast", "Flatten", "Reshape", "Squeeze", "Unsqueeze", "Transpose", "QuantizeLinear":
		return readers[0].GetInput()[0] == tensor
	case "Add", "Mul", "Sub", "Div": // of a constant
		return slices.ContainsFunc(readers[0].GetInput(), func(name string) bool { return name != tensor && m.Constant(name) != nil })
	}
	return false
}
