// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"edgex-offload/cascade"
	"edgex-offload/infer"
	"edgex-offload/infer/ort"
	"edgex-offload/offload"
)

// cascadeOptions are the flags of cascade check.
type cascadeOptions struct {
	models, image, out string
	deadline           time.Duration
	runs               int
	runtime            ort.Options
}

func cascadeCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "cascade",
		Short: "Try a cascade, several models on one picture, before a service reads it",
		Args:  cobra.NoArgs,
	}
	cmd.AddCommand(cascadeCheckCommand())
	return cmd
}

func cascadeCheckCommand() *cobra.Command {
	var o cascadeOptions
	cmd := &cobra.Command{
		Use:   "check FILE",
		Short: "Say what was understood of a cascade, and run it on a picture",
		Long: `check reads a cascade's file as app-service does and prints what was understood: its
stages in the order in which they run, by when each has to be done, and its graph. With
--models it says whether the models of that folder fit, and with --image it runs the cascade
on this machine alone, prints what each stage took and found, and draws the boxes with their
classes. A mistake is an error that names the line and the key. docs/cascades.md explains
each key.`,
		Example: `  offload cascade check ./cascades/people.yaml
  offload cascade check ./cascades/people.yaml --deadline 250ms --models ./my-models
  offload cascade check ./cascades/people.yaml --models ./my-models --image gate.jpg --out boxes.png`,
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return o.check(cmd.Context(), cmd.OutOrStdout(), args[0])
		},
	}
	f := cmd.Flags()
	f.StringVar(&o.models, "models", "", "`folder` of the models, <name>/<version>/; with it the stages' models are checked")
	f.StringVar(&o.image, "image", "", "JPEG or PNG `file` to run it on; asks for --models")
	f.StringVar(&o.out, "out", "", "PNG `file` to write with the boxes drawn into the picture; asks for --image")
	f.DurationVar(&o.deadline, "deadline", 250*time.Millisecond, "time allowed of which the stages have their shares, 1ms to 24h")
	f.IntVar(&o.runs, "runs", 5, fmt.Sprintf("how often to run it, 1 to %d", mostRuns))
	f.StringVar(&o.runtime.Library, "library", "", "`path` of libonnxruntime.so; empty has it looked for")
	f.StringSliceVar(&o.runtime.Providers, "providers", []string{ort.CPU}, "what runs the models, in the order of preference: TensorRT, CUDA, CPU")
	f.IntVar(&o.runtime.Threads, "threads", 1, "threads of one run, 1 to 64")
	return cmd
}

func (o *cascadeOptions) check(ctx context.Context, out io.Writer, path string) error {
	switch {
	case o.deadline < time.Millisecond || o.deadline > 24*time.Hour:
		return fmt.Errorf("deadline %s: allowed is 1ms to 24h", o.deadline)
	case o.runs < 1 || o.runs > mostRuns:
		return fmt.Errorf("runs %d: allowed is 1 to %d", o.runs, mostRuns)
	case o.image != "" && o.models == "":
		return errors.New("image: the stages' models are needed to run it: say --models too")
	case o.out != "" && o.image == "":
		return errors.New("out: boxes are drawn into a picture: say --image too")
	}
	c, err := cascade.Load(path)
	if err != nil {
		return err
	}
	if err := printCascade(out, c, o.deadline); err != nil {
		return err
	}
	if o.models == "" {
		return nil
	}
	return o.withModels(ctx, out, c)
}

func printCascade(out io.Writer, c *cascade.Cascade, allowed time.Duration) error {
	line(out, "cascade", "%s%s", c.Name, after(": ", c.Description))
	line(out, "stages", "%d, in this order; done by says when, of %s, if each takes all of its share", len(c.Stages), allowed)
	table := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	_, _ = fmt.Fprintln(table, "  stage\tdoes\tmodel\tshare\tdone by\ttakes")
	until := c.Plan(allowed)
	for i, s := range c.Stages {
		_, _ = fmt.Fprintf(table, "  %s\t%s\t%s\t%.2f\t%s\t%s\n", s.Name, s.Does, orDash(s.Model), s.Share, until[i].Round(100*time.Microsecond), takes(s))
	}
	if err := table.Flush(); err != nil {
		return err
	}
	line(out, "graph", "each stage below the last one that it needs")
	for _, text := range graphOf(c.Stages) {
		_, _ = fmt.Fprintln(out, "  "+text)
	}
	longest, share := c.LongestPath()
	line(out, "longest", "%s: %.0f%% of the time", strings.Join(longest, " → "), 100*share)
	line(out, "output", "%s; the label is that of the last one that has any", strings.Join(c.Output, ", "))
	return nil
}

func orDash(text string) string {
	if text == "" {
		return "-"
	}
	return text
}

