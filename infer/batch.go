// SPDX-License-Identifier: Apache-2.0

package infer

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"
)

// Batch says how single examples become batches. A batch costs an accelerator hardly more
// than one example; a CPU gains nothing by it (docs/inference.md).
type Batch struct {
	// Size is the most examples of a batch; 1 is off. 0 is 8 where an accelerator runs the
	// graph, and off on a CPU.
	Size int `yaml:"size"`
	// DelayMs is how long the first example waits for others, in milliseconds; the default is
	// 2. A batch goes sooner when it is full or when a deadline in it asks for it. While another
	// batch runs, examples are gathered anyway.
	DelayMs float64 `yaml:"delay_ms"`
}

const (
	acceleratorBatch = 8
	mostBatch        = 256
	mostBatchDelayMs = 1000
	// batchBytes bounds the memory of one batch's inputs.
	batchBytes = 256 << 20
)

func (b Batch) validate(c *checker) {
	c.check(b.Size >= 0 && b.Size <= mostBatch, "batch.size", b.Size, fmt.Sprintf("1 to %d, or 0 for %d on an accelerator and 1 on a CPU", mostBatch, acceleratorBatch))
	c.check(b.DelayMs >= 0 && b.DelayMs <= mostBatchDelayMs, "batch.delay_ms", b.DelayMs, fmt.Sprintf("0 to %d ms", mostBatchDelayMs))
}

// size is how many examples make a batch of this graph at most.
func (b Batch) size(about About) int {
	switch {
	case b.Size == 0 && (!about.accelerated() || !about.Batches):
		return 1
	case b.Size == 0 && about.MostBatch > 0:
		return min(acceleratorBatch, about.MostBatch)
	case b.Size == 0:
		return acceleratorBatch
	}
	return b.Size
}

// batched gathers the runs of the spec's graph, if batches help it or Batch asks for them. The
// graph is closed with what is returned, and with an error.
func (s Spec) batched(ctx context.Context, graph Graph) (Graph, error) {
	size := s.Batch.size(graph.About())
	if size == 1 {
		return graph, nil
	}
	sizes := s.Input.sizes(graph.About())
	err := errNoBatches
	if graph.About().Batches {
		err = fits(sizes, size)
	}
	if err == nil {
		err = prove(ctx, graph, size)
	}
	switch {
	case errors.Is(err, errNoBatches) && s.Batch.Size == 0: // nobody asked for them
		return graph, nil
	case err != nil:
		return nil, errors.Join(err, graph.Close())
	}
	return newBatched(graph, size, milliseconds(s.Batch.DelayMs), sizes, time.After), nil
}

// sizes are how many values each input of a graph has for one example.
func (in Input) sizes(about About) []int {
	var sizes []int
	for _, feed := range in.Feeds() {
		if feed.Optional && !slices.ContainsFunc(about.Inputs, func(p Port) bool { return feed.Is(p.Name) }) {
			continue // it is optional
		}
		n := 1
		for _, d := range feed.Shape {
			n *= int(d)
		}
		sizes = append(sizes, n)
	}
	return sizes
}

// fits says whether a batch of inputs is within bounds, before there is memory for it.
func fits(inputs []int, size int) error {
	bytes := 0
	for _, n := range inputs {
		bytes += 4 * n * size
	}
	if bytes > batchBytes {
		return tooLarge{fmt.Errorf("batch.size is %d: its inputs take %d bytes: allowed are up to %d", size, bytes, batchBytes)}
	}
	return nil
}

// tooLarge is an error that is errNoBatches as well, and says something else.
type tooLarge struct{ error }

func (tooLarge) Unwrap() error { return errNoBatches }

// prove runs a full batch of zeros once: a graph may promise a free first dimension and have
// a batch of one built in.
func prove(ctx context.Context, graph Graph, size int) error {
	fill := func(inputs [][]float32) error {
		for _, in := range inputs {
			clear(in)
		}
		return nil
	}
	read := func(outputs []Tensor) error {
		for _, o := range outputs {
			if len(o.Shape) == 0 || o.Shape[0] != int64(size) {
				return fmt.Errorf("%v of a batch of %d: %w", o, size, errNoBatches)
			}
		}
		return nil
	}
	err := graph.Run(ctx, size, fill, read)
	if err != nil && !errors.Is(err, errNoBatches) && ctx.Err() == nil {
		return fmt.Errorf("%w: a batch of %d fails: %w", errNoBatches, size, err)
	}
	return err
}

// accelerated tells whether a provider in this process beside the CPU runs the graph; a model
// server makes its own batches.
func (a About) accelerated() bool {
	return a.Provider != "CPU" && !strings.HasPrefix(a.Provider, "oip ")
}

// errNoBatches: the graph's first dimension is fixed.
var errNoBatches = errors.New("batch.size needs a graph whose first dimension is dynamic: export the model so, or leave batch out")
