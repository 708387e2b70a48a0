// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"path/filepath"
	"slices"
	"strings"
	"text/tabwriter"
	"time"

	"edgex-offload/infer"
	"edgex-offload/internal/wholefile"
	"edgex-offload/offload"
)

const (
	maxSignalBytes = 64 << 20 // the largest input that a model may have
	maxGraphBytes  = 1 << 30  // the largest model.onnx that is loaded
	mostObjects    = 100      // that are listed
	mostValues     = 100
	noFile         = "none" // of --out
)

// try runs a model on a task and prints what came of it.
func (m checked) try(ctx context.Context, out io.Writer, o checkOptions, models *infer.Repository, task offload.Task) error {
	answer, times, err := m.runs(ctx, models, task, o.runs)
	if err != nil {
		return err
	}
	all := times.all
	line(out, "time", "median %s of %d runs, %s to %s", msText(median(all)), len(all), msText(all[0]), msText(all[len(all)-1]))
	line(out, "stages", "%s", times.stages(m.spec.Input.Type))
	if m.spec.Decoder == infer.Features {
		line(out, "answer", "%d bytes of features, %.2f of the payload", len(answer.Features), float64(len(answer.Features))/float64(len(task.Payload)))
		return nil
	}
	if !m.detects() {
		m.say(out, answer)
		return nil
	}
	if err := m.list(out, answer.Objects); err != nil {
		return err
	}
	if o.out == noFile {
		return nil
	}
	if o.out == "" {
		o.out = strings.TrimSuffix(filepath.Base(o.image), filepath.Ext(o.image)) + "-boxes.png"
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
	takes := m.spec.Input.Type
	var err error
	switch {
	case takes == infer.Features && (o.image != "" || o.input != "" || o.text != ""):
		return task, fmt.Errorf("image: %s is a tail, which takes what its head makes: check the whole model, or see both with `offload model split`", m.variant)
	case o.out != "" && o.out != noFile && !m.detects():
		return task, fmt.Errorf("out: %s is for %s: only a detector (%s) has boxes to draw", m.variant, m.spec.Kind, offload.ObjectDetection)
	case o.image != "" && takes != "image", o.input != "" && takes != "signal", o.text != "" && takes != "text":
		say := map[string]string{"image": "a picture (input.type of its %s): say --image", "signal": "a signal (input.type of its %s): say --input", "text": "a text (input.type of its %s): say --text"}[takes]
		return task, fmt.Errorf("%s takes "+say, m.variant, infer.SpecFile)
	case o.text != "":
		task.Payload, task.Context["content-type"] = []byte(o.text), infer.TextType
	case o.image != "":
		task.Payload, err = readPayload(o.image)
		task.Context["content-type"] = http.DetectContentType(task.Payload)
	case o.input != "":
		task.Payload, err = wholefile.Read(o.input, maxSignalBytes)
		task.Context["content-type"] = infer.SignalType
	}
	return task, err
}

// times are those of all runs, each list with the shortest first.
type times struct{ all, decode, tensor, graph, read []time.Duration }

// stages says where the time goes, with the median of each step.
func (t times) stages(input string) string {
	text := fmt.Sprintf("to tensor %s, graph %s, to answer %s", msText(median(t.tensor)), msText(median(t.graph)), msText(median(t.read)))
	if input == "image" {
		text = fmt.Sprintf("decode %s, ", msText(median(t.decode))) + text
	}
	return text + " (medians)"
}

func (m checked) runs(ctx context.Context, models *infer.Repository, task offload.Task, n int) (answer offload.Answer, t times, err error) {
	for range n {
		limited, cancel := context.WithTimeout(ctx, runTimeout)
		var stages infer.Stages
		began := time.Now()
		answer, err = models.Infer(infer.WithStages(limited, &stages), m.variant, task)
		took := time.Since(began)
		cancel()
		if err != nil {
			return answer, times{}, err
		}
		t.all, t.decode, t.tensor = append(t.all, took), append(t.decode, stages.Decode), append(t.tensor, stages.Tensor)
		t.graph, t.read = append(t.graph, stages.Graph), append(t.read, stages.Read)
	}
	for _, list := range [][]time.Duration{t.all, t.decode, t.tensor, t.graph, t.read} {
		slices.Sort(list)
	}
	return answer, t, nil
}

// say prints a label and values.
func (m checked) say(out io.Writer, answer offload.Answer) {
	if m.spec.Decoder != infer.RegressionHead {
		line(out, "answer", "%s, confidence %.3f%s", answer.Label, answer.Confidence, m.doubt(answer))
	}
	for _, v := range answer.Values[:min(len(answer.Values), mostValues)] {
		line(out, "value", "%s %.6g%s", v.Label, v.Value, after(" ", v.Unit))
	}
	if more := len(answer.Values) - mostValues; more > 0 {
		line(out, "value", "and %d more", more)
	}
}

func msText(d time.Duration) string { return fmt.Sprintf("%.3g ms", d.Seconds()*1000) }

// doubt points at the usual cause of an answer that says nothing: an input that is not
// made as in training.
func (m checked) doubt(answer offload.Answer) string {
	const little = 1.5 // times chance
	if m.spec.Decoder != infer.Classification || answer.Confidence > little/float32(len(m.spec.Labels)) {
		return ""
	}
	if m.spec.Input.Type == "text" {
		return ": little more than chance. Are input.vocabulary, cased and the order of labels as in training?"
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
