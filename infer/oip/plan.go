// SPDX-License-Identifier: Apache-2.0

package oip

import (
	"fmt"
	"slices"
	"strings"

	"edgex-offload/infer"
	"edgex-offload/infer/oip/inference"
	"edgex-offload/infer/oip/wire"
)

// plan is what travels between a model.yaml and its model on the server.
type plan struct {
	inputs, outputs []port
	about           infer.About
	// hidden: the server's shapes lack the batch that Triton's batching has in front.
	hidden bool
}

// port is an input or output as it travels.
type port struct {
	name     string
	datatype wire.Datatype
	// shape of an input as it is sent, of one example; of an output as the server says it.
	shape []int64
	// elements of one example of an input.
	elements int
	// batched: the first dimension is the batch. Without it one example travels as it is.
	batched bool
}

// newPlan sees that the model on the server is what the spec makes of it. An error names the
// key of model.yaml, its value and the server's.
func newPlan(spec infer.Spec, a answers, server string) (plan, error) {
	p := plan{about: infer.About{Provider: server, Batches: a.maxBatch != 1, MostBatch: max(a.maxBatch, 0)}}
	if err := p.takeInputs(spec.Input, a, server); err != nil {
		return plan{}, err
	}
	if err := p.takeOutputs(spec, a, server); err != nil {
		return plan{}, err
	}
	return p, nil
}

// takeInputs finds the input for each tensor that model.yaml makes.
func (p *plan) takeInputs(in infer.Input, a answers, server string) error {
	free := slices.Clone(a.inputs)
	for _, feed := range in.Feeds() {
		at := slices.IndexFunc(free, func(m *inference.ModelMetadataResponse_TensorMetadata) bool { return feed.Is(m.GetName()) })
		if feed.Name == "" && len(free) == 1 {
			at = 0
		}
		switch {
		case at < 0 && feed.Optional:
			continue
		case at < 0 && feed.Name == "":
			return fmt.Errorf("%s: the model has %d inputs (%s): name the one that is fed in input.name", server, len(free), namesOf(free))
		case at < 0 && feed.Name == in.Name:
			return fmt.Errorf("input.name is %q: %s has %s", feed.Name, server, namesOf(free))
		case at < 0:
			return fmt.Errorf("input %q is what input.type %s feeds: %s has %s", feed.Name, in.Type, server, namesOf(free))
		}
		if err := p.takeInput(in, feed.Shape, free[at], a.maxBatch, server); err != nil {
			return err
		}
		free = slices.Delete(free, at, at+1)
	}
	if len(free) > 0 {
		return fmt.Errorf("%s: the model also wants %s, which input.type %s does not feed: serve a model without", server, namesOf(free), in.Type)
	}
	return nil
}

func (p *plan) takeInput(in infer.Input, want []int64, m *inference.ModelMetadataResponse_TensorMetadata, maxBatch int, server string) error {
	d := wire.Datatype(m.GetDatatype())
	switch {
	case !d.Known():
		return fmt.Errorf("%s: input %q is of type %s: allowed are %s", server, m.GetName(), clip(m.GetDatatype()), wire.Datatypes())
	case d.Whole() && in.Type == "image" && in.Scale != 1:
		return fmt.Errorf("input.scale is %.4g, but input %q of %s is of type %s: set input.scale: 1, so that it gets 0 to 255", in.Scale, m.GetName(), server, d)
	}
	have, hidden := m.GetShape(), false
	if len(have) == len(want)-1 { // without the batch
		have, hidden = append([]int64{-1}, have...), true
	}
	if problem := misfit(in, want, have); problem != "" {
		return fmt.Errorf("%s: input %q is %s %v, but model.yaml makes %v: %s", server, m.GetName(), d, m.GetShape(), want, problem)
	}
	elements, ok := wire.Elements(want, maxElements)
	if !ok {
		return fmt.Errorf("input %q has shape %v: allowed are up to %d values", m.GetName(), want, maxElements)
	}
	shape := want
	batched := !hidden || maxBatch > 0 // Triton's batches have a dimension that its shapes may not show
	if !batched {
		shape = want[1:]
	}
	p.about.Batches = p.about.Batches && batched && have[0] < 0
	p.inputs = append(p.inputs, port{name: m.GetName(), datatype: d, shape: shape, elements: elements, batched: batched})
	p.hidden = p.hidden || batched && hidden
	p.about.Inputs = append(p.about.Inputs, portOf(m, batched && hidden))
	return nil
}

