// SPDX-License-Identifier: Apache-2.0

package infer

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"

	"edgex-offload/infer/features"
	"edgex-offload/offload"
)

// find returns the model with this variant name, "name/version".
func (r *Repository) find(variant string) (*model, error) {
	r.mu.RLock()
	defer r.mu.RUnlock()
	if r.closed {
		return nil, ErrClosed
	}
	for _, m := range r.models {
		if m.variant() == variant {
			return m, nil
		}
	}
	return nil, r.none(fmt.Sprintf("variant %q", clip(variant)), func(m *model) string { return m.variant() })
}

// choose returns the best model for a task, as InferModel says.
func (r *Repository) choose(task offload.Task) (*model, error) {
	name := cmp.Or(task.Context["model"], task.Model)
	r.mu.RLock()
	defer r.mu.RUnlock()
	if r.closed {
		return nil, ErrClosed
	}
	var fit []*model
	for _, m := range r.models {
		if m.spec.Kind == task.Kind.String() && (name == "" || m.answersTo(name)) && m.meant(task) {
			fit = append(fit, m)
		}
	}
	if len(fit) == 0 && task.Context["content-type"] == features.Type {
		return nil, r.noTail(task.Payload)
	}
	if len(fit) == 0 {
		what := fmt.Sprintf("model %q for %s", clip(name), task.Kind)
		if name == "" {
			what = "model for " + task.Kind.String()
		}
		return nil, r.none(what, func(m *model) string { return fmt.Sprintf("%s (%s)", m.spec.Serves, m.spec.Kind) })
	}
	return slices.MinFunc(fit, func(a, b *model) int {
		byName := 0
		if name == "" { // several may serve the kind: the first by name
			byName = cmp.Compare(a.spec.Serves, b.spec.Serves)
		}
		return cmp.Or(readyFirst(a, b), byName, cmp.Compare(b.spec.Accuracy, a.spec.Accuracy), cmp.Compare(a.name, b.name))
	}), nil
}

func readyFirst(a, b *model) int {
	rank := func(m *model) int {
		if m.state() == Ready {
			return 0
		}
		return 1
	}
	return rank(a) - rank(b)
}

// none is the error for something that is not here, with what is. r.mu is held.
func (r *Repository) none(what string, name func(*model) string) error {
	var have []string
	for m := range maps.Values(r.models) {
		if m.spec.Kind != "" {
			have = append(have, name(m))
		}
	}
	slices.Sort(have)
	have = slices.Compact(have)
	switch {
	case r.problem != nil:
		return fmt.Errorf("%w: %s: %w", ErrNoModel, what, r.problem)
	case len(have) == 0:
		return fmt.Errorf("%w: %s: there is none in the models folder", ErrNoModel, what)
	}
	const most = 20
	if len(have) > most {
		have = append(have[:most], fmt.Sprintf("and %d more", len(have)-most))
	}
	return fmt.Errorf("%w: %s: there are %s", ErrNoModel, what, strings.Join(have, ", "))
}
