// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"slices"
	"text/tabwriter"
	"time"

	"edgex-offload/infer"
	"edgex-offload/offload"
)

const (
	maxSignalBytes = 64 << 20 // the largest input that a model may have
	mostObjects    = 100      // that are listed
)

// try runs a model on a task and prints what came of it.
func (m checked) try(ctx context.Context, out io.Writer, o checkOptions, models *infer.Repository, task offload.Task) error {
	answer, times, err := m.runs(ctx, models, task, o.runs)
	if err != nil {
		return err
	}
	line(out, "time", "median %s of %d runs, %s to %s", msText(times[len(times)/2]), len(times), msText(times[0]), msText(times[len(times)-1]))
	if m.spec.Decoder == infer.Features {
		line(out, "answer", "%d bytes of features, %.2f of the payload", len(answer.Features), float64(len(answer.Features))/float64(len(task.Payload)))
		return nil
	}
	if !m.detects() {
		line(out, "answer", "%s, confidence %.3f%s", answer.Label, answer.Confidence, m.doubt(answer))
		return nil
	}
	if err := m.list(out, answer.Objects); err != nil {
		return err
	}
	if o.out == "" {
		return nil
	}
	if err := writeBoxes(o.out, task.Payload, answer.Objects); err != nil {
		return fmt.Errorf("out: %w", err)
	}
	line(out, "boxes", "%s", o.out)
	return nil
}

func (m checked) detects() bool { return m.spec.TaskKind() == offload.ObjectDetection }

// task reads the file that fits the model; without one it has no payload.
func (m checked) task(o checkOptions) (offload.Task, error) {
	task := offload.Task{Kind: m.spec.TaskKind(), Context: map[string]string{}}
	signal := m.spec.Input.Type == "signal"
	var err error
	switch {
	case m.spec.Input.Type == infer.Features && (o.image != "" || o.input != ""):
		return task, fmt.Errorf("image: %s is a tail, which takes what its head makes: check the whole model, or see both with `offload model split`", m.variant)
	case o.out != "" && !m.detects():
		return task, fmt.Errorf("out: %s is for %s: only a detector (%s) has boxes to draw", m.variant, m.spec.Kind, offload.ObjectDetection)
	case o.image != "" && signal:
		return task, fmt.Errorf("image: %s takes a signal (input.type of its %s): say --input", m.variant, infer.SpecFile)
	case o.input != "" && !signal:
		return task, fmt.Errorf("input: %s takes a picture (input.type of its %s): say --image", m.variant, infer.SpecFile)
	case o.image != "":
		task.Payload, err = readPayload(o.image)
		task.Context["content-type"] = http.DetectContentType(task.Payload)
	case o.input != "":
		task.Payload, err = readAtMost(o.input, maxSignalBytes)
		task.Context["content-type"] = infer.SignalType
	}
	return task, err
}

// runs returns the answer and the times, shortest first.
func (m checked) runs(ctx context.Context, models *infer.Repository, task offload.Task, n int) (answer offload.Answer, times []time.Duration, err error) {
	for range n {
		limited, cancel := context.WithTimeout(ctx, runTimeout)
		began := time.Now()
		answer, err = models.Infer(limited, m.variant, task)
		cancel()
		if err != nil {
			return answer, nil, err
		}
		times = append(times, time.Since(began))
	}
	slices.Sort(times)
	return answer, times, nil
}

func msText(d time.Duration) string { return fmt.Sprintf("%.3g ms", d.Seconds()*1000) }

// doubt points at the usual cause of an answer that says nothing: an input that is not
// made as in training.
func (m checked) doubt(answer offload.Answer) string {
	const little = 1.5 // times chance
	if answer.Confidence > little/float32(len(m.spec.Labels)) {
		return ""
	}
	return ": little more than chance. Are input.color, scale, mean, std and invert, or of a signal normalize, as in training?"
}

// list prints a detector's objects.
func (m checked) list(out io.Writer, objects []offload.Object) error {
	if len(objects) == 0 {
		line(out, "objects", "none of confidence %g (detection.threshold) or more. If there should be some, lower it, or see that input.color, scale, mean and std are as in training", m.spec.Detection.Threshold)
		return nil
	}
	line(out, "objects", "%d, in pixels of the picture", len(objects))
	table := tabwriter.NewWriter(out, 0, 0, 2, ' ', tabwriter.AlignRight)
	_, _ = fmt.Fprintln(table, "\t#\tlabel\tconfidence\tx\ty\tw\th\t")
	for i, b := range objects[:min(len(objects), mostObjects)] {
		_, _ = fmt.Fprintf(table, "\t%d\t%s\t%.3f\t%.0f\t%.0f\t%.0f\t%.0f\t\n", i+1, b.Label, b.Confidence, b.X, b.Y, b.W, b.H)
	}
	if more := len(objects) - mostObjects; more > 0 {
		_, _ = fmt.Fprintf(table, "\t\tand %d more\n", more)
	}
	return table.Flush()
}
