// SPDX-License-Identifier: Apache-2.0

package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"edgex-offload/infer"
	"edgex-offload/infer/ort"
	"edgex-offload/infer/quantize"
)

// Bounds of model quantize.
const (
	mostSamples   = 10_000
	mostSampled   = 1 << 30 // bytes of the samples' tensors together
	mostJudged    = 5000    // of the labelled folder; their share is known to within 1.4 points (95 %)
	worstLayers   = 5       // that are listed
	compared      = 8       // samples that a layer's error is from
	quantizeRuns  = 200
	kindOfSamples = "JPEG and PNG for a picture, .f32 (float32, little endian, in C order of input.shape) for a signal"
)

// quantizeOptions are the flags of model quantize.
type quantizeOptions struct {
	model, data, labelled, to string
	samples, runs             int
	maxDrop                   float64
	slower                    bool
	method                    string
	quantize                  quantize.Options
	runtime                   ort.Options
	progress                  io.Writer // a terminal, or nil
}

func modelQuantizeCommand() *cobra.Command {
	var o quantizeOptions
	cmd := &cobra.Command{
		Use:   "quantize FOLDER --data SAMPLES",
		Short: "Make an INT8 version of a model that is really faster on a CPU, and measure both",
		Long: `quantize makes a version of a model that computes with 8 bit integers: weights with a scale
per output channel, activations with a range that it learns by running the model on
samples, in the QDQ form that ONNX Runtime fuses into integer kernels on a CPU. What
follows a convolution (BatchNormalization, Add, Mul, Relu, Clip) becomes part of it. For
a GPU, FP16 is the way (provider option trt_fp16_enable).

SAMPLES is a folder, with folders in it or not, of what the model will see: ` + kindOfSamples + `.
Some hundreds do; they need no labels. With --labelled FOLDER, which has a folder named
after each label, both versions are judged by their right answers; without it, and for
a detector, by how far the new one says what the old one says, on samples that were not
used for the ranges.

Of several forms the one that is the fastest on this machine is taken. Layers that cost
too much are kept in float32, the most sensitive first, until no more than --max-drop is
lost. If that cannot be had, or nothing is gained, nothing is written. Else the version
is written with its figures as <name>-int8, which serves the same, and the service times
of both into both model.yaml files.

A CPU with AVX2 or AVX-512 but without VNNI (before Cascade Lake and Zen 4) adds products in
16 bits, which full weights overflow: use --reduce-range if the answers are bad there.`,
		Example: `  offload model quantize ./models --model surface-large --data ./parts --labelled ./sorted
  offload model quantize ./my-models --model faces --data ./photos --samples 400 --max-drop 2

  # As the next version of the same model, with two layers in float32
  offload model quantize ./models --model surface-large --data ./parts --to 2 --keep /head/Conv,/stem/Conv`,
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			if isTerminal(cmd.ErrOrStderr()) {
				o.progress = cmd.ErrOrStderr()
			}
			return o.run(cmd.Context(), cmd.OutOrStdout(), args[0])
		},
	}
	f := cmd.Flags()
	f.StringVar(&o.model, "model", "", "`name` of the model's folder; may be left out where there is one alone")
	f.StringVar(&o.data, "data", "", "`folder` of pictures or signals as the model will see them")
	f.StringVar(&o.labelled, "labelled", "", "`folder` with a folder named after each label, to judge by; not the ones that the model was trained on")
	f.IntVar(&o.samples, "samples", 200, fmt.Sprintf("how many of --data the ranges are learnt from, 1 to %d", mostSamples))
	f.StringVar(&o.to, "to", "", "`name` of the model to write, or number of the version of the same model; empty is <name>-int8, its next version")
	f.Float64Var(&o.maxDrop, "max-drop", 1, "how many `points` of accuracy may be lost, 0 to 100")
	f.BoolVar(&o.slower, "slower", false, "write it even if it is no faster here, as for another machine")
	f.StringVar(&o.method, "method", string(quantize.Auto), "how a range follows from what was seen: mse (least squared error), minmax (all of it), percentile (all but 0.01 % at each end); auto takes what changes the layers' outputs least")
	f.StringSliceVar(&o.quantize.Keep, "keep", nil, "`nodes` that stay in float32, by name")
	f.BoolVar(&o.quantize.ReduceRange, "reduce-range", false, "weights of 7 bits, for a CPU without VNNI")
	f.BoolVar(&o.quantize.PerTensor, "per-tensor", false, "one scale for all of a layer's weights, for what cannot run one per channel")
	f.IntVar(&o.runs, "runs", quantizeRuns, fmt.Sprintf("how often both are run for their times, 10 to %d", 10*mostRuns))
	f.StringVar(&o.runtime.Library, "library", "", "`path` of libonnxruntime.so; empty has it looked for")
	f.IntVar(&o.runtime.Threads, "threads", 1, "threads of one run, 1 to 64")
	_ = cmd.MarkFlagRequired("data") // the flag is there
	return cmd
}

func (o quantizeOptions) check() error {
	switch {
	case o.samples < 1 || o.samples > mostSamples:
		return fmt.Errorf("samples %d: allowed is 1 to %d", o.samples, mostSamples)
	case o.runs < 10 || o.runs > 10*mostRuns:
		return fmt.Errorf("runs %d: allowed is 10 to %d", o.runs, 10*mostRuns)
	case !(o.maxDrop >= 0 && o.maxDrop <= 100):
		return fmt.Errorf("max-drop %g: allowed is 0 to 100 points", o.maxDrop)
	}
	return nil
}

