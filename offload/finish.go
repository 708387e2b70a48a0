// SPDX-License-Identifier: Apache-2.0

package offload

import "slices"

// succeed ends a job with an answer.
func (e *Engine) succeed(j *job, route, processedBy string, answer *Answer) {
	r := &j.record
	r.Route, r.ProcessedBy = route, processedBy
	r.Label, r.Confidence, r.AnsweredBy = answer.Label, answer.Confidence, answer.Model
	if r.Truth != "" {
		correct := r.Label == r.Truth
		r.Correct = &correct
	}
	e.finish(j, answer, "", "")
}

// localAnswer ends a job with the box's answer, or holds that back while a better one may
// come in time.
func (e *Engine) localAnswer(j *job, v *variant, ev *Event) {
	if e.worthHolding(j, v.Accuracy) {
		j.held = held{ev.Answer, v.Accuracy, ev.ProcessedBy}
		j.heldUntil = j.deadline - e.settings.Guard
		j.record.HeldMs = j.offset(e.now)
		j.backup = false
		if j.waiting {
			e.box.dequeue(j)
		}
		return
	}
	e.succeed(j, Local, ev.ProcessedBy, ev.Answer)
}

// release ends a job with the answer that was held.
func (e *Engine) release(j *job) {
	e.succeed(j, Local, j.held.processedBy, j.held.answer)
}

// drop ends a job without an answer, unless one was held.
func (e *Engine) drop(j *job, reason Reason, err string) {
	if j.held.answer != nil {
		e.release(j)
		return
	}
	e.finish(j, nil, reason, err)
}

// fallBack looks for another way after an attempt failed: the box, then the other targets.
// A job that has another attempt under way just goes on with that.
func (e *Engine) fallBack(j *job, err string) {
	j.record.Error = err
	if j.held.answer != nil && j.flying() == nil {
		e.release(j)
		return
	}
	if len(j.live) > 0 || j.waiting {
		return
	}
	if (!j.triedBox() || j.others != nil) && len(j.variants()) > 0 {
		j.backup = false // it is needed now; shed sees to it if it cannot be in time
		e.queueLocal(j)
		return
	}
	if e.rescue(j) {
		return
	}
	e.drop(j, Failed, err)
}

func (j *job) triedBox() bool {
	return slices.ContainsFunc(j.record.Attempts, func(a AttemptView) bool { return a.Target == Local && !a.OfHead() && a.Result != "preempted" })
}

// closeAttempt notes how an attempt ended and takes it off its job.
func (e *Engine) closeAttempt(a *attempt, result, err string) {
	j := a.job
	v := &j.record.Attempts[a.view]
	v.EndedMs, v.Result, v.Error = j.offset(e.now), result, err
	j.live = without(j.live, a)
	a.job = nil
	e.box.changed = true // its job may need the box more than before
}

// finish ends a job: exactly one FinishTask, whatever is under way for it is cancelled.
func (e *Engine) finish(j *job, answer *Answer, reason Reason, err string) {
	for len(j.live) > 0 {
		e.cancel(j.live[len(j.live)-1])
	}
	if j.waiting {
		e.box.dequeue(j)
	}
	if e.byRef[j.ref] == j {
		delete(e.byRef, j.ref)
		e.jobs = without(e.jobs, j)
	}
	e.finished++
	r := &j.record
	r.Seq, r.Reason, r.LatencyMs = e.finished, reason, j.offset(e.now)
	r.DeadlineMet = answer != nil && e.now <= j.deadline
	r.Error = err
	e.learn(j)
	e.keptLocal(j)
	e.out = append(e.out, Action{Kind: FinishTask, Ref: j.ref, Task: j.task, Outcome: Outcome{Answer: answer, Reason: reason, Record: *r}})
	e.pool.done = append(e.pool.done, j)
}

// keptLocal learns whether the box kept what it promised, of a job that it was given alone.
func (e *Engine) keptLocal(j *job) {
	r := &j.record
	if r.Decided != Local || j.sent != 0 || r.Reason == Stopped || r.Reason == Superseded || r.Reason == Failed {
		return
	}
	came := 0.
	if r.DeadlineMet {
		came = 1
	}
	e.box.kept.Learn(j.rawLocal, came)
}

// cancel ends an attempt that nobody needs any more: one that was handed over is told so
// and reports still, one in a send queue just goes.
func (e *Engine) cancel(a *attempt) {
	e.closeAttempt(a, "cancelled", "")
	switch {
	case a.started == 0:
		e.targets[a.target].drop(a)
		delete(e.attempts, a.id)
		e.pool.freeAttempt(a)
		return
	case a.target != onBox && e.letGo(e.targets[a.target], a):
		// Its payload is with the transport and paid for: when its answer comes teaches more of
		// the link than the cancelling would save.
		a.orphan = true
		return
	case a.target != onBox:
		e.kept(a, false)
		e.targets[a.target].link.AddGivenUp(a.ended(e.now, &Event{}))
	case a.stopping: // it was told before
		return
	default:
		e.stop(a)
		return
	}
	e.out = append(e.out, Action{Kind: CancelAttempt, Attempt: a.id})
}

// letGo tells whether an attempt that nobody waits for may come to its end. There are twice as
// many of them at the most as there may be with somebody waiting.
func (e *Engine) letGo(t *target, a *attempt) bool {
	return t.sending != a && !e.stopped && len(t.flying) <= 2*e.settings.InFlightLimit
}

// stop tells a run on the box to stop; its worker is busy until it has.
func (e *Engine) stop(a *attempt) {
	a.stopping, a.stoppedAt = true, e.now
	// What it is expected to take is now the time until it stops.
	a.expected = min(a.expected, e.now-a.started+e.box.stopTime(a.expected))
	e.out = append(e.out, Action{Kind: CancelAttempt, Attempt: a.id})
}
