// SPDX-License-Identifier: Apache-2.0

package ort

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"slices"
	"sync"

	onnx "github.com/yalue/onnxruntime_go"

	"edgex-offload/infer"
)

// graph is an infer.Graph: one session and the memory of the runs that were under way
// at the same time at most.
type graph struct {
	session *onnx.DynamicAdvancedSession
	shape   []int64 // of the input
	outputs []value
	release func() error

	mu   sync.Mutex
	idle []*slot
}

// slot is the memory of one run.
type slot struct {
	pin     runtime.Pinner
	options *onnx.RunOptions
	input   *onnx.Tensor[float32]
	// outputs that have a fixed shape are written in place; the others are nil and made
	// by each run.
	outputs []*onnx.Tensor[float32]
	views   []infer.Tensor
	in, out []onnx.Value // what one run is called with
}

// Run implements infer.Graph.
func (g *graph) Run(ctx context.Context, fill func(input []float32) error, read func(outputs []infer.Tensor) error) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	s, err := g.take()
	if err != nil {
		return err
	}
	defer g.put(s)
	if err := fill(s.input.GetData()); err != nil {
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

func (g *graph) take() (*slot, error) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if n := len(g.idle); n > 0 {
		s := g.idle[n-1]
		g.idle = g.idle[:n-1]
		return s, nil
	}
	return newSlot(g.shape, g.outputs)
}

func (g *graph) put(s *slot) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.idle = append(g.idle, s)
}

// Close implements infer.Graph.
func (g *graph) Close() error { return errors.Join(g.free(), g.release()) }

func (g *graph) free() error {
	g.mu.Lock()
	defer g.mu.Unlock()
	var errs []error
	for _, s := range g.idle {
		errs = append(errs, s.free())
	}
	g.idle = nil
	return errors.Join(append(errs, g.session.Destroy())...)
}

// probe runs the graph once on zeros, sees that its outputs are what their declaration
// says and has those that are written in place from then on.
func (g *graph) probe(ctx context.Context, in value) error {
	declared := make([][]int64, len(g.outputs))
	for i := range g.outputs {
		declared[i] = resolve(g.outputs[i].dims, in.dims, g.shape)
		g.outputs[i].fixed = nil
	}
	zero := func(input []float32) error { clear(input); return nil }
	look := func(outputs []infer.Tensor) error {
		for i, o := range outputs {
			if slices.Equal(o.Shape, declared[i]) {
				g.outputs[i].fixed = declared[i]
			}
		}
		return nil
	}
	if err := g.Run(ctx, zero, look); err != nil {
		return fmt.Errorf("first run: %w", err)
	}
	// The next slots have their outputs in place.
	g.mu.Lock()
	defer g.mu.Unlock()
	var errs []error
	for _, s := range g.idle {
		errs = append(errs, s.free())
	}
	g.idle = nil
	return errors.Join(errs...)
}

func newSlot(shape []int64, outputs []value) (s *slot, err error) {
	s = &slot{
		outputs: make([]*onnx.Tensor[float32], len(outputs)),
		views:   make([]infer.Tensor, len(outputs)),
		in:      make([]onnx.Value, 1),
		out:     make([]onnx.Value, len(outputs)),
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, s.free())
		}
	}()
	if s.options, err = onnx.NewRunOptions(); err != nil {
		return s, err
	}
	if s.input, err = s.tensor(shape); err != nil {
		return s, err
	}
	s.in[0] = s.input
	for i, o := range outputs {
		if o.fixed == nil {
			continue
		}
		if s.outputs[i], err = s.tensor(o.fixed); err != nil {
			return s, err
		}
		s.out[i] = s.outputs[i]
	}
	return s, nil
}

// tensor makes a tensor whose memory stays where it is: ONNX Runtime keeps the address.
func (s *slot) tensor(shape []int64) (*onnx.Tensor[float32], error) {
	data := make([]float32, onnx.Shape(shape).FlattenedSize())
	if len(data) > 0 {
		s.pin.Pin(&data[0])
	}
	return onnx.NewTensor(shape, data)
}

// run runs the session and terminates it when ctx ends.
func (s *slot) run(ctx context.Context, session *onnx.DynamicAdvancedSession) error {
	terminated := make(chan error, 1)
	stop := context.AfterFunc(ctx, func() { terminated <- s.options.Terminate() })
	err := session.RunWithOptions(s.in, s.out, s.options)
	if stop() {
		return err
	}
	// The flag stays set until it is taken back, which must not overtake its setting.
	if e := errors.Join(<-terminated, s.options.UnsetTerminate()); e != nil {
		return errors.Join(err, e)
	}
	if err != nil {
		return fmt.Errorf("%w: %w", ctx.Err(), err)
	}
	return nil
}

func (s *slot) read(outputs []value) ([]infer.Tensor, error) {
	for i, v := range s.out {
		t, is := v.(*onnx.Tensor[float32])
		if !is {
			return nil, fmt.Errorf("output %q is not a tensor of float32: name another in outputs, or export it as float32", outputs[i].name)
		}
		shape := outputs[i].fixed
		if shape == nil {
			shape = t.GetShape()
		}
		s.views[i] = infer.Tensor{Name: outputs[i].name, Shape: shape, Data: t.GetData()}
	}
	return s.views, nil
}

// dropMade frees the outputs that the run made.
func (s *slot) dropMade() {
	for i, v := range s.out {
		if s.outputs[i] == nil && v != nil {
			_ = v.Destroy() // it has no error to give
			s.out[i] = nil
		}
	}
}

func (s *slot) free() error {
	var errs []error
	if s.options != nil {
		errs = append(errs, s.options.Destroy())
	}
	if s.input != nil {
		errs = append(errs, s.input.Destroy())
	}
	for _, o := range s.outputs {
		if o != nil {
			errs = append(errs, o.Destroy())
		}
	}
	s.pin.Unpin()
	return errors.Join(errs...)
}
