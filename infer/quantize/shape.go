// SPDX-License-Identifier: Apache-2.0

package quantize

import (
	"edgex-offload/infer/onnx"
)

// mostDims bounds the dimensions of a shape that is worked out.
const mostDims = 16

// size is one number of a shape: a constant, or a dimension of a tensor.
type size struct {
	of    string // the tensor; empty for a constant
	value int64  // the constant, or which dimension
}

// constantShapes writes the shapes that exporters have the graph work out (Shape, Slice, Concat)
// into Reshape, which knows "as before" (0) by itself: at run time each of these steps takes
// as long as a small layer.
func (n *network) constantShapes() error {
	for _, node := range n.graph.Node {
		if !standard(node, "Reshape") || intOf(node, "allowzero", 0) != 0 || n.weights[input(node, 1)] != nil {
			continue
		}
		sizes, ok := n.sizes(input(node, 1), 0)
		if !ok {
			continue
		}
		dims := make([]int64, len(sizes))
		for i, s := range sizes {
			dims[i] = s.value
			if s.of == "" {
				continue
			}
			if dims[i] = 0; s.of != input(node, 0) || s.value != int64(i) {
				ok = false
			}
		}
		if ok {
			setInput(node, 1, n.addWeight(onnx.Int64(output(node)+"_dims", []int64{int64(len(dims))}, dims)))
		}
	}
	return n.sweep()
}

// sizes works out a tensor of whole numbers; false if that is not plain.
func (n *network) sizes(tensor string, depth int) ([]size, bool) {
	if w := n.weights[tensor]; w != nil {
		list, err := onnx.Int64s(w)
		if err != nil || len(list) > mostDims || len(w.Dims) > 1 {
			return nil, false
		}
		sizes := make([]size, len(list))
		for i, v := range list {
			sizes[i].value = v
		}
		return sizes, true
	}
	node := n.maker[tensor]
	if node == nil || depth > mostDims {
		return nil, false
	}
	switch {
	case standard(node, "Shape") && len(node.Attribute) == 0:
		sizes := make([]size, mostDims) // of which no more are picked than there are
		for i := range sizes {
			sizes[i] = size{of: input(node, 0), value: int64(i)}
		}
		return sizes, true
	case standard(node, "Unsqueeze", "Squeeze"):
		sizes, ok := n.sizes(input(node, 0), depth+1)
		return sizes, ok && len(sizes) == 1
	case standard(node, "Slice", "Gather"):
		return n.pickedSizes(node, depth)
	case standard(node, "Concat"):
		var all []size
		for _, in := range node.Input {
			sizes, ok := n.sizes(in, depth+1)
			if !ok || len(all)+len(sizes) > mostDims {
				return nil, false
			}
			all = append(all, sizes...)
		}
		return all, true
	}
	return nil, false
}

// pickedSizes are those that a Slice or Gather takes, counted from the front.
func (n *network) pickedSizes(node nodeProto, depth int) ([]size, bool) {
	sizes, ok := n.sizes(input(node, 0), depth+1)
	if !ok || intOf(node, "axis", 0) != 0 {
		return nil, false
	}
	numbers := func(i int, otherwise int64) (int64, bool) {
		if input(node, i) == "" {
			return otherwise, true
		}
		list, known := n.sizes(input(node, i), depth+1)
		if !known || len(list) != 1 || list[0].of != "" {
			return 0, false
		}
		return list[0].value, true
	}
	from, ok := numbers(1, 0)
	if standard(node, "Gather") {
		if !ok || from < 0 || from >= int64(len(sizes)) {
			return nil, false
		}
		return sizes[from : from+1], true
	}
	to, toOK := numbers(2, 0)
	axis, axisOK := numbers(3, 0)
	by, byOK := numbers(4, 1)
	if !ok || !toOK || !axisOK || !byOK || axis != 0 || by != 1 || from < 0 || to <= from || to > int64(len(sizes)) {
		return nil, false
	}
	return sizes[from:to], true
}
