// SPDX-License-Identifier: Apache-2.0

package offload

import (
	"slices"
	"time"
)

// box is the local side: what waits, what runs, and how long each variant takes.
type box struct {
	workers  int
	queue    []*job // most urgent first
	running  []*attempt
	services map[string]*serviceTime // by variant name
	lastDone time.Duration
}

func (b *box) service(variant string) *serviceTime {
	s := b.services[variant]
	if s == nil {
		s = &serviceTime{}
		b.services[variant] = s
	}
	return s
}

// expect is the execution time of a variant for this task. What the task says is of no
// variant in particular: it would make a smaller one look as slow as the best.
func (b *box) expect(v Variant, t *Task, now time.Duration) time.Duration {
	return b.service(v.Name).expect(now, priorService, v.Service, t.ExpectedLocal)
}

func (b *box) enqueue(j *job) {
	i, _ := slices.BinarySearchFunc(b.queue, j, (*job).moreUrgent)
	b.queue = slices.Insert(b.queue, i, j)
	j.waiting = true
}

func (b *box) dequeue(j *job) {
	b.queue = slices.DeleteFunc(b.queue, func(x *job) bool { return x == j })
	j.waiting = false
}

// workAhead is how long a job would wait for a worker: what runs, and what waits and is
// more urgent, spread over the workers.
func (b *box) workAhead(j *job, now time.Duration) time.Duration {
	if len(b.running) < b.workers && len(b.queue) == 0 {
		return 0
	}
	var work time.Duration
	for _, a := range b.running {
		work += max(0, a.started+a.expected-now)
	}
	for _, q := range b.queue {
		if q != j && q.moreUrgent(j) < 0 {
			v, _ := b.fitting(q, now)
			work += b.expect(v, q.task, now)
		}
	}
	return work / time.Duration(b.workers)
}

// fitting is the most accurate variant that ends before the deadline when started at a
// time, and whether one does; when none does, the fastest.
func (b *box) fitting(j *job, start time.Duration) (best Variant, fits bool) {
	var fastest Variant
	least := forever
	for _, v := range j.variants() {
		takes := b.expect(v, j.task, start)
		if takes < least {
			least, fastest = takes, v
		}
		if start+takes <= j.deadline && (!fits || v.Accuracy > best.Accuracy) {
			best, fits = v, true
		}
	}
	if !fits {
		best = fastest
	}
	return best, fits
}

// hopeless says that no variant makes the deadline any more.
func (b *box) hopeless(j *job, now time.Duration) bool {
	_, fits := b.fitting(j, now)
	return !fits
}

// exploreAfter is how long after the last local run even a hopeless job is tried on an
// idle worker: else one slow run could keep the box from ever measuring again.
const exploreAfter = time.Second

// next is the job to run now: the most urgent, but the one with the earliest deadline
// first whenever the most urgent one still makes it behind it. nil when nothing should run.
func (b *box) next(now time.Duration) *job {
	var top, early *job
	for _, j := range b.queue { // most urgent first
		if b.hopeless(j, now) {
			continue
		}
		if top == nil {
			top, early = j, j
		} else if j.deadline < early.deadline {
			early = j
		}
	}
	if top == nil {
		if len(b.queue) > 0 && len(b.running) == 0 && now-b.lastDone >= exploreAfter {
			return b.queue[0]
		}
		return nil
	}
	if early != top {
		v, _ := b.fitting(early, now)
		if b.hopeless(top, now+b.expect(v, early.task, now)) {
			return top
		}
	}
	return early
}