// maxElements bounds what one example of an input holds.
const maxElements = 64 << 20

// takeOutputs finds the outputs that the decoder reads, in its order.
func (p *plan) takeOutputs(spec infer.Spec, a answers, server string) error {
	ports := make([]infer.Port, len(a.outputs))
	for i, m := range a.outputs {
		ports[i] = portOf(m, p.hidden)
	}
	picked, err := spec.PickOutputs(ports)
	if err != nil {
		return fmt.Errorf("%s: %w", server, err)
	}
	for _, at := range picked {
		m := a.outputs[at]
		d := wire.Datatype(m.GetDatatype())
		if !d.Known() {
			return fmt.Errorf("%s: output %q is of type %s: allowed are %s: name another in outputs (%s)", server, m.GetName(), clip(m.GetDatatype()), wire.Datatypes(), namesOf(a.outputs))
		}
		about := ports[at]
		p.about.Batches = p.about.Batches && len(about.Shape) > 0 && about.Shape[0] < 0
		p.about.Outputs = append(p.about.Outputs, about)
		p.outputs = append(p.outputs, port{name: m.GetName(), datatype: d, shape: about.Shape})
	}
	return nil
}

// portOf describes a tensor; with hidden its batch is not in the shape.
func portOf(m *inference.ModelMetadataResponse_TensorMetadata, hidden bool) infer.Port {
	shape := slices.Clone(m.GetShape())
	if hidden {
		shape = append([]int64{-1}, shape...)
	}
	return infer.Port{Name: m.GetName(), Type: wire.Datatype(m.GetDatatype()).Port(), Shape: shape}
}

// misfit says which keys are at odds with a shape of the server, each with both values;
// empty if none is. -1 takes any size.
func misfit(in infer.Input, want, have []int64) string {
	if len(have) != len(want) {
		if in.Type == "signal" {
			return fmt.Sprintf("input.shape has %d dimensions, the server's %d without the batch", len(in.Shape), len(have)-1)
		}
		return fmt.Sprintf("it has %d dimensions, the server's %d", len(want), len(have))
	}
	var wrong []string
	for i, d := range have {
		switch {
		case d < 0 || d == want[i]:
		case i == 0:
			wrong = append(wrong, fmt.Sprintf("the server's batch is %d: allowed is 1 or any (-1)", d))
		default:
			wrong = append(wrong, fmt.Sprintf("%s, the server has %d", keyOf(in, i, want[i]), d))
		}
	}
	return strings.Join(wrong, "; ")
}

// keyOf names the key that makes a dimension, with its value.
func keyOf(in infer.Input, i int, value int64) string {
	switch {
	case in.Type == "signal":
		return fmt.Sprintf("input.shape[%d] is %d", i-1, value)
	case in.Type == "image" && i < 4:
		at := map[string][]string{"NCHW": {"", "color", "height", "width"}, "NHWC": {"", "height", "width", "color"}}[in.Layout]
		if at[i] == "color" {
			return fmt.Sprintf("input.color is %s, which has %d channels in input.layout %s", in.Color, value, in.Layout)
		}
		return fmt.Sprintf("input.%s is %d in input.layout %s", at[i], value, in.Layout)
	}
	return fmt.Sprintf("dimension %d is %d", i, value)
}

func namesOf(list []*inference.ModelMetadataResponse_TensorMetadata) string {
	const most = 20
	var names []string
	for _, m := range list[:min(len(list), most)] {
		names = append(names, clip(m.GetName()))
	}
	if len(list) > most {
		names = append(names, fmt.Sprintf("and %d more", len(list)-most))
	}
	return strings.Join(names, ", ")
}
