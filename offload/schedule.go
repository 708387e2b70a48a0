// SPDX-License-Identifier: Apache-2.0

package offload

import "time"

// schedule brings everything up to date after an event: what is past its time ends,
// backups whose time has come are queued, free workers and idle uplinks get work, and the
// driver is asked to come back when the next of these is due.
func (e *Engine) schedule() {
	e.expire()
	e.noteOverdue()
	e.wakeBackups()
	e.shed()
	e.secondTargets()
	e.startLocal()
	e.preempt()
	for i := range e.targets {
		e.startRemote(i)
	}
	e.startLocal() // what was taken back
	e.preempt()
	e.probeTargets()
	e.askToRing()
}

// expire ends jobs whose deadline and grace are over, and holds that nothing can end better.
func (e *Engine) expire() {
	for i := 0; i < len(e.jobs); i++ {
		j := e.jobs[i]
		switch {
		case e.now >= j.end:
			e.drop(j, Expired, "no answer before the deadline and its grace")
		case j.held.answer != nil && (e.now >= j.heldUntil || !e.worthHolding(j, j.held.accuracy)):
			e.release(j)
		default:
			continue
		}
		i-- // it is no longer in the list
	}
}

// shed ends what waits for the box and cannot make its deadline there any more, after
// looking once for another place that can. The last one of an idle box stays: it may be
// that the estimate is wrong.
func (e *Engine) shed() {
	if e.settings.FIFO {
		return
	}
	for i := 0; i < len(e.box.queue); i++ {
		j := e.box.queue[i]
		if !e.box.hopeless(j, e.now) {
			continue
		}
		switch {
		case j.heading(): // a whole run, or the payload itself, may be in time
			if e.leaveHead(j); !j.waiting {
				e.fallBack(j, "the head of its split would not be in time")
			}
		case j.flying() != nil: // its remote attempt is all there is left
			e.box.dequeue(j)
		case e.rescue(j):
			e.box.dequeue(j)
		case e.box.explores(e.now) && e.now < j.deadline:
			continue
		default:
			e.drop(j, Shed, "it cannot be in time on any path any more")
		}
		i-- // it is no longer in the list
	}
}

// noteOverdue finds the runs that take much longer than expected. What waits behind one may be
// worth stopping it, and its own task may still be in time elsewhere.
func (e *Engine) noteOverdue() {
	if e.settings.FIFO {
		return
	}
	for _, a := range e.box.running {
		if a.overdue {
			e.box.changed = true // with each look it is likely to take longer
		}
		if a.overdue || a.stopping || e.now < a.overdueFrom() {
			continue
		}
		a.overdue, e.box.changed = true, true
		if j := a.job; j != nil && j.careful && j.flying() == nil && !a.head { // a head's features are on their way
			e.rescue(j)
		}
	}
}

func (e *Engine) open(a *attempt) {
	a.started = max(e.now, 1) // 0 means not started
	if a.target != onBox {
		a.job.sent |= 1 << a.target
	}
	a.job.record.Attempts[a.view].StartedMs = a.job.offset(e.now)
}

// patienceWithoutDeadline bounds an attempt at a task that has no deadline.
const patienceWithoutDeadline = 30 * time.Second

func (e *Engine) until(j *job) time.Time {
	end := j.end
	if end == forever {
		end = e.now + patienceWithoutDeadline
	}
	return e.epoch.Add(end)
}

// askToRing asks for the earliest time at which something is due without an event.
func (e *Engine) askToRing() {
	due := forever
	idle := len(e.box.running) < e.box.workers
	for _, a := range e.box.running {
		switch {
		case a.stopping:
		case !a.overdue:
			due = min(due, a.overdueFrom())
		case len(e.box.queue) > 0:
			due = min(due, e.now+lookAgain)
		}
	}
	for _, j := range e.jobs {
		due = min(due, j.end)
		if j.backup && !j.waiting && idle || j.second() {
			due = min(due, j.softAt)
		}
		if j.held.answer != nil {
			due = min(due, j.heldUntil)
		}
		if j.waiting {
			due = min(due, j.due)
		}
	}
	if len(e.box.queue) > 0 && idle { // held back as hopeless
		due = min(due, e.box.lastDone+exploreAfter)
	}
	due = min(due, e.nextBackup)
	for _, t := range e.targets {
		due = min(due, e.probeTimes(t))
	}
	if due <= e.now && due != forever {
		due = e.now + time.Millisecond
	}
	if due != e.ring && due != forever {
		e.ring = due
		e.out = append(e.out, Action{Kind: Ring, At: due})
	}
}
