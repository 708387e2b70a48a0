// SPDX-License-Identifier: Apache-2.0

package infer

import (
	"context"

	"edgex-offload/offload"
)

// Steps take tasks through a graph as a Repository does, for those who load graphs by
// themselves. It is safe for concurrent use.
type Steps struct{ pipeline *pipeline }

// NewSteps prepares the steps that the model.yaml of a version's folder describes, for a graph.
func NewSteps(spec Spec, dir string, graph Graph) (Steps, error) {
	p, err := newPipeline(spec, dir, graph.About().Inputs)
	return Steps{p}, err
}

// Answer runs a task: payload to tensors, graph, outputs to answer. The graph may be one that
// stands in for another and looks at what passes. The error wraps ErrInput if the payload is at
// fault.
func (s Steps) Answer(ctx context.Context, graph Graph, task offload.Task) (offload.Answer, error) {
	return s.pipeline.answer(ctx, graph, task)
}
