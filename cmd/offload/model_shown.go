// SPDX-License-Identifier: Apache-2.0

package main

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"strconv"
	"strings"

	"edgex-offload/infer"
)

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
	switch in.Type {
	case infer.Features:
		return featuresText(in)
	case "text":
		return fmt.Sprintf("text, up to %d tokens of %s, cased %v", in.MaxTokens, in.Vocabulary, in.Cased)
	}
	shape := make([]string, 0, 4)
	for _, d := range in.TensorShape() {
		shape = append(shape, strconv.FormatInt(d, 10))
	}
	text := fmt.Sprintf("%s, float32 [%s]", in.Type, strings.Join(shape, " "))
	switch in.Type {
	case "signal":
		text += ", normalize " + in.Normalize
	default:
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
	d := s.Detection
	switch {
	case s.Decoder == infer.Features:
		return fmt.Sprintf("%s, %s", s.Decoder, strings.Join(s.Outputs, ", "))
	case s.Decoder == infer.Classification:
		return fmt.Sprintf("%s, scores %s", s.Decoder, s.Scores)
	case s.Decoder == infer.RegressionHead:
		r := s.Regression
		return fmt.Sprintf("%s, v * %s + %s, units %q", s.Decoder, numbers(r.Scale), numbers(r.Offset), r.Units)
	case s.Decoder == infer.AnomalyHead:
		side := map[bool]string{false: "above", true: "below"}[s.Anomaly.Below]
		return fmt.Sprintf("%s, reconstruction %s, an anomaly %s %g", s.Decoder, s.Anomaly.Reconstruction, side, s.Anomaly.Threshold)
	case d.Agnostic:
		return fmt.Sprintf("%s, threshold %g, iou %g over all classes, at most %d objects", s.Decoder, d.Threshold, d.IoU, d.MaxObjects)
	}
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
