// SPDX-License-Identifier: Apache-2.0

package onnx

import (
	"errors"
	"fmt"
	"strings"

	"edgex-offload/infer/onnx/onnxpb"
)

// maxNodes bounds a graph; a large language model has some ten thousand.
const maxNodes = 1 << 20

// New checks a model and makes its look-ups. It keeps p. The error names what is wrong; its chain
// has ErrFormat.
func New(p *onnxpb.ModelProto) (*Model, error) {
	m := &Model{
		Proto:     p,
		producer:  map[string]int{},
		consumers: map[string][]int{},
		weights:   map[string]*onnxpb.TensorProto{},
		sparse:    map[string]bool{},
		inputs:    map[string]bool{},
		values:    map[string]*onnxpb.ValueInfoProto{},
	}
	if err := m.index(); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrFormat, err)
	}
	return m, nil
}

func (m *Model) index() error {
	g := m.Graph()
	switch {
	case g == nil:
		return errors.New("it has no graph")
	case len(g.GetOutput()) == 0:
		return errors.New("its graph has no output")
	case len(g.GetNode()) > maxNodes:
		return fmt.Errorf("its graph has %d nodes: allowed are up to %d", len(g.GetNode()), maxNodes)
	}
	for _, step := range []func() error{m.indexWeights, m.indexValues, m.indexProducers, m.indexUses, m.indexOutputs, m.sort} {
		if err := step(); err != nil {
			return err
		}
	}
	return nil
}

func (m *Model) indexWeights() error {
	for i, t := range m.Graph().GetInitializer() {
		name := t.GetName()
		if name == "" || m.weights[name] != nil {
			return fmt.Errorf("initializer %d is named %q: needed is a name of its own", i, clip(name))
		}
		m.weights[name] = t
	}
	for i, s := range m.Graph().GetSparseInitializer() {
		name := s.GetValues().GetName()
		if name == "" || m.IsWeight(name) {
			return fmt.Errorf("sparse initializer %d is named %q: needed is a name of its own", i, clip(name))
		}
		m.sparse[name] = true
	}
	return checkTensors(m.Graph(), 0)
}

func (m *Model) indexValues() error {
	g := m.Graph()
	for _, v := range g.GetValueInfo() {
		m.values[v.GetName()] = v
	}
	for _, v := range g.GetOutput() {
		if known := m.values[v.GetName()]; known.GetType() == nil || v.GetType() != nil {
			m.values[v.GetName()] = v
		}
	}
	for i, v := range g.GetInput() {
		if v.GetName() == "" || m.inputs[v.GetName()] {
			return fmt.Errorf("input %d is named %q: needed is a name of its own", i, clip(v.GetName()))
		}
		m.inputs[v.GetName()] = true
		m.values[v.GetName()] = v
	}
	return nil
}

func (m *Model) indexProducers() error {
	for i, n := range m.Graph().GetNode() {
		for _, name := range n.GetOutput() {
			if name == "" {
				continue // an optional output that is left out
			}
			if m.Has(name) {
				return fmt.Errorf("%s makes %q, which another node, an input or a weight is already", nodeText(i, n), clip(name))
			}
			m.producer[name] = i
		}
	}
	return nil
}

func (m *Model) indexUses() error {
	nodes := m.Graph().GetNode()
	m.uses = make([][]string, len(nodes))
	for i, n := range nodes {
		uses, err := usesOf(n, 0)
		if err != nil {
			return fmt.Errorf("%s: %w", nodeText(i, n), err)
		}
		for _, name := range uses {
			if !m.Has(name) {
				return fmt.Errorf("%s reads %q, which nothing makes", nodeText(i, n), clip(name))
			}
			m.consumers[name] = append(m.consumers[name], i)
		}
		m.uses[i] = uses
	}
	return nil
}

func (m *Model) indexOutputs() error {
	seen := map[string]bool{}
	for i, v := range m.Graph().GetOutput() {
		switch name := v.GetName(); {
		case name == "" || seen[name]:
			return fmt.Errorf("output %d is named %q: needed is a name of its own", i, clip(name))
		case !m.Has(name):
			return fmt.Errorf("output %q is made by nothing", clip(name))
		default:
			seen[name] = true
		}
	}
	return nil
}

func nodeText(i int, n *onnxpb.NodeProto) string {
	if n.GetName() == "" {
		return fmt.Sprintf("node %d (%s)", i, clip(n.GetOpType()))
	}
	return fmt.Sprintf("node %d (%s %q)", i, clip(n.GetOpType()), clip(n.GetName()))
}

// clip keeps a name from outside short enough for a line of log.
func clip(s string) string {
	const most = 100
	if len(s) <= most {
		return strings.ToValidUTF8(s, "?")
	}
	return strings.ToValidUTF8(s[:most], "?") + "…"
}
