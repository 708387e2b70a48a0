// SPDX-License-Identifier: Apache-2.0

package quantize

import (
	"context"

	"edgex-offload/infer"
	"edgex-offload/offload"
)

// Sample is what one run is fed: a list of values for each input, as infer.Graph.Run has them.
type Sample [][]float32

// SampleOf takes a task's payload to what the graph of a model is fed for it.
func SampleOf(ctx context.Context, spec infer.Spec, task offload.Task) (Sample, error) {
	var s Sample
	_, err := infer.NewSteps(spec).Answer(ctx, sampler{spec: spec, got: &s}, task)
	return s, err
}

// sampler is a Graph that keeps what it is fed and gives no output.
type sampler struct {
	spec infer.Spec
	got  *Sample
}

func (g sampler) About() infer.About { return infer.About{Provider: "none"} }

func (g sampler) Run(_ context.Context, _ int, fill func([][]float32) error, _ func([]infer.Tensor) error) error {
	var inputs [][]float32
	for _, fed := range g.spec.Input.Feeds() {
		inputs = append(inputs, make([]float32, valuesOf(fed.Shape)))
	}
	if err := fill(inputs); err != nil {
		return err
	}
	*g.got = inputs
	return nil
}

func (g sampler) Close() error { return nil }
