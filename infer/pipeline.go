// SPDX-License-Identifier: Apache-2.0

package infer

import (
	"context"
	"fmt"
	"slices"

	"edgex-offload/infer/decode"
	"edgex-offload/infer/features"
	"edgex-offload/infer/picture"
	"edgex-offload/offload"
)

// pipeline takes a task through one model: payload to tensor, graph, outputs to answer.
type pipeline struct {
	spec     Spec
	plan     *picture.Plan // of an image
	classes  decode.Classifier
	detector decode.Detector
	codec    *features.Codec // of a part of a network
}

func newPipeline(s Spec) *pipeline {
	p := &pipeline{
		spec:    s,
		plan:    planOf(s.Input),
		classes: decode.Classifier{Labels: s.Labels, Scores: decode.Scores(s.Scores)},
		detector: decode.Detector{
			Head: s.Decoder, Width: s.Input.Width, Height: s.Input.Height, Labels: s.Labels,
			Threshold: float32(s.Detection.Threshold), IoU: float32(s.Detection.IoU),
			MaxObjects: s.Detection.MaxObjects, Strides: s.Detection.Strides,
		},
	}
	if s.Split.Part != "" {
		p.codec = features.NewCodec()
	}
	return p
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
	var at picture.Placement
	var answer offload.Answer
	fill := func(inputs [][]float32) (err error) {
		if p.spec.Input.Type == Features {
			at, err = p.fillFeatures(inputs, task)
		} else if p.plan != nil {
			at, err = p.fillImage(inputs[0], task)
		} else {
			err = p.fillSignal(inputs[0], task)
		}
		if err != nil {
			return fmt.Errorf("%w: %w", ErrInput, err)
		}
		return nil
	}
	read := func(outputs []Tensor) (err error) {
		answer, err = p.read(outputs, at)
		return err
	}
	err := graph.Run(ctx, 1, fill, read)
	return answer, err
}

func (p *pipeline) fillImage(input []float32, task offload.Task) (picture.Placement, error) {
	if err := checkType(task, "image/jpeg", "image/jpg", "image/png"); err != nil {
		return picture.Placement{}, err
	}
	img, err := p.plan.Decode(task.Payload)
	if err != nil {
		return picture.Placement{}, err
	}
	defer p.plan.Recycle(img)
	return p.plan.Fill(input, img)
}

func (p *pipeline) fillSignal(input []float32, task offload.Task) error {
	if err := checkType(task, SignalType, "application/octet-stream"); err != nil {
		return err
	}
	return fillSignal(p.spec.Input, input, task)
}

// checkType refuses a payload that says itself that it is something else. One that says
// nothing is taken for what the model wants.
func checkType(task offload.Task, allowed ...string) error {
	got := task.Context["content-type"]
	if got == "" || slices.Contains(allowed, got) {
		return nil
	}
	return fmt.Errorf("content-type is %q: allowed for %s are %q", clip(got), task.Kind, allowed)
}

func (p *pipeline) read(outputs []Tensor, at picture.Placement) (offload.Answer, error) {
	if p.spec.Decoder == Features {
		return p.encode(outputs, at)
	}
	if p.spec.Decoder == Classification {
		out, err := p.only(outputs)
		if err != nil {
			return offload.Answer{}, err
		}
		return p.classes.Answer(out)
	}
	if p.spec.Decoder == SSD {
		outputs = p.scoresFirst(outputs)
	} else {
		out, err := p.only(outputs)
		if err != nil {
			return offload.Answer{}, err
		}
		outputs = []Tensor{out}
	}
	objects, err := p.detector.Objects(outputs, at.ToPicture)
	answer := offload.Answer{Objects: objects}
	if len(objects) > 0 {
		answer.Label, answer.Confidence = objects[0].Label, objects[0].Confidence
	}
	return answer, err
}

// only is the one output that a decoder of one reads. Without a name it is the first:
// detectors exported with their intermediate heads have the joined one there.
func (p *pipeline) only(outputs []Tensor) (Tensor, error) {
	if len(outputs) == 0 {
		return Tensor{}, fmt.Errorf("the graph has no output: decoder %s needs one", p.spec.Decoder)
	}
	return outputs[0], nil
}

// scoresFirst tells scores from boxes, if outputs does not name them: boxes have four
// values each.
func (p *pipeline) scoresFirst(outputs []Tensor) []Tensor {
	if len(outputs) != 2 || len(p.spec.Outputs) > 0 {
		return outputs
	}
	four := func(t Tensor) bool { return len(t.Shape) > 0 && t.Shape[len(t.Shape)-1] == 4 }
	if four(outputs[0]) && !four(outputs[1]) {
		return []Tensor{outputs[1], outputs[0]}
	}
	return outputs
}
