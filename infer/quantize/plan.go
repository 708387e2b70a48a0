// SPDX-License-Identifier: Apache-2.0

package quantize

import (
	"slices"

	"edgex-offload/infer/onnx"
	"edgex-offload/infer/onnx/onnxpb"
)

// class is what an operator is to integers.
type class int

const (
	other   class = iota // stays in float32
	compute              // a layer with weights: Conv, Gemm, MatMul
	element              // a step of its own scale: ONNX Runtime has an integer kernel for it
	same                 // moves or picks values: its output has its input's scale
	clamp                // Relu, Clip: the range of what is made before it does the same
)

// leastMatrix is how many weights make a Gemm or MatMul worth the step to integers.
const leastMatrix = 1 << 14

func (n *network) classOf(node *onnxpb.NodeProto) class {
	switch {
	case len(node.Output) == 0 || n.moreOutputs(node) && !standard(node, "Split"):
		return other
	case standard(node, "Conv", "Gemm", "MatMul"):
		if n.constantLayer(node) {
			return compute
		}
	case standard(node, "Add", "Mul", "Concat", "AveragePool", "GlobalAveragePool", "LeakyRelu", "Sigmoid"):
		return element
	case standard(node, "MaxPool", "Resize", "Split", "Reshape", "Flatten", "Transpose", "Squeeze", "Unsqueeze", "Slice"):
		return same
	case standard(node, "Relu"):
		return clamp
	case standard(node, "Clip"):
		if low, high, ok := n.limits(node); ok && low <= 0 && high > 0 {
			return clamp
		}
	}
	return other
}

// constantLayer says whether a layer's weights are in the file, in a form that is quantized.
func (n *network) constantLayer(node *onnxpb.NodeProto) bool {
	if w := n.weights[input(node, 1)]; standard(node, "Gemm", "MatMul") {
		if !n.isFloat(input(node, 1)) || len(w.Dims) != 2 || w.Dims[0]*w.Dims[1] < leastMatrix {
			return false
		}
		if standard(node, "MatMul") {
			return true
		}
	}
	if intOf(node, "transA", 0) != 0 {
		return false
	}
	_, ok := n.layerOf(node)
	return ok
}

// limits of a Clip, whose bounds are constant.
func (n *network) limits(node *onnxpb.NodeProto) (low, high float32, ok bool) {
	const widest = 3.4028234663852886e+38
	low, high = floatOf(node, "min", -widest), floatOf(node, "max", widest) // before opset 11
	for i, to := range []*float32{&low, &high} {
		name := input(node, i+1)
		if name == "" {
			continue
		}
		list, err := onnx.Float32s(n.weights[name])
		if err != nil || len(list) != 1 {
			return 0, 0, false
		}
		*to = list[0]
	}
	return low, high, true
}

// dataInputs are those inputs of a node that get a scale.
func dataInputs(node *onnxpb.NodeProto, c class) []string {
	if c == element && standard(node, "Add", "Mul", "Concat") {
		return node.Input
	}
	return node.Input[:min(1, len(node.Input))]
}

// plan says what of a network becomes integers.
type plan struct {
	n       *network
	classes map[*onnxpb.NodeProto]class
	in      map[*onnxpb.NodeProto]bool // the nodes on integers
	fed     map[string]bool            // what layers read, and so is to be had as integers
	leads   map[*onnxpb.NodeProto]bool // a layer on integers comes after it
}

// newPlan quantizes each layer that is not kept, and what lies between two of them as far as
// it need not go through float32 for it. What only leads to float32 stays there: that costs
// little and keeps the numbers.
func (n *network) newPlan(keep map[string]bool) *plan {
	p := &plan{n: n, classes: map[*onnxpb.NodeProto]class{}, in: map[*onnxpb.NodeProto]bool{}, fed: map[string]bool{}}
	for _, node := range n.graph.Node {
		c := n.classOf(node)
		p.classes[node] = c
		p.in[node] = c != other && !keep[nameOf(node)]
		if c == compute && p.in[node] {
			p.fed[input(node, 0)] = true
		}
	}
	for changed := true; changed; {
		changed = p.dropUnfit()
		p.findLeads()
		changed = p.dropIdle() || changed
	}
	return p
}

