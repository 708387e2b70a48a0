// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"errors"
	"fmt"
	"testing"

	"edgex-offload/infer"
	"edgex-offload/infer/onnx/onnxtest"
	"edgex-offload/infer/ort/orttest"
)

// counted is how many runs the allocations are counted over.
const counted = 50

// engine is what this project adds to ONNX Runtime.
func engine(ctx context.Context, b *bench) (rows []row, err error) {
	n, err := mobileNet(mobileNetSide, "")
	if err != nil {
		return nil, err
	}
	graph, err := b.backend.Load(ctx, infer.Source{ONNX: n.onnx, Spec: n.spec})
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, graph.Close()) }()
	bare, err := bareSession(n, 1, false)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, bare.Close()) }()
	caller, err := bare.Caller(n.noise())
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(caller.Close(), err) }()

	ours := inPlace(ctx, graph)
	noise := func(inputs [][]float32) error { copy(inputs[0], n.noise()); return nil }
	if err := graph.Run(ctx, 1, noise, ignore); err != nil { // stays in the memory of the runs to come
		return nil, err
	}
	took, err := b.compare(40, ours, caller.Run)
	if err != nil {
		return nil, err
	}
	rows = append(rows,
		row{What: "Graph.Run over bare ONNX Runtime, MobileNetV2, random weights", figure: took[0].over(took[1]).figure(), Unit: "x", Target: atMost(1.03), Of: sides(took[0], took[1])},
		row{What: "allocations of Graph.Run", figure: allocations(ours), Target: atMost(10)},
	)
	whole, err := b.wholeTask(ctx, n)
	return append(rows, whole...), err
}

// wholeTask is a task from the camera's JPEG to the label.
func (b *bench) wholeTask(ctx context.Context, n network) (rows []row, err error) {
	r, err := b.stored(ctx, n, infer.Options{}, "1")
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, r.Close()) }()
	task, variant := photo(640, 480), n.name+"/1"
	var stages infer.Stages
	watched := infer.WithStages(ctx, &stages)
	var whole, graph series
	for range b.rounds {
		took, err := b.turns(20, []side{func() error { _, err := r.Infer(watched, variant, task); return err }})
		if err != nil {
			return nil, err
		}
		whole, graph = append(whole, median(took[0])), append(graph, ms(stages.Graph))
	}
	ask := func() error { _, err := r.Infer(ctx, variant, task); return err }
	return []row{
		{What: "allocations of a task, JPEG to label", figure: allocations(ask)},
		{
			What: "a task, JPEG of 640 × 480 to label", figure: whole.figure(), Unit: "ms",
			Of: fmt.Sprintf("decode %s, tensor %s, graph %s", quantity(ms(stages.Decode), "ms"), quantity(ms(stages.Tensor), "ms"), quantity(graph.figure().Median, "ms")),
		},
	}, nil
}

// keep leaves an input as it is, and ignore an output.
func keep([][]float32) error { return nil }

func ignore([]infer.Tensor) error { return nil }

// inPlace runs a graph on what its input holds already.
func inPlace(ctx context.Context, g infer.Graph) side {
	return func() error { return g.Run(ctx, 1, keep, ignore) }
}

// bareSession is the network in a session of the binding alone.
func bareSession(n network, threads int, spin bool) (*orttest.Bare, error) {
	return orttest.NewBare(orttest.BareOptions{
		ONNX: n.onnx, Input: "input", Output: "scores", Threads: threads, Spin: spin,
		InputShape: []int64{1, 3, int64(n.side), int64(n.side)}, OutputShape: []int64{1, onnxtest.MobileNetV2Classes},
	})
}

// allocations of one call; an error shows elsewhere.
func allocations(call side) figure {
	return one(testing.AllocsPerRun(counted, func() { _ = call() }))
}
