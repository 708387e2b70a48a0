// SPDX-License-Identifier: Apache-2.0

package offload

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
		e.out = append(e.out, Action{Kind: SendRemote, Ref: a.job.ref, Attempt: a.id, Task: a.job.outbound(), Target: i, Until: e.until(a.job), Promised: a.promised})
	}
}

// stale looks at an attempt again that waited to be sent. One that is hardly in time any
// more is taken back, unless there is no other way.
func (e *Engine) stale(t *target, i int, a *attempt) bool {
	j := a.job
	a.prediction = e.predict(t, i, j, j.bytes(), t.flyingAhead(e.now), t.expect(j, e.now))
	a.raw = a.prediction.inTime(j.left(e.now))
	a.promised = e.trust(&t.atHandover[sizeClass(a.payload)], a.raw)
	j.record.Attempts[a.view].InTime = a.promised
	least := e.settings.Tuning.Stale
	if why := j.record.Attempts[a.view].Why; why == "rescue" && !j.waiting && j.running() == nil && j.held.answer == nil {
		least = lastChance
	}
	if a.promised >= least || e.settings.FIFO {
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