func (o quantizeOptions) run(ctx context.Context, out io.Writer, dir string) (err error) {
	if err := o.check(); err != nil {
		return err
	}
	from, err := readVersion(dir, o.model)
	if err != nil {
		return err
	}
	if part := from.spec.Split.Part; part != "" {
		return fmt.Errorf("%s is the %s of %s: quantize the whole, and split that", from.variant(), part, from.spec.Split.Of)
	}
	to, err := o.target(from)
	if err != nil {
		return err
	}
	backend, err := ort.New(o.runtime)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, backend.Close()) }()
	float, err := backend.Load(ctx, infer.Source{Dir: from.dir(), ONNX: from.graph, Spec: from.spec})
	if err != nil {
		return fmt.Errorf("%s: %w", from.variant(), err)
	}
	defer func() { err = errors.Join(err, float.Close()) }()
	q := &quantization{quantizeOptions: o, from: from, to: to, float: float, backend: backend, out: out}
	if err := q.do(ctx); err != nil {
		return err
	}
	return q.write()
}

// quantization is one under way.
type quantization struct {
	quantizeOptions
	from, to stored
	float    infer.Graph
	backend  infer.Backend
	out      io.Writer

	data   data
	said   quantize.Answers // by the model in float32
	says   quantize.Answers // by the one that was found
	found  quantize.Found
	layers []quantize.LayerError
}

// do finds the best version and prints what it is worth. Its error says why there is none.
func (q *quantization) do(ctx context.Context) error {
	line(q.out, "model", "%s%s", q.from.variant(), after(": ", q.from.spec.Description))
	steps, err := infer.NewSteps(q.from.spec, q.from.dir(), q.float)
	if err != nil {
		return fmt.Errorf("%s: %w", q.from.variant(), err)
	}
	if q.data, err = openData(q.from.spec, q.quantizeOptions.data, q.labelled, q.samples); err != nil {
		return err
	}
	line(q.out, "samples", "%d of %s", len(q.data.learn), q.quantizeOptions.data)
	line(q.out, "judged by", "%s", q.data.text)
	samples, err := q.data.samples(ctx, steps, q.float)
	if err != nil {
		return err
	}
	began := time.Now()
	defer q.tell("")
	o := q.quantize
	o.Backend, o.Spec, o.Method, o.Step = q.backend, q.from.spec, quantize.Method(q.method), q.step
	calibrated, err := quantize.Calibrate(ctx, q.from.graph, samples, o)
	if err != nil {
		return fmt.Errorf("%s: %w", q.from.variant(), err)
	}
	if err := q.search(ctx, calibrated, steps, samples); err != nil {
		return err
	}
	q.tell("")
	line(q.out, "quantized", "%d of %d layers, in %s", len(q.layers), len(calibrated.Layers()), time.Since(began).Round(100*time.Millisecond))
	return q.print(calibrated)
}

func (q *quantization) search(ctx context.Context, c *quantize.Calibrated, steps infer.Steps, samples []quantize.Sample) (err error) {
	ask := func(graph infer.Graph, what string) (quantize.Answers, error) {
		return q.data.judge.Ask(ctx, steps, graph, func(done, of int) { q.step(what, done, of) })
	}
	var judged []quantize.Answers
	if q.said, err = ask(q.float, "judge float32"); err != nil {
		return err
	}
	q.found, err = c.Search(ctx, samples, quantize.Wanted{
		Float: q.float, MaxDrop: q.maxDrop, Rounds: q.runs,
		Drop: func(_ context.Context, graph infer.Graph) (float64, error) {
			says, err := ask(graph, "judge int8")
			judged = append(judged, says)
			return dropOf(q.said, says), err
		},
	})
	if err != nil {
		return err
	}
	q.says = judged[q.found.Best]
	q.layers, err = c.LayerErrors(ctx, q.found.Form, samples[:min(len(samples), compared)])
	return err
}

func (q *quantization) step(what string, done, of int) {
	q.tell("%s %s %d of %d", what, bar(float64(done)/float64(of), 40), done, of)
}

// dropOf is how many points a graph loses against the one in float32.
func dropOf(float, ints quantize.Answers) float64 {
	if float.Labelled() {
		return 100 * (float.Accuracy() - ints.Accuracy())
	}
	return 100 * (1 - float.Agreement(ints))
}

// refusal says why what was found is not worth writing; nil if it is.
func (q *quantization) refusal() error {
	if q.found.Drop > q.maxDrop {
		return fmt.Errorf("nothing was written: it loses %.2f points, max-drop is %g: give more samples that look like the work to come, try --method minmax, --reduce-range (a CPU without VNNI), --keep %s, or a larger --max-drop",
			q.found.Drop, q.maxDrop, cmp.Or(q.worst(), "NODES"))
	}
	if speedup := q.found.Speedup(); speedup <= 1 && !q.slower {
		return fmt.Errorf("nothing was written: it is not faster on this machine (%.2f x): the model is too small, or most of its time is not in Conv, Gemm and MatMul; --slower writes it for another machine", speedup)
	}
	return nil
}

// worst names the layers with the largest errors.
func (q *quantization) worst() string {
	var names []string
	for _, l := range worstOf(q.layers)[:min(2, len(q.layers))] {
		names = append(names, l.Layer)
	}
	return strings.Join(names, ",")
}

// tell writes over the line that says how far it is; empty clears it.
func (q *quantization) tell(format string, args ...any) {
	if q.progress != nil {
		_, _ = fmt.Fprintf(q.progress, "\r\x1b[K"+format, args...)
	}
}
