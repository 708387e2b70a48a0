// SPDX-License-Identifier: Apache-2.0

package orttest

import (
	"errors"
	"runtime"

	onnx "github.com/yalue/onnxruntime_go"
)

// Bare is a session of the binding alone: what a graph takes when all of package ort is left
// away. It is for graphs of one float32 input and one such output. A Runtime has to have a graph
// loaded as long as it is used. It is safe for concurrent use.
type Bare struct {
	session       *onnx.DynamicAdvancedSession
	input, output onnx.Shape
}

// BareOptions of a session.
type BareOptions struct {
	ONNX                    []byte
	Input, Output           string
	InputShape, OutputShape []int64
	// Threads of one run; the default is 1.
	Threads int
	// Spin has threads that wait for work do so actively, which is ONNX Runtime's own default.
	Spin bool
}

// NewBare makes a session.
func NewBare(o BareOptions) (b *Bare, err error) {
	if !onnx.IsInitialized() {
		return nil, errors.New("orttest: load a graph with a Runtime first: it brings the library")
	}
	opts, err := onnx.NewSessionOptions()
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, opts.Destroy()) }()
	spin := map[bool]string{true: "1"}[o.Spin]
	if spin == "" {
		spin = "0"
	}
	err = errors.Join(
		opts.SetIntraOpNumThreads(max(1, o.Threads)),
		opts.SetInterOpNumThreads(1),
		opts.AddSessionConfigEntry("session.intra_op.allow_spinning", spin),
		opts.AddSessionConfigEntry("session.inter_op.allow_spinning", spin),
	)
	if err != nil {
		return nil, err
	}
	session, err := onnx.NewDynamicAdvancedSessionWithONNXData(o.ONNX, []string{o.Input}, []string{o.Output}, opts)
	return &Bare{session: session, input: o.InputShape, output: o.OutputShape}, err
}

// Caller readies the tensors of one caller, which it may use from one goroutine at a time. Its
// input has these values.
func (b *Bare) Caller(values []float32) (*BareCaller, error) {
	c := &BareCaller{bare: b}
	in, out := append([]float32(nil), values...), make([]float32, b.output.FlattenedSize())
	c.pin.Pin(&in[0]) // ONNX Runtime keeps the addresses
	c.pin.Pin(&out[0])
	for _, t := range []struct {
		shape onnx.Shape
		data  []float32
	}{{b.input, in}, {b.output, out}} {
		tensor, err := onnx.NewTensor(t.shape, t.data)
		if err != nil {
			return nil, errors.Join(err, c.Close())
		}
		c.tensors = append(c.tensors, tensor)
	}
	return c, nil
}

// Close frees the session. Its callers are closed before.
func (b *Bare) Close() error { return b.session.Destroy() }

// BareCaller is the memory of one caller.
type BareCaller struct {
	bare    *Bare
	pin     runtime.Pinner
	tensors []onnx.Value // input, output
}

// Run runs the graph once.
func (c *BareCaller) Run() error { return c.bare.session.Run(c.tensors[:1], c.tensors[1:]) }

// Close frees the tensors.
func (c *BareCaller) Close() error {
	var errs []error
	for _, t := range c.tensors {
		errs = append(errs, t.Destroy())
	}
	c.pin.Unpin()
	return errors.Join(errs...)
}
