// SPDX-License-Identifier: Apache-2.0

package offload

import (
	"fmt"
	"slices"
	"time"
)

// arrive takes a task in, or finishes it at once with the reason why not.
func (e *Engine) arrive(ref uint64, t *Task) {
	j := e.newJob(ref, t)
	if reason, err := e.refuse(j); reason != "" {
		e.finish(j, nil, reason, err)
		return
	}
	e.jobs = append(e.jobs, j)
	e.byRef[ref] = j
	if e.supersede(j) {
		e.decide(j)
	}
}

// fifoPatience is how long after its deadline a first-come-first-served queue still runs a task.
const fifoPatience = 10 * time.Second

func (e *Engine) newJob(ref uint64, t *Task) *job {
	e.orders++
	j := e.pool.job()
	j.ref, j.order, j.task, j.arrived = ref, e.orders, t, e.now
	j.deadline, j.end, j.due, j.softAt = forever, forever, forever, forever
	j.created = t.Created.Sub(e.epoch)
	if !t.Deadline.IsZero() {
		j.deadline = t.Deadline.Sub(e.epoch)
		j.end, j.due = j.deadline+e.settings.Grace, j.deadline
		if e.settings.FIFO {
			j.end += fifoPatience
		}
	}
	j.model = e.modelOf(t.Model)
	j.record.begin(t)
	j.record.ArrivedMs = j.offset(e.now)
	return j
}

func (r *Record) begin(t *Task) {
	r.TaskID, r.Source, r.Kind, r.Model = t.ID, t.Source, t.Kind.String(), t.Model
	r.Priority, r.Bytes, r.Created, r.Truth = t.Priority.String(), len(t.Payload), t.Created, t.Truth
	r.Private, r.FeaturesOnly = t.Private, t.FeaturesOnly
	if !t.Deadline.IsZero() {
		r.DeadlineMs = ms(t.Deadline.Sub(t.Created))
	}
}

func (e *Engine) refuse(j *job) (reason Reason, err string) {
	p := j.task.Priority
	switch {
	case e.stopped:
		return Stopped, "the service stops"
	case e.byRef[j.ref] != nil:
		return Invalid, fmt.Sprintf("ref %d: a task with it is under way", j.ref)
	case p < Low || p > Critical:
		return Invalid, fmt.Sprintf("priority %d: allowed is 0 (LOW) to 3 (CRITICAL)", p)
	case e.now >= j.deadline:
		return Shed, fmt.Sprintf("arrived %.0f ms after its deadline", ms(e.now-j.deadline))
	}
	return "", ""
}

// supersede leaves one task of a source waiting, the one that was captured last: a bus may
// deliver them in another order. What has been started goes on, and what only waits to be
// sent runs on the box instead where it still can. It tells whether j stays.
func (e *Engine) supersede(j *job) bool {
	for i := 0; i < len(e.jobs); i++ {
		other := e.jobs[i]
		if other == j || other.task.Source != j.task.Source || other.started() || other.held.answer != nil {
			continue
		}
		older, newer := other, j
		if other.created > j.created {
			older, newer = j, other
		}
		if older != j && !older.waiting && e.takeBack(older) {
			continue
		}
		e.drop(older, Superseded, "a newer task of "+j.task.Source+" is there: "+newer.task.ID)
		if older == j {
			return false
		}
		i-- // it is no longer in the list
	}
	return true
}

// takeBack takes a task out of a send queue and runs it on the box, if that makes its
// deadline; its payload would only keep the link from the newer one.
func (e *Engine) takeBack(j *job) bool {
	if len(j.variants()) == 0 {
		return false
	}
	if _, fits := e.box.fitting(j, e.now+e.box.workAhead(j, e.now)); !fits {
		return false
	}
	for len(j.live) > 0 {
		e.cancel(j.live[0])
	}
	j.backup = false
	e.queueLocal(j)
	return true
}

// decide chooses the first path of a job and takes it.
func (e *Engine) decide(j *job) {
	d := e.consider(j)
	chosen, settled := e.decider(j).choose(d)
	both := d.both
	e.note(d, chosen)
	j.careful = careful(j.record.Policy)
	j.rawLocal = d.paths[0].raw
	r := &j.record
	r.Settled, r.QueueMs, r.EnergyWeight = settled, r.Paths[0].WaitMs, d.energyPrice
	if share := e.box.speed.share(); share != 1 {
		r.Speed = share
	}
	e.castShadows(d, chosen)
	if chosen < 0 {
		e.drop(j, NoPath, e.noPath(j))
		return
	}
	p := &d.paths[chosen]
	r.Decided = p.view.Target
	if p.target == onBox {
		e.queueLocal(j)
		return
	}
	if settled.Term == Explores {
		e.targets[p.target].exploredAt = e.now
	}
	if p.split != nil {
		j.both = both
		e.startHead(j, p)
		return
	}
	e.goOut(j, p, both)
}

// backsUp tells whether a backup is kept behind what is sent of a job.
func (e *Engine) backsUp(j *job) bool {
	return e.settings.Hedge && !e.settings.FIFO && len(j.variants()) > 0 && j.deadline != forever
}

