// SPDX-License-Identifier: Apache-2.0

package infer

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"time"
)

// batched is a graph that runs single examples together. Its one goroutine ends with Close.
type batched struct {
	Graph
	size  int
	delay time.Duration
	// after is time.After, and a test's own.
	after func(time.Duration) <-chan time.Time

	examples chan *example
	stop     chan struct{}
	ended    chan struct{}
	free     sync.Pool // of *example

	// takes is how long a batch takes of late; it belongs to the goroutine.
	takes time.Duration
}

// example is one caller's part of a batch.
type example struct {
	ctx     context.Context
	inputs  [][]float32
	outputs []Tensor
	done    chan error // has room for one
}

// newBatched starts to gather the runs of a graph.
func newBatched(graph Graph, size int, delay time.Duration, inputs []int, after func(time.Duration) <-chan time.Time) *batched {
	g := &batched{
		Graph: graph, size: size, delay: delay, after: after,
		examples: make(chan *example), stop: make(chan struct{}), ended: make(chan struct{}),
	}
	g.free.New = func() any {
		e := &example{inputs: make([][]float32, len(inputs)), done: make(chan error, 1)}
		for i, n := range inputs {
			e.inputs[i] = make([]float32, n)
		}
		return e
	}
	go g.gather()
	return g
}

// Run implements Graph. A batch of the caller's own runs as it is.
func (g *batched) Run(ctx context.Context, batch int, fill func(inputs [][]float32) error, read func(outputs []Tensor) error) error {
	if batch != 1 {
		return g.Graph.Run(ctx, batch, fill, read)
	}
	e, _ := g.free.Get().(*example)
	e.ctx = ctx
	if err := fill(e.inputs); err != nil {
		g.free.Put(e)
		return err
	}
	select {
	case g.examples <- e:
	case <-ctx.Done():
		g.free.Put(e)
		return ctx.Err()
	}
	select {
	case err := <-e.done:
		if err == nil {
			err = read(e.outputs)
		}
		g.free.Put(e)
		return err
	case <-ctx.Done(): // e belongs to its batch until that is done
		return ctx.Err()
	}
}

// Close implements Graph.
func (g *batched) Close() error {
	close(g.stop)
	<-g.ended
	return g.Graph.Close()
}

// gather makes and runs batches, one after the other: what arrives while one runs waits in
// its caller and joins the next at once.
func (g *batched) gather() {
	defer close(g.ended)
	batch := make([]*example, 0, g.size)
	for {
		select {
		case <-g.stop:
			return
		case e := <-g.examples:
			batch = g.fill(append(batch[:0], e))
		}
		batch = slices.DeleteFunc(batch, func(e *example) bool { return e.ctx.Err() != nil })
		g.run(batch)
		clear(batch[:cap(batch)])
	}
}

// fill waits for more examples, for as long as none in the batch has to go.
func (g *batched) fill(batch []*example) []*example {
	var full <-chan time.Time
	for len(batch) < g.size {
		select { // who waits already joins at once
		case e := <-g.examples:
			batch = append(batch, e)
			continue
		default:
		}
		if full == nil {
			full = g.after(g.patience(batch))
		}
		select {
		case e := <-g.examples:
			batch = append(batch, e)
		case <-full:
			return batch
		case <-g.stop:
			return batch
		}
	}
	return batch
}

// patience is how long a batch may wait: its delay, and no longer than leaves time for it to
// run before the first deadline in it.
func (g *batched) patience(batch []*example) time.Duration {
	wait := g.delay
	for _, e := range batch {
		if deadline, has := e.ctx.Deadline(); has {
			const spare = 2 // a batch may take that much longer than of late
			wait = min(wait, time.Until(deadline)-spare*g.takes)
		}
	}
	return max(0, wait)
}

// run runs a batch and tells each caller. Where it fails, each example runs alone, so that a
// bad one harms no other.
func (g *batched) run(batch []*example) {
	if len(batch) == 0 {
		return
	}
	start := time.Now()
	err := g.runTogether(batch)
	if err == nil {
		const weight = .2
		g.takes += time.Duration(weight * float64(time.Since(start)-g.takes))
	}
	for _, e := range batch {
		switch {
		case err == nil:
			e.done <- nil
		case len(batch) == 1 || e.ctx.Err() != nil:
			e.done <- err
		default:
			e.done <- g.runTogether([]*example{e})
		}
	}
}

func (g *batched) runTogether(batch []*example) (err error) {
	defer contain(&err) // no caller is there to do it
	ctx, cancel := whileAny(batch)
	defer cancel()
	fill := func(inputs [][]float32) error {
		for i, input := range inputs {
			n := len(input) / len(batch)
			for k, e := range batch {
				copy(input[k*n:(k+1)*n], e.inputs[i])
			}
		}
		return nil
	}
	read := func(outputs []Tensor) error {
		for k, e := range batch {
			if err := e.take(outputs, k, len(batch)); err != nil {
				return err
			}
		}
		return nil
	}
	return g.Graph.Run(ctx, len(batch), fill, read)
}

// take copies one example's share of the outputs.
func (e *example) take(outputs []Tensor, k, batch int) error {
	e.outputs = slices.Grow(e.outputs[:0], len(outputs))[:len(outputs)]
	for i, o := range outputs {
		if len(o.Shape) == 0 || o.Shape[0] != int64(batch) {
			return fmt.Errorf("%v of a batch of %d: the first dimension has to be that", o, batch)
		}
		n := len(o.Data) / batch
		to := &e.outputs[i]
		to.Name = o.Name
		to.Shape = append(to.Shape[:0], o.Shape...)
		to.Shape[0] = 1
		to.Data = append(to.Data[:0], o.Data[k*n:(k+1)*n]...)
	}
	return nil
}

// whileAny is a context that ends when nobody waits for the batch any more.
func whileAny(batch []*example) (context.Context, context.CancelFunc) {
	if len(batch) == 1 {
		return context.WithCancel(batch[0].ctx)
	}
	ctx, cancel := context.WithCancel(context.Background())
	left := make(chan struct{}, len(batch))
	stops := make([]func() bool, len(batch))
	for i, e := range batch {
		stops[i] = context.AfterFunc(e.ctx, func() {
			left <- struct{}{}
			if len(left) == cap(left) {
				cancel()
			}
		})
	}
	return ctx, func() {
		for _, stop := range stops {
			stop()
		}
		cancel()
	}
}
