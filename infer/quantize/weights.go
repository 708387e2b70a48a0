// SPDX-License-Identifier: Apache-2.0

package quantize

import (
	"math"

	"edgex-offload/infer/onnx"
	"edgex-offload/infer/onnx/onnxpb"
)

// The ends of a weight: symmetric, so that no product needs a zero point. Reduced ones keep
// the sum of two products of uint8 and int8 within int16, where a CPU without VNNI saturates.
const (
	weightEnd        = 127
	reducedWeightEnd = 63
)

// kernel is a layer's weights and bias as integers.
type kernel struct {
	dims  []int64
	axis  int64 // of the channels
	ints  []int8
	steps []float32 // one, or one per channel
	bias  []int32   // nil for none
	// biasSteps are the input's step times steps.
	biasSteps []float32
}

// kernelOf quantizes a layer that reads an input of this step.
func kernelOf(l layer, axis int64, in float32, o Options, perChannel, withBias bool) kernel {
	k := kernel{dims: l.dims, axis: axis, ints: make([]int8, len(l.weights))}
	k.steps = l.steps(in, o.end(), perChannel)
	at := func(c int) float32 { return k.steps[min(c, len(k.steps)-1)] }
	for i, v := range l.weights {
		k.ints[i] = int8(clampTo(float64(v)/float64(at(l.of(i))), float64(o.end())))
	}
	if !withBias {
		return k
	}
	k.bias = make([]int32, len(l.bias))
	for c, v := range l.bias {
		k.bias[c] = int32(clampTo(float64(v)/(float64(in)*float64(at(c))), math.MaxInt32))
	}
	for _, s := range k.steps {
		k.biasSteps = append(k.biasSteps, in*s)
	}
	return k
}

func clampTo(v, end float64) float64 { return min(max(math.RoundToEven(v), -end), end) }

// steps gives each channel, or all of them, the step that its largest weight takes. One whose
// bias would then not fit into int32 gets a wider one.
func (l layer) steps(in float32, end int, perChannel bool) []float32 {
	largest := make([]float64, l.channels)
	for i, v := range l.weights {
		largest[l.of(i)] = max(largest[l.of(i)], math.Abs(float64(v)))
	}
	const biasEnd = math.MaxInt32 / 2
	widest := 0.
	for c := range largest {
		largest[c] = max(largest[c]/float64(end), math.Abs(float64(l.bias[c]))/(float64(in)*biasEnd))
		widest = max(widest, largest[c])
	}
	if widest < smallestStep {
		widest = 1. / weightEnd // all weights are 0
	}
	if !perChannel {
		return []float32{float32(widest)}
	}
	list := make([]float32, l.channels)
	for c, s := range largest {
		if s < smallestStep {
			s = widest
		}
		list[c] = float32(s)
	}
	return list
}

// matrix reads the weights of a MatMul as a layer.
func (n *network) matrix(node *onnxpb.NodeProto) layer {
	w := n.weights[input(node, 1)]
	list, _ := onnx.Float32s(w) // constantLayer looked
	columns := int(w.Dims[1])
	return layer{dims: w.Dims, weights: list, bias: make([]float32, columns), channels: columns, of: func(i int) int { return i % columns }}
}

// put adds a kernel's weights with what reads them, and gives the names of the tensors.
func (k kernel) put(n *network, base string) (weight, bias string) {
	channel := func(list []float32) (*onnxpb.TensorProto, []int64) {
		if len(list) == 1 {
			return onnx.Float32(base+"_step", nil, list), nil
		}
		dims := []int64{int64(len(list))}
		return onnx.Float32(base+"_step", dims, list), dims
	}
	step, dims := channel(k.steps)
	weight = n.dequantize(base+"_weight", k.axis,
		n.addWeight(int8Tensor(base+"_weight_int8", k.dims, k.ints)), n.addWeight(step),
		n.addWeight(int8Tensor(base+"_weight_zero", dims, make([]int8, len(k.steps)))))
	if k.bias == nil {
		return weight, ""
	}
	step, dims = channel(k.biasSteps)
	bias = n.dequantize(base+"_bias", 0,
		n.addWeight(int32Tensor(base+"_bias_int32", []int64{int64(len(k.bias))}, k.bias)), n.addWeight(step),
		n.addWeight(int32Tensor(base+"_bias_zero", dims, make([]int32, len(k.biasSteps)))))
	return weight, bias
}

// dequantize adds a node that reads constant integers, and gives what it makes.
func (n *network) dequantize(name string, axis int64, ints, step, zero string) string {
	out := n.free(name + "_float")
	node := newNode("DequantizeLinear", out, []string{ints, step, zero}, []string{out})
	if w := n.weights[step]; len(w.Dims) > 0 {
		setInt(node, "axis", axis)
	}
	n.maker[out] = node
	n.graph.Node = append(n.graph.Node, node)
	return out
}
