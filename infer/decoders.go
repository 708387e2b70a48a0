// SPDX-License-Identifier: Apache-2.0

package infer

import (
	"fmt"
	"slices"
	"strings"

	"edgex-offload/offload"
)

// The decoders: what the graph's output means.
const (
	Classification = "classification"
	YOLOv5         = "yolov5"
	YOLOv8         = "yolov8"
	YOLOX          = "yolox"
	SSD            = "ssd"
	YuNet          = "yunet"
	End2End        = "end2end"
	RegressionHead = "regression"
	AnomalyHead    = "anomaly"
)

// use is what models of one kind of task take and how they are read.
type use struct {
	kind             offload.Kind
	inputs, decoders []string
}

// uses lists all kinds that a model can be of.
func uses() []use {
	return []use{
		{offload.ImageClassification, []string{"image"}, []string{Classification}},
		{offload.ObjectDetection, []string{"image"}, []string{YOLOv5, YOLOv8, YOLOX, SSD, YuNet, End2End}},
		{offload.NLPAnalysis, []string{"text"}, []string{Classification}},
		{offload.SignalClassification, []string{"signal"}, []string{Classification}},
		{offload.AnomalyDetection, []string{"image", "signal"}, []string{AnomalyHead}},
		{offload.Regression, []string{"image", "signal"}, []string{RegressionHead}},
	}
}

// validateKind checks that kind, input and decoder belong together.
func (s Spec) validateKind(c *checker) {
	var kinds, inputs, decoders []string
	for _, u := range uses() {
		if s.Kind == u.kind.String() {
			for _, k := range []struct {
				key, value string
				allowed    []string
			}{{"input.type", s.Input.Type, u.inputs}, {"decoder", s.Decoder, u.decoders}} {
				c.check(slices.Contains(k.allowed, k.value), k.key, quoted(k.value), strings.Join(k.allowed, ", ")+" for kind "+s.Kind)
			}
			return
		}
		kinds, inputs, decoders = append(kinds, u.kind.String()), append(inputs, u.inputs...), append(decoders, u.decoders...)
	}
	c.oneOf("kind", s.Kind, kinds...)
	c.oneOf("input.type", s.Input.Type, distinct(inputs)...)
	c.oneOf("decoder", s.Decoder, distinct(decoders)...)
}

func distinct(list []string) []string {
	slices.Sort(list)
	return slices.Compact(list)
}

// validateOutputs checks how many outputs are named.
func (s Spec) validateOutputs(c *checker) {
	want := 1
	switch s.Decoder {
	case SSD:
		want = 2
	case YuNet:
		want = len(s.yunetOutputs())
	case Features:
		want = len(s.Split.At)
	}
	c.check(len(s.Outputs) == 0 || len(s.Outputs) == want, "outputs", s.Outputs, fmt.Sprintf("a list of %d for decoder %s, or none", want, s.Decoder))
}

// yunetOutputs are the names that the exporter of OpenCV's model zoo gives.
func (s Spec) yunetOutputs() []string {
	var names []string
	for _, part := range []string{"cls", "obj", "bbox"} {
		for _, stride := range s.Detection.Strides {
			names = append(names, fmt.Sprintf("%s_%d", part, stride))
		}
	}
	return names
}

// PickOutputs says which of a graph's outputs the decoder reads, by their place among
// them, and in which order. The others need not be computed.
func (s Spec) PickOutputs(graph []Port) ([]int, error) {
	switch {
	case len(graph) == 0:
		return nil, fmt.Errorf("the graph has no output: decoder %s needs one", s.Decoder)
	case len(s.Outputs) > 0:
		return byName(graph, s.Outputs, "outputs[%d] is %q: the graph has %s")
	case s.Decoder == YuNet:
		return byName(graph, s.yunetOutputs(), "output %d of decoder yunet would be %q: the graph has %s: name them in outputs, all cls, all obj, then all bbox, in the order of detection.strides")
	case s.Decoder == SSD && len(graph) != 2:
		return nil, fmt.Errorf("the graph has the outputs %s: name the two that decoder ssd reads in outputs: [scores, boxes]", portNames(graph))
	case s.Decoder == SSD:
		return []int{0, 1}, nil
	}
	// Detectors exported with their intermediate heads have the joined one first; exporters
	// of classic classifiers put the label, a whole number, before the probabilities.
	for i, p := range graph {
		if p.Type == "" || strings.HasPrefix(p.Type, "float") || strings.HasPrefix(p.Type, "bfloat") {
			return []int{i}, nil
		}
	}
	return []int{0}, nil
}

func byName(graph []Port, names []string, problem string) ([]int, error) {
	picked := make([]int, len(names))
	for i, name := range names {
		picked[i] = slices.IndexFunc(graph, func(p Port) bool { return p.Name == name })
		if picked[i] < 0 {
			return nil, fmt.Errorf(problem, i, name, portNames(graph))
		}
	}
	return picked, nil
}

func portNames(ports []Port) string {
	names := make([]string, len(ports))
	for i, p := range ports {
		names[i] = fmt.Sprintf("%q", clip(p.Name))
	}
	return strings.Join(names, ", ")
}
