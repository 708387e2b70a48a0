// SPDX-License-Identifier: Apache-2.0

package ort

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"edgex-offload/infer"
)

// pickInputs returns the inputs that are fed, and sees that their shapes are what the spec
// makes. The error says which key of model.yaml is at odds with the graph.
func (h header) pickInputs(in infer.Input) ([]value, error) {
	var free []value
	for _, v := range h.inputs {
		if !h.weights[v.name] {
			free = append(free, v)
		}
	}
	feeds := in.Feeds()
	if len(feeds) == 1 {
		if len(free) != 1 {
			return nil, fmt.Errorf("the graph has %d inputs (%s): needed is one: export the model with the picture or signal as its only input", len(free), namesOf(free))
		}
		if name := feeds[0].Name; name != "" && name != free[0].name {
			return nil, fmt.Errorf("input.name is %q: the graph's input is %q", name, free[0].name)
		}
		feeds[0].Name = free[0].name
	}
	var picked []value
	for _, feed := range feeds {
		at := slices.IndexFunc(free, func(v value) bool { return feed.Is(v.name) })
		if at < 0 {
			if feed.Optional {
				continue
			}
			return nil, fmt.Errorf("input %q is what input.type %s feeds: the graph has %s: set input.name", feed.Name, in.Type, namesOf(free))
		}
		v := free[at]
		if err := v.feed(in, feed.Shape); err != nil {
			return nil, err
		}
		picked = append(picked, v)
		free = slices.Delete(free, at, at+1)
	}
	if len(free) > 0 {
		return nil, fmt.Errorf("the graph also wants %s, which input.type %s does not feed: export the model without, or as constants", namesOf(free), in.Type)
	}
	return picked, nil
}

// feed takes a shape for an input that it fits.
func (v *value) feed(in infer.Input, shape []int64) error {
	v.shape = shape
	switch {
	case !v.numbers():
		return fmt.Errorf("input %q is of type %s: needed are numbers: export the model with float32 inputs", v.name, v.typeName())
	case v.whole() && in.Type == "image" && in.Scale != 1:
		return fmt.Errorf("input %q is of type %s, but input.scale is %.4g: set input.scale: 1, so that it gets 0 to 255", v.name, v.typeName(), in.Scale)
	}
	if problem := v.misfit(in); problem != "" {
		return fmt.Errorf("input %q of the graph is %s, but model.yaml makes %v: %s", v.name, v.shapeText(), shape, problem)
	}
	return nil
}

// numbers says whether the tensor's type can be had from float32, and made float32.
func (v value) numbers() bool {
	return v.tensor && v.elemType >= onnxFloat && v.elemType <= onnxBFloat16 && v.elemType != onnxString &&
		v.elemType != 14 && v.elemType != 15 // complex
}

// misfit says what to change so that the spec's tensor fits; empty if it does.
func (v value) misfit(in infer.Input) string {
	want := v.shape
	if !v.hasShape {
		return ""
	}
	if len(v.dims) != len(want) {
		switch in.Type {
		case "signal":
			return fmt.Sprintf("give input.shape the %d dimensions that follow the batch", len(v.dims)-1)
		case "image":
			return fmt.Sprintf("an image needs 4 dimensions, this one has %d: is input.type signal?", len(v.dims))
		}
		return fmt.Sprintf("it has %d dimensions, not %d", len(v.dims), len(want))
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
	case in.Type == "text":
		return "correct input.max_tokens"
	case in.Type != "image":
		return "the sizes have to agree, or to be dynamic"
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
	picked, err := spec.PickOutputs(ports(h.outputs))
	if err != nil {
		return nil, err
	}
	outs := make([]value, len(picked))
	for i, at := range picked {
		v := h.outputs[at]
		if !v.numbers() {
			return nil, fmt.Errorf("output %q is of type %s: needed are numbers: name another in outputs (%s), or export it as float32", v.name, v.typeName(), namesOf(h.outputs))
		}
		outs[i] = v
	}
	return outs, nil
}

// batched is an input's shape with this batch.
func (v value) batched(batch int) []int64 {
	shape := slices.Clone(v.shape)
	if len(shape) > 0 {
		shape[0] = int64(batch)
	}
	return shape
}

// resolve gives an output's declared shape, with names replaced by what the inputs have
// in their place (as a dynamic batch); nil if it is not known before a run.
func (v value) resolve(batch int, inputs []value) []int64 {
	if v.rankZero() {
		return []int64{1}
	}
	if len(v.dims) == 0 {
		return nil
	}
	shape := make([]int64, len(v.dims))
	for i, d := range v.dims {
		if shape[i] = d.size; d.name != "" {
			shape[i] = sizeOf(d.name, batch, inputs)
		}
		if shape[i] <= 0 {
			return nil
		}
	}
	return shape
}

// sizeOf is the size of a named dimension; 0 if no input has it.
func sizeOf(name string, batch int, inputs []value) int64 {
	for _, in := range inputs {
		if len(in.dims) != len(in.shape) {
			continue
		}
		if at := slices.IndexFunc(in.dims, func(d dim) bool { return d.name == name }); at >= 0 {
			return in.batched(batch)[at]
		}
	}
	return 0
}

// batches says whether the first dimension of all of them is free, and the same for all.
func batches(inputs, outputs []value) bool {
	name := ""
	for _, v := range slices.Concat(inputs, outputs) {
		if len(v.dims) == 0 || v.dims[0].size > 0 || name != "" && v.dims[0].name != name {
			return false
		}
		name = v.dims[0].name
	}
	return name != "" // one without a name may be anything
}

func ports(values []value) []infer.Port {
	list := make([]infer.Port, len(values))
	for i, v := range values {
		list[i] = infer.Port{Name: v.name, Type: v.typeName()}
		if !v.hasShape {
			continue
		}
		list[i].Shape = make([]int64, len(v.dims))
		for k, d := range v.dims {
			if list[i].Shape[k] = d.size; d.size <= 0 || d.name != "" {
				list[i].Shape[k] = -1
			}
		}
	}
	return list
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
	names := []string{"undefined", "float32", "uint8", "int8", "uint16", "int16", "int32", "int64", "string", "bool", "float16", "float64", "uint32", "uint64", "complex64", "complex128", "bfloat16"}
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
