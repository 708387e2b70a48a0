// SPDX-License-Identifier: Apache-2.0

package offload

import (
	"maps"
	"time"
)

// FeaturesType is the content type of what a head gives and a tail takes.
const FeaturesType = "application/x-offload-features"

// split is a Split with what was measured of it: one more way to a target. Its head runs on
// the box, in the box's queue like any run, and what it gives goes out instead of the payload.
type split struct {
	Split
	// head is what the box runs, the only one of its list.
	head [1]variant
	// rest is the tail, as the targets know it.
	rest *model
}

// way is what a task puts on the wire, and what is expected of it there.
type way struct {
	bytes    int
	model    *model // that runs it there
	service  time.Duration
	accuracy float64
	split    *split // whose head runs first; nil for none
}

// name is that of the model that a target is asked for.
func (w *way) name(j *job) string {
	if w.model == nil {
		return j.task.Model
	}
	return w.model.Name
}

// headSlack is how much longer than expected a head may take, as a share, for what follows it
// still to be in time as promised: it waits for the box like any run.
const headSlack = .25

func slackened(head time.Duration) time.Duration {
	return time.Duration((1 + headSlack) * float64(head))
}

// splitMargin is how much more a split has to bring than the payload as it is, as a share of
// what a result is worth: what is quantised loses a little. The box's time comes on top, as far
// as others need it: all of it against the payload as it is, which takes none, and headPrice of it
// against a run on the box. A lower one misses more deadlines on links that come and go, a
// higher one takes fewer splits (twin/split_guarantee_test.go).
const (
	splitMargin = .02
	headPrice   = .5
)

// decided: its path was chosen, so that it is split no more.
func (j *job) decided() bool { return j.record.Settled.Term != "" }

// heading: the job waits for its head to run, or for it to end.
func (j *job) heading() bool { return j.split != nil && j.onward == nil }

// outbound is what is sent of a job: the task itself, or once its head has run the features.
func (j *job) outbound() *Task {
	if j.onward != nil {
		return j.onward
	}
	return j.task
}

// there is the model that a target is asked for.
func (j *job) there() *model {
	if j.onward != nil {
		return j.split.rest
	}
	return j.model
}

// whole is the way of a job's payload, or of its features once there are any.
func (j *job) whole(t *target, now time.Duration) way {
	return way{bytes: j.bytes(), model: j.there(), service: t.expect(j, now), accuracy: j.accuracyThere()}
}

// accuracyThere is that of what a target says of the payload, or of its features.
func (j *job) accuracyThere() float64 {
	if j.onward != nil && j.split.Accuracy > 0 {
		return j.split.Accuracy
	}
	return j.model.remoteAccuracy()
}

// over is the way of the features that a head is expected to give.
func (s *split) over(j *job, t *target, now time.Duration) way {
	w := way{
		bytes: s.FeatureBytes + wireOverhead, model: s.rest, split: s, accuracy: s.Accuracy,
		service: t.of(s.rest).service.expect(now, priorService, s.TailService),
	}
	if w.accuracy == 0 {
		w.accuracy = j.model.remoteAccuracy()
	}
	return w
}

// remotePath is the best way to a target: the payload as it is, or one of the splits of its
// model where that wins.
func (e *Engine) remotePath(p *path, j *job, i int) {
	w := j.whole(e.targets[i], e.now)
	e.sendPath(p, j, i, &w)
	if j.model == nil || j.onward != nil || j.decided() || e.foresight != nil {
		return
	}
	for k := range j.model.splits {
		q := path{left: p.left, view: &e.decision.spare}
		w := j.model.splits[k].over(j, e.targets[i], e.now)
		e.sendPath(&q, j, i, &w)
		q.headToll = e.headToll(&q, j)
		q.view.HeadToll = q.headToll
		if q.view.Usable && p.left != forever && q.view.InTime < e.settings.Tuning.Stale {
			q.view.Usable, q.view.Block = false, Block{What: FeaturesLate} // they would not be sent
		}
		if p.view.Block.What == FeaturesOnly && !q.view.Usable {
			p.view.Block = q.view.Block // there is a head: what keeps its features here says more
		}
		if q.view.Usable && (!p.view.Usable || e.wins(&q, p)) {
			*p.view, q.view = *q.view, p.view
			*p = q
		}
	}
}

