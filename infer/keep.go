// SPDX-License-Identifier: Apache-2.0

package infer

import (
	"context"
	"fmt"
	"maps"
	"path/filepath"
	"slices"
	"time"
)

// keep loads the folder's models and looks for changes until ctx ends. It is the only
// goroutine that changes r.models.
func (r *Repository) keep(ctx context.Context) {
	defer close(r.ended)
	pause := time.NewTicker(r.opts.Rescan)
	defer pause.Stop()
	r.look(ctx)
	close(r.tried)
	for {
		select {
		case <-ctx.Done():
			return
		case <-pause.C:
			r.look(ctx)
		}
	}
}

// look brings r.models in line with the folder. Models are loaded one after the other:
// on a small box two at once would take the cores from the tasks.
func (r *Repository) look(ctx context.Context) {
	list, problem := scan(r.opts.Dir)
	if r.opts.Only != "" {
		list = slices.DeleteFunc(list, func(f found) bool { return f.name != r.opts.Only })
	}
	r.report(problem)
	if problem != nil && list == nil {
		return // what is loaded goes on: a folder that is gone for a moment costs nothing
	}
	var next []*model
	for _, f := range list {
		if m := r.candidate(f); m != nil {
			next = append(next, m)
		}
	}
	r.forget(list)
	for _, m := range next {
		if ctx.Err() != nil {
			return
		}
		r.bring(ctx, m)
	}
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

// candidate returns a model to load, if what was found is new, changed, or may be cured.
// A name that was not there before is listed at once.
func (r *Repository) candidate(f found) *model {
	old := r.models[f.name]
	if old != nil && old.print == f.print && !old.curable() {
		return nil
	}
	m := &model{name: f.name, version: f.version, dir: f.dir, print: f.print, onLost: r.lost, is: Loading, err: f.err}
	if f.err == nil {
		m.spec, m.err = LoadSpec(f.name, filepath.Join(f.dir, SpecFile))
	}
	if old == nil {
		r.put(m)
	}
	return m
}

// bring loads a model and puts it in its place. If it cannot be used and an older
// version is ready, that one stays.
func (r *Repository) bring(ctx context.Context, m *model) {
	old := r.models[m.name]
	err := m.err
	elsewhere := err == nil && r.opts.Place != "" && !slices.Contains(m.spec.RunsOn, r.opts.Place)
	switch {
	case elsewhere:
		m.set(Elsewhere, nil)
	case err == nil:
		err = m.load(ctx, r.opts.Backend, m.dir)
	}
	if ctx.Err() != nil {
		m.close()
		return
	}
	switch {
	case err != nil && old != m && old.state() == Ready:
		r.keepOld(old, m, err)
	case err != nil:
		r.fail(m, err)
	case !elsewhere:
		m.set(Ready, nil)
		r.put(m)
		r.opts.Log.Infof("model %s is ready: serves %s (%s), accuracy %.3g, %.3g ms", m.variant(), m.spec.Serves, m.spec.Kind, m.spec.Accuracy, m.status().ServiceMs)
	default:
		r.put(m)
	}
	r.opts.OnChange()
}

// lost is told of a ready model that is so no more.
func (r *Repository) lost(m *model, cause error) {
	r.opts.Log.Warnf("model %s is not ready any more: %v; it is loaded again when that is over", m.variant(), cause)
	r.opts.OnChange()
}

func (r *Repository) keepOld(old, m *model, err error) {
	old.set(Ready, fmt.Errorf("version %s is not used: %w", m.version, err))
	old.print = m.print
	r.opts.Log.Warnf("model %s failed, %s stays: %v", m.variant(), old.variant(), err)
}

func (r *Repository) fail(m *model, err error) {
	before := r.models[m.name].status().Error
	m.set(Failed, err)
	r.put(m)
	if before != err.Error() {
		r.opts.Log.Warnf("model %s failed: %v", m.variant(), err)
	}
}

// put makes m the model of its name and frees the one before it.
func (r *Repository) put(m *model) {
	r.mu.Lock()
	old := r.models[m.name]
	r.models[m.name] = m
	r.mu.Unlock()
	if old != nil && old != m {
		old.close()
	}
}

// forget frees the models whose folder is gone.
func (r *Repository) forget(list []found) {
	for _, m := range slices.Collect(maps.Values(r.models)) {
		if slices.ContainsFunc(list, func(f found) bool { return f.name == m.name }) {
			continue
		}
		r.mu.Lock()
		delete(r.models, m.name)
		r.mu.Unlock()
		m.close()
		r.opts.Log.Infof("model %s is gone from the folder", m.variant())
		r.opts.OnChange()
	}
}
