// SPDX-License-Identifier: Apache-2.0

package quantize

import (
	"slices"

	"google.golang.org/protobuf/proto"

	"edgex-offload/infer/onnx"
	"edgex-offload/infer/onnx/onnxpb"
)

// tidy removes what only stands between a layer and its weights: weights that are inputs
// as well, Constant, Identity and Dropout nodes, weights that are given another shape.
func (n *network) tidy() error {
	n.graph.Input = slices.DeleteFunc(n.graph.Input, func(in *onnxpb.ValueInfoProto) bool { return n.weights[in.GetName()] != nil })
	gone := map[*onnxpb.NodeProto]bool{}
	for _, node := range n.graph.Node {
		out := output(node)
		var made *onnxpb.TensorProto
		switch {
		case n.fixed[out]:
		case standard(node, "Constant"):
			made = constant(node)
		case standard(node, "Identity", "Dropout") && input(node, 0) != "" && !n.masked(node):
			n.replace(out, input(node, 0))
			gone[node] = true
		case standard(node, "Reshape"):
			made = n.reshaped(node)
		case standard(node, "Transpose"):
			made = n.transposed(node)
		}
		if made != nil {
			made.Name = proto.String(out)
			n.graph.Initializer = append(n.graph.Initializer, made)
			n.weights[out] = made
			gone[node] = true
		}
	}
	n.drop(gone)
	return n.sweep()
}

// masked says whether a Dropout's second output is read, or it is told to drop.
func (n *network) masked(node *onnxpb.NodeProto) bool {
	if len(node.Output) > 1 && (len(n.users[node.Output[1]]) > 0 || n.fixed[node.Output[1]]) {
		return true
	}
	return input(node, 2) != "" // training_mode
}

// constant is a Constant's tensor; nil for a kind that is left as it is.
func constant(node *onnxpb.NodeProto) *onnxpb.TensorProto {
	if len(node.Attribute) != 1 {
		return nil
	}
	switch a := node.Attribute[0]; a.GetName() {
	case "value":
		return proto.CloneOf(a.T)
	case "value_float":
		return onnx.Float32("", nil, []float32{a.GetF()})
	case "value_floats":
		return onnx.Float32("", []int64{int64(len(a.Floats))}, a.Floats)
	case "value_int":
		return onnx.Int64("", nil, []int64{a.GetI()})
	case "value_ints":
		return onnx.Int64("", []int64{int64(len(a.Ints))}, a.Ints)
	}
	return nil
}

// reshaped is a weight in the shape that a node gives it; nil if it is no weight, or not
// one of those shapes that exporters write.
func (n *network) reshaped(node *onnxpb.NodeProto) *onnxpb.TensorProto {
	w := n.weights[input(node, 0)]
	if w == nil || intOf(node, "allowzero", 0) != 0 {
		return nil
	}
	shape := n.weights[input(node, 1)]
	if shape == nil {
		return nil
	}
	dims, err := onnx.Int64s(shape)
	if err != nil {
		return nil
	}
	dims, ok := dimsFor(w.Dims, dims)
	if !ok {
		return nil
	}
	made := proto.CloneOf(w)
	made.Dims = dims
	return made
}

// dimsFor fills a Reshape's 0 (as it was) and -1 (what is left).
func dimsFor(old, asked []int64) ([]int64, bool) {
	total, rest, open := int64(1), int64(1), -1
	for _, d := range old {
		total *= d // of a weight that is in memory
	}
	dims := slices.Clone(asked)
	for i, d := range asked {
		switch {
		case d == -1 && open < 0:
			open = i
			continue
		case d == 0 && i < len(old):
			dims[i] = old[i]
		}
		if dims[i] <= 0 || dims[i] > total {
			return nil, false
		}
		if rest *= dims[i]; rest > total {
			return nil, false
		}
	}
	if open >= 0 && total > 0 {
		dims[open] = total / rest
		rest *= dims[open]
	}
	return dims, rest == total && total > 0
}

// transposed is a float32 matrix with rows and columns swapped; nil if it is none.
func (n *network) transposed(node *onnxpb.NodeProto) *onnxpb.TensorProto {
	w := n.weights[input(node, 0)]
	if w == nil || len(w.Dims) != 2 {
		return nil
	}
	if perm := onnx.Attribute(node, "perm"); perm != nil && !slices.Equal(perm.Ints, []int64{1, 0}) {
		return nil
	}
	list, err := onnx.Float32s(w)
	if err != nil {
		return nil
	}
	return onnx.Float32("", []int64{w.Dims[1], w.Dims[0]}, swapped(list, int(w.Dims[0]), int(w.Dims[1])))
}

// swapped is a matrix with rows and columns swapped.
func swapped(list []float32, rows, columns int) []float32 {
	other := make([]float32, len(list))
	for r := range rows {
		for c := range columns {
			other[c*rows+r] = list[r*columns+c]
		}
	}
	return other
}
