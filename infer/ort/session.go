// SPDX-License-Identifier: Apache-2.0

package ort

import (
	"errors"
	"strings"

	onnx "github.com/yalue/onnxruntime_go"
)

// sessionOptions are one thread, no spinning, and the providers that there are.
func (r *Runtime) sessionOptions(dir string) (*onnx.SessionOptions, error) {
	opts, err := onnx.NewSessionOptions()
	if err != nil {
		return nil, err
	}
	err = errors.Join(
		opts.SetIntraOpNumThreads(r.opts.Threads),
		opts.SetInterOpNumThreads(1),
		opts.SetLogSeverityLevel(onnx.LoggingLevelError),
		opts.AddSessionConfigEntry("session.intra_op.allow_spinning", "0"),
		opts.AddSessionConfigEntry("session.inter_op.allow_spinning", "0"),
		opts.AddSessionConfigEntry("session.model_external_initializers_file_folder_path", dir),
	)
	if err != nil {
		return nil, errors.Join(err, opts.Destroy())
	}
	for _, p := range r.opts.Providers {
		if err := appendProvider(opts, p, r.opts.ProviderOptions[p]); err != nil {
			r.warnf("provider %s is passed over: %s", p, strings.TrimSpace(err.Error()))
		}
	}
	return opts, nil
}

func appendProvider(opts *onnx.SessionOptions, name string, settings map[string]string) (err error) {
	switch name {
	case TensorRT:
		o, err := onnx.NewTensorRTProviderOptions()
		if err != nil {
			return err
		}
		defer func() { err = errors.Join(err, o.Destroy()) }()
		if err := o.Update(settings); err != nil {
			return err
		}
		return opts.AppendExecutionProviderTensorRT(o)
	case CUDA:
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
	return nil // the CPU is always last by itself
}
