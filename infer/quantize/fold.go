// SPDX-License-Identifier: Apache-2.0

package quantize

import (
	"math"

	"edgex-offload/infer/onnx"
	"edgex-offload/infer/onnx/onnxpb"
)

// affine is y = gain*x + shift per output channel.
type affine struct{ gain, shift []float64 }

// fold takes BatchNormalization, and constants that are added or multiplied, into the
// weights and the bias of the layer before: in integers a step of its own costs more than
// the layer, and a bias that stands outside of Conv keeps both from being fused.
func (n *network) fold() error {
	gone := map[*onnxpb.NodeProto]bool{}
	for _, node := range n.graph.Node {
		if standard(node, "Gemm") {
			n.plainGemm(node)
		}
		if !standard(node, "Conv", "Gemm") || gone[node] {
			continue
		}
		for next := n.foldNext(node); next != nil; next = n.foldNext(node) {
			gone[next] = true
		}
	}
	n.drop(gone)
	return n.sweep()
}

// foldNext takes the step after a layer into it and returns it; nil if that cannot be. The
// layer then makes what the step made.
func (n *network) foldNext(node *onnxpb.NodeProto) *onnxpb.NodeProto {
	next := n.onlyUser(output(node))
	if next == nil {
		return nil
	}
	l, ok := n.layerOf(node)
	if !ok {
		return nil
	}
	step, ok := n.affineOf(next, output(node), l.channels, len(l.dims))
	if !ok || !l.apply(step) {
		return nil
	}
	n.put(node, l)
	node.Output[0] = output(next)
	n.maker[output(next)] = node
	return next
}

// layer is a Conv's or Gemm's weights, with one gain and bias per output channel.
type layer struct {
	dims     []int64
	weights  []float32
	bias     []float32
	channels int
	// of gives the output channel of the i-th weight.
	of func(i int) int
}

// layerOf reads a layer whose weights and bias are constant.
func (n *network) layerOf(node *onnxpb.NodeProto) (layer, bool) {
	kernel := n.weights[input(node, 1)]
	if kernel == nil {
		return layer{}, false
	}
	list, err := onnx.Float32s(kernel)
	if err != nil || len(list) == 0 || len(kernel.Dims) < 2 {
		return layer{}, false
	}
	l := layer{dims: kernel.Dims, weights: list, channels: int(kernel.Dims[0])}
	if standard(node, "Gemm") {
		if len(kernel.Dims) != 2 || floatOf(node, "alpha", 1) != 1 || floatOf(node, "beta", 1) != 1 {
			return layer{}, false
		}
		if columns := int(kernel.Dims[1]); intOf(node, "transB", 0) == 0 {
			l.channels = columns
			l.of = func(i int) int { return i % columns }
		}
	}
	if l.of == nil {
		each := len(list) / l.channels
		l.of = func(i int) int { return i / each }
	}
	l.bias, err = n.biasOf(node, l.channels)
	return l, err == nil && l.bias != nil
}

// biasOf is a layer's bias with one value per channel; nil if it is not constant.
func (n *network) biasOf(node *onnxpb.NodeProto, channels int) ([]float32, error) {
	name := input(node, 2)
	if name == "" {
		return make([]float32, channels), nil
	}
	given := n.weights[name]
	if given == nil {
		return nil, nil
	}
	list, err := onnx.Float32s(given)
	switch {
	case err != nil:
		return nil, err
	case len(list) == channels && len(given.Dims) >= 1 && given.Dims[len(given.Dims)-1] == int64(channels):
		return list, nil
	case len(list) == 1 && standard(node, "Gemm"):
		return spread(list, channels), nil
	}
	return nil, nil
}

func spread(one []float32, n int) []float32 {
	list := make([]float32, n)
	for i := range list {
		list[i] = one[0]
	}
	return list
}

// apply takes a step in; false if it would make a number that is not finite.
func (l *layer) apply(step affine) bool {
	weights, bias := make([]float32, len(l.weights)), make([]float32, len(l.bias))
	for i, v := range l.weights {
		weights[i] = float32(float64(v) * step.gain[l.of(i)])
		if !finite(weights[i]) {
			return false
		}
	}
	for c, v := range l.bias {
		bias[c] = float32(float64(v)*step.gain[c] + step.shift[c])
		if !finite(bias[c]) {
			return false
		}
	}
	l.weights, l.bias = weights, bias
	return true
}

func finite(v float32) bool { return !math.IsNaN(float64(v)) && !math.IsInf(float64(v), 0) }

