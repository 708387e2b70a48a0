// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/spf13/cobra"

	"edgex-offload/infer"
	"edgex-offload/infer/oip"
	"edgex-offload/infer/ort"
)

// Bounds of model check.
const (
	mostRuns   = 1000
	runTimeout = time.Minute // of one run, and of loading ten times that
)

// checkOptions are the flags of model check.
type checkOptions struct {
	model, image, input, text string
	out                       string
	runs                      int
	runtime                   ort.Options
	server                    string
}

func modelCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "model",
		Short: "Try, quantize, cut and sign a model, and see how a service's models stand",
		Args:  cobra.NoArgs,
	}
	cmd.AddCommand(modelCheckCommand(), modelCutsCommand(), modelSplitCommand(), modelQuantizeCommand(), modelSignCommand(), modelListCommand())
	return cmd
}

func modelCheckCommand() *cobra.Command {
	var o checkOptions
	cmd := &cobra.Command{
		Use:   "check FOLDER",
		Short: "Load one model, say what was understood of it, and run it on a picture, signal or text",
		Long: `check loads one model as the services do. FOLDER has model.onnx and model.yaml in it, or
is the models folder <name>/<version>/ or one <name> of it, of which the highest version
counts; or it is an .onnx file itself. It prints what model.yaml says with its defaults
filled in, runs the model, and prints the answer and how long each step took. Boxes are
drawn into a copy of the picture. A mistake is an error that names the key of model.yaml to
change; where there is no model.yaml yet, one to begin with is printed.

A run takes a task through all its steps, from JPEG, float32 values or text to labels, on
this machine; those that warm it up while it is loaded are not counted.`,
		Example: `  # What does this graph look like, and what would its model.yaml be?
  offload model check yolov8n.onnx

  # Does it load? What was understood?
  offload model check ./models --model surface-small
  offload model check ./models/surface-small/1

  # A picture; a detector's boxes go to crowd-boxes.png, or where --out says
  offload model check ./models --model surface-small --image part.jpg
  offload model check ./my-models/faces --image crowd.jpg --out boxes.png

  # A signal: float32 values, little endian, in C order of input.shape
  offload model check ./models --model vibration-small --input window.f32

  # A text
  offload model check ./my-models/mood --text "The bearing runs hot again."

  # As a service with these settings does
  offload model check ./models --model surface-large --image part.jpg --providers CUDA,CPU --threads 4`,
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return check(cmd.Context(), cmd.OutOrStdout(), o, args[0])
		},
	}
	f := cmd.Flags()
	f.StringVar(&o.model, "model", "", "`name` of the model's folder; may be left out where there is one alone")
	f.StringVar(&o.image, "image", "", "JPEG or PNG `file` to run it on")
	f.StringVar(&o.input, "input", "", "`file` of float32 values to run a model of signals on")
	f.StringVar(&o.text, "text", "", "`text` to run it on")
	f.StringVar(&o.out, "out", "", "PNG `file` to write with a detector's boxes drawn into the picture; the default is beside you, named after the picture; none for no file")
	f.IntVar(&o.runs, "runs", 10, fmt.Sprintf("how often to run it, 1 to %d", mostRuns))
	f.StringVar(&o.runtime.Library, "library", "", "`path` of libonnxruntime.so; empty has it looked for")
	f.StringSliceVar(&o.runtime.Providers, "providers", []string{ort.CPU}, "what runs it, in the order of preference: TensorRT, CUDA, CPU")
	f.BoolVar(&o.runtime.FP16, "fp16", false, "let TensorRT compute in float16")
	f.BoolVar(&o.runtime.INT8, "int8", false, "let TensorRT compute a quantised model in int8")
	f.StringVar(&o.runtime.EngineCache, "engine-cache", "", "`folder` in which TensorRT keeps what it built")
	f.IntVar(&o.runtime.Threads, "threads", 1, "threads of one run, 1 to 64")
	f.StringVar(&o.server, "server", "", "`host:port` of a model server (Open Inference Protocol, as Triton) for a model with backend: oip")
	cmd.MarkFlagsMutuallyExclusive("image", "input", "text")
	return cmd
}

func check(ctx context.Context, out io.Writer, o checkOptions, dir string) (err error) {
	if o.runs < 1 || o.runs > mostRuns {
		return fmt.Errorf("runs %d: allowed is 1 to %d", o.runs, mostRuns)
	}
	if o.out != "" && o.image == "" {
		return errors.New("out: boxes are drawn into a picture: say --image too")
	}
	place, err := findModel(dir, o.model)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, place.leave()) }()
	if place.lacksSpec() {
		return place.describe(out)
	}
	o.runtime.Log = told{out}
	runtime, err := ort.New(o.runtime)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, runtime.Close()) }()
	backend := infer.Backends{infer.ONNX: runtime}
	if o.server != "" {
		server, err := oip.New(oip.Options{Address: o.server, Describe: ort.PortsOf})
		if err != nil {
			return fmt.Errorf("server: %w", err)
		}
		defer func() { err = errors.Join(err, server.Close()) }()
		backend[infer.OIP] = server
	}
	began := time.Now()
	models, err := infer.Open(infer.Options{Dir: place.dir, Only: place.model, Backend: backend, Rescan: time.Hour})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, models.Close()) }()
	loading, cancel := context.WithTimeout(ctx, 10*runTimeout)
	defer cancel()
	if err := models.Wait(loading); err != nil {
		return fmt.Errorf("load: %w", err)
	}
	took := time.Since(began)
	m, err := understood(out, models, place.dir, place.model)
	if err != nil {
		return err
	}
	task, err := m.task(o)
	if err != nil {
		return err
	}
	if m.problem != "" {
		return fmt.Errorf("%s: %s", m.variant, place.inWords(m.problem))
	}
	line(out, "loaded", "in %s, with the runs that warm it up", took.Round(time.Millisecond))
	if task.Payload == nil {
		return nil
	}
	return m.try(ctx, out, o, models, task)
}

// told prints what a service would log.
type told struct{ out io.Writer }

func (l told) Infof(format string, args ...any) { line(l.out, "runtime", format, args...) }
func (l told) Warnf(format string, args ...any) { line(l.out, "warning", format, args...) }
