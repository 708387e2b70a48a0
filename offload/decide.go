// SPDX-License-Identifier: Apache-2.0

package offload

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	"edgex-offload/offload/link"
)

// retransmission is what one lost packet costs on top of the round trip: the least
// retransmission timeout of Linux's TCP.
const retransmission = 200 * time.Millisecond

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

func (e *Engine) newJob(ref uint64, t *Task) *job {
	e.orders++
	j := &job{ref: ref, order: e.orders, task: t, arrived: e.now, deadline: forever, end: forever}
	j.created = t.Created.Sub(e.epoch)
	if !t.Deadline.IsZero() {
		j.deadline = t.Deadline.Sub(e.epoch)
		j.end = j.deadline + e.settings.Grace
	}
	j.model = e.models[t.Model]
	j.record = newRecord(t)
	j.record.ArrivedMs = j.offset(e.now)
	return j
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
	for _, other := range slices.Clone(e.jobs) {
		if other == j || other.task.Source != j.task.Source || other.started() {
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
	for _, a := range slices.Clone(j.live) {
		e.cancel(a)
	}
	j.backup = false
	e.queueLocal(j)
	return true
}

// started says that an attempt was handed over to a worker or a transport.
func (j *job) started() bool {
	for _, a := range j.live {
		if a.target == onBox || a.started > 0 {
			return true
		}
	}
	return false
}

// decide chooses the first path of a job and takes it.
func (e *Engine) decide(j *job) {
	paths := e.paths(j)
	chosen, why := e.choose(paths, &e.settings)
	r := &j.record
	r.Policy, r.Why, r.QueueMs = e.settings.Policy, why, ms(e.box.workAhead(j, e.now))
	for i := range paths {
		r.Paths = append(r.Paths, paths[i].view)
	}
	if chosen < 0 {
		e.drop(j, NoPath, e.noPath(j, paths))
		return
	}
	p := &paths[chosen]
	r.Decided = p.view.Target
	if p.target == onBox {
		e.queueLocal(j)
		return
	}
	j.backup = e.settings.Hedge && len(j.variants()) > 0 && j.deadline != forever
	if j.backup {
		r.BackupAtMs = j.offset(e.backupAt(j))
	}
	e.send(j, p, "decision")
}

func (e *Engine) noPath(j *job, paths []path) string {
	if j.task.Model == "" {
		return "the task names no model"
	}
	notes := make([]string, 0, len(paths))
	for i := range paths {
		notes = append(notes, paths[i].view.Target+": "+paths[i].view.Note)
	}
	return fmt.Sprintf("model %q: %s", j.task.Model, strings.Join(notes, "; "))
}

// paths works out what each way promises now. The local one comes first.
func (e *Engine) paths(j *job) []path {
	left := j.deadline
	if left != forever {
		left -= e.now
	}
	paths := make([]path, 0, 1+len(e.targets))
	paths = append(paths, e.localPath(j, left))
	for i := range e.targets {
		paths = append(paths, e.remotePath(j, i, left))
	}
	return paths
}

func (e *Engine) localPath(j *job, left time.Duration) path {
	p := path{target: onBox, left: left, view: PathView{Target: Local}}
	if len(j.variants()) == 0 {
		p.view.Note = "no model ready on the box"
		p.expected = forever
		return p
	}
	wait := e.box.workAhead(j, e.now)
	v, _ := e.box.fitting(j, e.now+wait)
	service := e.box.expect(v, j.task, e.now)
	p.expected = wait + service
	p.joules = e.power.Busy * service.Seconds()
	p.view.Usable = true
	p.view.Variant, p.view.Accuracy = v.Name, v.Accuracy
	p.view.WaitMs, p.view.ServiceMs, p.view.ExpectedMs = ms(wait), ms(service), ms(p.expected)
	return p
}

func (e *Engine) remotePath(j *job, i int, left time.Duration) path {
	t := e.targets[i]
	bytes := len(j.task.Payload) + wireOverhead
	p := path{target: i, left: left, bytes: bytes, link: t.link}
	rate := t.link.UpRate()
	ahead := t.bytesAhead(e.now)
	wait := seconds(ahead / rate)
	up := seconds(float64(bytes) / rate)
	transfer := up + t.link.TransferDown(t.answerBytes.Or(0))
	rtt := t.link.RTT()
	service := t.services[j.task.Model].expect(e.now, priorService, j.task.ExpectedRemote, e.remoteModel(j).Service)
	margin := seconds(e.settings.JitterFactor*t.link.SteadyJitter().Seconds() + t.link.Loss()*retransmission.Seconds())
	p.expected = wait + transfer + rtt + service + margin
	p.prediction = t.link.Predict(e.now, bytes, link.Ahead{Bytes: ahead, Oldest: t.oldest()}, service)
	t.askedAt = max(e.now, 1)
	p.joules = e.power.Radio * up.Seconds()
	note := t.unusable(e.now, e.settings.InFlightLimit)
	switch {
	case j.tried&(1<<i) != 0:
		note = "tried before"
	case e.now < t.refusedUntil[j.task.Model]:
		note = fmt.Sprintf("refused model %q lately", j.task.Model)
	}
	p.view = PathView{
		Target: t.name, Usable: note == "", Note: note, Accuracy: e.remoteModel(j).Accuracy,
		WaitMs: ms(wait), TransferMs: ms(transfer), RTTMs: ms(rtt), ServiceMs: ms(service), MarginMs: ms(margin),
		ExpectedMs: ms(p.expected), JitterMs: ms(t.link.SteadyJitter()), LossRatio: t.link.Loss(),
		UpKbps: kbps(rate),
		P95Ms:  ms(p.prediction.Quantile(.95)), InTime: p.inTimeShare(),
	}
	return p
}

func kbps(bytesPerSecond float64) float64 { return bytesPerSecond * 8 / 1000 }

// remoteModel is what is known of the job's model elsewhere; an unknown accuracy counts
// like the box's best, so that it neither draws nor repels.
func (e *Engine) remoteModel(j *job) RemoteModel {
	if j.model == nil {
		return RemoteModel{}
	}
	m := j.model.Remote
	if m.Accuracy == 0 {
		for _, v := range j.model.Local {
			m.Accuracy = max(m.Accuracy, v.Accuracy)
		}
	}
	return m
}

// queueLocal puts a job into the box's queue; when that is full the least urgent goes.
func (e *Engine) queueLocal(j *job) {
	e.box.enqueue(j)
	e.boundQueue()
}

// boundQueue takes the least urgent out of the box's queue while there are too many.
func (e *Engine) boundQueue() {
	for len(e.box.queue) > e.settings.QueueLimit {
		least := e.box.queue[len(e.box.queue)-1]
		if len(least.live) > 0 { // a backup: its remote attempt goes on
			e.box.dequeue(least)
			least.backup = false
			continue
		}
		e.drop(least, QueueFull, fmt.Sprintf("%d tasks wait, all at least as urgent", e.settings.QueueLimit))
	}
}

// send puts a job into a target's send queue.
func (e *Engine) send(j *job, p *path, why string) {
	a := e.newAttempt(j, p.target, "", p.expected, why)
	a.prediction, a.promised = p.prediction, p.inTimeShare()
	j.tried |= 1 << p.target
	e.targets[p.target].enqueue(a)
}

func (e *Engine) newAttempt(j *job, target int, variant string, expected time.Duration, why string) *attempt {
	e.ids++
	name := Local
	if target != onBox {
		name = e.targets[target].name
	}
	a := &attempt{id: e.ids, job: j, target: target, variant: variant, expected: expected, view: len(j.record.Attempts)}
	j.record.Attempts = append(j.record.Attempts, AttemptView{Target: name, Variant: variant, Why: why})
	j.live = append(j.live, a)
	e.attempts[a.id] = a
	return a
}

// Expect is the execution time of a task on the box, with its most accurate variant, and
// on the quickest target, without queue or network: measured where known, else what the
// task or its model says, else 0 for unknown.
func (e *Engine) Expect(t *Task) (onBox, elsewhere time.Duration) {
	onBox, elsewhere = t.ExpectedLocal, t.ExpectedRemote
	m := e.models[t.Model]
	if m != nil && len(m.Local) > 0 {
		best := slices.MaxFunc(m.Local, func(a, b Variant) int { return cmp.Compare(a.Accuracy, b.Accuracy) })
		onBox = e.box.services[best.Name].expect(e.now, 0, onBox, best.Service)
	}
	assumed := elsewhere
	if m != nil && assumed == 0 {
		assumed = m.Remote.Service
	}
	quickest := forever
	for _, target := range e.targets {
		if d := target.services[t.Model].expect(e.now, 0, assumed); d > 0 {
			quickest = min(quickest, d)
		}
	}
	if quickest != forever {
		elsewhere = quickest
	}
	return onBox, elsewhere
}
