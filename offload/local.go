// SPDX-License-Identifier: Apache-2.0

package offload

import "time"

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
		a.fullAt = e.box.speed.full(a.started)
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
	if len(b.queue) == 0 { // heads whose payloads were sent as they are instead
		return nil, nil
	}
	// Nothing is expected to be in time: the most urgent is tried.
	most := b.queue[0]
	for _, j := range b.queue {
		if j.moreUrgent(most) < 0 {
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

// headRun is why the head of a split runs.
const headRun = "head"

func (j *job) localReason() string {
	switch {
	case j.heading():
		return headRun
	case j.flying() != nil:
		return "backup"
	case len(j.record.Attempts) > 0:
		return "fallback"
	}
	return "decision"
}
