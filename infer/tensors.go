// SPDX-License-Identifier: Apache-2.0

package infer

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
)

// Tensors is a model without what lies before and behind its graph: tensors in, tensors out.
type Tensors struct {
	// Name and Version are those of the folder.
	Name, Version string
	// About is the graph's, with its inputs' shapes as they are fed: model.yaml settles what
	// the graph leaves free, but for the batch.
	About About

	repository *Repository
}

// Tensors finds a model by its folder's name and version; without a version it is the
// highest that is ready. The error wraps ErrNoModel or ErrNotReady.
func (r *Repository) Tensors(name, version string) (Tensors, error) {
	for {
		m, err := r.named(name, version)
		if err != nil {
			return Tensors{}, err
		}
		t := Tensors{Name: m.name, Version: m.version, repository: r}
		err = m.graphDo(func(g Graph) error { t.About = fedAs(g.About(), m.spec.Input); return nil })
		if !errors.Is(err, errReplaced) {
			return t, err
		}
	}
}

func fedAs(about About, in Input) About {
	about.Inputs = slices.Clone(about.Inputs)
	for i := range about.Inputs {
		p := &about.Inputs[i]
		for _, feed := range in.Feeds() {
			if (feed.Name != "" && feed.Name != p.Name) || p.Shape != nil && len(p.Shape) != len(feed.Shape) {
				continue
			}
			p.Shape = slices.Clone(feed.Shape)
			if about.Batches {
				p.Shape[0] = -1
			}
		}
	}
	return about
}

// Run is the graph's, within the repository's bounds: it waits for one of
// Options.Concurrency places, and the graph is not taken away while it runs.
func (t Tensors) Run(ctx context.Context, batch int, fill func(inputs [][]float32) error, read func(outputs []Tensor) error) error {
	leave, err := t.repository.enter(ctx)
	if err != nil {
		return err
	}
	defer leave()
	for {
		m, err := t.repository.named(t.Name, t.Version)
		if err != nil {
			return err
		}
		err = m.graphDo(func(g Graph) error { return g.Run(ctx, batch, fill, read) })
		if !errors.Is(err, errReplaced) { // else the same files were loaded again: take that
			return err
		}
	}
}

// named returns the model of a name and version.
func (r *Repository) named(name, version string) (*model, error) {
	r.mu.RLock()
	defer r.mu.RUnlock()
	if r.closed {
		return nil, ErrClosed
	}
	var best *model
	for _, m := range r.models {
		if m.name == name && (version == "" || m.version == version) && (best == nil || newer(m, best)) {
			best = m
		}
	}
	if best == nil {
		return nil, fmt.Errorf("%w: %q version %q", ErrNoModel, clip(name), clip(version))
	}
	return best, nil
}

// newer says whether a is rather to be taken than b.
func newer(a, b *model) bool {
	if by := readyFirst(a, b); by != 0 {
		return by < 0
	}
	va, _ := strconv.Atoi(a.version) // folders of versions are numbers
	vb, _ := strconv.Atoi(b.version)
	return va > vb
}

// graphDo does something with the graph, which is there until it is done.
func (m *model) graphDo(do func(Graph) error) error {
	m.use.RLock()
	defer m.use.RUnlock()
	if m.replaced {
		return errReplaced
	}
	if m.graph == nil || m.state() != Ready {
		return m.notReady()
	}
	return do(m.graph)
}
