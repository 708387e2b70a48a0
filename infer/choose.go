// SPDX-License-Identifier: Apache-2.0

package infer

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"edgex-offload/infer/features"
	"edgex-offload/offload"
)

// choice is what answers a task.
type choice struct {
	model *model
	trial *trial // of a new version that may answer instead; nil for none
}

// find returns what answers for the variant "name/version".
func (r *Repository) find(variant string) (choice, error) {
	r.mu.RLock()
	defer r.mu.RUnlock()
	if r.closed {
		return choice{}, ErrClosed
	}
	name, number, _ := strings.Cut(variant, "/")
	s := r.series[name]
	if s == nil {
		return choice{}, r.none(fmt.Sprintf("variant %q", clip(variant)), func(v *version) string { return v.variant() })
	}
	v := s.versions[number]
	switch {
	case s.current != nil && (s.current.version.number == number || slices.Contains(s.past, number)):
		return choice{s.current, s.trial}, nil // a version of the past: the task is late for the swap
	case s.trial != nil && s.trial.model.version.number == number:
		return choice{model: s.trial.model}, nil
	case v != nil:
		return choice{}, r.notReady(v)
	}
	return choice{}, r.none(fmt.Sprintf("variant %q", clip(variant)), func(v *version) string { return v.variant() })
}

// choose returns the best model for a task, as InferModel says.
func (r *Repository) choose(task offload.Task) (choice, error) {
	name := cmp.Or(task.Context["model"], task.Model)
	r.mu.RLock()
	defer r.mu.RUnlock()
	if r.closed {
		return choice{}, ErrClosed
	}
	var best *series
	for _, s := range r.series {
		v := s.head()
		if v == nil || s.spec(v).Kind != task.Kind.String() || (name != "" && !s.answersTo(v, name)) || !s.spec(v).meant(task) {
			continue
		}
		if best == nil || better(s, best, name == "") < 0 {
			best = s
		}
	}
	switch {
	case best == nil && task.Context["content-type"] == features.Type:
		return choice{}, r.noTail(task.Payload)
	case best == nil:
		what := fmt.Sprintf("model %q for %s", clip(name), task.Kind)
		if name == "" {
			what = "model for " + task.Kind.String()
		}
		return choice{}, r.none(what, func(v *version) string { return fmt.Sprintf("%s (%s)", v.spec.Serves, v.spec.Kind) })
	case best.current == nil:
		return choice{}, r.notReady(best.head())
	}
	return choice{best.current, best.trial}, nil
}

// spec is that of the model that answers, whose files may have been changed since, else of
// the version.
func (s *series) spec(v *version) Spec {
	if s.current != nil && s.current.version == v {
		return s.current.spec
	}
	return v.spec
}

// answersTo says whether a task that names this means the series: by what it serves, by its
// own name or by its variant.
func (s *series) answersTo(v *version, name string) bool {
	if own, number, is := strings.Cut(name, "/"); is {
		return own == s.name && (number == v.number || slices.Contains(s.past, number))
	}
	return name == s.spec(v).Serves || name == s.name
}

// better orders by what is ready, by name where several may serve, by accuracy.
func better(a, b *series, byName bool) int {
	ready := func(s *series) int {
		if s.current != nil {
			return 0
		}
		return 1
	}
	x, y := a.spec(a.head()), b.spec(b.head())
	named := 0
	if byName {
		named = cmp.Compare(x.Serves, y.Serves)
	}
	return cmp.Or(ready(a)-ready(b), named, cmp.Compare(y.Accuracy, x.Accuracy), cmp.Compare(a.name, b.name))
}

// notReady says why a version does not answer.
func (r *Repository) notReady(v *version) error {
	switch {
	case v.state == Elsewhere:
		return fmt.Errorf("%w: %s: it runs on %s alone", ErrNotReady, v.variant(), strings.Join(v.spec.RunsOn, ", "))
	case v.err != nil:
		return fmt.Errorf("%w: %s: %w", ErrNotReady, v.variant(), v.err)
	}
	return fmt.Errorf("%w: %s: %s", ErrNotReady, v.variant(), v.state)
}

// none is the error for something that is not here, with what is. r.mu is held.
func (r *Repository) none(what string, name func(*version) string) error {
	var have []string
	for _, s := range r.series {
		if v := s.head(); v != nil {
			have = append(have, name(v))
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
