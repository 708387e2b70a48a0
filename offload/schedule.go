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
	e.startLocal()
	e.preempt()
	for i := range e.targets {
		e.startRemote(i)
	}
	e.startLocal() // what was taken back
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
		case j.flying() != nil: // its remote attempt is all there is left
			e.box.dequeue(j)
		case e.rescue(j):
			e.box.dequeue(j)
		case len(e.box.running) == 0 && e.now-e.box.lastDone >= exploreAfter && e.now < j.deadline:
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
		if a.overdue || a.stopping || e.now < a.overdueFrom() {
			continue
		}
		a.overdue, e.box.changed = true, true
		if j := a.job; j != nil && j.careful && j.flying() == nil {
			e.rescue(j)
		}
	}
}

// rescuePause is how often another place is looked for.
const rescuePause = 5 * time.Millisecond

// rescue sends a job that the box cannot make in time to a target that may.
func (e *Engine) rescue(j *job) bool {
	if j.record.Policy == PolicyLocal || len(e.targets) == 0 || (j.rescuedAt > 0 && e.now-j.rescuedAt < rescuePause) {
		return false
	}
	j.rescuedAt = max(e.now, 1)
	var views [1 + maxTargets]PathView
	d := e.look(j, views[:1+len(e.targets)])
	best, net := -1, 0.
	for i := 1; i < len(d.paths); i++ {
		p := &d.paths[i]
		if !p.view.Usable || p.view.InTime < e.settings.Tuning.Stale {
			continue
		}
		n := p.view.InTime*e.settings.Tuning.value(j.task.Priority, p.view.Accuracy) - d.toll(p)
		if n > 0 && (best < 0 || n > net) {
			best, net = i, n
		}
	}
	if best < 0 {
		return false
	}
	e.send(j, &d.paths[best], "rescue")
	return true
}

// startLocal gives free workers the next jobs.
func (e *Engine) startLocal() {
	for len(e.box.running) < e.box.workers {
		j, v := e.nextLocal()
		if j == nil {
			return
		}
		e.box.dequeue(j)
		a := e.newAttempt(j, onBox, v, e.box.expect(v, j.task, e.now), j.localReason())
		j.backup = false
		e.open(a)
		e.box.running = append(e.box.running, a)
		e.out = append(e.out, Action{Kind: StartLocal, Ref: j.ref, Attempt: a.id, Task: j.task, Variant: v.Name, Until: e.until(j)})
	}
}

// nextLocal is what the box runs now, and with which variant; nil for nothing.
func (e *Engine) nextLocal() (*job, *variant) {
	b := &e.box
	switch {
	case len(b.queue) == 0:
		return e.idleBackup()
	case e.settings.FIFO:
		first := b.queue[0]
		for _, j := range b.queue {
			if j.order < first.order {
				first = j
			}
		}
		return first, bestOf(first.variants())
	case len(b.queue) == 1: // the common case
		return e.alone(b.queue[0])
	}
	e.plan(&b.plan, nil, nil)
	e.rescueDropped()
	if en := b.plan.first(); en != nil {
		return en.job, en.variant
	}
	// Nothing is expected to be in time: the most urgent is tried.
	var most *job
	for _, j := range b.queue {
		if most == nil || j.moreUrgent(most) < 0 {
			most = j
		}
	}
	return e.alone(most)
}

// alone is a job with the variant to run it with when nothing else counts.
func (e *Engine) alone(j *job) (*job, *variant) {
	if v := e.box.worthiest(j, e.now, &e.settings.Tuning); v != nil {
		return j, v
	}
	if v, fits := e.box.fitting(j, e.now); v != nil && (fits || e.box.explores(e.now)) {
		return j, v
	}
	return nil, nil
}

// explores tells whether a run that is expected to be late is worth its knowledge.
func (b *box) explores(now time.Duration) bool {
	return len(b.running) == 0 && now-b.lastDone >= exploreAfter
}

func (j *job) localReason() string {
	switch {
	case j.flying() != nil:
		return "backup"
	case len(j.record.Attempts) > 0:
		return "fallback"
	}
	return "decision"
}

