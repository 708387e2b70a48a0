// SPDX-License-Identifier: Apache-2.0

package infer

import (
	"context"

	"edgex-offload/offload"
)

// Steps takes tasks through a graph that no Repository holds, as one would: for tools that
// make graphs and compare them. It is safe for concurrent use.
type Steps struct{ steps *pipeline }

// NewSteps readies what a model's file says.
func NewSteps(spec Spec) Steps { return Steps{steps: newPipeline(spec)} }

// Answer runs one task on a graph.
func (s Steps) Answer(ctx context.Context, graph Graph, task offload.Task) (offload.Answer, error) {
	return s.steps.answer(ctx, graph, task)
}

// Feed gives the values that a graph described so is fed for a task, one slice per input.
func (s Steps) Feed(ctx context.Context, about About, task offload.Task) ([][]float32, error) {
	var got [][]float32
	_, err := s.steps.answer(ctx, recorder{about: about, values: s.steps.spec.Input.Feeds(), got: &got}, task)
	if got == nil {
		return nil, err
	}
	return got, nil
}

// recorder is a Graph that keeps what it is fed and has no answer.
type recorder struct {
	about  About
	values []Fed
	got    *[][]float32
}

func (r recorder) About() About { return r.about }

func (r recorder) Run(_ context.Context, _ int, fill func([][]float32) error, _ func([]Tensor) error) error {
	var inputs [][]float32
	for _, fed := range r.values {
		n := int64(1)
		for _, d := range fed.Shape {
			n *= d
		}
		inputs = append(inputs, make([]float32, n))
	}
	if err := fill(inputs); err != nil {
		return err
	}
	*r.got = inputs
	return nil
}

func (r recorder) Close() error { return nil }