// put gives a layer weights and a bias of its own: others may read those it had.
func (n *network) put(node *onnxpb.NodeProto, l layer) {
	base := output(node)
	setInput(node, 1, n.addWeight(onnx.Float32(base+"_weight", l.dims, l.weights)))
	setInput(node, 2, n.addWeight(onnx.Float32(base+"_bias", []int64{int64(l.channels)}, l.bias)))
}

// affineOf reads a node as a step on one of its inputs; false if it is another thing.
func (n *network) affineOf(node *onnxpb.NodeProto, x string, channels, rank int) (affine, bool) {
	if standard(node, "BatchNormalization") {
		return n.normalization(node, x, channels)
	}
	if !standard(node, "Add", "Sub", "Mul", "Div") || len(node.Input) != 2 || len(node.Output) != 1 {
		return affine{}, false
	}
	first := node.Input[0] == x
	other := node.Input[0]
	if first {
		other = node.Input[1]
	}
	list, ok := n.perChannel(other, channels, rank)
	if !ok || other == x {
		return affine{}, false
	}
	a := affine{gain: make([]float64, channels), shift: make([]float64, channels)}
	for c, v := range list {
		a.gain[c] = 1
		switch op := node.GetOpType(); {
		case op == "Add":
			a.shift[c] = v
		case op == "Sub" && first:
			a.shift[c] = -v
		case op == "Sub":
			a.gain[c], a.shift[c] = -1, v
		case op == "Mul":
			a.gain[c] = v
		case first && v != 0: // Div
			a.gain[c] = 1 / v
		default:
			return affine{}, false
		}
	}
	return a, true
}

// normalization is a BatchNormalization at inference
// (https://onnx.ai/onnx/operators/onnx__BatchNormalization.html).
func (n *network) normalization(node *onnxpb.NodeProto, x string, channels int) (affine, bool) {
	if input(node, 0) != x || intOf(node, "training_mode", 0) != 0 || intOf(node, "spatial", 1) != 1 || n.moreOutputs(node) {
		return affine{}, false
	}
	var lists [4][]float32 // scale, bias, mean, variance
	for i := range lists {
		w := n.weights[input(node, i+1)]
		if w == nil {
			return affine{}, false
		}
		list, err := onnx.Float32s(w)
		if err != nil || len(list) != channels {
			return affine{}, false
		}
		lists[i] = list
	}
	epsilon := float64(floatOf(node, "epsilon", 1e-5))
	a := affine{gain: make([]float64, channels), shift: make([]float64, channels)}
	for c := range channels {
		a.gain[c] = float64(lists[0][c]) / math.Sqrt(float64(lists[3][c])+epsilon)
		a.shift[c] = float64(lists[1][c]) - float64(lists[2][c])*a.gain[c]
	}
	return a, true
}

// moreOutputs says whether something reads another output than the first.
func (n *network) moreOutputs(node *onnxpb.NodeProto) bool {
	for _, out := range node.Output[1:] {
		if len(n.users[out]) > 0 || n.fixed[out] {
			return true
		}
	}
	return false
}

// perChannel reads a constant that is one number, or one per channel in the place where a
// layer's output has its channels: second of rank for Conv, last for Gemm (rank 2).
func (n *network) perChannel(name string, channels, rank int) ([]float64, bool) {
	w := n.weights[name]
	if w == nil || len(w.Dims) > rank {
		return nil, false
	}
	list, err := onnx.Float32s(w)
	if err != nil || len(list) == 0 {
		return nil, false
	}
	if len(list) != 1 {
		// Aligned at the last dimension, as ONNX broadcasts.
		at := 1 - (rank - len(w.Dims))
		if len(list) != channels || at < 0 || w.Dims[at] != int64(channels) {
			return nil, false
		}
	}
	each := make([]float64, channels)
	for c := range each {
		each[c] = float64(list[c%len(list)])
	}
	return each, true
}

// plainGemm takes alpha and beta of a Gemm into its constants.
func (n *network) plainGemm(node *onnxpb.NodeProto) {
	alpha, beta := floatOf(node, "alpha", 1), floatOf(node, "beta", 1)
	if alpha == 1 && beta == 1 {
		return
	}
	scaled := map[int]float32{1: alpha, 2: beta}
	made := map[int]*onnxpb.TensorProto{}
	for i, factor := range scaled {
		w := n.weights[input(node, i)]
		if input(node, i) == "" || factor == 1 {
			continue
		}
		if w == nil {
			return
		}
		list, err := onnx.Float32s(w)
		if err != nil {
			return
		}
		for k := range list {
			list[k] *= factor
		}
		made[i] = onnx.Float32(w.GetName()+"_scaled", w.Dims, list)
	}
	for i := 1; i <= 2; i++ {
		if made[i] != nil {
			setInput(node, i, n.addWeight(made[i]))
		}
	}
	dropAttributes(node, "alpha", "beta")
}
