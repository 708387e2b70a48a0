// SPDX-License-Identifier: Apache-2.0

package infer

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"edgex-offload/offload"
)

// trial is a new version that answers a share of the tasks. It is safe for concurrent use.
type trial struct {
	model *model
	rules Canary
	since time.Time
	wake  func() // a verdict is there

	mu       sync.Mutex
	due      float64 // shares of a task that the new version is behind by
	short    int     // tasks that were its turn and left no time for it
	old, new arm
	next     int // tasks of the new version at which it is judged
	verdict  *verdict
}

// arm is what one of both showed while the trial lasts.
type arm struct {
	tasks, errors int
	times         evenly
}

// firstJudged is after how many tasks the new version is judged first; then after twice as
// many each time.
const firstJudged = 8

func newTrial(m *model, rules Canary, now time.Time, wake func()) *trial {
	return &trial{model: m, rules: rules, since: now, next: firstJudged, wake: wake}
}

// takes says whether the new version answers the next task: every k-th, by carrying over
// what a task is more than the share. One that leaves no time for the old version to answer
// after the new one failed stays with the old one; the next makes up for it.
func (t *trial) takes(left, needed time.Duration) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.verdict != nil {
		return false
	}
	const exact = 1e-9 // ten times 0.1 is a little less than 1
	t.due = min(t.due+t.rules.Share, 2)
	if t.due < 1-exact {
		return false
	}
	if left < needed {
		t.short++
		return false
	}
	t.due--
	return true
}

// try has the new version answer if it is its turn. What it fails at for a reason of its own
// the old one answers.
func (r *Repository) try(ctx context.Context, t *trial, old *model, task offload.Task) (offload.Answer, error) {
	left, reserve := r.leftFor(ctx, task), 3*old.learned.mean()
	var failed error // of the new version, and its own fault
	if t.takes(left, reserve+t.model.learned.mean()) {
		answer, took, err := r.within(ctx, left-reserve, t.model, task)
		if err == nil || ctx.Err() != nil {
			t.note(&t.new, took, err, r.opts.now())
			return answer, err
		}
		if took > 0 || !errors.Is(err, context.DeadlineExceeded) { // else it only waited for a place
			failed = err
		}
	}
	answer, took, err := r.attempt(ctx, old, task)
	t.note(&t.old, took, err, r.opts.now())
	if failed != nil && !(errors.Is(failed, ErrInput) && errors.Is(err, ErrInput)) { // else the payload is at fault
		t.failed(failed, r.opts.now())
	}
	return answer, err
}

// leftFor is the time until the task's deadline.
func (r *Repository) leftFor(ctx context.Context, task offload.Task) time.Duration {
	const never = 24 * time.Hour
	left := never
	if deadline, is := ctx.Deadline(); is {
		left = min(left, deadline.Sub(r.opts.now()))
	}
	if !task.Deadline.IsZero() {
		left = min(left, task.Deadline.Sub(r.opts.now()))
	}
	return left
}

func (r *Repository) within(ctx context.Context, limit time.Duration, m *model, task offload.Task) (offload.Answer, time.Duration, error) {
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	return r.attempt(ctx, m, task)
}

// mean execution time; 0 is unknown.
func (l *learned) mean() time.Duration {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.service.n == 0 {
		return l.warm.Mean
	}
	return time.Duration(l.service.mean)
}

// failed counts a task that the new version failed at and the old one answered.
func (t *trial) failed(err error, now time.Time) {
	if errors.Is(err, errReplaced) || errors.Is(err, ErrBusy) {
		return
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	t.new.tasks++
	t.new.errors++
	t.judge(now)
}

// note counts a task of one arm. One that was called off says only that it would have taken
// longer; one that did not start, or had a wrong payload, says nothing.
func (t *trial) note(a *arm, took time.Duration, err error, now time.Time) {
	t.mu.Lock()
	defer t.mu.Unlock()
	switch {
	case err == nil:
		a.tasks++
		a.times.add(took)
	case took == 0 || errors.Is(err, ErrInput) || errors.Is(err, errReplaced):
	case errors.Is(err, context.DeadlineExceeded):
		a.tasks++
		a.errors++
		a.times.add(took)
	case errors.Is(err, context.Canceled):
		a.times.addIfLonger(took)
	default:
		a.tasks++
		a.errors++
	}
	t.judge(now)
}

// judge comes to a verdict when it is time for one. t.mu is held.
func (t *trial) judge(now time.Time) {
	if t.verdict != nil {
		return
	}
	last := t.new.tasks >= t.rules.Tasks || now.Sub(t.since) >= t.rules.Longest
	if !last && t.new.tasks < t.next {
		return
	}
	for t.next <= t.new.tasks {
		t.next *= 2
	}
	v := judge(&t.old, &t.new, t.rules, last)
	if last && t.new.tasks < firstJudged && t.short > t.new.tasks { // all others would be late as well
		v = &verdict{reason: fmt.Sprintf("it answered %d tasks: %d that were its turn left no time for it beside the former version", t.new.tasks, t.short)}
	}
	if v != nil {
		t.verdict = v
		t.wake()
	}
}

// look judges a trial to which no tasks come any more.
func (t *trial) look(now time.Time) *verdict {
	t.mu.Lock()
	defer t.mu.Unlock()
	if now.Sub(t.since) >= t.rules.Longest {
		t.judge(now)
	}
	return t.verdict
}

// startTrial gives a loaded model its share of the tasks.
func (r *Repository) startTrial(s *series, m *model, rules Canary) {
	t := newTrial(m, rules, r.opts.now(), func() {
		select {
		case r.judged <- struct{}{}:
		default: // judge looks at all trials
		}
	})
	r.mu.Lock()
	before := s.trial
	s.trial = t
	r.mu.Unlock()
	if before != nil { // of the same version, whose files were changed
		r.retire(s, before.model)
	}
	r.opts.Log.Infof("model %s is on trial beside %s: it answers %.3g of the tasks, %d of them", m.variant, s.current.variant, rules.Share, rules.Tasks)
}

// judge carries out the verdicts that there are.
func (r *Repository) judge() {
	for _, s := range r.series {
		if s.trial == nil {
			continue
		}
		v := s.trial.look(r.opts.now())
		if v == nil {
			continue
		}
		m := s.trial.model
		if v.promote {
			r.counts.promoted.Add(1)
			r.opts.Log.Infof("model %s takes over from %s: %s", m.variant, s.current.variant, v.reason)
			r.swap(s, m)
		} else {
			r.counts.takenBack.Add(1)
			r.opts.Log.Warnf("model %s is taken back, %s goes on: %s", m.variant, s.current.variant, v.reason)
			r.endTrial(s, errors.New(v.reason))
		}
		r.mu.Lock()
		s.last = fmt.Sprintf("%s: %s", m.variant, v)
		r.mu.Unlock()
		r.opts.OnChange()
	}
}

// endTrial leaves all tasks to the old version. A version that is taken back, for a reason,
// is not tried again until its files change.
func (r *Repository) endTrial(s *series, reason error) {
	r.mu.Lock()
	t := s.trial
	s.trial = nil
	if reason != nil {
		t.model.version.set(TakenBack, reason)
		s.remember(t.model.version.number)
	}
	r.mu.Unlock()
	r.retire(s, t.model)
}
