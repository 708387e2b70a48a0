// SPDX-License-Identifier: Apache-2.0

package onnx

import (
	"fmt"
	"slices"
	"strings"

	"google.golang.org/protobuf/proto"

	"edgex-offload/infer/onnx/onnxpb"
)

// Extract takes out the part of a model that computes outputs from inputs: its nodes, the weights
// that they read, and what is declared of its tensors. These are shared with m, not copied.
//
// inputs may be the graph's inputs or tensors within; outputs may be any that a node makes. It is
// an error if an output needs more than the inputs (the error names what is missing), if an input
// is not needed, and if a tensor's type is not known.
func (m *Model) Extract(inputs, outputs []string) (*Model, error) {
	if err := m.checkEnds(inputs, outputs); err != nil {
		return nil, err
	}
	p := m.between(inputs, outputs)
	if len(p.missing) > 0 {
		return nil, fmt.Errorf("%s cannot be computed from %s alone: %s is needed as well", list(outputs), list(inputs), list(p.missing))
	}
	for _, name := range inputs {
		if !p.reads[name] {
			return nil, fmt.Errorf("%q is not needed for %s: leave it out", clip(name), list(outputs))
		}
	}
	for _, i := range p.nodes {
		for _, name := range m.Graph().GetNode()[i].GetOutput() {
			if slices.Contains(inputs, name) {
				return nil, fmt.Errorf("%q comes from %s, of which another output is needed as well: name that as an input too", clip(name), nodeText(i, m.Graph().GetNode()[i]))
			}
		}
	}
	g, err := m.part(p, inputs, outputs)
	if err != nil {
		return nil, err
	}
	whole := m.Proto
	return New(&onnxpb.ModelProto{
		IrVersion:   proto.Int64(max(whole.GetIrVersion(), 4)), // from 4 on weights need not be inputs
		OpsetImport: whole.GetOpsetImport(), Functions: whole.GetFunctions(), MetadataProps: whole.GetMetadataProps(),
		ProducerName: whole.ProducerName, ProducerVersion: whole.ProducerVersion, Domain: whole.Domain, ModelVersion: whole.ModelVersion,
		Graph: g,
	})
}

func (m *Model) checkEnds(inputs, outputs []string) error {
	if len(inputs) == 0 || len(outputs) == 0 {
		return fmt.Errorf("a part of a graph needs inputs and outputs: there are %d and %d", len(inputs), len(outputs))
	}
	seen := map[string]bool{}
	for _, name := range append(slices.Clone(inputs), outputs...) {
		switch {
		case !m.Has(name):
			return fmt.Errorf("there is no tensor %q in the graph%s", clip(name), m.alike(name))
		case m.IsWeight(name):
			return fmt.Errorf("%q is a weight: needed is a tensor that is computed", clip(name))
		case seen[name]:
			return fmt.Errorf("%q is named twice, or is both input and output", clip(name))
		}
		seen[name] = true
	}
	for _, name := range outputs {
		if m.Producer(name) == nil {
			return fmt.Errorf("%q is an input of the graph: an output has to be computed", clip(name))
		}
	}
	return nil
}

// portion is what lies between tensors.
type portion struct {
	nodes   []int           // in topological order
	reads   map[string]bool // what its nodes read
	missing []string        // inputs of the whole that it needs and was not given
}

func (m *Model) between(inputs, outputs []string) portion {
	p := portion{reads: map[string]bool{}}
	given := map[string]bool{}
	for _, name := range inputs {
		given[name] = true
	}
	in := make([]bool, len(m.uses))
	seen := map[string]bool{}
	for todo := slices.Clone(outputs); len(todo) > 0; {
		name := todo[len(todo)-1]
		todo = todo[:len(todo)-1]
		if seen[name] || given[name] || m.IsWeight(name) {
			continue
		}
		seen[name] = true
		i, made := m.producer[name]
		if !made {
			p.missing = append(p.missing, name)
			continue
		}
		if !in[i] {
			in[i] = true
			todo = append(todo, m.uses[i]...)
		}
	}
	for _, i := range m.order {
		if !in[i] {
			continue
		}
		p.nodes = append(p.nodes, i)
		for _, name := range m.uses[i] {
			p.reads[name] = true
		}
	}
	slices.Sort(p.missing)
	return p
}

// part makes the graph of a portion.
func (m *Model) part(p portion, inputs, outputs []string) (*onnxpb.GraphProto, error) {
	whole := m.Graph()
	g := &onnxpb.GraphProto{Name: whole.Name, MetadataProps: whole.GetMetadataProps()}
	inside := map[string]bool{}
	for _, i := range p.nodes {
		n := whole.GetNode()[i]
		g.Node = append(g.Node, n)
		for _, name := range n.GetOutput() {
			inside[name] = true
		}
	}
	for _, t := range whole.GetInitializer() {
		if p.reads[t.GetName()] {
			g.Initializer = append(g.Initializer, t)
		}
	}
	for _, s := range whole.GetSparseInitializer() {
		if p.reads[s.GetValues().GetName()] {
			g.SparseInitializer = append(g.SparseInitializer, s)
		}
	}
	var err error
	if g.Input, err = m.declare(inputs); err != nil {
		return nil, err
	}
	if g.Output, err = m.declare(outputs); err != nil {
		return nil, err
	}
	for _, v := range whole.GetValueInfo() {
		if inside[v.GetName()] && !slices.Contains(outputs, v.GetName()) {
			g.ValueInfo = append(g.ValueInfo, v)
		}
	}
	for _, a := range whole.GetQuantizationAnnotation() {
		if inside[a.GetTensorName()] || p.reads[a.GetTensorName()] {
			g.QuantizationAnnotation = append(g.QuantizationAnnotation, a)
		}
	}
	return g, nil
}

// declare gives what is known of tensors.
func (m *Model) declare(names []string) ([]*onnxpb.ValueInfoProto, error) {
	list := make([]*onnxpb.ValueInfoProto, len(names))
	for i, name := range names {
		if v := m.Value(name); v.GetType() != nil {
			list[i] = v
			continue
		}
		of := m.ElemType(name)
		if of == 0 {
			return nil, fmt.Errorf("the type of tensor %q is not known: run shape inference on the model first, or take another", clip(name))
		}
		list[i] = TensorValue(name, of, nil)
	}
	return list, nil
}

// alike suggests tensors for a name that is none.
func (m *Model) alike(name string) string {
	const most = 5
	var names []string
	for _, n := range m.Order() {
		for _, out := range n.GetOutput() {
			if name != "" && out != "" && len(names) < most && (strings.Contains(strings.ToLower(out), strings.ToLower(name)) || strings.Contains(strings.ToLower(name), strings.ToLower(out))) {
				names = append(names, out)
			}
		}
	}
	if len(names) == 0 {
		return ""
	}
	return ": is it one of " + list(names) + "?"
}

func list(names []string) string {
	quoted := make([]string, len(names))
	for i, name := range names {
		quoted[i] = fmt.Sprintf("%q", clip(name))
	}
	const most = 10
	if len(quoted) > most {
		quoted = append(quoted[:most], fmt.Sprintf("and %d more", len(names)-most))
	}
	return strings.Join(quoted, ", ")
}
