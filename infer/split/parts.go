// SPDX-License-Identifier: Apache-2.0

package split

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"slices"

	"edgex-offload/infer"
	"edgex-offload/infer/onnx"
	"edgex-offload/offload"
)

// Part is one half of a split model: what its version's folder holds.
type Part struct {
	Name, Version string
	ONNX, YAML    []byte
	Spec          infer.Spec
}

// Variant is the part's name in the model repository.
func (p Part) Variant() string { return p.Name + "/" + p.Version }

// Parts are both.
type Parts struct{ Head, Tail Part }

// Split makes the parts for a cut at these tensors. as is what they are called, with -head and
// -tail behind it; version is that of both. The task is run to see the tensors' shapes. values is "uint8" or "float32" (infer.Split.Values).
// The error says what the tensors lack to be a cut.
func (p *Plan) Split(ctx context.Context, task offload.Task, at []string, as, version, values string) (Parts, error) {
	head, tail, err := p.cut(at)
	if err != nil {
		return Parts{}, err
	}
	if _, seen := p.observed[at[0]]; !seen {
		sizes, err := p.Sizes(ctx, task, []Cut{{Tensors: at}})
		if err != nil {
			return Parts{}, err
		}
		if sizes[0].Problem != "" {
			return Parts{}, fmt.Errorf("%q cannot be sent: %s", at, sizes[0].Problem)
		}
	}
	p.declare(head, at)
	p.declare(tail, at)
	parts := Parts{Head: Part{Name: as + "-head", Version: version}, Tail: Part{Name: as + "-tail", Version: version}}
	part := infer.Split{Of: p.Whole(), At: at, SHA256: p.sum, Values: values}
	if err := p.fill(&parts.Tail, tail, func() error { return p.tailYAML(&parts.Tail, part) }); err != nil {
		return Parts{}, err
	}
	part.Tail = parts.Tail.Variant()
	err = p.fill(&parts.Head, head, func() error { return p.headYAML(&parts.Head, part) })
	return parts, err
}

// cut makes both graphs.
func (p *Plan) cut(at []string) (head, tail *onnx.Model, err error) {
	if head, err = p.model.Extract(p.inputs, at); err != nil {
		return nil, nil, fmt.Errorf("head: %w", err)
	}
	if tail, err = p.model.Extract(at, p.outputs); err != nil {
		return nil, nil, fmt.Errorf("tail: %w", err)
	}
	for _, name := range at {
		if !sendable(p.model.ElemType(name)) {
			return nil, nil, fmt.Errorf("tensor %q is of type %s: allowed are float32, float16, uint8 and int8", name, onnx.TypeName(p.model.ElemType(name)))
		}
	}
	return head, tail, nil
}

// fill writes a part's files and reads its model.yaml back, as a service will.
func (p *Plan) fill(part *Part, m *onnx.Model, yaml func() error) (err error) {
	if part.ONNX, err = m.Marshal(); err != nil {
		return err
	}
	if err := yaml(); err != nil {
		return err
	}
	if part.Spec, err = infer.ParseSpec(part.Name, part.YAML); err != nil {
		return fmt.Errorf("%s of %s: %w", infer.SpecFile, part.Name, err)
	}
	return nil
}

// declare gives a part's ends the shapes that were seen, so that their memory is made once; a
// batch that is free in the whole stays free.
func (p *Plan) declare(m *onnx.Model, tensors []string) {
	g, batch := m.Graph(), onnx.BatchName(p.model.Inputs()[0])
	for _, name := range tensors {
		dims := slices.Clone(p.observed[name])
		if batch != "" && len(dims) > 0 && dims[0] == 1 {
			dims[0] = -1
		}
		v := onnx.BatchValue(name, p.model.ElemType(name), dims, batch)
		for i := range g.GetInput() {
			if g.GetInput()[i].GetName() == name {
				g.Input[i] = v
			}
		}
		for i := range g.GetOutput() {
			if g.GetOutput()[i].GetName() == name {
				g.Output[i] = v
			}
		}
	}
}

func (p Part) sum() string {
	sum := sha256.Sum256(p.ONNX)
	return hex.EncodeToString(sum[:])
}
