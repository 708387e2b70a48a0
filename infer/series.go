// SPDX-License-Identifier: Apache-2.0

package infer

import (
	"cmp"
	"errors"
	"maps"
	"slices"
	"strconv"
)

// series is one model's folder: its versions, and those that are loaded. The goroutine of
// keep alone changes it, holding Repository.mu for what tasks and status read.
type series struct {
	name string
	err  error // why the folder has no version that can be used

	versions map[string]*version // by number
	current  *model              // answers; nil for none
	trial    *trial              // of a new version; nil for none
	draining []*model            // retired, with tasks under way
	former   string              // the version that answered before
	last     string              // the last verdict on a new version
	// past are versions that answered once, the last ones: a task that asks for one of them is
	// late for the swap, and is answered by the one that took its place.
	past []string

	// By hand, until a file changes or a version is added:
	idle bool   // unloaded
	pin  string // this version and no newer one

	missing bool // gone from the folder at the last look
}

// version is what is known of the files of one version.
type version struct {
	name, number string
	dir          string
	spec         Spec
	// state of the files, as it is while no model is loaded from them: Unloaded, Loading,
	// Failed, TakenBack, Elsewhere.
	state State
	err   error
	// learned of the model with these files.
	learned *learned

	// For keep alone:
	noted   bool    // its files stood still once
	stamp   stamp   // as the files were when they were last taken note of
	pending stamp   // as they were at the last look, not yet at rest
	content content // that was tried to load; zero for none
	tried   uint64  // the look in which it was tried
	missing bool    // gone at the last look
}

func (v *version) variant() string { return v.name + "/" + v.number }

// set changes the state of the files. Repository.mu is held.
func (v *version) set(state State, err error) { v.state, v.err = state, err }

// curable says whether loading the same files again may help.
func (v *version) curable() bool {
	onServer := v.spec.Backend == OIP // where the model may be put right
	return v.state == Failed && (onServer || errors.Is(v.err, ErrBackend) || errors.Is(v.err, errDraining))
}

// mayBeTried says whether the version may be loaded in this look.
func (v *version) mayBeTried(look uint64) bool {
	switch {
	case v.missing || !v.noted || v.state == TakenBack:
		return false
	case v.state == Failed:
		return v.curable() && v.tried != look
	}
	return true
}

func number(version string) int {
	n, _ := strconv.Atoi(version) // scan finds whole numbers alone
	return n
}

// sorted lists the versions, the highest first.
func (s *series) sorted() []*version {
	return slices.SortedFunc(maps.Values(s.versions), func(a, b *version) int {
		return cmp.Compare(number(b.number), number(a.number))
	})
}

// wanted is the version that should answer: the one by hand, else the highest that can. While
// one answers whose files are still there, no older one takes its place by itself.
func (s *series) wanted(look uint64) *version {
	if s.idle {
		return nil
	}
	if v := s.versions[s.pin]; v != nil {
		return v
	}
	var best *version
	for _, v := range s.sorted() {
		if v.mayBeTried(look) {
			best = v
			break
		}
	}
	if s.current == nil {
		return best
	}
	own := s.versions[s.current.version.number]
	if own == nil {
		return best
	}
	if best == nil || number(best.number) < number(own.number) {
		return own
	}
	return best
}

// loaded says whether a model with the files of v as they are answers, or is on trial.
func (s *series) loaded(v *version) bool {
	is := func(m *model) bool { return m != nil && m.version == v && m.content == v.content }
	return is(s.current) || (s.trial != nil && is(s.trial.model))
}

// head is the version that stands for the series: the one that answers, else the highest
// whose model.yaml can be read; nil where none can.
func (s *series) head() *version {
	if s.current != nil {
		return s.current.version
	}
	for _, v := range s.sorted() {
		if v.spec.Kind != "" && v.state != TakenBack {
			return v
		}
	}
	return nil
}

// answered notes that a version answers no more. Repository.mu is held.
func (s *series) answered(number string) {
	s.former = number
	s.remember(number)
}

// remember lets tasks that still ask for a version be answered by the one in its place.
// Repository.mu is held.
func (s *series) remember(number string) {
	const most = 16
	s.past = append(slices.DeleteFunc(s.past, func(n string) bool { return n == number }), number)
	if len(s.past) > most {
		s.past = s.past[1:]
	}
}