// takes is what a stage works on, and within which limits.
func takes(s cascade.Stage) string {
	from := "the picture as it came"
	if len(s.Needs) > 0 {
		from = strings.Join(s.Needs, ", ")
	}
	switch s.Does {
	case cascade.Detect:
		from += fmt.Sprintf("; up to %d objects", s.MaxObjects)
	case cascade.Crop:
		from += fmt.Sprintf("; up to %d crops as %s, of %d pixels or more, margin %g", s.MaxCrops, s.Format, s.MinSize, s.Margin)
		if s.MinConfidence > 0 {
			from += fmt.Sprintf(", confidence %g or more", s.MinConfidence)
		}
		if len(s.Labels) > 0 {
			from += ", of " + someOf(s.Labels)
		}
	}
	if s.Private {
		from += "; never leaves the box"
	}
	return from
}

// graphOf draws stages that are in order as a tree, a line each. A stage that needs several is
// below the last of them.
func graphOf(stages []cascade.Stage) []string {
	below := map[string][]cascade.Stage{}
	for i, s := range stages {
		last := ""
		for _, earlier := range stages[:i] {
			if slices.Contains(s.Needs, earlier.Name) {
				last = earlier.Name
			}
		}
		below[last] = append(below[last], s)
	}
	var lines []string
	var draw func(under, indent string, top bool)
	draw = func(under, indent string, top bool) {
		for i, s := range below[under] {
			branch, deeper := "├─ ", "│  "
			if i == len(below[under])-1 {
				branch, deeper = "└─ ", "   "
			}
			if top {
				branch, deeper = "", ""
			}
			lines = append(lines, indent+branch+s.String()+others(s, under))
			draw(s.Name, indent+deeper, false)
		}
	}
	draw("", "", true)
	return lines
}

// others are what a stage needs beside the one that it is drawn below.
func others(s cascade.Stage, under string) string {
	rest := slices.DeleteFunc(slices.Clone(s.Needs), func(n string) bool { return n == under })
	return after(" + ", strings.Join(rest, ", "))
}

// withModels checks the stages' models, and runs the cascade if there is a picture.
func (o *cascadeOptions) withModels(ctx context.Context, out io.Writer, c *cascade.Cascade) (err error) {
	var backend infer.Backend = notLoaded{}
	if o.image != "" {
		o.runtime.Log = told{out}
		runtime, err := ort.New(o.runtime)
		if err != nil {
			return err
		}
		defer func() { err = errors.Join(err, runtime.Close()) }()
		backend = infer.Backends{infer.ONNX: runtime}
	}
	models, err := infer.Open(infer.Options{Dir: o.models, Backend: backend, Rescan: time.Hour})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, models.Close()) }()
	loading, cancel := context.WithTimeout(ctx, 10*runTimeout)
	defer cancel()
	if err := models.Wait(loading); err != nil {
		return fmt.Errorf("models: %w", err)
	}
	if err := fits(out, c, models.Models()); err != nil || o.image == "" {
		return err
	}
	return o.run(ctx, out, c, models)
}

// notLoaded has the models' files read and nothing loaded.
type notLoaded struct{}

func (notLoaded) Load(context.Context, infer.Source) (infer.Graph, error) {
	return nil, fmt.Errorf("%w: only read", infer.ErrBackend)
}

// fits says for each stage with a model which ones of the folder answer it. The error has a line
// for each stage that none does.
func fits(out io.Writer, c *cascade.Cascade, models []infer.Status) error {
	var errs []error
	for _, s := range c.Stages {
		kind, ok := s.Kind()
		if !ok {
			continue
		}
		var fit, others []string
		for _, m := range models {
			switch named := s.Model == m.Serves || s.Model == m.Name || s.Model == m.Variant(); {
			case m.Serves == "": // its model.yaml cannot be read
				others = append(others, fmt.Sprintf("%s (%s)", m.Name, m.Error))
			case m.Split != nil: // no answerer by itself
				others = append(others, fmt.Sprintf("%s (a %s)", m.Variant(), m.Split.Part))
			case named && m.Kind == kind.String():
				fit = append(fit, m.Variant())
			default:
				others = append(others, fmt.Sprintf("%s (%s)", m.Serves, m.Kind))
			}
		}
		if len(fit) == 0 {
			slices.Sort(others)
			errs = append(errs, fmt.Errorf("stage %s: model %q: needed is one of kind %s; there are %s", s.Name, s.Model, kind, someOf(slices.Compact(others))))
			continue
		}
		line(out, "model", "%s of stage %s: %s", s.Model, s.Name, strings.Join(fit, ", "))
	}
	return errors.Join(errs...)
}

// here is an engine that runs each task at once, on this machine.
type here struct{ models *infer.Repository }

// Do is cascade.Engine's.
func (h here) Do(ctx context.Context, task offload.Task) offload.Outcome {
	ctx, cancel := context.WithTimeout(ctx, runTimeout)
	defer cancel()
	record := offload.Record{TaskID: task.ID}
	answer, err := h.models.InferModel(ctx, task)
	if err != nil {
		record.Error = err.Error()
		return offload.Outcome{Reason: offload.Failed, Record: record}
	}
	record.Route = offload.Local
	return offload.Outcome{Answer: &answer, Record: record}
}
