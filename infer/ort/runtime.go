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

// The execution providers.
const (
	TensorRT = "TensorRT"
	CUDA     = "CUDA"
	CPU      = "CPU"
)

// maxThreads bounds Options.Threads.
const maxThreads = 64

// Options of a Runtime.
type Options struct {
	// Library is the path of libonnxruntime.so; empty has it looked for, as Find says.
	Library string
	// Providers in the order of preference; the default is CPU alone. One that is missing
	// is logged and passed over; what none of them can run, the CPU does.
	Providers []string
	// FP16 and INT8 let TensorRT use these types; INT8 is for graphs that were quantised.
	FP16, INT8 bool
	// EngineCache is a folder in which TensorRT keeps what it built, which takes minutes; empty
	// for nowhere.
	EngineCache string
	// ProviderOptions are handed on, by provider, after what FP16, INT8 and EngineCache set, as
	// in TensorRT: {trt_dla_enable: "1"}.
	ProviderOptions map[string]map[string]string
	// Threads of one inference; the default is 1. More shortens a large model's answer on
	// idle cores, and lowers how many answers there are in all.
	Threads int
	// Log may be nil.
	Log infer.Logger
}

// Runtime is an infer.Backend.
type Runtime struct {
	opts Options
	// enable makes a provider part of a session; a test has its own.
	enable func(opts *onnx.SessionOptions, provider string, settings map[string]string) error

	mu      sync.Mutex
	entered bool
	closed  bool
	graphs  int
}

// New checks the options. Nothing is loaded before the first graph, so that a missing
// library keeps no service from starting.
func New(opts Options) (*Runtime, error) {
	if opts.Threads == 0 {
		opts.Threads = 1
	}
	if opts.Threads < 0 || opts.Threads > maxThreads {
		return nil, fmt.Errorf("ort: Threads is %d: allowed is 1 to %d", opts.Threads, maxThreads)
	}
	for _, p := range opts.Providers {
		if !slices.Contains([]string{TensorRT, CUDA, CPU}, p) {
			return nil, fmt.Errorf("ort: Providers lists %q: allowed are %s, %s, %s", p, TensorRT, CUDA, CPU)
		}
	}
	for p := range opts.ProviderOptions {
		if !slices.Contains([]string{TensorRT, CUDA}, p) {
			return nil, fmt.Errorf("ort: ProviderOptions has %q: allowed are %s, %s", p, TensorRT, CUDA)
		}
	}
	return &Runtime{opts: opts, enable: enable}, nil
}

// Load makes a session for the graph and runs it once. It can be called again after an
// error; one that wraps infer.ErrBackend is about the library, not about the graph.
func (r *Runtime) Load(ctx context.Context, source infer.Source) (infer.Graph, error) {
	if err := r.enter(); err != nil {
		return nil, fmt.Errorf("%w: %w", infer.ErrBackend, err)
	}
	g, err := r.load(ctx, source)
	if err != nil {
		return nil, errors.Join(err, r.release())
	}
	return g, nil
}

// enter makes sure of the environment and counts a graph that uses it.
func (r *Runtime) enter() error {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.closed {
		return errors.New("ort: the runtime was closed")
	}
	if !r.entered {
		library, err := Find(r.opts.Library)
		if err != nil {
			return err
		}
		if err := process.enter(library); err != nil {
			return err
		}
		r.entered = true
		r.logf("ONNX Runtime %s from %s", onnx.GetVersion(), library)
	}
	r.graphs++
	return nil
}

// release counts a graph down. The environment goes with the last one after Close.
func (r *Runtime) release() error {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.graphs--
	return r.leaveIfDone()
}

func (r *Runtime) leaveIfDone() error {
	if !r.closed || !r.entered || r.graphs > 0 {
		return nil
	}
	r.entered = false
	return process.leave()
}

// Close lets go of ONNX Runtime as soon as the graphs are closed. It may be called more
// than once.
func (r *Runtime) Close() error {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.closed = true
	return r.leaveIfDone()
}

func (r *Runtime) load(ctx context.Context, source infer.Source) (*graph, error) {
	head, err := parseGraph(source.ONNX)
	if err != nil {
		return nil, err
	}
	ins, err := head.pickInputs(source.Spec.Input)
	if err != nil {
		return nil, err
	}
	outs, err := head.pickOutputs(source.Spec)
	if err != nil {
		return nil, err
	}
	g := &graph{inputs: ins, outputs: outs, release: r.release, idle: map[int][]*slot{}}
	g.about = infer.About{Inputs: ports(ins), Outputs: ports(outs), Batches: batches(ins, outs)}
	if err := r.start(ctx, g, source, head.rewrite(source.ONNX, ins, outs)); err != nil {
		return nil, err
	}
	return g, nil
}

func sessionNames(values []value) []string {
	names := make([]string, len(values))
	for i, v := range values {
		names[i] = v.inSession()
	}
	return names
}

func (r *Runtime) logf(format string, args ...any) {
	if r.opts.Log != nil {
		r.opts.Log.Infof(format, args...)
	}
}

func (r *Runtime) warnf(format string, args ...any) {
	if r.opts.Log != nil {
		r.opts.Log.Warnf(format, args...)
	}
}
