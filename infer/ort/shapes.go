// SPDX-License-Identifier: Apache-2.0

package ort

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"edgex-offload/infer"
)

// pickInput returns the one input that is fed, and sees that its shape is what the spec
// makes. The error says which key of model.yaml is at odds with the graph.
func (h header) pickInput(in infer.Input) (value, error) {
	var fed []value
	for _, v := range h.inputs {
		if !h.weights[v.name] {
			fed = append(fed, v)
		}
	}
	if len(fed) != 1 {
		return value{}, fmt.Errorf("the graph has %d inputs (%s): needed is one: export the model with the picture or signal as its only input", len(fed), namesOf(fed))
	}
	v := fed[0]
	if in.Name != "" && in.Name != v.name {
		return value{}, fmt.Errorf("input.name is %q: the graph's input is %q", in.Name, v.name)
	}
	if !v.tensor || v.elemType != onnxFloat {
		return value{}, fmt.Errorf("input %q is of type %s: needed is float32: export the model with float32 inputs", v.name, v.typeName())
	}
	if problem := v.misfit(in); problem != "" {
		return value{}, fmt.Errorf("input %q of the graph is %s, but model.yaml makes %v: %s", v.name, v.shapeText(), in.TensorShape(), problem)
	}
	return v, nil
}

// misfit says what to change so that the spec's tensor fits; empty if it does.
func (v value) misfit(in infer.Input) string {
	want := in.TensorShape()
	if !v.hasShape {
		return ""
	}
	if len(v.dims) != len(want) {
		if in.Type == "signal" {
			return fmt.Sprintf("give input.shape the %d dimensions that follow the batch", len(v.dims)-1)
		}
		return fmt.Sprintf("an image needs 4 dimensions, this one has %d: is input.type signal?", len(v.dims))
	}
	var wrong []int
	for i, d := range v.dims {
		if d.size > 0 && d.size != want[i] {
			wrong = append(wrong, i)
		}
	}
	switch {
	case len(wrong) == 0:
		return ""
	case wrong[0] == 0:
		return "the batch has to be 1 or dynamic: export the model so"
	case in.Type == "signal":
		return "correct input.shape"
	}
	return v.imageMisfit(in, wrong)
}

func (v value) imageMisfit(in infer.Input, wrong []int) string {
	keys := map[string][]string{
		"NCHW": {"", "input.color (RGB and BGR have 3 channels, GRAY has 1)", "input.height", "input.width"},
		"NHWC": {"", "input.height", "input.width", "input.color (RGB and BGR have 3 channels, GRAY has 1)"},
	}[in.Layout]
	other, channelsAt := "NHWC", 3
	if in.Layout == "NHWC" {
		other, channelsAt = "NCHW", 1
	}
	if c := v.dims[channelsAt].size; len(wrong) > 1 && (c == 1 || c == 3) {
		return "correct input.layout: it is " + other
	}
	var names []string
	for _, i := range wrong {
		names = append(names, keys[i])
	}
	return "correct " + strings.Join(names, ", ")
}

// pickOutputs returns the outputs that the decoder reads; no other is computed for it.
func (h header) pickOutputs(spec infer.Spec) ([]value, error) {
	outs := h.outputs[:1]
	switch {
	case len(spec.Outputs) > 0:
		outs = nil
		for i, name := range spec.Outputs {
			at := slices.IndexFunc(h.outputs, func(v value) bool { return v.name == name })
			if at < 0 {
				return nil, fmt.Errorf("outputs[%d] is %q: the graph has %s", i, name, namesOf(h.outputs))
			}
			outs = append(outs, h.outputs[at])
		}
	case spec.Decoder == infer.SSD && len(h.outputs) != 2:
		return nil, fmt.Errorf("the graph has the outputs %s: name the two that decoder ssd reads in outputs: [scores, boxes]", namesOf(h.outputs))
	case spec.Decoder == infer.SSD:
		outs = h.outputs
	}
	for _, v := range outs {
		if !v.tensor || v.elemType != onnxFloat {
			return nil, fmt.Errorf("output %q is of type %s: needed is float32: name another in outputs (%s), or export it as float32", v.name, v.typeName(), namesOf(h.outputs))
		}
	}
	return slices.Clone(outs), nil
}

// resolve gives an output's declared shape, with names replaced by what the input has
// in their place (as a dynamic batch); nil if it is not known before a run.
func resolve(dims, inputDims []dim, input []int64) []int64 {
	if len(dims) == 0 {
		return nil
	}
	shape := make([]int64, len(dims))
	for i, d := range dims {
		shape[i] = d.size
		if d.name != "" && len(inputDims) == len(input) {
			if at := slices.IndexFunc(inputDims, func(in dim) bool { return in.name == d.name }); at >= 0 {
				shape[i] = input[at]
			}
		}
		if shape[i] <= 0 {
			return nil
		}
	}
	return shape
}

func namesOf(values []value) string {
	names := make([]string, len(values))
	for i, v := range values {
		names[i] = strconv.Quote(v.name)
	}
	return strings.Join(names, ", ")
}

// typeName is the name of TensorProto.DataType.
func (v value) typeName() string {
	names := []string{"undefined", "float32", "uint8", "int8", "uint16", "int16", "int32", "int64", "string", "bool", "float16", "float64"}
	if !v.tensor {
		return "no tensor"
	}
	if v.elemType < uint64(len(names)) {
		return names[v.elemType]
	}
	return fmt.Sprintf("number %d", v.elemType)
}

func (v value) shapeText() string {
	parts := make([]string, len(v.dims))
	for i, d := range v.dims {
		switch {
		case d.name != "":
			parts[i] = d.name
		case d.size > 0:
			parts[i] = strconv.FormatInt(d.size, 10)
		default:
			parts[i] = "?"
		}
	}
	return "[" + strings.Join(parts, " ") + "]"
}
