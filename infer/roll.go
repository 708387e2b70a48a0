// SPDX-License-Identifier: Apache-2.0

package infer

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"
)

// mostDraining bounds the versions of a model that are in memory since tasks on them do not
// end. Beyond, no other is loaded.
const mostDraining = 4

// errDraining: too many versions still drain. It passes when they have.
var errDraining = errors.New("former versions still have tasks under way")

// roll brings one model to the version that is wanted. When that one fails the next one is
// tried, as long as none answers.
func (r *Repository) roll(ctx context.Context, s *series) {
	for ctx.Err() == nil {
		v := s.wanted(r.looks)
		if s.trial != nil && s.trial.model.version != v {
			r.endTrial(s, nil)
		}
		switch {
		case v == nil || v.state == Elsewhere:
			if s.current != nil {
				r.putAway(s)
				r.opts.OnChange()
			}
			return
		case s.loaded(v) || !v.mayBeTried(r.looks):
			return
		}
		_ = r.bring(ctx, s, v, false) // it is in the version's state
	}
}

// bring loads a version beside the one that answers and has it take over, or sets it on
// trial. If it cannot be used nothing changes but its own state.
func (r *Repository) bring(ctx context.Context, s *series, v *version, byHand bool) error {
	if r.opts.Place != "" && v.spec.Kind != "" && !slices.Contains(v.spec.RunsOn, r.opts.Place) {
		r.mark(v, Elsewhere, nil)
		r.opts.OnChange()
		return r.notReady(v)
	}
	before := v.err
	v.tried = r.looks
	r.mark(v, Loading, nil)
	m, err := r.ready(ctx, s, v)
	switch {
	case ctx.Err() != nil:
		r.mark(v, Unloaded, nil)
		if m != nil {
			err = m.graph.Close()
		}
		return errors.Join(ctx.Err(), err)
	case err != nil:
		r.fail(s, v, err, before)
		return err
	}
	r.counts.loads.Add(1)
	r.mark(v, Unloaded, nil)
	if rules := v.spec.Canary.over(r.opts.Canary); !byHand && rules.Share > 0 && s.comparable(m) {
		r.startTrial(s, m, rules)
	} else {
		r.swap(s, m)
	}
	r.opts.OnChange()
	return nil
}

func (r *Repository) ready(ctx context.Context, s *series, v *version) (*model, error) {
	r.mu.RLock()
	draining := len(s.draining)
	r.mu.RUnlock()
	if draining >= mostDraining {
		return nil, fmt.Errorf("%w: %d of them (at most %d): restart the service if they do not end", errDraining, draining, mostDraining)
	}
	return r.loadModel(ctx, v)
}

// comparable says whether a model may share the tasks of the one that answers: it is a
// newer one for the same.
func (s *series) comparable(m *model) bool {
	c := s.current
	return c != nil && s.versions[c.version.number] == c.version && number(m.version.number) >= number(c.version.number) &&
		m.spec.Kind == c.spec.Kind && m.spec.Serves == c.spec.Serves
}

func (r *Repository) mark(v *version, state State, err error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	v.set(state, err)
}

func (r *Repository) fail(s *series, v *version, err, before error) {
	r.counts.loadFailures.Add(1)
	r.mark(v, Failed, err)
	if before == nil || before.Error() != err.Error() {
		stays := ""
		if s.current != nil {
			stays = ", " + s.current.variant + " stays"
		}
		r.opts.Log.Warnf("model %s failed%s: %v", v.variant(), stays, err)
	}
	r.opts.OnChange()
}

// swap has a loaded model take over from the one that answers, for every task that picks
// from now on.
func (r *Repository) swap(s *series, m *model) {
	r.mu.Lock()
	old, trial := s.current, s.trial
	s.current, s.trial = m, nil
	if old != nil {
		s.answered(old.version.number)
	}
	r.mu.Unlock()
	times := m.learned.times()
	r.opts.Log.Infof("model %s is ready: serves %s (%s), accuracy %.3g, %.3g ms", m.variant, m.spec.Serves, m.spec.Kind, m.spec.Accuracy, ms(times.Mean))
	if trial != nil && trial.model != m {
		r.retire(s, trial.model)
	}
	if old != nil {
		r.counts.swaps.Add(1)
		r.retire(s, old)
	}
}

// putAway retires all that is loaded of a model.
func (r *Repository) putAway(s *series) {
	r.mu.Lock()
	old, trial := s.current, s.trial
	s.current, s.trial = nil, nil
	if old != nil {
		s.answered(old.version.number)
	}
	r.mu.Unlock()
	if trial != nil {
		r.retire(s, trial.model)
	}
	if old != nil {
		r.retire(s, old)
	}
}

// retire lets the tasks under way end and frees the model then, beside all else. No task
// can pick it any more.
func (r *Repository) retire(s *series, m *model) {
	r.mu.Lock()
	s.draining = append(s.draining, m)
	r.mu.Unlock()
	idle := m.lease.retire()
	r.drains.Go(func() {
		r.drain(m, idle)
		r.mu.Lock()
		defer r.mu.Unlock()
		s.draining = slices.DeleteFunc(s.draining, func(d *model) bool { return d == m })
	})
}

func (r *Repository) drain(m *model, idle <-chan struct{}) {
	timer := time.NewTimer(r.opts.DrainTimeout)
	defer timer.Stop()
	select {
	case <-idle:
	case <-timer.C:
		r.counts.broken.Add(1)
		r.opts.Log.Warnf("model %s is replaced: %d tasks did not end within %s and are stopped", m.variant, m.lease.inUse(), r.opts.DrainTimeout)
		m.lease.breakUp()
		<-idle
	}
	if err := m.graph.Close(); err != nil {
		r.opts.Log.Warnf("model %s could not be freed: %v", m.variant, err)
		r.mu.Lock()
		defer r.mu.Unlock()
		r.freed = append(r.freed, err)
	}
}

func ms(d time.Duration) float64 { return float64(d) / float64(time.Millisecond) }
