// SPDX-License-Identifier: Apache-2.0

package infer

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
)

// Tensors is a model without what lies before and behind its graph: tensors in, tensors out.
type Tensors struct {
	// Name and Version are those of the folder.
	Name, Version string
	// About is the graph's, with its inputs' shapes as they are fed: model.yaml settles what
	// the graph leaves free, but for the batch. MostBatch is always given: of what a graph needs
	// in memory its inputs tell little.
	About About

	repository *Repository
}

// Tensors finds a model by its folder's name and version; without a version it is the one
// that answers, and with one it may be on trial. The error wraps ErrNoModel or ErrNotReady.
func (r *Repository) Tensors(name, version string) (Tensors, error) {
	m, err := r.exactly(name, version)
	if err != nil {
		return Tensors{}, err
	}
	return Tensors{Name: m.version.name, Version: m.version.number, About: fedAs(m.graph.About(), m.spec.Input), repository: r}, nil
}

func fedAs(about About, in Input) About {
	about.MostBatch = cmp.Or(about.MostBatch, mostBatch)
	about.Inputs = slices.Clone(about.Inputs)
	for i := range about.Inputs {
		p := &about.Inputs[i]
		for _, feed := range in.Feeds() {
			if (feed.Name != "" && !feed.Is(p.Name)) || p.Shape != nil && len(p.Shape) != len(feed.Shape) {
				continue
			}
			p.Shape = slices.Clone(feed.Shape)
			if about.Batches && len(p.Shape) > 0 {
				p.Shape[0] = -1
			}
		}
	}
	return about
}

// Run is the graph's, within the bounds of the model and the repository: it waits for a
// place, is not started past ctx's deadline, and may be stopped and run again when the same
// version is loaded anew.
func (t Tensors) Run(ctx context.Context, batch int, fill func(inputs [][]float32) error, read func(outputs []Tensor) error) error {
	for {
		m, err := t.repository.exactly(t.Name, t.Version)
		if err != nil {
			return err
		}
		err = t.repository.runTensors(ctx, m, batch, fill, read)
		if !errors.Is(err, errReplaced) {
			return err
		}
	}
}

func (r *Repository) runTensors(ctx context.Context, m *model, batch int, fill func([][]float32) error, read func([]Tensor) error) error {
	deadline, _ := ctx.Deadline()
	all := []*places{m.places, r.places}
	if m.gathers && batch == 1 {
		all = all[:1]
	}
	for _, p := range all {
		if p == nil {
			continue
		}
		if err := p.enter(ctx, deadline); err != nil {
			return err
		}
		defer p.leave()
	}
	if err := ctx.Err(); err != nil {
		return fmt.Errorf("not started: %w", err)
	}
	bound, stay, ok := m.lease.enter(ctx)
	if !ok {
		return errReplaced
	}
	defer stay.leave()
	err := m.graph.Run(bound, batch, fill, read)
	if err != nil && ctx.Err() == nil && m.lease.isBroken() {
		return errReplaced
	}
	return err
}

// exactly returns the loaded model of a name and version, and no other in its place.
func (r *Repository) exactly(name, number string) (*model, error) {
	r.mu.RLock()
	defer r.mu.RUnlock()
	if r.closed {
		return nil, ErrClosed
	}
	s := r.series[name]
	switch {
	case s == nil:
		return nil, r.none(fmt.Sprintf("model %q", clip(name)), func(v *version) string { return v.name })
	case s.current != nil && (number == "" || s.current.version.number == number):
		return s.current, nil
	case s.trial != nil && s.trial.model.version.number == number:
		return s.trial.model, nil
	}
	v, err := s.version(number)
	if err != nil {
		return nil, err
	}
	return nil, r.notReady(v)
}