// goOut sends a job to a target, with a backup behind it on the box.
func (e *Engine) goOut(j *job, p *path, both bool) {
	r := &j.record
	j.softAt = e.softAt(&p.prediction, p.view.InTime)
	if j.backup = e.backsUp(j); j.backup {
		r.BackupAtMs = j.offset(max(e.now, e.backupAt(j)))
	}
	e.send(j, p, "decision")
	if j.backup && j.careful && (both || p.view.InTime < e.settings.Tuning.Doubt && e.worthNow(j, p.view.InTime)) {
		r.BackupAtMs, j.backup, j.lesson.action = j.offset(e.now), false, ActBoth
		e.queueLocal(j)
	}
}

func (e *Engine) noPath(j *job) string {
	if j.task.Model == "" {
		return "the task names no model"
	}
	return fmt.Sprintf("model %q: %s", j.task.Model, j.record.notes())
}

// consider works out what each way promises now, for the record. The local one comes first.
func (e *Engine) consider(j *job) *decision {
	r := &j.record
	r.Paths = slices.Grow(r.Paths[:0], 1+len(e.targets))[:1+len(e.targets)]
	return e.look(j, r.Paths)
}

// look is consider with other room for the views.
func (e *Engine) look(j *job, views []PathView) *decision {
	d := &e.decision
	d.job, d.now, d.settings, d.energyPrice = j, e.now, &e.settings, e.battery.energyPrice(&e.settings.Weights)
	d.paths = slices.Grow(d.paths[:0], len(views))[:len(views)]
	d.lesson.given, d.both, d.ahead = false, false, e.box.workAhead(j, e.now)
	left := j.left(e.now)
	for i := range views {
		d.paths[i] = path{left: left, view: &views[i]}
	}
	e.localPath(&d.paths[0], j)
	for i := range e.targets {
		e.remotePath(&d.paths[i+1], j, i)
	}
	return d
}

// queueLocal puts a job into the box's queue; when that is full the least urgent goes.
func (e *Engine) queueLocal(j *job) {
	if v := bestOf(j.variants()); v != nil && !j.counted {
		j.counted = true
		e.box.load.add(e.now, e.box.expect(v, j.task, e.now))
	}
	e.box.enqueue(j)
	e.boundQueue()
}

// boundQueue takes the least urgent out of the box's queue while there are too many.
func (e *Engine) boundQueue() {
	for len(e.box.queue) > e.settings.QueueLimit {
		least := slices.MaxFunc(e.box.queue, (*job).moreUrgent)
		if least.flying() != nil { // a backup: its remote attempt goes on
			e.box.dequeue(least)
			least.backup = false
			continue
		}
		e.drop(least, QueueFull, fmt.Sprintf("%d tasks wait, all at least as urgent", e.settings.QueueLimit))
	}
}

// send puts a job into a target's send queue.
func (e *Engine) send(j *job, p *path, why string) {
	if j.heading() { // it goes as it is now
		e.leaveHead(j)
		j.backup = !j.waiting && e.backsUp(j)
	}
	a := e.newAttempt(j, p.target, nil, p.expected, why)
	a.prediction, a.decided, a.promised = p.prediction, p.prediction, p.view.InTime
	a.raw, a.rawDecided = 0, p.raw
	j.record.Attempts[a.view].InTime = a.promised
	j.tried |= 1 << p.target
	e.targets[p.target].enqueue(a, e.settings.FIFO)
}

func (e *Engine) newAttempt(j *job, target int, v *variant, expected time.Duration, why string) *attempt {
	e.ids++
	view := AttemptView{Target: Local, Why: why}
	m := j.model
	switch {
	case target == onBox:
		view.Variant = v.Name
	case j.onward != nil:
		m = j.there()
		view.Target, view.Variant, view.Bytes = e.targets[target].name, m.Name, len(j.onward.Payload)
	default:
		view.Target = e.targets[target].name
	}
	a := e.pool.attempt()
	*a = attempt{
		id: e.ids, job: j, target: target, variant: v, expected: expected, whole: expected, view: len(j.record.Attempts),
		priority: j.task.Priority, deadline: j.deadline, model: m, payload: len(j.outbound().Payload),
		head: target == onBox && j.heading(),
	}
	j.record.Attempts = append(j.record.Attempts, view)
	j.live = append(j.live, a)
	e.attempts[a.id] = a
	return a
}

// Expect is the execution time of a task on the box at full speed, with its most accurate
// variant, and on the quickest target, without queue or network: measured where known, else
// what the task or its model says, else 0 for unknown.
func (e *Engine) Expect(t *Task) (onBox, elsewhere time.Duration) {
	onBox, elsewhere = t.ExpectedLocal, t.ExpectedRemote
	m := e.models[t.Model]
	if m == nil {
		return onBox, elsewhere
	}
	if v := bestOf(m.local); v != nil {
		onBox = e.box.pace.of(v.service.expect(e.now, 0, onBox, v.Service), v.service)
	}
	assumed := elsewhere
	if assumed == 0 {
		assumed = m.Remote.Service
	}
	quickest := forever
	for _, target := range e.targets {
		if d := target.of(m).service.expect(e.now, 0, assumed); d > 0 {
			quickest = min(quickest, d)
		}
	}
	if quickest != forever {
		elsewhere = quickest
	}
	return onBox, elsewhere
}
