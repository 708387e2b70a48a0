// SPDX-License-Identifier: Apache-2.0

package offload

import (
	"slices"
	"time"
)

// schedule brings everything up to date after an event: what is past its time ends,
// backups whose time has come are queued, free workers and idle uplinks get work, and the
// driver is asked to come back when the next of these is due.
func (e *Engine) schedule() {
	e.expire()
	e.wakeBackups()
	e.shed()
	e.startLocal()
	for i := range e.targets {
		e.startRemote(i)
	}
	e.probeTargets()
	e.askToRing()
}

// expire ends jobs whose deadline and grace are over.
func (e *Engine) expire() {
	for _, j := range slices.Clone(e.jobs) {
		if e.now >= j.end {
			e.drop(j, Expired, "no answer before the deadline and its grace")
		}
	}
}

// backupAt is the latest useful start of a local run: its expected time and its spread, the
// guard and the work ahead of it before the deadline.
func (e *Engine) backupAt(j *job) time.Duration {
	v, _ := e.box.fitting(j, e.now)
	takes := e.box.expect(v, j.task, e.now)
	return j.deadline - takes - e.box.service(v.Name).spread(takes) - e.settings.Guard - e.box.workAhead(j, e.now)
}

func (e *Engine) wakeBackups() {
	for _, j := range slices.Clone(e.jobs) { // queueing one may end another
		if j.backup && !j.waiting && e.now >= e.backupAt(j) {
			j.backup = false
			e.queueLocal(j)
		}
	}
}

// shed ends what waits for the box and cannot make its deadline there any more, after
// looking once for another place that can. The last one of an idle box stays: it may be
// that the estimate is wrong.
func (e *Engine) shed() {
	for _, j := range slices.Clone(e.box.queue) {
		if !j.waiting || !e.box.hopeless(j, e.now) {
			continue
		}
		if len(j.live) > 0 { // its remote attempt is all there is left
			e.box.dequeue(j)
			continue
		}
		if e.rescue(j) {
			continue
		}
		if len(e.box.running) == 0 && e.now-e.box.lastDone >= exploreAfter && e.now < j.deadline {
			continue
		}
		e.drop(j, Shed, "it cannot be in time on any path any more")
	}
}

// rescue sends a job that the box cannot make in time to a target that can.
func (e *Engine) rescue(j *job) bool {
	if e.settings.Policy == PolicyLocal {
		return false
	}
	paths := e.paths(j)
	i := quickest(paths, func(p *path) bool { return p.target != onBox && p.inTime() })
	if i < 0 {
		return false
	}
	e.box.dequeue(j)
	e.send(j, &paths[i], "rescue")
	return true
}

// startLocal gives free workers the next jobs.
func (e *Engine) startLocal() {
	for len(e.box.running) < e.box.workers {
		j := e.box.next(e.now)
		if j == nil {
			return
		}
		e.box.dequeue(j)
		v, _ := e.box.fitting(j, e.now)
		a := e.newAttempt(j, onBox, v.Name, e.box.expect(v, j.task, e.now), j.localReason())
		e.open(a)
		e.box.running = append(e.box.running, a)
		e.out = append(e.out, Action{Kind: StartLocal, Ref: j.ref, Attempt: a.id, Task: j.task, Variant: v.Name, Until: e.until(j)})
	}
}

func (j *job) localReason() string {
	switch {
	case len(j.live) > 0:
		return "backup"
	case len(j.record.Attempts) > 0:
		return "fallback"
	}
	return "decision"
}

// startRemote hands over the next payload of a target while none is on its way into the
// transport: what waits here can still be reordered and dropped, what is in the kernel's
// buffer cannot.
func (e *Engine) startRemote(i int) {
	t := e.targets[i]
	for t.sending == nil && len(t.queue) > 0 {
		a := t.queue[0]
		t.queue = slices.Delete(t.queue, 0, 1)
		e.open(a)
		a.ahead = t.flyingAhead(e.now)
		t.sending = a
		t.flying = append(t.flying, a)
		e.out = append(e.out, Action{Kind: SendRemote, Ref: a.job.ref, Attempt: a.id, Task: a.job.task, Target: i, Until: e.until(a.job), Promised: a.promised})
	}
}

func (e *Engine) open(a *attempt) {
	a.started = max(e.now, 1) // 0 means not started
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
	for _, j := range e.jobs {
		due = min(due, j.end)
		if j.backup && !j.waiting {
			due = min(due, e.backupAt(j))
		}
		if j.waiting {
			due = min(due, j.deadline)
		}
	}
	if len(e.box.queue) > 0 && len(e.box.running) < e.box.workers { // held back as hopeless
		due = min(due, e.box.lastDone+exploreAfter)
	}
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
