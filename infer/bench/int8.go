// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"edgex-offload/infer"
	"edgex-offload/infer/quantize"
	"edgex-offload/models/train/sets"
	"edgex-offload/offload"
	"edgex-offload/synth/conveyor"
)

// Groups of 50 parts that ranges are learned from, and that both versions are judged by.
const (
	learnGroups = 4
	judgeGroups = 20
)

// integer is what an INT8 version of the shipped image model gains and loses.
func integer(ctx context.Context, b *bench) (rows []row, err error) {
	const name = "surface-large"
	dir := filepath.Join(b.shipped, name, "1")
	spec, err := infer.LoadSpec(name, filepath.Join(dir, infer.SpecFile))
	if err != nil {
		return nil, err
	}
	model, err := os.ReadFile(filepath.Join(dir, infer.GraphFile))
	if err != nil {
		return nil, err
	}
	float, err := b.backend.Load(ctx, infer.Source{Dir: dir, ONNX: model, Spec: spec})
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, float.Close()) }()
	steps, err := infer.NewSteps(spec, dir, float)
	if err != nil {
		return nil, err
	}
	q := &quantizing{bench: b, spec: spec, steps: steps, float: float}
	if err := q.find(ctx, model); err != nil {
		return nil, err
	}
	ints, err := b.backend.Load(ctx, infer.Source{ONNX: q.found.ONNX, Spec: spec})
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, ints.Close()) }()
	took, err := b.compare(200, inPlace(ctx, float), inPlace(ctx, ints))
	if err != nil {
		return nil, err
	}
	return []row{
		{What: "INT8 of " + name + ", times faster than FP32", figure: took[0].over(took[1]).figure(), Unit: "x", Target: atLeast(1.8), Of: sides(took[1], took[0])},
		{
			What: "points of accuracy that it loses", figure: one(q.found.Drop), Target: atMost(1),
			Of: fmt.Sprintf("%.1f %% to %.1f %% of %d", 100*q.said.Accuracy(), 100*q.says.Accuracy(), q.judged.Count),
		},
	}, nil
}

// quantizing looks for the best INT8 version of a model.
type quantizing struct {
	*bench
	spec   infer.Spec
	steps  infer.Steps
	float  infer.Graph
	judged quantize.Cases
	said   quantize.Answers // in FP32
	says   quantize.Answers // in INT8
	found  quantize.Found
}

func (q *quantizing) find(ctx context.Context, model []byte) error {
	samples, err := q.samples(ctx)
	if err != nil {
		return err
	}
	unseen, err := surfaceParts(sets.Test, judgeGroups)
	if err != nil {
		return err
	}
	labels := conveyor.Labels()
	q.judged = quantize.Cases{Count: len(unseen), At: func(i int) (offload.Task, string, error) {
		return offload.Task{Kind: offload.ImageClassification, Payload: unseen[i].Payload}, labels[unseen[i].Label], nil
	}}
	if q.said, err = q.judged.Ask(ctx, q.steps, q.float, nil); err != nil {
		return err
	}
	calibrated, err := quantize.Calibrate(ctx, model, samples, quantize.Options{Backend: q.backend, Spec: q.spec, Now: time.Now})
	if err != nil {
		return err
	}
	q.found, err = calibrated.Search(ctx, samples, quantize.Wanted{Float: q.float, MaxDrop: 1, Rounds: 100, Drop: q.drop})
	return err
}

// samples are what ranges are learned from: parts of the training set.
func (q *quantizing) samples(ctx context.Context) (samples []quantize.Sample, err error) {
	learn, err := surfaceParts(sets.Train, learnGroups)
	if err != nil {
		return nil, err
	}
	for _, s := range learn {
		sample, err := quantize.SampleOf(ctx, q.spec, q.steps, q.float, offload.Task{Kind: offload.ImageClassification, Payload: s.Payload})
		if err != nil {
			return nil, err
		}
		samples = append(samples, sample)
	}
	return samples, nil
}

// drop is how many points a graph loses.
func (q *quantizing) drop(ctx context.Context, graph infer.Graph) (_ float64, err error) {
	q.says, err = q.judged.Ask(ctx, q.steps, graph, nil)
	return 100 * (q.said.Accuracy() - q.says.Accuracy()), err
}

// surfaceParts are so many groups of 50 parts.
func surfaceParts(seed int64, groups int) (all []sets.Sample, err error) {
	for i := range groups {
		group, err := sets.Surface(seed, i)
		if err != nil {
			return nil, err
		}
		all = append(all, group...)
	}
	return all, nil
}