// preempt stops a run where that brings more than it costs: what waits for its worker would
// miss its deadline behind it.
func (e *Engine) preempt() {
	b := &e.box
	if !b.changed {
		return
	}
	b.changed = false
	if e.settings.Tuning.Preempt == 0 || e.settings.FIFO || len(b.queue) == 0 || len(b.running) < b.workers {
		return
	}
	if !e.somebodyLate() {
		return
	}
	going, best, net := e.goOn(), -1, e.settings.Tuning.Preempt
	e.rescueDropped()
	for i, a := range b.running {
		if a.stopping || a.started >= e.now || (a.job != nil && a.job.preempted >= mostPreempted) {
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
	if j != nil {
		j.preempted++
		e.queueLocal(j)
		b.changed = false
	}
}

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
		if start+takes+time.Duration(e.settings.Tuning.PlanSlack*float64(takes)) > j.deadline {
			return true
		}
		start += takes / time.Duration(b.workers)
	}
	return false
}

// rescueDropped sends what a plan has no room for, while there is time to.
func (e *Engine) rescueDropped() {
	for i := range e.box.plan.entries {
		en := &e.box.plan.entries[i]
		if j := en.job; en.dropped && j.careful && j.flying() == nil {
			e.rescue(j)
		}
	}
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
	left := a.deadline
	if left != forever {
		left -= e.now
	}
	busy := e.box.busyFor(a, e.now)
	if left < busy {
		return 0
	}
	return (1 - e.likely(a.job)) * e.settings.Tuning.value(a.priority, a.variant.Accuracy)
}

// startRemote hands over the next payload of a target while none is on its way into the
// transport: what waits here can still be reordered and dropped, what is in the kernel's
// buffer cannot.
func (e *Engine) startRemote(i int) {
	t := e.targets[i]
	for t.sending == nil && len(t.queue) > 0 {
		a := t.queue[0]
		if e.now > a.prediction.At && e.stale(t, i, a) {
			continue
		}
		t.queue = append(t.queue[:0], t.queue[1:]...)
		if a.raw == 0 { // it did not wait
			a.raw = a.rawDecided
			a.promised = e.trust(&t.atHandover[sizeClass(a.payload)], a.raw)
		}
		e.open(a)
		a.ahead = t.flyingAhead(e.now)
		t.sending = a
		t.flying = append(t.flying, a)
		e.out = append(e.out, Action{Kind: SendRemote, Ref: a.job.ref, Attempt: a.id, Task: a.job.task, Target: i, Until: e.until(a.job), Promised: a.promised})
	}
}

// stale looks at an attempt again that waited to be sent. One that is hardly in time any
// more is taken back, unless there is no other way.
func (e *Engine) stale(t *target, i int, a *attempt) bool {
	j := a.job
	service := t.of(j.model).service.expect(e.now, priorService, j.task.ExpectedRemote, j.model.remoteService())
	a.prediction = e.predict(t, i, j, t.flyingAhead(e.now), service)
	a.raw = a.prediction.inTime(j.left(e.now))
	a.promised = e.trust(&t.atHandover[sizeClass(a.payload)], a.raw)
	j.record.Attempts[a.view].InTime = a.promised
	if a.promised >= e.settings.Tuning.Stale || e.settings.FIFO {
		if j.backup {
			j.softAt = e.softAt(&a.prediction, a.promised)
		}
		return false
	}
	if j.held.answer == nil && len(j.variants()) == 0 && e.now < j.deadline {
		return false
	}
	e.cancel(a)
	switch {
	case j.held.answer != nil:
		e.release(j)
	case len(j.variants()) == 0: // and past its deadline
		e.drop(j, Expired, "it still waited to be sent at its deadline")
	case !j.waiting && j.running() == nil:
		j.backup = false
		e.queueLocal(j)
	}
	return true
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
		if !a.overdue && !a.stopping {
			due = min(due, a.overdueFrom())
		}
	}
	for _, j := range e.jobs {
		due = min(due, j.end)
		if j.backup && !j.waiting && idle {
			due = min(due, j.softAt)
		}
		if j.held.answer != nil {
			due = min(due, j.heldUntil)
		}
		if j.waiting {
			due = min(due, j.deadline)
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
