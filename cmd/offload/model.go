// SPDX-License-Identifier: Apache-2.0

package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"edgex-offload/infer"
	"edgex-offload/infer/ort"
)

// Bounds of model check.
const (
	mostRuns   = 1000
	runTimeout = time.Minute // of one run, and of loading ten times that
)

// checkOptions are the flags of model check.
type checkOptions struct {
	model, image, input string
	out                 string
	runs                int
	runtime             ort.Options
}

func modelCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "model",
		Short: "Try a model before a service loads it",
		Args:  cobra.NoArgs,
	}
	cmd.AddCommand(modelCheckCommand(), modelCutsCommand(), modelSplitCommand(), modelQuantizeCommand())
	return cmd
}

func modelCheckCommand() *cobra.Command {
	var o checkOptions
	cmd := &cobra.Command{
		Use:   "check FOLDER",
		Short: "Load one model, say what was understood of it, and run it on a picture or signal",
		Long: `check loads one model as the services do, from FOLDER/<name>/<version>/ with model.onnx
and model.yaml in it, the highest version; FOLDER may be <name> itself. It prints what model.yaml says with its defaults
filled in, runs the model on a picture or a signal, and prints the answer and how long it
took. A mistake is an error that names the key of model.yaml to change.

A run takes a task through all its steps, from JPEG or float32 values to labels, on this
machine; two runs that nobody counts come first, while it is loaded.`,
		Example: `  # Does it load? What was understood?
  offload model check ./models --model surface-small
  offload model check ./models/surface-small

  # A picture; for a detector also the boxes, drawn into it
  offload model check ./models --model surface-small --image part.jpg
  offload model check ./my-models --model faces --image crowd.jpg --out boxes.png

  # A signal: float32 values, little endian, in C order of input.shape
  offload model check ./models --model vibration-small --input window.f32

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
	f.StringVar(&o.out, "out", "", "PNG `file` to write with a detector's boxes drawn into the picture")
	f.IntVar(&o.runs, "runs", 10, fmt.Sprintf("how often to run it, 1 to %d", mostRuns))
	f.StringVar(&o.runtime.Library, "library", "", "`path` of libonnxruntime.so; empty has it looked for")
	f.StringSliceVar(&o.runtime.Providers, "providers", []string{ort.CPU}, "what runs it, in the order of preference: TensorRT, CUDA, CPU")
	f.BoolVar(&o.runtime.FP16, "fp16", false, "let TensorRT compute in float16")
	f.BoolVar(&o.runtime.INT8, "int8", false, "let TensorRT compute a quantised model in int8")
	f.StringVar(&o.runtime.EngineCache, "engine-cache", "", "`folder` in which TensorRT keeps what it built")
	f.IntVar(&o.runtime.Threads, "threads", 1, "threads of one run, 1 to 64")
	cmd.MarkFlagsMutuallyExclusive("image", "input")
	return cmd
}

func check(ctx context.Context, out io.Writer, o checkOptions, dir string) (err error) {
	if o.runs < 1 || o.runs > mostRuns {
		return fmt.Errorf("runs %d: allowed is 1 to %d", o.runs, mostRuns)
	}
	if o.out != "" && o.image == "" {
		return errors.New("out: boxes are drawn into a picture: say --image too")
	}
	if dir, o.model, err = pickModel(dir, o.model); err != nil {
		return err
	}
	o.runtime.Log = told{out}
	backend, err := ort.New(o.runtime)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, backend.Close()) }()
	began := time.Now()
	models, err := infer.Open(infer.Options{Dir: dir, Only: o.model, Backend: backend, Rescan: time.Hour})
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
	m, err := understood(out, models, dir, o.model)
	if err != nil {
		return err
	}
	task, err := m.task(o)
	if err != nil {
		return err
	}
	if m.problem != "" {
		return fmt.Errorf("%s: %s", m.variant, m.problem)
	}
	line(out, "loaded", "in %s, with two runs", took.Round(time.Millisecond))
	if task.Payload == nil {
		return nil
	}
	return m.try(ctx, out, o, models, task)
}

// pickModel finds the models folder and the model that are meant. Instead of the models
// folder dir may be that of one model.
func pickModel(dir, name string) (string, string, error) {
	if _, err := os.Stat(dir); err != nil {
		return "", "", fmt.Errorf("models folder: %w", err)
	}
	if holdsModel(dir, ".") {
		return "", "", fmt.Errorf("%s: it is a model's version: needed is the folder that has <name>/<version>/%s, or the folder <name> in it", dir, infer.SpecFile)
	}
	if holdsModel(dir, "[0-9]*") && name == "" {
		own, err := filepath.Abs(dir)
		return filepath.Dir(own), filepath.Base(own), err
	}
	entries, err := os.ReadDir(dir)
	if err != nil {
		return "", "", fmt.Errorf("models folder: %w", err)
	}
	var names []string
	for _, e := range entries {
		if holdsModel(filepath.Join(dir, e.Name()), "*") || holdsModel(filepath.Join(dir, e.Name()), ".") {
			names = append(names, e.Name())
		}
	}
	switch {
	case len(names) == 0:
		return "", "", fmt.Errorf("%s: there is no model in it: needed is <name>/<version>/{%s,%s}", dir, infer.GraphFile, infer.SpecFile)
	case name == "" && len(names) == 1:
		return dir, names[0], nil
	case name == "":
		return "", "", fmt.Errorf("model: say which with --model: %s has %s", dir, strings.Join(names, ", "))
	case !slices.Contains(names, name):
		return "", "", fmt.Errorf("model %q: allowed are those of %s: %s", name, dir, strings.Join(names, ", "))
	}
	return dir, name, nil
}

// holdsModel says whether a model's files are in a folder's version.
func holdsModel(dir, version string) bool {
	files, _ := fs.Glob(os.DirFS(dir), path.Join(version, "model.*")) // the pattern is right
	return slices.ContainsFunc(files, func(file string) bool {
		return slices.Contains([]string{infer.GraphFile, infer.SpecFile}, path.Base(file))
	})
}

// checked is a model whose model.yaml is right.
type checked struct {
	variant string
	spec    infer.Spec
	problem string // why it could not be loaded, if it was not
}

// understood prints what model.yaml says. The error is about the model.
func understood(out io.Writer, models *infer.Repository, dir, name string) (checked, error) {
	list := models.Models()
	if len(list) == 0 {
		return checked{}, fmt.Errorf("%s: the folder's name is not allowed, or its versions are no whole numbers from 1 on", filepath.Join(dir, name))
	}
	s := list[0]
	if s.Kind == "" { // model.yaml could not be read: the error says why
		return checked{}, errors.New(s.Error)
	}
	spec, err := infer.LoadSpec(s.Name, filepath.Join(dir, s.Name, s.Version, infer.SpecFile))
	if err != nil {
		return checked{}, err
	}
	line(out, "model", "%s%s", s.Variant(), after(": ", spec.Description))
	line(out, "serves", "%s", spec.Serves)
	line(out, "kind", "%s", spec.Kind)
	line(out, "runs_on", "%s", strings.Join(spec.RunsOn, ", "))
	line(out, "input", "%s", inputText(spec.Input))
	line(out, "decoder", "%s", decoderText(spec))
	if spec.Split.Part != "" {
		line(out, "split", "%s", partText(spec.Split))
	}
	line(out, "labels", "%d: %s", len(spec.Labels), someOf(spec.Labels))
	line(out, "accuracy", "%s", accuracyText(spec))
	return checked{variant: s.Variant(), spec: spec, problem: s.Error}, nil
}

func line(out io.Writer, name, format string, args ...any) {
	_, _ = fmt.Fprintf(out, "%-10s "+format+"\n", append([]any{name}, args...)...)
}

func after(separator, text string) string {
	if text == "" {
		return ""
	}
	return separator + text
}

func inputText(in infer.Input) string {
	if in.Type == infer.Features {
		return featuresText(in)
	}
	shape := make([]string, 0, 4)
	for _, d := range in.TensorShape() {
		shape = append(shape, strconv.FormatInt(d, 10))
	}
	text := fmt.Sprintf("%s, float32 [%s]", in.Type, strings.Join(shape, " "))
	if in.Type == "signal" {
		text += ", normalize " + in.Normalize
	} else {
		text += fmt.Sprintf(" (%s), %d x %d, %s, fit %s, resize %s", in.Layout, in.Width, in.Height, in.Color, in.Fit, in.Resize)
	}
	if in.Invert {
		text += ", inverted"
	}
	return text + fmt.Sprintf(", (v * %.4g - %s) / %s", in.Scale, numbers(in.Mean), numbers(in.Std))
}

// numbers is one number, or one per channel.
func numbers(list []float64) string {
	if len(list) == 1 {
		return fmt.Sprintf("%.4g", list[0])
	}
	return fmt.Sprintf("%.4g", list)
}

func decoderText(s infer.Spec) string {
	switch s.Decoder {
	case infer.Features:
		return fmt.Sprintf("%s, %s", s.Decoder, strings.Join(s.Outputs, ", "))
	case infer.Classification:
		return fmt.Sprintf("%s, scores %s", s.Decoder, s.Scores)
	}
	d := s.Detection
	return fmt.Sprintf("%s, threshold %g, iou %g, at most %d objects", s.Decoder, d.Threshold, d.IoU, d.MaxObjects)
}

func someOf(labels []string) string {
	const most = 10
	if len(labels) > most {
		return strings.Join(labels[:most], ", ") + ", ..."
	}
	return strings.Join(labels, ", ")
}

func accuracyText(s infer.Spec) string {
	if s.Accuracy == 0 {
		return "not given: it cannot be weighed against that of other models"
	}
	return fmt.Sprintf("%g (%s)", s.Accuracy, cmp.Or(s.Measured.Data, "measured does not say on what"))
}

// told prints what a service would log.
type told struct{ out io.Writer }

func (l told) Infof(format string, args ...any) { line(l.out, "runtime", format, args...) }
func (l told) Warnf(format string, args ...any) { line(l.out, "warning", format, args...) }
