// SPDX-License-Identifier: Apache-2.0

package infer

import (
	"context"
	"errors"
	"maps"
	"slices"
	"time"
)

// settlePause is how soon files that are still changing are looked at again.
const settlePause = 2 * time.Second

// keep loads the folder's models, looks for changes and does what is asked by hand, until
// ctx ends. It is the only goroutine that changes r.series.
func (r *Repository) keep(ctx context.Context) {
	defer close(r.ended)
	r.look(ctx, false)
	close(r.tried)
	timer := time.NewTimer(r.pause())
	defer timer.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-timer.C:
			r.look(ctx, false)
			timer.Reset(r.pause())
		case c := <-r.commands:
			c.run(ctx)
		case <-r.judged:
			r.judge()
		case <-r.lost:
			r.dropLost(ctx)
		}
	}
}

func (r *Repository) pause() time.Duration {
	if r.unsettled {
		return min(settlePause, r.opts.Rescan)
	}
	return r.opts.Rescan
}

// look brings the models in line with the folder. byHand reads the files themselves and
// takes them for complete. Models are loaded one after the other: on a small box two at once
// would take the cores from the tasks.
func (r *Repository) look(ctx context.Context, byHand bool) {
	r.unsettled = false
	if !r.list(byHand, "") {
		return // what is loaded goes on: a folder that is gone for a moment costs nothing
	}
	for _, name := range slices.Sorted(maps.Keys(r.series)) {
		r.roll(ctx, r.series[name])
	}
	r.judge()
}

// list takes note of what is in the folder, of one model alone or, without a name, of all. At the
// first time nothing waits until it stands still: there is nothing yet that half a file could
// replace.
func (r *Repository) list(byHand bool, name string) bool {
	r.looks++
	list, problem := scan(r.opts.Dir)
	for _, only := range []string{r.opts.Only, name} {
		list = slices.DeleteFunc(list, func(f found) bool { return only != "" && f.name != only })
	}
	r.report(problem)
	if problem != nil && list == nil {
		return false
	}
	complete := byHand || !r.listed
	r.listed = true
	for _, f := range list {
		r.notice(f, byHand, complete)
	}
	for _, s := range slices.Collect(maps.Values(r.series)) {
		if name == "" || s.name == name {
			r.forget(s, list, complete)
		}
	}
	return true
}

// report keeps why the folder could not be read, and logs it when it changed.
func (r *Repository) report(problem error) {
	r.mu.Lock()
	before := r.problem
	r.problem = problem
	r.mu.Unlock()
	if problem != nil && (before == nil || before.Error() != problem.Error()) {
		r.opts.Log.Warnf("%v; it is looked at again every %s", problem, r.opts.Rescan)
	}
}

// notice takes note of one model's folder.
func (r *Repository) notice(f found, byHand, complete bool) {
	r.mu.Lock()
	s := r.series[f.name]
	if s == nil {
		s = &series{name: f.name, versions: map[string]*version{}}
		r.series[f.name] = s
	}
	s.err, s.missing = f.err, false
	r.mu.Unlock()
	for _, fv := range f.versions {
		r.noticeVersion(s, fv, byHand, complete)
	}
	for number, v := range s.versions {
		if slices.ContainsFunc(f.versions, func(fv foundVersion) bool { return fv.number == number }) {
			v.missing = false
			continue
		}
		if !v.missing && !complete { // it may be on the way to another place and back
			v.missing, r.unsettled = true, true
			continue
		}
		r.mu.Lock()
		delete(s.versions, number)
		r.mu.Unlock()
	}
}

// noticeVersion takes note of one version's files once they stand still: as they were at the
// look before.
func (r *Repository) noticeVersion(s *series, f foundVersion, byHand, complete bool) {
	v := s.versions[f.number]
	known := v != nil
	if !known {
		v = &version{name: s.name, number: f.number, dir: f.dir, state: Loading, learned: &learned{}}
	}
	switch {
	case known && f.stamp == v.stamp && !byHand:
		v.pending = ""
		return
	case f.stamp != v.stamp && f.stamp != v.pending && !complete:
		v.pending, r.unsettled = f.stamp, true
		if !known {
			v.set(Loading, errUnsettled)
			r.keepVersion(s, v)
		}
		return
	}
	stampBefore := v.stamp
	v.pending, v.stamp = "", f.stamp
	if v.content != (content{}) {
		all, err := contentOf(f.dir, nil)
		if err == nil && all.content() == v.content {
			return // touched, and the same
		}
		v.content = all.content()
	} else if known && stampBefore == f.stamp {
		return // never read, so that there is nothing to compare
	}
	r.renew(s, v, known)
}

// errUnsettled is said of a version whose files were not yet at rest.
var errUnsettled = errors.New("its files are still changing")

// renew starts a version with new files from the beginning. What was decided by hand is over.
func (r *Repository) renew(s *series, v *version, known bool) {
	spec, _, err := r.readSpec(v.name, v.dir)
	before := v.err
	v.noted = true
	r.mu.Lock()
	s.idle, s.pin = false, ""
	v.spec = spec
	if known {
		v.learned = &learned{}
	}
	v.set(Unloaded, nil)
	if err != nil {
		v.set(Failed, err)
	}
	s.versions[v.number] = v
	r.mu.Unlock()
	if err != nil && (before == nil || before.Error() != err.Error()) {
		r.opts.Log.Warnf("model %s cannot be used: %v", v.variant(), err)
		r.opts.OnChange()
	}
}

func (r *Repository) keepVersion(s *series, v *version) {
	r.mu.Lock()
	defer r.mu.Unlock()
	s.versions[v.number] = v
}

// forget puts a model away whose folder is gone, at the second look that does not find it.
func (r *Repository) forget(s *series, list []found, complete bool) {
	if slices.ContainsFunc(list, func(f found) bool { return f.name == s.name }) {
		return
	}
	if !s.missing && !complete {
		s.missing, r.unsettled = true, true
		return
	}
	r.putAway(s)
	r.mu.Lock()
	delete(r.series, s.name)
	r.mu.Unlock()
	r.opts.Log.Infof("model %s is gone from the folder", s.name)
	r.opts.OnChange()
}
