// SPDX-License-Identifier: Apache-2.0

package quantize

import (
	"context"
	"slices"

	"edgex-offload/infer"
	"edgex-offload/offload"
)

// Sample is what one run is fed: a list of values for each input, as infer.Graph.Run has them.
type Sample [][]float32

// SampleOf takes a task's payload to what a graph is fed for it.
func SampleOf(ctx context.Context, spec infer.Spec, steps infer.Steps, graph infer.Graph, task offload.Task) (Sample, error) {
	feeds := spec.Input.Feeds()
	if inputs := graph.About().Inputs; len(inputs) < len(feeds) {
		feeds = slices.DeleteFunc(feeds, func(f infer.Fed) bool {
			return !slices.ContainsFunc(inputs, func(in infer.Port) bool { return in.Name == f.Name })
		})
	}
	s := sampler{Graph: graph, feeds: feeds, got: new(Sample)}
	_, err := steps.Answer(ctx, s, task)
	return *s.got, err
}

// sampler stands in for a graph, keeps what it is fed and gives no output.
type sampler struct {
	infer.Graph
	feeds []infer.Fed
	got   *Sample
}

// Run implements infer.Graph.
func (g sampler) Run(_ context.Context, _ int, fill func([][]float32) error, _ func([]infer.Tensor) error) error {
	var inputs [][]float32
	for _, fed := range g.feeds {
		inputs = append(inputs, make([]float32, valuesOf(fed.Shape)))
	}
	if err := fill(inputs); err != nil {
		return err
	}
	*g.got = inputs
	return nil
}
