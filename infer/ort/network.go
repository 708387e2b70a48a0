// SPDX-License-Identifier: Apache-2.0

package ort

import (
	"context"
	"fmt"

	"edgex-offload/infer"
)

// Network is a graph from one vector to another, as policy dqn asks; an offload.Network. It
// is for one goroutine, as an engine is.
type Network struct {
	graph         infer.Graph
	inputs        int
	state, values []float32 // of the call under way
	fill          func(inputs [][]float32) error
	read          func(outputs []infer.Tensor) error
}

// LoadNetwork loads a graph with one input of [1, inputs] and one output of [1, outputs].
func (r *Runtime) LoadNetwork(ctx context.Context, onnx []byte, inputs, outputs int) (*Network, error) {
	n := &Network{inputs: inputs}
	n.fill = func(inputs [][]float32) error { copy(inputs[0], n.state); return nil }
	n.read = func(out []infer.Tensor) error {
		if len(out) != 1 || len(out[0].Data) != len(n.values) {
			return fmt.Errorf("the network has %d outputs: needed is one of %d values", len(out), len(n.values))
		}
		copy(n.values, out[0].Data)
		return nil
	}
	var err error
	spec := infer.Spec{Decoder: infer.Classification, Input: infer.Input{Type: "signal", Shape: []int{inputs}}}
	if n.graph, err = r.Load(ctx, infer.Source{ONNX: onnx, Spec: spec}); err != nil {
		return nil, err
	}
	if err := n.Values(make([]float32, inputs), make([]float32, outputs)); err != nil {
		_ = n.graph.Close() // the first error says why
		return nil, err
	}
	return n, nil
}

// Values implements offload.Network.
func (n *Network) Values(state, values []float32) error {
	if len(state) != n.inputs {
		return fmt.Errorf("%d inputs: the network has %d", len(state), n.inputs)
	}
	n.state, n.values = state, values
	return n.graph.Run(context.Background(), 1, n.fill, n.read)
}

// Close frees the graph. No Values may be under way, and none may follow.
func (n *Network) Close() error { return n.graph.Close() }
