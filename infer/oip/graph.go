// SPDX-License-Identifier: Apache-2.0

package oip

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"edgex-offload/infer"
	"edgex-offload/infer/oip/inference"
)

// graph is an infer.Graph on the server: how its tensors travel, the memory of the runs that
// were under way at the same time at most, and the goroutine that looks after it.
type graph struct {
	client *Client
	name   infer.Served
	plan   plan
	lost   func(error)

	kick  chan struct{} // has room for one: look now
	stop  context.CancelFunc
	ended chan struct{}

	mu   sync.Mutex
	idle []*slot
}

// maxIdle bounds the memory that waits for the next run.
const maxIdle = 16

func newGraph(c *Client, name infer.Served, p plan, lost func(error)) *graph {
	if lost == nil {
		lost = func(error) {}
	}
	ctx, stop := context.WithCancel(context.Background())
	g := &graph{client: c, name: name, plan: p, lost: lost, kick: make(chan struct{}, 1), stop: stop, ended: make(chan struct{})}
	go g.watch(ctx)
	return g
}

// About implements infer.Graph.
func (g *graph) About() infer.About { return g.plan.about }

// Close implements infer.Graph.
func (g *graph) Close() error {
	g.stop()
	<-g.ended
	return nil
}

// Run implements infer.Graph.
func (g *graph) Run(ctx context.Context, batch int, fill func(inputs [][]float32) error, read func(outputs []infer.Tensor) error) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	if err := g.checkBatch(batch); err != nil {
		return err
	}
	s := g.take()
	defer s.Release()
	if err := s.prepare(batch, g.client.opts.MessageBytes); err != nil {
		return err
	}
	if err := fill(s.inputs); err != nil {
		return err
	}
	s.encode()
	defer s.response.Free()
	if err := g.call(ctx, s); err != nil {
		return err
	}
	tensors, err := s.decode()
	if err != nil {
		return fmt.Errorf("%s: %s: %w", g.client.provider(), title(g.name), err)
	}
	return read(tensors)
}

func (g *graph) checkBatch(batch int) error {
	switch {
	case batch < 1 || batch > 1 && !g.plan.about.Batches:
		return fmt.Errorf("a batch of %d: %s on %s takes one at a time", batch, title(g.name), g.client.provider())
	case g.plan.about.MostBatch > 0 && batch > g.plan.about.MostBatch:
		return fmt.Errorf("a batch of %d: %s on %s takes up to %d (max_batch_size)", batch, title(g.name), g.client.provider(), g.plan.about.MostBatch)
	}
	return nil
}

// call has the server run what is in the slot.
func (g *graph) call(ctx context.Context, s *slot) error {
	bounded := ctx
	_, has := ctx.Deadline()
	if !has {
		var cancel context.CancelFunc
		bounded, cancel = context.WithTimeout(ctx, g.client.opts.CallTimeout)
		defer cancel()
	}
	err := g.client.conn.Invoke(bounded, inference.GRPCInferenceService_ModelInfer_FullMethodName, &s.request, &s.response)
	if err == nil {
		return nil
	}
	explained := g.client.explain(bounded, g.name, err)
	switch code := status.Code(err); {
	case ctx.Err() != nil: // the task's own end says nothing of the server
		return explained
	case code == codes.DeadlineExceeded && !has, code == codes.Unavailable, code == codes.NotFound, code == codes.Unimplemented:
		g.look()
		return curable{explained}
	}
	return explained
}

// look has the model looked after now.
func (g *graph) look() {
	select {
	case g.kick <- struct{}{}:
	default: // it will be
	}
}

// watch tells the repository when the model is not ready on the server any more.
func (g *graph) watch(ctx context.Context) {
	defer close(g.ended)
	pause := time.NewTicker(g.client.opts.CheckInterval)
	defer pause.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-pause.C:
		case <-g.kick:
		}
		if err := g.check(ctx); err != nil && ctx.Err() == nil {
			g.lost(err)
		}
	}
}

func (g *graph) check(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, g.client.opts.ConnectTimeout)
	defer cancel()
	endIfSilent := g.client.line.listen()
	err := g.client.ready(ctx, g.name)
	if errors.Is(ctx.Err(), context.DeadlineExceeded) {
		endIfSilent()
	}
	return err
}

func (g *graph) take() *slot {
	g.mu.Lock()
	defer g.mu.Unlock()
	var s *slot
	if last := len(g.idle) - 1; last >= 0 {
		s, g.idle = g.idle[last], g.idle[:last]
	} else {
		s = newSlot(g)
	}
	s.refs.Store(1)
	return s
}

func (g *graph) put(s *slot) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if len(g.idle) < maxIdle {
		g.idle = append(g.idle, s)
	}
}
