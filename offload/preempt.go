// SPDX-License-Identifier: Apache-2.0

package offload

import "time"

// preempt stops a run where that brings more than it costs: what waits for its worker would
// miss its deadline behind it.
func (e *Engine) preempt() {
	b := &e.box
	if !b.changed {
		return
	}
	b.changed = false
	if !e.preempts() || len(b.queue) == 0 || len(b.running) < b.workers {
		return
	}
	if !e.somebodyLate() {
		return
	}
	going, best, net := e.goOn(), -1, e.settings.Tuning.Preempt
	e.rescueDropped()
	for i, a := range b.running {
		if a.stopping || (a.job != nil && a.job.preempted >= mostPreempted) {
			continue
		}
		if n := e.instead(a) - going; n > net {
			best, net = i, n
		}
	}
	if best < 0 {
		return
	}
	a := b.running[best]
	j := a.job
	e.stop(a)
	if j == nil {
		return
	}
	j.preempted++
	if len(j.variants()) > 0 { // else it looks for another way when the run has ended
		e.queueLocal(j)
		b.changed = false
	}
}

// preempts tells whether runs are stopped at all.
func (e *Engine) preempts() bool { return e.settings.Tuning.Preempt > 0 && !e.settings.FIFO }

// mostPreempted is how often the runs of one task are stopped: it may not be kept from
// ending by what comes.
const mostPreempted = 2

// somebodyLate tells whether anything that waits would not be in time with its best variant.
func (e *Engine) somebodyLate() bool {
	b := &e.box
	start := b.freeAt(e.now)
	for _, j := range b.queue {
		v := bestOf(j.variants())
		if v == nil {
			continue
		}
		takes := b.expect(v, j.task, e.now)
		if start+takes+time.Duration(e.settings.Tuning.PlanSlack*float64(takes)) > j.due {
			return true
		}
		start += takes / time.Duration(b.workers)
	}
	return false
}

// goOn is what the box brings if nothing is stopped: what is planned and what runs.
func (e *Engine) goOn() float64 {
	value := e.plan(&e.box.plan, nil, nil)
	for _, a := range e.box.running {
		value += e.runValue(a)
	}
	return value
}

// instead is the same if a run is stopped, its job among those that wait.
func (e *Engine) instead(stop *attempt) float64 {
	value := e.plan(&e.box.plan, stop.job, stop)
	for _, a := range e.box.running {
		if a != stop {
			value += e.runValue(a)
		}
	}
	return value
}

// runValue is what a run under way is worth.
func (e *Engine) runValue(a *attempt) float64 {
	if a.job == nil || a.stopping {
		return 0
	}
	if due := a.job.due; due != forever && e.now+e.box.busyFor(a, e.now) > due {
		return 0
	}
	if a.head && !a.job.heading() { // what it gives is wanted no more
		return 0
	}
	en := entry{job: a.job, worth: 1 - e.likely(a.job)}
	return en.value(&e.settings.Tuning, a.variant)
}
