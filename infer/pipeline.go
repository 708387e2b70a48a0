// SPDX-License-Identifier: Apache-2.0

package infer

import (
	"context"
	"fmt"
	"slices"
	"sync"

	"edgex-offload/infer/features"
	"edgex-offload/infer/picture"
	"edgex-offload/offload"
)

// pipeline takes a task through one model: payload to tensor, graph, outputs to answer.
type pipeline struct {
	spec   Spec
	plan   *picture.Plan   // of an image
	text   *textFiller     // of a text
	codec  *features.Codec // of a part of a network
	decode answerer
	free   sync.Pool // of *run
}

// newPipeline prepares a model of the folder dir for a graph with these inputs.
func newPipeline(s Spec, dir string, inputs []Port) (p *pipeline, err error) {
	p = &pipeline{spec: s, plan: planOf(s.Input)}
	if s.Split.Part != "" {
		p.codec = features.NewCodec()
	}
	if p.decode = newAnswerer(s); s.Decoder == Features {
		p.decode = p.encode
	}
	if s.Input.Type == "text" {
		p.text, err = newTextFiller(s.Input, dir, inputs)
	}
	return p, err
}

func planOf(in Input) *picture.Plan {
	if in.Type != "image" {
		return nil
	}
	return picture.NewPlan(picture.Options{
		Width: in.Width, Height: in.Height, ChannelsLast: in.Layout == "NHWC",
		Order: map[string]picture.Order{"RGB": picture.RGB, "BGR": picture.BGR, "GRAY": picture.Gray}[in.Color],
		Fit:   map[string]picture.Fit{"stretch": picture.Stretch, "letterbox": picture.Letterbox, "letterbox-corner": picture.Corner}[in.Fit],
		Pad:   float64(in.Pad), Invert: in.Invert, Fast: in.Resize == "fast",
		Scale: in.Scale, Mean: in.Mean, Std: in.Std,
	})
}

// answer runs one task. Its error wraps ErrInput if the payload is at fault.
func (p *pipeline) answer(ctx context.Context, graph Graph, task offload.Task) (offload.Answer, error) {
	r, _ := p.free.Get().(*run)
	if r == nil {
		r = &run{pipeline: p}
		r.fills, r.reads = r.fill, r.read
	}
	defer p.free.Put(r)
	r.task, r.watch = task, newWatch(ctx)
	defer r.clear()
	err := graph.Run(ctx, 1, r.fills, r.reads)
	return r.answer, err
}

// run is one task on its way through the pipeline. It is used again for a later one.
type run struct {
	*pipeline
	fills  func(inputs [][]float32) error // fill and read: as method values they would be made
	reads  func(outputs []Tensor) error   // for each task
	task   offload.Task
	watch  watch
	at     picture.Placement // of an image
	fed    []float32         // what a reconstruction is compared with
	answer offload.Answer
}

// clear lets go of the task and its answer.
func (r *run) clear() {
	*r = run{pipeline: r.pipeline, fills: r.fills, reads: r.reads}
}

func (r *run) fill(inputs [][]float32) (err error) {
	switch r.spec.Input.Type {
	case Features:
		r.at, err = r.fillFeatures(inputs, r.task)
	case "image":
		err = r.fillImage(inputs[0])
	case "text":
		err = r.fillText(inputs, r.task)
	default:
		err = r.fillSignal(inputs[0], r.task)
	}
	if err != nil {
		return fmt.Errorf("%w: %w", ErrInput, err)
	}
	if r.spec.reconstructs() {
		r.fed = slices.Clone(inputs[0])
	}
	r.watch.lap(tensorStage)
	return nil
}

func (r *run) read(outputs []Tensor) (err error) {
	r.watch.lap(graphStage)
	if len(outputs) == 0 {
		return fmt.Errorf("the graph gave no output: decoder %s needs one", r.spec.Decoder)
	}
	r.answer, err = r.decode(outputs, r.fed, r.at)
	r.watch.lap(readStage)
	return err
}

func (r *run) fillImage(input []float32) error {
	if err := checkType(r.task, "image/jpeg", "image/jpg", "image/png"); err != nil {
		return err
	}
	img, err := r.plan.Decode(r.task.Payload)
	if err != nil {
		return err
	}
	defer r.plan.Recycle(img)
	r.watch.lap(decodeStage)
	r.at, err = r.plan.Fill(input, img)
	return err
}

func (p *pipeline) fillSignal(input []float32, task offload.Task) error {
	if err := checkType(task, SignalType, "application/octet-stream"); err != nil {
		return err
	}
	return fillSignal(p.spec.Input, input, task)
}

func (p *pipeline) fillText(inputs [][]float32, task offload.Task) error {
	if err := checkType(task, TextType, TextType+"; charset=utf-8", "application/octet-stream"); err != nil {
		return err
	}
	return p.text.fill(inputs, task)
}

// checkType refuses a payload that says itself that it is something else. One that says
// nothing is taken for what the model wants.
func checkType(task offload.Task, allowed ...string) error {
	got := task.Context["content-type"]
	if got == "" || slices.Contains(allowed, got) {
		return nil
	}
	// A copy, so that the list itself costs no task an allocation.
	return fmt.Errorf("content-type is %q: allowed for %s are %q", clip(got), task.Kind, slices.Clone(allowed))
}
