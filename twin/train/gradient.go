// SPDX-License-Identifier: Apache-2.0

package train

import (
	"math"

	"edgex-offload/infer/mlp"
)

// Adam's usual parameters (Kingma, Ba: Adam: a method for stochastic optimization, 2015).
const (
	momentum = .9
	memory   = .999
	tiny     = 1e-8
)

// optimizer moves a network's weights against the gradient of a loss.
type optimizer struct {
	network *mlp.Network
	rate    float64
	steps   int
	layers  []layerState
}

// layerState is what one layer needs while it learns.
type layerState struct {
	output         []float32 // of the last forward pass
	delta          []float32 // the loss's derivative by the output before it is rectified
	weights, bias  []float64 // the gradient
	mean, variance []float64 // Adam's, of weights and then bias
}

func newOptimizer(n *mlp.Network, rate float64) *optimizer {
	o := &optimizer{network: n, rate: rate}
	for _, l := range n.Layers {
		all := len(l.Weights) + len(l.Bias)
		o.layers = append(o.layers, layerState{
			output: make([]float32, l.Out), delta: make([]float32, l.Out),
			weights: make([]float64, len(l.Weights)), bias: make([]float64, len(l.Bias)),
			mean: make([]float64, all), variance: make([]float64, all),
		})
	}
	return o
}

// forward gives the network's outputs, and keeps each layer's for backward.
func (o *optimizer) forward(x []float32) []float32 {
	for i := range o.network.Layers {
		s := &o.layers[i]
		o.network.Layers[i].Forward(x, s.output, i < len(o.layers)-1)
		x = s.output
	}
	return x
}

// backward adds to the gradient, for the input of the last forward and the loss's derivative
// by one output.
func (o *optimizer) backward(x []float32, output int, derivative float64) {
	last := len(o.layers) - 1
	clear(o.layers[last].delta)
	o.layers[last].delta[output] = float32(derivative)
	for i := last; i >= 0; i-- {
		l, s := &o.network.Layers[i], &o.layers[i]
		in := x
		if i > 0 {
			in = o.layers[i-1].output
			clear(o.layers[i-1].delta)
		}
		for out, d := range s.delta {
			if d == 0 {
				continue
			}
			s.bias[out] += float64(d)
			gradient, row := s.weights[out*l.In:(out+1)*l.In], l.Row(out)
			for k, v := range in {
				gradient[k] += float64(d * v)
			}
			if i > 0 {
				before := o.layers[i-1].delta
				for k, v := range in {
					if v > 0 { // not cut by ReLU
						before[k] += d * row[k]
					}
				}
			}
		}
	}
}

// step moves the weights by the mean gradient of so many samples, and clears it.
func (o *optimizer) step(samples int) {
	o.steps++
	rate := o.rate * math.Sqrt(1-math.Pow(memory, float64(o.steps))) / (1 - math.Pow(momentum, float64(o.steps)))
	for i := range o.layers {
		l, s := &o.network.Layers[i], &o.layers[i]
		n := len(l.Weights)
		adam(l.Weights, s.weights, s.mean[:n], s.variance[:n], rate, samples)
		adam(l.Bias, s.bias, s.mean[n:], s.variance[n:], rate, samples)
	}
}

func adam(values []float32, gradient, mean, variance []float64, rate float64, samples int) {
	for i, g := range gradient {
		g /= float64(samples)
		gradient[i] = 0
		mean[i] = momentum*mean[i] + (1-momentum)*g
		variance[i] = memory*variance[i] + (1-memory)*g*g
		values[i] -= float32(rate * mean[i] / (math.Sqrt(variance[i]) + tiny))
	}
}

// huber is the derivative of Huber's loss by the prediction: the error itself while it is
// small, its sign beyond.
func huber(predicted, wanted float64) float64 {
	const small = .5
	return min(max(predicted-wanted, -small), small)
}
