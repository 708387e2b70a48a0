// SPDX-License-Identifier: Apache-2.0

package infer

import (
	"context"
	"errors"
	"fmt"

	"edgex-offload/infer/decode"
)

// Backend turns graphs into something that runs. Package infer/ort is ONNX Runtime.
// It is safe for concurrent use, and outlives the Repository that uses it.
type Backend interface {
	// Load readies a graph. It may take seconds. An error that another attempt may cure,
	// as a library that is not there yet, wraps ErrBackend.
	Load(ctx context.Context, source Source) (Graph, error)
}

// Source is what a Backend loads.
type Source struct {
	// Dir is the folder of the version, for graphs that keep their weights in files beside.
	Dir string
	// Name and Version are those of the folder.
	Name, Version string
	// ONNX is the content of model.onnx; nil where Spec.Backend needs none and there is none.
	// The backend does not keep it.
	ONNX []byte
	Spec Spec
	// Lost may be called once the graph is loaded, from any goroutine but not from within
	// Load, when it cannot run any more because of something outside, as a server that went
	// away. The model is not ready from then on and is loaded again at the next look at the
	// folder. It does not block and may be nil.
	Lost func(cause error)
}

// Backends picks among backends by a Spec's Backend: ONNX, OIP.
type Backends map[string]Backend

// Load implements Backend.
func (b Backends) Load(ctx context.Context, source Source) (Graph, error) {
	backend := b[source.Spec.Backend]
	switch {
	case backend == nil && source.Spec.Backend == OIP:
		return nil, errors.New("backend is oip: no model server is configured: set Models.OIP.Address (or --server of model check) to its host:port")
	case backend == nil:
		return nil, fmt.Errorf("backend is %q: this service does not have it", source.Spec.Backend)
	}
	return backend.Load(ctx, source)
}

// Graph is a loaded graph. It is safe for concurrent use.
type Graph interface {
	// About describes the graph. It does not change.
	About() About
	// Run has fill write the inputs, one slice for each of About().Inputs, which holds batch
	// examples one after the other, of any previous content; runs the graph; and shows read
	// the outputs, in the order of About().Outputs. Neither may keep what it is shown, and
	// neither is called once Run has returned. All of it is float32, whatever type the graph
	// has: the backend converts. A batch of more than one needs About().Batches. Run ends soon
	// after ctx ends, with ctx.Err() in the error's chain.
	Run(ctx context.Context, batch int, fill func(inputs [][]float32) error, read func(outputs []Tensor) error) error
	// Close frees the graph. No Run may be under way, and none may follow.
	Close() error
}

// About describes a loaded graph.
type About struct {
	// Provider is what runs it, as "CPU", "CUDA" or "oip host:port".
	Provider string
	// PassedOver says which preferred providers do not run it, and why; empty for none.
	PassedOver string
	// Inputs that are fed and Outputs that are read.
	Inputs, Outputs []Port
	// Batches tells that the first dimension of all of them is free.
	Batches bool
	// MostBatch bounds a batch; 0 is no bound.
	MostBatch int
}

// Port is an input or output of a graph.
type Port struct {
	Name string
	// Type as the graph has it: float32, float16, uint8, int64, ...
	Type string
	// Shape with -1 for a dimension that is free; nil is unknown.
	Shape []int64
}

// Tensor is one output of a graph.
type Tensor = decode.Tensor