// wins tells whether a split is worth more than another way, and worth its toll beside the box:
// not all policies weigh that, and the box's time would be lost to all of them.
func (e *Engine) wins(q, p *path) bool {
	d := &e.decision
	margin := 0.
	if p.split == nil {
		value := d.settings.Tuning.value(d.job.task.Priority, p.view.Accuracy)
		margin = splitMargin*value + (1-headPrice)*e.boxTime(q, value)
	}
	return d.worth(q) > d.worth(p)+margin && d.besideBox(q) > d.settings.Tuning.Margin
}

// besideBox is what a path brings beside a run on the box that backs it up, less what it takes, as
// policy quantile has it.
func (d *decision) besideBox(p *path) float64 {
	local, has := d.paths[0].view, 0.
	if local.Usable {
		has = local.InTime * d.settings.Tuning.value(d.job.task.Priority, local.Accuracy)
	}
	return p.view.InTime*(d.settings.Tuning.value(d.job.task.Priority, p.view.Accuracy)-has) - d.toll(p)
}

// boxTime is what the others on the box need of the time of a head, in shares of a result's value:
// none where the box idles, and where it has no time left the share of its own that a task takes.
func (e *Engine) boxTime(p *path, value float64) float64 {
	takes := p.head.Seconds() / max(min(p.left, time.Second), time.Millisecond).Seconds()
	return min(1, e.box.load.share(e.now, e.box.workers)) * min(1, takes) * value
}

// headToll is what a split takes of the box: the head's time from others, and from the task's own
// run there, which can start no sooner than the head has ended, where the answer from elsewhere
// does not come in time.
func (e *Engine) headToll(p *path, j *job) float64 {
	t := &e.settings.Tuning
	toll := headPrice * e.boxTime(p, t.value(j.task.Priority, p.view.Accuracy))
	local := e.decision.paths[0].view
	if !local.Usable || p.left == forever {
		return toll
	}
	v, _ := e.box.fitting(j, e.now+p.head)
	after := e.box.kept.Correct(e.box.within(v, p.left-slackened(p.head), e.box.expect(v, j.task, e.now)))
	lost := local.InTime*t.value(j.task.Priority, local.Accuracy) - after*t.value(j.task.Priority, v.Accuracy)
	return toll + (1-p.view.InTime)*max(0, lost)
}

// worth is what a path is expected to bring, less what it takes.
func (d *decision) worth(p *path) float64 {
	return p.view.InTime*d.settings.Tuning.value(d.job.task.Priority, p.view.Accuracy) - d.toll(p)
}

// startHead queues the head of a job's split. On the box it is due so long before the deadline
// as the rest is expected to take, or where that is too optimistic when it was promised.
func (e *Engine) startHead(j *job, p *path) {
	j.split, j.to = p.split, p.target
	if j.deadline != forever {
		j.due = min(j.deadline, max(e.now+slackened(p.head), j.deadline-(p.expected-p.head)))
	}
	e.queueLocal(j)
}

// leaveHead gives a job's split up: what it waits for on the box is a whole run again, if
// there is one.
func (e *Engine) leaveHead(j *job) {
	waited := j.waiting
	if waited {
		e.box.dequeue(j)
	}
	j.split, j.due = nil, j.deadline
	if waited && len(j.variants()) > 0 {
		e.box.enqueue(j)
	}
}

// headDone sends what the head of a job gave, if that may still be in time; else the job looks
// for another way.
func (e *Engine) headDone(j *job, features []byte) {
	if !j.heading() { // it went another way meanwhile
		e.fallBack(j, "")
		return
	}
	if j.waiting { // the run was told to stop, and was done before it could
		e.box.dequeue(j)
	}
	t := *j.task
	t.Payload, t.Model = features, j.split.Tail
	t.Context = maps.Clone(t.Context)
	if t.Context == nil {
		t.Context = map[string]string{}
	}
	t.Context["content-type"] = FeaturesType
	delete(t.Context, "shape") // of a signal, as it was
	delete(t.Context, "model") // the tail is
	j.onward, j.due = &t, j.deadline

	d := e.look(j, e.views[:1+len(e.targets)])
	p := &d.paths[1+j.to]
	if !p.view.Usable || j.deadline != forever && p.view.InTime < e.settings.Tuning.Stale {
		e.fallBack(j, "the features of "+j.split.Name+" would not be in time at "+p.view.Target)
		return
	}
	e.goOut(j, p, j.both)
}
