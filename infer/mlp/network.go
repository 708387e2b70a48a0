// SPDX-License-Identifier: Apache-2.0

package mlp

import (
	"fmt"
	"math"
	"math/rand/v2"
)

// Bounds of a network.
const (
	MaxWidth  = 256
	MaxLayers = 8
)

// Layer is y = Wx + b. Each but the last of a network is followed by max(y, 0).
type Layer struct {
	In, Out int
	// Weights are row by row, Out rows of In.
	Weights, Bias []float32
}

// Row is the weights of one output.
func (l *Layer) Row(out int) []float32 { return l.Weights[out*l.In : (out+1)*l.In] }

// Network is its layers, the input's first.
type Network struct{ Layers []Layer }

// New draws a network of these widths, input and output included: weights from a normal
// distribution of variance 2/inputs, which suits ReLU (He et al. 2015), no bias.
func New(rng *rand.Rand, widths ...int) (*Network, error) {
	n := &Network{}
	for i := 1; i < len(widths); i++ {
		in, out := widths[i-1], widths[i]
		if in < 1 || out < 1 || in > MaxWidth || out > MaxWidth {
			return nil, fmt.Errorf("widths %v: allowed is 1 to %d each", widths, MaxWidth)
		}
		l := Layer{In: in, Out: out, Weights: make([]float32, in*out), Bias: make([]float32, out)}
		for k := range l.Weights {
			l.Weights[k] = float32(rng.NormFloat64() * math.Sqrt(2/float64(in)))
		}
		n.Layers = append(n.Layers, l)
	}
	return n, n.Validate()
}

// Validate tells whether the layers fit each other and the bounds, and are finite.
func (n *Network) Validate() error {
	if len(n.Layers) < 1 || len(n.Layers) > MaxLayers {
		return fmt.Errorf("%d layers: allowed is 1 to %d", len(n.Layers), MaxLayers)
	}
	for i := range n.Layers {
		l := &n.Layers[i]
		switch {
		case l.In < 1 || l.In > MaxWidth || l.Out < 1 || l.Out > MaxWidth:
			return fmt.Errorf("layer %d: %d inputs and %d outputs: allowed is 1 to %d each", i, l.In, l.Out, MaxWidth)
		case i > 0 && l.In != n.Layers[i-1].Out:
			return fmt.Errorf("layer %d: %d inputs for %d outputs of the layer before", i, l.In, n.Layers[i-1].Out)
		case len(l.Weights) != l.In*l.Out || len(l.Bias) != l.Out:
			return fmt.Errorf("layer %d: %d weights and %d biases for %d times %d", i, len(l.Weights), len(l.Bias), l.Out, l.In)
		case !finite(l.Weights) || !finite(l.Bias):
			return fmt.Errorf("layer %d: a weight is not finite", i)
		}
	}
	return nil
}

func finite(values []float32) bool {
	for _, v := range values {
		if v-v != 0 {
			return false
		}
	}
	return true
}

// Inputs and Outputs are how many there are.
func (n *Network) Inputs() int { return n.Layers[0].In }

// Outputs is how many values it gives.
func (n *Network) Outputs() int { return n.Layers[len(n.Layers)-1].Out }

// Clone gives a copy with weights of its own.
func (n *Network) Clone() *Network {
	c := &Network{Layers: make([]Layer, len(n.Layers))}
	for i, l := range n.Layers {
		l.Weights, l.Bias = append([]float32(nil), l.Weights...), append([]float32(nil), l.Bias...)
		c.Layers[i] = l
	}
	return c
}

// Values runs the network on an input and writes its outputs; it implements offload.Network.
func (n *Network) Values(input, values []float32) error {
	if len(input) != n.Inputs() || len(values) != n.Outputs() {
		return fmt.Errorf("%d inputs and %d outputs: the network has %d and %d", len(input), len(values), n.Inputs(), n.Outputs())
	}
	var buffers [2][MaxWidth]float32
	x := input
	for i := range n.Layers {
		y := buffers[i%2][:n.Layers[i].Out]
		last := i == len(n.Layers)-1
		if last {
			y = values
		}
		n.Layers[i].Forward(x, y, !last)
		x = y
	}
	return nil
}

// Forward works y out of x; rectify cuts it at 0.
func (l *Layer) Forward(x, y []float32, rectify bool) {
	for o := range l.Out {
		sum, row := l.Bias[o], l.Row(o)
		for i, v := range x {
			sum += row[i] * v
		}
		if rectify {
			sum = max(sum, 0)
		}
		y[o] = sum
	}
}
