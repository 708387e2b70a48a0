// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"text/tabwriter"
	"time"

	"edgex-offload/cascade"
	"edgex-offload/infer"
	"edgex-offload/offload"
)

// run runs a cascade on the picture and prints what came of it.
func (o *cascadeOptions) run(ctx context.Context, out io.Writer, c *cascade.Cascade, models *infer.Repository) error {
	payload, err := readPayload(o.image)
	if err != nil {
		return err
	}
	runner, err := cascade.NewRunner(here{models}, cascade.Options{})
	if err != nil {
		return err
	}
	task := offload.Task{ID: "check", Source: "check", Payload: payload, Context: map[string]string{"content-type": http.DetectContentType(payload)}}
	took := make([][]float64, len(c.Stages)+1) // milliseconds of each stage, and of the whole
	var outcome offload.Outcome
	for range o.runs {
		outcome = runner.Do(ctx, c, task)
		if outcome.Answer == nil || outcome.Record.Unfinished() != nil {
			return errors.New(outcome.Record.Error)
		}
		for i, s := range outcome.Record.Stages {
			took[i] = append(took[i], s.EndedMs-s.StartedMs)
		}
		took[len(c.Stages)] = append(took[len(c.Stages)], outcome.Record.LatencyMs)
	}
	line(out, "ran", "in %.3g ms on this machine, the median of %d runs", median(took[len(c.Stages)]), o.runs)
	if err := printStages(out, outcome.Record.Stages, took); err != nil {
		return err
	}
	line(out, "answer", "%s, confidence %.3f", orDash(outcome.Answer.Label), outcome.Answer.Confidence)
	if err := printObjects(out, outcome.Answer.Objects); err != nil || o.out == "" {
		return err
	}
	if err := writeBoxes(o.out, payload, outcome.Answer.Objects); err != nil {
		return fmt.Errorf("out: %w", err)
	}
	line(out, "boxes", "%s", o.out)
	return nil
}

func median[T float64 | time.Duration](values []T) T {
	slices.Sort(values)
	return values[len(values)/2]
}

func printStages(out io.Writer, stages []offload.StageView, took [][]float64) error {
	table := tabwriter.NewWriter(out, 0, 0, 2, ' ', tabwriter.AlignRight)
	_, _ = fmt.Fprintln(table, "\tstage\tdoes\tms\ttasks\tfound\tleft out\t")
	for i, s := range stages {
		_, _ = fmt.Fprintf(table, "\t%s\t%s\t%.2f\t%d\t%d\t%d\t\n", s.Name, s.Does, median(took[i]), s.Tasks, s.Found, s.Passed)
	}
	return table.Flush()
}

func printObjects(out io.Writer, objects []offload.Object) error {
	if len(objects) == 0 {
		return nil
	}
	line(out, "objects", "%d, in pixels of the picture", len(objects))
	table := tabwriter.NewWriter(out, 0, 0, 2, ' ', tabwriter.AlignRight)
	_, _ = fmt.Fprintln(table, "\t#\tlabel\tconfidence\tx\ty\tw\th\tclasses\t")
	for i, b := range objects[:min(len(objects), mostObjects)] {
		_, _ = fmt.Fprintf(table, "\t%d\t%s\t%.3f\t%.0f\t%.0f\t%.0f\t%.0f\t%s\t\n", i+1, b.Label, b.Confidence, b.X, b.Y, b.W, b.H, orDash(classesOf(b)))
	}
	if more := len(objects) - mostObjects; more > 0 {
		_, _ = fmt.Fprintf(table, "\t\tand %d more\n", more)
	}
	return table.Flush()
}
