// SPDX-License-Identifier: Apache-2.0

package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"edgex-offload/infer"
	"edgex-offload/infer/ort"
	"edgex-offload/infer/split"
	"edgex-offload/offload"
)

// splitOptions are the flags that model cuts and model split share.
type splitOptions struct {
	checkOptions
	progress io.Writer // a terminal, or nil
}

// splitTo says where model split writes what.
type splitTo struct {
	at                 []string
	folder, as, values string
}

func modelSplitCommand() *cobra.Command {
	var o splitOptions
	var to splitTo
	cmd := &cobra.Command{
		Use:   "split FOLDER",
		Short: "Split a model into a head for the box and a tail for elsewhere",
		Long: `split cuts a model at a tensor, or at several that part it together, as "offload model
cuts" lists them, and writes two models: <name>-head for the box, which answers with
encoded features, and <name>-tail for the cloud, which goes on from them. Copy the tail
into the cloud's models folder.

Before it writes, it runs the whole and both parts on the picture, the signal or, without
one, on noise: head and tail have to equal the whole within 1e-5 (of the largest output,
if that is above 1) while nothing is quantised. What was measured is printed and, for the
choice of a way at run time, written into the head's model.yaml.`,
		Example: `  offload model split ./models --model surface-large --at /network/network.5/network.5.2/Relu_output_0 --image part.jpg
  offload model split ./models --model faces --at 374,375 --image crowd.jpg --to /tmp/parts`,
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return o.with(cmd, args[0], func(ctx context.Context, out io.Writer, p *split.Plan, task offload.Task) error {
				return o.split(ctx, out, p, task, to)
			})
		},
	}
	o.flags(cmd)
	f := cmd.Flags()
	f.StringArrayVar(&to.at, "at", nil, "`tensor` to cut at, or several with commas between")
	f.StringVar(&to.folder, "to", "", "models `folder` to write to; empty is the one that the model is in")
	f.StringVar(&to.as, "as", "", "`name` that -head and -tail are appended to; empty is the model's. Another cut of a model needs another")
	f.StringVar(&to.values, "values", "uint8", "how features are encoded: uint8 (quantised) or float32 (exact, four times as large and more)")
	_ = cmd.MarkFlagRequired("at") // the flag is there
	return cmd
}

// flags adds those that both commands have.
func (o *splitOptions) flags(cmd *cobra.Command) {
	f := cmd.Flags()
	f.StringVar(&o.model, "model", "", "`name` of the model's folder; may be left out where there is one alone")
	f.StringVar(&o.image, "image", "", "JPEG or PNG `file` to run it on")
	f.StringVar(&o.input, "input", "", "`file` of float32 values to run a model of signals on")
	f.IntVar(&o.runs, "runs", 10, fmt.Sprintf("how often to run whole, head and tail, 1 to %d", mostRuns))
	f.StringVar(&o.runtime.Library, "library", "", "`path` of libonnxruntime.so; empty has it looked for")
	f.StringSliceVar(&o.runtime.Providers, "providers", []string{ort.CPU}, "what runs it, in the order of preference: TensorRT, CUDA, CPU")
	f.IntVar(&o.runtime.Threads, "threads", 1, "threads of one run, 1 to 64")
	cmd.MarkFlagsMutuallyExclusive("image", "input")
}

// with opens the model and the task and has do use them.
func (o *splitOptions) with(cmd *cobra.Command, dir string, do func(context.Context, io.Writer, *split.Plan, offload.Task) error) (err error) {
	if o.runs < 1 || o.runs > mostRuns {
		return fmt.Errorf("runs %d: allowed is 1 to %d", o.runs, mostRuns)
	}
	if isTerminal(cmd.ErrOrStderr()) {
		o.progress = cmd.ErrOrStderr()
	}
	if dir, o.model, err = pickModel(dir, o.model); err != nil {
		return err
	}
	backend, err := ort.New(o.runtime)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, backend.Close()) }()
	ctx, cancel := context.WithTimeout(cmd.Context(), mostRuns*runTimeout)
	defer cancel()
	o.tell("loading %s", o.model)
	p, err := split.Open(ctx, split.Options{Dir: dir, Name: o.model, Backend: backend, Now: time.Now})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, p.Close()) }()
	out := cmd.OutOrStdout()
	line(out, "model", "%s%s", p.Whole(), after(": ", p.Spec().Description))
	task, seen, err := o.task(p)
	if err != nil {
		return err
	}
	line(out, "payload", "%s, %d bytes", seen, len(task.Payload))
	return do(ctx, out, p, task)
}

