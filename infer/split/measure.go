// SPDX-License-Identifier: Apache-2.0

package split

import (
	"context"
	"errors"
	"fmt"
	"math"
	"slices"
	"time"

	"edgex-offload/infer"
	"edgex-offload/infer/features"
	"edgex-offload/offload"
)

// Tolerance is how far head and tail together may be from the whole before anything is quantised:
// this times the largest output, or this if no output is beyond 1. A runtime that fuses other
// nodes rounds differently.
const Tolerance = 1e-5

// Measured is what came of running a split.
type Measured struct {
	// Whole, Head and Tail are the medians from payload to answer: of the head to the encoded
	// features, of the tail from them.
	Whole, Head, Tail time.Duration
	// WholeGraph, HeadGraph and TailGraph are the medians of the graphs alone.
	WholeGraph, HeadGraph, TailGraph time.Duration
	// FeatureBytes is what goes from head to tail.
	FeatureBytes int
	// Exact is the largest difference of an output from the whole's when the tensors go from
	// head to tail as they are, Encoded when they are encoded as the head's model.yaml says.
	Exact, Encoded float64
	// Largest is the largest output of the whole.
	Largest float64
	// Same says whether the answer is the whole's: the same label and as many objects.
	Same bool
	// Answer is the whole's, Split that of head and tail.
	Answer, Split offload.Answer
}

// Verify is an error unless the parts equal the whole before anything is quantised.
func (m Measured) Verify() error {
	if allowed := Tolerance * max(1, m.Largest); !(m.Exact <= allowed) {
		return fmt.Errorf("head and tail differ from the whole by %.3g, without quantisation: allowed are %.3g", m.Exact, allowed)
	}
	return nil
}

// Measure loads both parts and runs a task through whole, head and tail in turns.
func (p *Plan) Measure(ctx context.Context, task offload.Task, parts Parts, runs int) (m Measured, err error) {
	head, err := p.load(ctx, parts.Head)
	if err != nil {
		return m, fmt.Errorf("head: %w", err)
	}
	defer func() { err = errors.Join(err, head.graph.Close()) }()
	tail, err := p.load(ctx, parts.Tail)
	if err != nil {
		return m, fmt.Errorf("tail: %w", err)
	}
	defer func() { err = errors.Join(err, tail.graph.Close()) }()
	whole, err := p.runner(p.spec, p.graph)
	if err != nil {
		return m, err
	}

	for range max(1, runs) {
		if m.Answer, err = whole.run(ctx, task); err != nil {
			return m, fmt.Errorf("whole: %w", err)
		}
		said, err := head.run(ctx, task)
		if err != nil {
			return m, fmt.Errorf("head: %w", err)
		}
		m.FeatureBytes = len(said.Features)
		if m.Split, err = tail.run(ctx, onward(task, said.Features)); err != nil {
			return m, fmt.Errorf("tail: %w", err)
		}
	}
	m.Whole, m.WholeGraph = whole.medians()
	m.Head, m.HeadGraph = head.medians()
	m.Tail, m.TailGraph = tail.medians()
	m.Same = m.Answer.Label == m.Split.Label && len(m.Answer.Objects) == len(m.Split.Objects)
	if m.Encoded, m.Largest, err = difference(whole.graph.outputs, tail.graph.outputs); err != nil {
		return m, err
	}
	exact, err := tail.feed(ctx, head.graph.outputs)
	if err != nil {
		return m, err
	}
	m.Exact, _, err = difference(whole.graph.outputs, exact)
	return m, err
}

// onward is the task for the tail.
func onward(task offload.Task, encoded []byte) offload.Task {
	task.Payload, task.Context = encoded, map[string]string{"content-type": features.Type}
	return task
}

// runner runs one graph through its steps and keeps times.
type runner struct {
	graph tap
	steps infer.Steps
	all   []time.Duration
	alone []time.Duration
}

func (p *Plan) load(ctx context.Context, part Part) (*runner, error) {
	graph, err := p.opts.Backend.Load(ctx, infer.Source{Dir: p.dir, ONNX: part.ONNX, Spec: part.Spec})
	if err != nil {
		return nil, err
	}
	r, err := p.runner(part.Spec, graph)
	if err != nil {
		return nil, errors.Join(err, graph.Close())
	}
	return r, nil
}

func (p *Plan) runner(spec infer.Spec, graph infer.Graph) (*runner, error) {
	steps, err := infer.NewSteps(spec, p.dir, graph)
	return &runner{graph: tap{Graph: graph, now: p.opts.Now}, steps: steps}, err
}

func (r *runner) run(ctx context.Context, task offload.Task) (offload.Answer, error) {
	began := r.graph.now()
	answer, err := r.steps.Answer(ctx, &r.graph, task)
	r.all = append(r.all, r.graph.now().Sub(began))
	r.alone = append(r.alone, r.graph.took)
	return answer, err
}

// feed runs the graph on tensors as they are.
func (r *runner) feed(ctx context.Context, tensors [][]float32) (outputs [][]float32, err error) {
	err = r.graph.Graph.Run(ctx, 1, func(inputs [][]float32) error {
		if len(inputs) != len(tensors) {
			return fmt.Errorf("the tail has %d inputs: the head gives %d tensors", len(inputs), len(tensors))
		}
		for i, in := range inputs {
			if copy(in, tensors[i]) != len(in) || len(in) != len(tensors[i]) {
				return fmt.Errorf("input %d of the tail has %d values: the head gives %d", i, len(in), len(tensors[i]))
			}
		}
		return nil
	}, func(read []infer.Tensor) error {
		for _, o := range read {
			outputs = append(outputs, slices.Clone(o.Data))
		}
		return nil
	})
	return outputs, err
}

func (r *runner) medians() (all, graph time.Duration) { return median(r.all), median(r.alone) }

func median(list []time.Duration) time.Duration {
	sorted := slices.Sorted(slices.Values(list))
	return sorted[len(sorted)/2]
}

// difference is the largest one of two graphs' outputs, with the largest value of the first.
func difference(a, b [][]float32) (most, largest float64, err error) {
	if len(a) != len(b) {
		return 0, 0, fmt.Errorf("the parts give %d outputs: the whole gives %d", len(b), len(a))
	}
	for i := range a {
		if len(a[i]) != len(b[i]) {
			return 0, 0, fmt.Errorf("output %d of the parts has %d values: that of the whole has %d", i, len(b[i]), len(a[i]))
		}
		for j, v := range a[i] {
			d := math.Abs(float64(v) - float64(b[i][j]))
			if math.IsNaN(d) {
				d = math.Inf(1)
			}
			most, largest = max(most, d), max(largest, math.Abs(float64(v)))
		}
	}
	return most, largest, nil
}
