// SPDX-License-Identifier: Apache-2.0

package offload

import (
	"cmp"
	"time"
)

// job is a task under way in the engine. Engine.newJob takes it from a pool, with the
// buffers of its record.
type job struct {
	ref   uint64
	order uint64 // of arrival
	task  *Task
	model *model // nil when nothing is known of it here

	created, arrived time.Duration
	// deadline and end (the deadline and its grace); forever when the task has none.
	deadline, end time.Duration
	// due is when the box has to be done with it: the deadline, or with a split so long before
	// it as the rest takes elsewhere.
	due time.Duration
	// split is the one that was chosen; onward, once its head has run, what goes to the target
	// with the index to.
	split  *split
	onward *Task
	to     int
	// both: a run of the whole was chosen as well, for when the features go out.
	both bool

	// others are the variants that are left after one failed; nil as long as none did.
	others []variant
	// waiting: in the local queue. backup: a local run is kept ready behind a remote attempt.
	waiting, backup bool
	// careful: its policy goes by the probability of being in time, and so do its backup, what
	// is held for it and where else it is looked for.
	careful bool
	// softAt is when an idle box runs the backup.
	softAt time.Duration
	// counted: it is part of the box's load.
	counted bool
	// preempted counts the runs of it that were stopped for others.
	preempted int
	// rescuedAt is when another target was looked for last.
	rescuedAt time.Duration
	// held is the box's answer, kept back while a better one may come until heldUntil.
	held      held
	heldUntil time.Duration
	// rawLocal is the probability that the box is in time, as it was at the decision.
	rawLocal float64
	// live are the attempts under way; tried marks the targets that had one.
	live  []*attempt
	tried uint32
	// sent marks the targets that a payload was handed over to.
	sent   uint32
	lesson lesson

	record Record
}

// held is an answer that is ready.
type held struct {
	answer      *Answer
	accuracy    float64
	processedBy string
}

// forever is later than any time that an engine sees.
const forever = time.Duration(1<<62 - 1)

// attempt is one try at a job, on the box or on a target.
type attempt struct {
	id  uint64
	job *job // nil once it is cancelled: what it brings teaches, and decides nothing
	// What it needs of its job after that.
	priority Priority
	deadline time.Duration
	model    *model
	payload  int

	target   int      // onBox for a local run
	variant  *variant // of a local run
	head     bool     // that run is the head of a split
	started  time.Duration
	fullAt   time.Duration // speed.full when a local run started
	expected time.Duration
	whole    time.Duration // expected, before it was told to stop
	// orphan: its job is done without it, and it is let come to its end.
	orphan bool
	// overdue: a local run that takes much longer than expected.
	overdue bool
	// stopping: a local run that was told to stop; it occupies its worker until it does.
	stopping  bool
	stoppedAt time.Duration
	// prediction of its end and bytes ahead of it when it was handed over; remote ones alone.
	prediction prediction
	decided    prediction // the one that it was decided by
	ahead      float64
	// promised is the probability of being in time by which it was handed over; raw and rawDecided
	// are what the link said then and at the decision.
	promised, raw, rawDecided float64
	view                      int // index in job.record.Attempts
}

const onBox = -1

// wireOverhead is what request and headers add to a payload, in bytes.
const wireOverhead = 200

func (a *attempt) bytes() int { return a.payload + wireOverhead }

// bytes are what an attempt at it puts on the wire.
func (j *job) bytes() int { return len(j.outbound().Payload) + wireOverhead }

// moreUrgent orders by priority, then deadline, then arrival; negative when j goes first.
func (j *job) moreUrgent(k *job) int {
	return cmp.Or(
		-cmp.Compare(j.task.Priority, k.task.Priority),
		cmp.Compare(j.deadline, k.deadline),
		cmp.Compare(j.order, k.order),
	)
}

// sooner orders by when the box has to be done, then priority, then arrival.
func (j *job) sooner(k *job) int {
	return cmp.Or(
		cmp.Compare(j.due, k.due),
		-cmp.Compare(j.task.Priority, k.task.Priority),
		cmp.Compare(j.order, k.order),
	)
}

// variants are what the box can run it with: the head alone of a split that was chosen.
func (j *job) variants() []variant {
	switch {
	case j.model == nil:
		return nil
	case j.heading():
		return j.split.head[:]
	case j.others != nil:
		return j.others
	}
	return j.model.local
}

// withoutVariant takes one that failed out of what the box can run the job with.
func (j *job) withoutVariant(failed *variant) {
	others := []variant{}
	for _, v := range j.variants() {
		if v.Name != failed.Name {
			others = append(others, v)
		}
	}
	j.others = others
}

// second tells whether another target may be looked for: the box cannot run it, and one has it.
func (j *job) second() bool {
	return j.careful && len(j.variants()) == 0 && j.deadline != forever && j.flying() != nil
}

// onlyHere: it is critical, and nothing else may bring its result.
func (j *job) onlyHere() bool { return j.task.Priority == Critical && j.flying() == nil }

// left is the time to the deadline; forever when there is none.
func (j *job) left(now time.Duration) time.Duration {
	if j.deadline == forever {
		return forever
	}
	return j.deadline - now
}

// running is its run on the box that is under way; nil for none.
func (j *job) running() *attempt {
	for _, a := range j.live {
		if a.target == onBox {
			return a
		}
	}
	return nil
}

// flying is its attempt elsewhere that was sent last, or waits to be sent; nil for none.
func (j *job) flying() *attempt {
	for i := len(j.live) - 1; i >= 0; i-- {
		if j.live[i].target != onBox {
			return j.live[i]
		}
	}
	return nil
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

// offset is a time on the record's scale, milliseconds from Created.
func (j *job) offset(at time.Duration) float64 { return ms(at - j.created) }

// worth is what a result of a priority is worth against one of the lowest, as in the
// utility of the twin's benchmark.
func (p Priority) worth() float64 {
	return [Priorities]float64{1, 2, 4, 8}[min(max(p, Low), Critical)]
}

// value of a result in time of so much accuracy, in shares of that of the lowest priority; an
// unknown accuracy is worth something too.
func (t *Tuning) value(p Priority, accuracy float64) float64 {
	return p.worth()*max(accuracy, .01) + t.Miss
}
