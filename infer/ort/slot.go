// SPDX-License-Identifier: Apache-2.0

package ort

import (
	"context"
	"errors"
	"fmt"
	"runtime"

	onnx "github.com/yalue/onnxruntime_go"

	"edgex-offload/infer"
)

// slot is the memory of one run.
type slot struct {
	batch   int
	pin     runtime.Pinner
	options *onnx.RunOptions
	inputs  []*onnx.Tensor[float32]
	fed     [][]float32 // their data
	// outputs that have a fixed shape are written in place; the others are nil and made
	// by each run.
	outputs []*onnx.Tensor[float32]
	shapes  [][]int64 // of outputs
	views   []infer.Tensor
	in, out []onnx.Value // what one run is called with
	// terminate ends the run and says so; both are made once.
	terminate  func()
	terminated chan error // has room for one
}

func newSlot(batch int, inputs, outputs []value) (s *slot, err error) {
	s = &slot{
		batch:   batch,
		inputs:  make([]*onnx.Tensor[float32], len(inputs)),
		fed:     make([][]float32, len(inputs)),
		outputs: make([]*onnx.Tensor[float32], len(outputs)),
		shapes:  make([][]int64, len(outputs)),
		views:   make([]infer.Tensor, len(outputs)),
		in:      make([]onnx.Value, len(inputs)),
		out:     make([]onnx.Value, len(outputs)),

		terminated: make(chan error, 1),
	}
	s.terminate = func() { s.terminated <- s.options.Terminate() }
	defer func() {
		if err != nil {
			err = errors.Join(err, s.free())
		}
	}()
	if s.options, err = onnx.NewRunOptions(); err != nil {
		return s, err
	}
	for i, v := range inputs {
		if s.inputs[i], err = s.tensor(v.batched(batch)); err != nil {
			return s, err
		}
		s.in[i], s.fed[i] = s.inputs[i], s.inputs[i].GetData()
	}
	for i, o := range outputs {
		if !o.inPlace {
			continue
		}
		s.shapes[i] = o.resolve(batch, inputs)
		if s.outputs[i], err = s.tensor(s.shapes[i]); err != nil {
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
	stop := context.AfterFunc(ctx, s.terminate)
	err := session.RunWithOptions(s.in, s.out, s.options)
	if stop() {
		return err
	}
	// The flag stays set until it is taken back, which must not overtake its setting.
	if e := errors.Join(<-s.terminated, s.options.UnsetTerminate()); e != nil {
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
			return nil, fmt.Errorf("output %q is not a tensor of numbers: name another in outputs, or export it as float32", outputs[i].name)
		}
		shape := s.shapes[i]
		if shape == nil {
			shape = t.GetShape()
		}
		s.views[i] = infer.Tensor{Name: outputs[i].name, Shape: shape, Data: t.GetData()}
	}
	return s.views, nil
}

// bytes of what it keeps from run to run.
func (s *slot) bytes() int {
	n := 0
	for _, t := range append(s.inputs, s.outputs...) {
		if t != nil {
			n += 4 * len(t.GetData())
		}
	}
	return n
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
	for _, t := range append(s.inputs, s.outputs...) {
		if t != nil {
			errs = append(errs, t.Destroy())
		}
	}
	s.pin.Unpin()
	return errors.Join(errs...)
}