// dropUnfit takes out what would have to be given integers from float32.
func (p *plan) dropUnfit() bool {
	changed := false
	for _, node := range p.n.graph.Node {
		if p.in[node] && !p.fits(node) {
			p.in[node] = false
			changed = true
		}
	}
	return changed
}

func (p *plan) fits(node *onnxpb.NodeProto) bool {
	c := p.classes[node]
	if c == compute {
		return true
	}
	if c == clamp {
		maker := p.n.maker[input(node, 0)]
		return maker != nil && p.in[maker] && (p.classes[maker] == compute || p.classes[maker] == element) && p.n.onlyUser(input(node, 0)) == node
	}
	integer := 0
	for _, name := range dataInputs(node, c) {
		switch {
		case p.made(name) || p.fed[name]:
			integer++
		case !p.n.isFloat(name):
			return false
		}
	}
	return integer > 0
}

func (n *network) isFloat(name string) bool {
	w := n.weights[name]
	return w != nil && w.GetDataType() == int32(onnxpb.TensorProto_FLOAT)
}

// made says whether a node on integers makes a tensor, and makes it as integers: Gemm and
// MatMul can give float32 as well, and do unless a layer follows.
func (p *plan) made(tensor string) bool {
	maker := p.n.maker[tensor]
	if maker == nil || !p.in[maker] {
		return false
	}
	return !standard(maker, "Gemm", "MatMul") || p.leads == nil || p.leads[maker]
}

func (p *plan) findLeads() {
	p.leads = map[*onnxpb.NodeProto]bool{}
	for _, node := range slices.Backward(p.n.graph.Node) {
		for _, out := range node.Output {
			for _, user := range p.n.users[out] {
				if p.in[user] && (p.classes[user] == compute || p.leads[user]) {
					p.leads[node] = true
				}
			}
		}
	}
}

// dropIdle takes out what no layer on integers comes after.
func (p *plan) dropIdle() bool {
	changed := false
	for node, in := range p.in {
		if !in || p.leads[node] {
			continue
		}
		c := p.classes[node]
		if c == element || c == clamp && !standard(p.n.maker[input(node, 0)], "Conv") {
			p.in[node] = false
			changed = true
		}
	}
	return changed
}

// tensors lists what needs a scale: what nodes on integers read and make, in the graph's order.
// What a clamp reads is never seen: it becomes part of what makes it.
func (p *plan) tensors() []string {
	var list []string
	seen := map[string]bool{}
	add := func(name string) {
		if name != "" && !seen[name] && p.n.weights[name] == nil && !p.clamped(name) {
			seen[name] = true
			list = append(list, name)
		}
	}
	for _, node := range p.n.graph.Node {
		if !p.in[node] {
			continue
		}
		if c := p.classes[node]; c != clamp {
			for _, name := range dataInputs(node, c) {
				add(name)
			}
		}
		for _, out := range node.Output {
			if p.made(out) {
				add(out)
			}
		}
	}
	return list
}

// clamped says whether a clamp that becomes part of a tensor's maker reads it.
func (p *plan) clamped(tensor string) bool {
	user := p.n.onlyUser(tensor)
	return user != nil && p.in[user] && p.classes[user] == clamp
}

// clampedTo is the tensor that holds what a layer makes in the end.
func (p *plan) clampedTo(tensor string) string {
	if p.clamped(tensor) {
		return output(p.n.onlyUser(tensor))
	}
	return tensor
}

// layers are the layers on integers, in order.
func (p *plan) layers() []*onnxpb.NodeProto {
	var list []*onnxpb.NodeProto
	for _, node := range p.n.graph.Node {
		if p.in[node] && p.classes[node] == compute {
			list = append(list, node)
		}
	}
	return list
}
