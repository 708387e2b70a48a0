// SPDX-License-Identifier: Apache-2.0

package infer

import (
	"context"

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
	// ONNX is the content of model.onnx. The backend does not keep it.
	ONNX []byte
	Spec Spec
}

// Graph is a loaded graph. It is safe for concurrent use.
type Graph interface {
	// Run has fill write the input (Spec.Input.Values numbers, of any previous content),
	// runs the graph and shows read the outputs, in the order of Spec.Outputs if that is
	// given. Neither may keep what it is shown. Run ends soon after ctx ends, with
	// ctx.Err() in the error's chain.
	Run(ctx context.Context, fill func(input []float32) error, read func(outputs []Tensor) error) error
	// Close frees the graph. No Run may be under way, and none may follow.
	Close() error
}

// Tensor is one output of a graph.
type Tensor = decode.Tensor
