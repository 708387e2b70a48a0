// SPDX-License-Identifier: Apache-2.0

package ort

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"

	onnx "github.com/yalue/onnxruntime_go"

	"edgex-offload/infer"
)

// graph is an infer.Graph: one session and the memory of the runs that were under way
// at the same time at most.
type graph struct {
	session *onnx.DynamicAdvancedSession
	inputs  []value
	outputs []value
	about   infer.About
	release func() error

	mu        sync.Mutex
	idle      map[int][]*slot // by batch
	idleBytes int             // of batches of more than one
}

// About implements infer.Graph.
func (g *graph) About() infer.About { return g.about }

// Run implements infer.Graph.
func (g *graph) Run(ctx context.Context, batch int, fill func(inputs [][]float32) error, read func(outputs []infer.Tensor) error) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	if batch < 1 || batch > 1 && !g.about.Batches {
		return fmt.Errorf("a batch of %d: the graph takes one at a time", batch)
	}
	s, err := g.take(batch)
	if err != nil {
		return err
	}
	defer g.put(s)
	if err := fill(s.fed); err != nil {
		return err
	}
	defer s.dropMade()
	if err := s.run(ctx, g.session); err != nil {
		return err
	}
	views, err := s.read(g.outputs)
	if err != nil {
		return err
	}
	return read(views)
}

func (g *graph) take(batch int) (*slot, error) {
	if s := g.takeIdle(batch); s != nil {
		return s, nil
	}
	return newSlot(batch, g.inputs, g.outputs) // which keeps no other run from its memory
}

func (g *graph) takeIdle(batch int) *slot {
	g.mu.Lock()
	defer g.mu.Unlock()
	idle := g.idle[batch]
	if len(idle) == 0 {
		return nil
	}
	last := len(idle) - 1
	g.idle[batch] = idle[:last]
	if batch > 1 {
		g.idleBytes -= idle[last].bytes()
	}
	return idle[last]
}

// maxIdleBytes bounds what batches leave behind for the next of their size, in bytes, beyond
// the last one's: the sizes may be a caller's choice.
const maxIdleBytes = 64 << 20

func (g *graph) put(s *slot) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if s.batch > 1 {
		if g.idleBytes += s.bytes(); g.idleBytes > maxIdleBytes {
			g.dropBatches()
			g.idleBytes = s.bytes()
		}
	}
	g.idle[s.batch] = append(g.idle[s.batch], s)
}

// dropBatches frees the memory of batches of more than one. g.mu is held.
func (g *graph) dropBatches() {
	for batch, idle := range g.idle {
		if batch == 1 {
			continue
		}
		for _, s := range idle {
			_ = s.free() // its tensors have no error to give
		}
		delete(g.idle, batch)
	}
}

// Close implements infer.Graph.
func (g *graph) Close() error { return errors.Join(g.free(), g.release()) }

func (g *graph) free() error { return errors.Join(g.freeSlots(), g.session.Destroy()) }

func (g *graph) freeSlots() error {
	g.mu.Lock()
	defer g.mu.Unlock()
	var errs []error
	for _, idle := range g.idle {
		for _, s := range idle {
			errs = append(errs, s.free())
		}
	}
	clear(g.idle)
	return errors.Join(errs...)
}

// probe runs the graph once on zeros, sees that its outputs are what their declaration
// says and has those that are written in place from then on.
func (g *graph) probe(ctx context.Context) error {
	zero := func(inputs [][]float32) error {
		for _, in := range inputs {
			clear(in)
		}
		return nil
	}
	declared := make([]bool, len(g.outputs))
	look := func(outputs []infer.Tensor) error {
		for i, o := range outputs {
			shape := g.outputs[i].resolve(1, g.inputs)
			declared[i] = shape != nil && slices.Equal(o.Shape, shape)
		}
		return nil
	}
	if err := g.Run(ctx, 1, zero, look); err != nil {
		return fmt.Errorf("first run: %w", err)
	}
	for i := range g.outputs {
		g.outputs[i].inPlace = declared[i]
	}
	return g.freeSlots() // the next ones have their outputs in place
}
