// SPDX-License-Identifier: Apache-2.0

package offload

import (
	"slices"
	"time"

	"edgex-offload/offload/link"
)

// box is the local side: what waits, what runs, and how long each variant takes.
type box struct {
	workers int
	queue   []*job // soonest deadline first
	running []*attempt
	// pace is how long runs take of late against their usual time: a box that throttles slows
	// all of its models alike.
	pace  pace
	speed speed
	// load is the work that arrives, with the most accurate variants.
	load     load
	lastDone time.Duration
	// stops is the share of its expected time after which a run that is told to stop has
	// stopped: a model can be left between two of its operators.
	stops link.Average
	// kept corrects the probabilities of being in time that were promised of the box.
	kept link.Trust
	// changed: what waits, or what it waits for, is not what it was when preemption was last
	// thought of.
	changed bool
	plan    plan
}

// expect is the execution time of a variant for this task. What the task says is of no
// variant in particular: it would make a smaller one look as slow as the best.
func (b *box) expect(v *variant, t *Task, now time.Duration) time.Duration {
	return b.speed.stretch(b.pace.of(v.service.expect(now, priorService, v.Service, t.ExpectedLocal), v.service))
}

// within is the probability that a run of a variant, expected to take so long at the speed of
// the moment, is done in a time.
func (b *box) within(v *variant, left, expected time.Duration) float64 {
	return v.service.within(b.speed.shrink(left), b.speed.shrink(expected))
}

// ran learns from a run that took so long at a share of the full speed.
func (b *box) ran(now time.Duration, v *variant, took time.Duration, share float64) {
	v.service.add(now, b.pace.add(time.Duration(float64(took)*share), v.service))
}

// joules are what a run that takes so long now draws from a box that draws so many watts in
// one at full speed: with its clock go its power and, the other way round, its time.
func (b *box) joules(watts float64, takes time.Duration) float64 {
	return watts * b.speed.shrink(takes).Seconds()
}

func (b *box) enqueue(j *job) {
	i, _ := slices.BinarySearchFunc(b.queue, j, (*job).sooner)
	b.queue = slices.Insert(b.queue, i, j)
	j.waiting, b.changed = true, true
}

func (b *box) dequeue(j *job) {
	b.queue = without(b.queue, j)
	j.waiting, b.changed = false, true
}

// stopTime is how long a run of an expected time goes on after it was told to stop.
func (b *box) stopTime(expected time.Duration) time.Duration {
	const unknown = .1
	return seconds(b.stops.Or(unknown) * expected.Seconds())
}

// A run is overdue from overdueAt times its expected time on. Then the box throttles or stalls,
// and it goes on for longAfter of the expected time from each look on: nothing is known of its
// end.
const (
	overdueAt = 1.25
	longAfter = .4
)

// busyFor is how long a worker that runs an attempt still does.
func (b *box) busyFor(a *attempt, now time.Duration) time.Duration {
	if a.overdue && !a.stopping {
		return time.Duration(longAfter * float64(a.whole))
	}
	return max(0, a.started+a.expected-now)
}

// overdueFrom is when a run becomes overdue.
func (a *attempt) overdueFrom() time.Duration {
	return a.started + time.Duration(overdueAt*float64(a.whole))
}

// freeAt is when a worker is free.
func (b *box) freeAt(now time.Duration) time.Duration {
	if len(b.running) < b.workers {
		return now
	}
	least := forever
	for _, a := range b.running {
		least = min(least, now+b.busyFor(a, now))
	}
	return least
}

// workAhead is how long a job would wait for a worker: what runs, and what waits and has the
// sooner deadline, spread over the workers. What waits counts with the variant that fits.
func (b *box) workAhead(j *job, now time.Duration) time.Duration {
	if len(b.running) < b.workers && len(b.queue) == 0 {
		return 0
	}
	var work time.Duration
	for _, a := range b.running {
		work += b.busyFor(a, now)
	}
	for _, q := range b.queue {
		if q != j && q.sooner(j) < 0 {
			v, _ := b.fitting(q, now+work)
			work += b.expect(v, q.task, now)
		}
	}
	return work / time.Duration(b.workers)
}

// workLeft is how long a job would wait if the runs that are less urgent were stopped for it.
func (b *box) workLeft(j *job, now time.Duration) time.Duration {
	var saved time.Duration
	for _, a := range b.running {
		if a.priority < j.task.Priority && !a.stopping {
			saved += max(0, b.busyFor(a, now)-b.stopTime(a.expected))
		}
	}
	return max(0, b.workAhead(j, now)-saved/time.Duration(b.workers))
}

// fitting is the most accurate variant that ends before the deadline when started at a
// time, and whether one does; when none does, the fastest. nil where there is none at all.
func (b *box) fitting(j *job, start time.Duration) (best *variant, fits bool) {
	var fastest *variant
	least := forever
	all := j.variants()
	for i := range all {
		v := &all[i]
		takes := b.expect(v, j.task, start)
		if takes < least {
			least, fastest = takes, v
		}
		if start+takes <= j.due && (!fits || v.Accuracy > best.Accuracy) {
			best, fits = v, true
		}
	}
	if !fits {
		best = fastest
	}
	return best, fits
}

// worthiest is the variant that is worth most when started now: by its accuracy and by the
// probability that it is in time. nil where none has a chance.
func (b *box) worthiest(j *job, now time.Duration, t *Tuning) (best *variant) {
	all, most := j.variants(), 0.
	for i := range all {
		v := &all[i]
		in, takes := 1., b.expect(v, j.task, now)
		if j.due != forever {
			in = b.within(v, j.due-now, takes)
		}
		if worth := in * t.value(j.task.Priority, v.Accuracy); worth > most && now+takes <= j.due {
			best, most = v, worth
		}
	}
	return best
}

// hopeless says that no variant makes the deadline any more.
func (b *box) hopeless(j *job, start time.Duration) bool {
	_, fits := b.fitting(j, start)
	return !fits
}

// exploreAfter is how long after the last local run even a hopeless job is tried on an
// idle worker: else one slow run could keep the box from ever measuring again.
const exploreAfter = time.Second
