// SPDX-License-Identifier: Apache-2.0

package infer

import (
	"fmt"
	"slices"
	"time"

	"edgex-offload/infer/features"
	"edgex-offload/infer/picture"
	"edgex-offload/offload"
)

// fillFeatures reads what a head gave into a tail's inputs.
func (p *pipeline) fillFeatures(inputs [][]float32, task offload.Task) (picture.Placement, error) {
	if err := checkType(task, features.Type, "application/octet-stream"); err != nil {
		return picture.Placement{}, err
	}
	f, err := p.codec.Decode(task.Payload)
	if err != nil {
		return picture.Placement{}, err
	}
	if f.Cut != p.spec.Split.Cut() && f.Cut != (features.Cut{}) {
		return picture.Placement{}, errCut
	}
	at := f.At
	if p.spec.TaskKind() == offload.ObjectDetection && min(at.PictureWidth, at.PictureHeight, at.Width, at.Height) < 1 {
		return picture.Placement{}, fmt.Errorf("the features say of the picture %+v: needed is where it lies, as boxes are in its pixels", at)
	}
	feeds := p.spec.Input.Feeds()
	if len(f.Tensors) != len(feeds) || len(inputs) != len(feeds) {
		return picture.Placement{}, fmt.Errorf("the features have %d tensors: needed are %d", len(f.Tensors), len(feeds))
	}
	for i, t := range f.Tensors {
		if t.Name != feeds[i].Name || !slices.Equal(t.Shape, feeds[i].Shape) {
			return picture.Placement{}, fmt.Errorf("tensor %d of the features is %q %v: needed is %q %v", i, clip(t.Name), t.Shape, feeds[i].Name, feeds[i].Shape)
		}
		copy(inputs[i], t.Data)
	}
	return picture.Placement(at), nil
}

// encode makes the answer of a head.
func (p *pipeline) encode(outputs []Tensor, _ []float32, at picture.Placement) (offload.Answer, error) {
	f := features.Features{Cut: p.spec.Split.Cut(), At: features.Placement(at)}
	for _, t := range outputs {
		f.Tensors = append(f.Tensors, features.Tensor{Name: t.Name, Shape: t.Shape, Data: t.Data})
	}
	b, err := p.codec.Encode(f, p.spec.Split.encoding())
	return offload.Answer{Features: b}, err
}

// noTail says why features find no model. r.mu is held.
func (r *Repository) noTail(payload []byte) error {
	cut, err := features.CutOf(payload)
	if err != nil {
		return fmt.Errorf("%w: %w", ErrInput, err)
	}
	var have []string
	for _, s := range r.series {
		if v := s.head(); v != nil && s.spec(v).Split.Part == Tail {
			have = append(have, fmt.Sprintf("%s (%x)", v.variant(), s.spec(v).Split.Cut()))
		}
	}
	if len(have) == 0 {
		return fmt.Errorf("%w: a tail for cut %x: there is none in the models folder", ErrNoModel, cut)
	}
	slices.Sort(have)
	return fmt.Errorf("%w: a tail for cut %x: there are %v: copy the one that `offload model split` wrote beside the head", ErrNoModel, cut, have)
}

// offloadSplit is what a head means for an engine, until that has measured for itself.
func (m *model) offloadSplit() offload.Split {
	split := m.spec.Split
	return offload.Split{
		Name: m.variant, Tail: split.Tail, Accuracy: m.spec.Accuracy,
		Service: m.learned.times().Mean, TailService: milliseconds(split.TailMs), FeatureBytes: split.FeatureBytes,
	}
}

func milliseconds(ms float64) time.Duration { return time.Duration(ms * float64(time.Millisecond)) }
