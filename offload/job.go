// SPDX-License-Identifier: Apache-2.0

package offload

import (
	"cmp"
	"time"

	"edgex-offload/offload/link"
)

// job is a task under way in the engine.
type job struct {
	ref   uint64
	order uint64 // of arrival
	task  *Task
	model *Model // nil when nothing is known of it here

	created, arrived time.Duration
	// deadline and end (the deadline and its grace); forever when the task has none.
	deadline, end time.Duration

	// waiting: in the local queue. backup: a local run is kept ready behind a remote attempt.
	waiting, backup bool
	// live are the attempts under way; tried marks the targets that had one.
	live  []*attempt
	tried uint32

	record Record
}

// forever is later than any time that an engine sees.
const forever = time.Duration(1<<62 - 1)

// attempt is one try at a job, on the box or on a target.
type attempt struct {
	id       uint64
	job      *job
	target   int // onBox for a local run
	variant  string
	started  time.Duration
	expected time.Duration
	// prediction of its end and bytes ahead of it when it was handed over; remote ones alone.
	prediction link.Prediction
	ahead      float64
	promised   float64 // the probability of being in time by which it was decided
	view       int     // index in job.record.Attempts
	// cancelled: its job is done without it; what it brings teaches, and decides nothing.
	cancelled bool
}

const onBox = -1

// wireOverhead is what request and headers add to a payload, in bytes.
const wireOverhead = 200

func (a *attempt) bytes() int { return len(a.job.task.Payload) + wireOverhead }

// moreUrgent orders by priority, then deadline, then arrival; negative when j goes first.
func (j *job) moreUrgent(k *job) int {
	return cmp.Or(
		-cmp.Compare(j.task.Priority, k.task.Priority),
		cmp.Compare(j.deadline, k.deadline),
		cmp.Compare(j.order, k.order),
	)
}

// variants are what the box can run it with.
func (j *job) variants() []Variant {
	if j.model == nil {
		return nil
	}
	return j.model.Local
}

// offset is a time on the record's scale, milliseconds from Created.
func (j *job) offset(at time.Duration) float64 { return ms(at - j.created) }

func newRecord(t *Task) Record {
	r := Record{
		TaskID: t.ID, Source: t.Source, Kind: t.Kind.String(), Model: t.Model,
		Priority: t.Priority.String(), Bytes: len(t.Payload), Created: t.Created,
		Paths: []PathView{}, Attempts: []AttemptView{}, Truth: t.Truth,
	}
	if !t.Deadline.IsZero() {
		r.DeadlineMs = ms(t.Deadline.Sub(t.Created))
	}
	return r
}
