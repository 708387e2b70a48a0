// SPDX-License-Identifier: Apache-2.0

package split

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"edgex-offload/infer"
	"edgex-offload/infer/features"
	"edgex-offload/offload"
)

// chunk is how many cuts one run shows at most: each of their tensors stays in memory until the
// run's end.
const chunk = 24

// Size is what a cut would send.
type Size struct {
	Cut
	// Shapes of the tensors, with a batch of one in front.
	Shapes [][]int64
	// FloatBytes is the tensors' own size, PackedBytes that of the encoded features, quantised to
	// uint8 and packed.
	FloatBytes, PackedBytes int
	// Problem says why the cut cannot be sent (a value is infinite, say); empty if it can.
	Problem string
}

// Sizes runs the whole on a task, that is typical of the model's work, and shows what each cut
// would send.
func (p *Plan) Sizes(ctx context.Context, task offload.Task, cuts []Cut) ([]Size, error) {
	var sizes []Size
	for part := range slices.Chunk(cuts, chunk) {
		list, err := p.sizes(ctx, task, part)
		if err != nil {
			return nil, err
		}
		sizes = append(sizes, list...)
	}
	return sizes, nil
}

func (p *Plan) sizes(ctx context.Context, task offload.Task, cuts []Cut) (sizes []Size, err error) {
	var tensors []string
	for _, c := range cuts {
		for _, name := range c.Tensors {
			if !slices.Contains(tensors, name) {
				tensors = append(tensors, name)
			}
		}
	}
	graph, err := p.exposing(ctx, tensors)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, graph.Close()) }()
	codec := features.NewCodec()
	look := func(outputs []infer.Tensor) error {
		seen := map[string]infer.Tensor{}
		for _, t := range outputs {
			seen[t.Name] = t
			p.observed[t.Name] = slices.Clone(t.Shape)
		}
		for _, c := range cuts {
			sizes = append(sizes, sizeOf(codec, c, seen))
		}
		return nil
	}
	steps, err := infer.NewSteps(p.spec, p.dir, graph)
	if err != nil {
		return nil, err
	}
	_, err = steps.Answer(ctx, &tap{Graph: graph, now: p.opts.Now, skim: look}, task)
	return sizes, err
}

// exposing loads the part of the graph that makes these tensors, with them as its outputs.
func (p *Plan) exposing(ctx context.Context, tensors []string) (infer.Graph, error) {
	part, err := p.model.Extract(p.inputs, tensors)
	if err != nil {
		return nil, err
	}
	data, err := part.Marshal()
	if err != nil {
		return nil, err
	}
	spec := p.spec
	spec.Outputs = tensors
	graph, err := p.opts.Backend.Load(ctx, infer.Source{Dir: p.dir, ONNX: data, Spec: spec})
	if err != nil {
		return nil, fmt.Errorf("load the graph with tensors within as outputs: %w", err)
	}
	return graph, nil
}

func sizeOf(codec *features.Codec, c Cut, seen map[string]infer.Tensor) Size {
	size := Size{Cut: c}
	var f features.Features
	for _, name := range c.Tensors {
		t := seen[name]
		size.Shapes = append(size.Shapes, slices.Clone(t.Shape))
		size.FloatBytes += 4 * len(t.Data)
		f.Tensors = append(f.Tensors, features.Tensor{Name: name, Shape: t.Shape, Data: t.Data})
	}
	b, err := codec.Encode(f, features.Uint8)
	if err != nil {
		size.Problem = err.Error()
	}
	size.PackedBytes = len(b)
	return size
}

// smaller is how much of the bytes of each cut before it a cut may send at most to be of use.
const smaller = .95

// Useful leaves those cuts that send clearly less than each one before them: a later cut costs the
// box more, so it has to be smaller to be of use.
func Useful(sizes []Size) []Size {
	var list []Size
	for _, s := range sizes {
		if s.Problem == "" && (len(list) == 0 || float64(s.PackedBytes) <= smaller*float64(list[len(list)-1].PackedBytes)) {
			list = append(list, s)
		}
	}
	return list
}
