// SPDX-License-Identifier: Apache-2.0

package ort

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"os"
	"slices"
	"strings"

	onnx "github.com/yalue/onnxruntime_go"

	"edgex-offload/infer"
)

// partsOnCPU is added to the name of a provider that does not run every operator itself.
const partsOnCPU = " with parts on CPU"

// start makes the graph's session with the first of the providers that proves itself: it is
// there, takes the graph and runs it once. That the library lists a provider says nothing.
func (r *Runtime) start(ctx context.Context, g *graph, source infer.Source, model []byte) error {
	var passedOver []string
	pass := func(provider string, err error) {
		why := fmt.Sprintf("%s: %s", provider, strings.Join(strings.Fields(err.Error()), " "))
		if !slices.Contains(passedOver, why) {
			passedOver = append(passedOver, why)
			r.warnf("provider %s is passed over", why)
		}
	}
	wanted := r.accelerators()
	for {
		leader, err := r.try(ctx, g, source, model, wanted, pass)
		g.about.Provider, g.about.PassedOver = leader, strings.Join(passedOver, "; ")
		if err == nil || leader == CPU || ctx.Err() != nil {
			return err
		}
		failed := strings.TrimSuffix(leader, partsOnCPU)
		pass(failed, err)
		wanted = wanted[slices.Index(wanted, failed)+1:]
	}
}

// accelerators are the providers beside the CPU, which is last by itself.
func (r *Runtime) accelerators() []string {
	if at := slices.Index(r.opts.Providers, CPU); at >= 0 {
		return r.opts.Providers[:at]
	}
	return r.opts.Providers
}

// try makes a session with these providers, says which of them leads it, and runs it once.
func (r *Runtime) try(ctx context.Context, g *graph, source infer.Source, model []byte, wanted []string, pass func(string, error)) (leader string, err error) {
	opts, leader, err := r.sessionOptions(source, wanted, pass)
	if err != nil {
		return leader, err
	}
	defer func() { err = errors.Join(err, opts.Destroy()) }()
	if leader != CPU {
		// A session that may leave nothing to the CPU tells whether all of it runs on the provider.
		if err := opts.AddSessionConfigEntry("session.disable_cpu_ep_fallback", "1"); err != nil {
			return leader, err
		}
	}
	make := func() (err error) {
		g.session, err = newSession(model, g, opts)
		return err
	}
	if leader == CPU && r.givesWay() {
		err = giveWay(make)
	} else {
		err = make()
	}
	if err != nil && leader != CPU {
		leader += partsOnCPU
		if err := opts.AddSessionConfigEntry("session.disable_cpu_ep_fallback", "0"); err != nil {
			return leader, err
		}
		g.session, err = newSession(model, g, opts)
	}
	if err != nil {
		return leader, fmt.Errorf("ONNX Runtime %s cannot load the graph: %w", onnx.GetVersion(), err)
	}
	if err := g.probe(ctx); err != nil {
		return leader, errors.Join(err, g.free())
	}
	return leader, nil
}

// givesWay says whether another graph is at work already. Threads that a session has of its own
// would keep the priority with which it was made.
func (r *Runtime) givesWay() bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.graphs > 1 && r.opts.Threads == 1
}

func newSession(model []byte, g *graph, opts *onnx.SessionOptions) (*onnx.DynamicAdvancedSession, error) {
	return onnx.NewDynamicAdvancedSessionWithONNXData(model, sessionNames(g.inputs), sessionNames(g.outputs), opts)
}

// sessionOptions are one thread, no spinning, and those of the wanted providers that there
// are; leader is the first of them. The library's own log is as good as off: an error comes back as
// one, and a model that fails would be lines of each task.
func (r *Runtime) sessionOptions(source infer.Source, wanted []string, pass func(string, error)) (opts *onnx.SessionOptions, leader string, err error) {
	opts, err = onnx.NewSessionOptions()
	if err != nil {
		return nil, CPU, err
	}
	err = errors.Join(
		opts.SetIntraOpNumThreads(r.opts.Threads),
		opts.SetInterOpNumThreads(1),
		opts.SetLogSeverityLevel(onnx.LoggingLevelFatal),
		opts.AddSessionConfigEntry("session.intra_op.allow_spinning", "0"),
		opts.AddSessionConfigEntry("session.inter_op.allow_spinning", "0"),
		opts.AddSessionConfigEntry("session.model_external_initializers_file_folder_path", source.Dir),
	)
	if err != nil {
		return nil, CPU, errors.Join(err, opts.Destroy())
	}
	leader = CPU
	for _, p := range wanted {
		settings, err := r.settings(p)
		if err == nil {
			err = r.enable(opts, p, settings)
		}
		if err != nil {
			pass(p, err)
			continue
		}
		if leader == CPU {
			leader = p
		}
	}
	return opts, leader, nil
}

// settings of a provider, as ONNX Runtime names them.
func (r *Runtime) settings(provider string) (map[string]string, error) {
	settings := map[string]string{}
	if provider == TensorRT {
		if r.opts.FP16 {
			settings["trt_fp16_enable"] = "1"
		}
		if r.opts.INT8 {
			settings["trt_int8_enable"] = "1"
		}
		if cache := r.opts.EngineCache; cache != "" {
			if err := os.MkdirAll(cache, 0o755); err != nil {
				return nil, fmt.Errorf("EngineCache: %w", err)
			}
			maps.Copy(settings, map[string]string{
				"trt_engine_cache_enable": "1", "trt_engine_cache_path": cache,
				"trt_timing_cache_enable": "1", "trt_timing_cache_path": cache,
			})
		}
	}
	maps.Copy(settings, r.opts.ProviderOptions[provider])
	return settings, nil
}

func enable(opts *onnx.SessionOptions, provider string, settings map[string]string) (err error) {
	if provider == TensorRT {
		o, err := onnx.NewTensorRTProviderOptions()
		if err != nil {
			return err
		}
		defer func() { err = errors.Join(err, o.Destroy()) }()
		if err := o.Update(settings); err != nil {
			return err
		}
		return opts.AppendExecutionProviderTensorRT(o)
	}
	o, err := onnx.NewCUDAProviderOptions()
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, o.Destroy()) }()
	if err := o.Update(settings); err != nil {
		return err
	}
	return opts.AppendExecutionProviderCUDA(o)
}
