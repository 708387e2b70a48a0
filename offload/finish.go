// SPDX-License-Identifier: Apache-2.0

package offload

import "slices"

// succeed ends a job with an answer.
func (e *Engine) succeed(j *job, route string, ev *Event) {
	r := &j.record
	r.Route, r.ProcessedBy = route, ev.ProcessedBy
	r.Label, r.Confidence, r.AnsweredBy = ev.Answer.Label, ev.Answer.Confidence, ev.Answer.Model
	if r.Truth != "" {
		correct := r.Label == r.Truth
		r.Correct = &correct
	}
	e.finish(j, ev.Answer, "", "")
}

// drop ends a job without an answer.
func (e *Engine) drop(j *job, reason Reason, err string) { e.finish(j, nil, reason, err) }

// fallBack looks for another way after an attempt failed: the box, then the other targets.
// A job that has another attempt under way just goes on with that.
func (e *Engine) fallBack(j *job, err string) {
	j.record.Error = err
	if len(j.live) > 0 || j.waiting {
		return
	}
	if !j.triedBox() && len(j.variants()) > 0 {
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
	return slices.ContainsFunc(j.record.Attempts, func(a AttemptView) bool { return a.Target == Local })
}

// closeAttempt notes how an attempt ended and takes it off its job.
func (e *Engine) closeAttempt(a *attempt, result, err string) {
	v := &a.job.record.Attempts[a.view]
	v.EndedMs, v.Result, v.Error = a.job.offset(e.now), result, err
	a.job.live = slices.DeleteFunc(a.job.live, func(x *attempt) bool { return x == a })
}

// finish ends a job: exactly one FinishTask, whatever is under way for it is cancelled.
func (e *Engine) finish(j *job, answer *Answer, reason Reason, err string) {
	for _, a := range slices.Clone(j.live) {
		e.cancel(a)
	}
	if j.waiting {
		e.box.dequeue(j)
	}
	if e.byRef[j.ref] == j {
		delete(e.byRef, j.ref)
		e.jobs = slices.DeleteFunc(e.jobs, func(x *job) bool { return x == j })
	}
	e.finished++
	r := &j.record
	r.Seq, r.Reason, r.LatencyMs = e.finished, reason, j.offset(e.now)
	r.DeadlineMet = answer != nil && e.now <= j.deadline
	r.Error = err
	e.out = append(e.out, Action{Kind: FinishTask, Ref: j.ref, Task: j.task, Outcome: Outcome{Answer: answer, Reason: reason, Record: *r}})
}

// cancel ends an attempt that nobody needs any more: one that was handed over is told so
// and reports still, one in a send queue just goes.
func (e *Engine) cancel(a *attempt) {
	e.closeAttempt(a, "cancelled", "")
	a.cancelled = true
	if a.started == 0 {
		e.targets[a.target].drop(a)
		delete(e.attempts, a.id)
		return
	}
	if a.target != onBox {
		e.targets[a.target].link.AddGivenUp(a.ended(e.now, &Event{}))
	}
	e.out = append(e.out, Action{Kind: CancelAttempt, Attempt: a.id})
}