// task is what the model is run on, and where it comes from.
func (o *splitOptions) task(p *split.Plan) (offload.Task, string, error) {
	if o.image == "" && o.input == "" {
		task := split.Noise(p.Spec())
		return task, "noise, as neither --image nor --input is given: sizes are not typical", nil
	}
	task, err := checked{variant: p.Whole(), spec: p.Spec()}.task(o.checkOptions)
	return task, filepath.Base(cmp.Or(o.image, o.input)), err
}

// tell writes over the line that says how far it is; empty clears it.
func (o *splitOptions) tell(format string, args ...any) {
	if o.progress != nil {
		_, _ = fmt.Fprintf(o.progress, "\r\x1b[K"+format, args...)
	}
}

func (o *splitOptions) split(ctx context.Context, out io.Writer, p *split.Plan, task offload.Task, to splitTo) error {
	folder := to.folder
	if folder == "" {
		folder = p.Folder()
	}
	as := cmp.Or(to.as, o.model)
	version, err := split.NextVersion(folder, as)
	if err != nil {
		return fmt.Errorf("to: %w", err)
	}
	o.tell("splitting")
	parts, err := p.Split(ctx, task, tensorsOf(to.at, p.Has), as, version, to.values)
	if err != nil {
		return fmt.Errorf("at: %w: `offload model cuts` lists the cuts", err)
	}
	o.tell("running whole, head and tail %d times", o.runs)
	m, err := p.Measure(ctx, task, parts, o.runs)
	o.tell("")
	if err != nil {
		return err
	}
	printSplit(out, m, len(task.Payload), to.values)
	if err := m.Verify(); err != nil {
		return fmt.Errorf("nothing was written: %w", err)
	}
	if err := p.Figures(&parts, m); err != nil {
		return err
	}
	if err := split.Write(folder, parts); err != nil {
		return fmt.Errorf("to: %w", err)
	}
	for _, part := range []split.Part{parts.Head, parts.Tail} {
		line(out, "written", "%s, %d bytes of graph", filepath.Join(folder, part.Name, part.Version), len(part.ONNX))
	}
	return nil
}

// tensorsOf takes lists apart; a tensor's own name may have commas.
func tensorsOf(at []string, is func(string) bool) []string {
	var list []string
	for _, a := range at {
		if is(a) {
			list = append(list, a)
			continue
		}
		for _, name := range strings.Split(a, ",") {
			list = append(list, strings.TrimSpace(name))
		}
	}
	return list
}

func printSplit(out io.Writer, m split.Measured, payload int, values string) {
	line(out, "whole", "median %s, of which the graph %s", msText(m.Whole), msText(m.WholeGraph))
	line(out, "head", "median %s, of which the graph %s", msText(m.Head), msText(m.HeadGraph))
	line(out, "tail", "median %s, of which the graph %s", msText(m.Tail), msText(m.TailGraph))
	line(out, "features", "%d bytes, %.2f of the payload", m.FeatureBytes, float64(m.FeatureBytes)/float64(payload))
	line(out, "exact", "head and tail differ from the whole by %.2g, while nothing is quantised", m.Exact)
	line(out, "encoded", "by %.2g as %s; the answer is %s: %s", m.Encoded, values, map[bool]string{true: "the same", false: "another"}[m.Same], answerText(m.Split))
	if !m.Same {
		line(out, "whole says", "%s", answerText(m.Answer))
	}
}

// featuresText is what model check says of a tail's input.
func featuresText(in infer.Input) string {
	texts := make([]string, len(in.Tensors))
	for i, t := range in.Tensors {
		texts[i] = fmt.Sprintf("%s %v", t.Name, t.Shape)
	}
	return fmt.Sprintf("%s, float32 %s", in.Type, strings.Join(texts, ", "))
}

// partText is what model check says of a part of a network.
func partText(s infer.Split) string {
	text := fmt.Sprintf("%s of %s at %s, cut %x", s.Part, s.Of, strings.Join(s.At, ", "), s.Cut())
	if s.Part == infer.Head {
		text += fmt.Sprintf(", features as %s, goes on with %s", s.Values, s.Tail)
	}
	return text
}
