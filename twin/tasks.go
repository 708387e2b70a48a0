// SPDX-License-Identifier: Apache-2.0

package twin

import (
	"fmt"
	"strings"
	"time"

	"edgex-offload/offload"
)

// WorkTask is one task of a cell.
type WorkTask struct {
	// At is when it arrives.
	At       time.Duration
	Model    string
	Bytes    int
	Priority offload.Priority
	// Allowed is the time to its deadline.
	Allowed time.Duration
}

// Work is what the tasks of a cell are and how long each takes in each place, for a driver
// that plays them over a link of its own. It is safe for concurrent use.
type Work struct {
	Tasks []WorkTask
	// AnswerBytes is what each answer takes on the downlink.
	AnswerBytes int

	cell Cell
	work workload
}

// DrawWork draws the tasks that Play plays.
func DrawWork(c Cell) *Work {
	w := &Work{AnswerBytes: answerBytes, cell: c, work: newWorkload(c.Class, c.Trace.Length(), c.Seed)}
	for i := range w.work.jobs {
		j := &w.work.jobs[i]
		w.Tasks = append(w.Tasks, WorkTask{At: j.at, Model: j.model(), Bytes: j.bytes, Priority: j.priority, Allowed: j.allowed})
	}
	return w
}

// Models are what the engine is told of the models of such a box.
func (w *Work) Models() []offload.Model { return w.cell.Class.models() }

// Power is what such a box draws.
func (w *Work) Power() offload.Power {
	return offload.Power{Busy: w.cell.Class.Watts, Radio: radioWatts}
}

// Local is how long the box takes for a task that starts at a time on a variant.
func (w *Work) Local(task int, variant string, started time.Duration) time.Duration {
	return w.work.local(task, variant, started)
}

// Cloud is how long the cloud takes for a task that reaches it at a time.
func (w *Work) Cloud(task int, arrived time.Duration) time.Duration {
	return w.work.service(&w.work.jobs[task], arrived)
}

// CloudModel is the name of the model in an answer of the cloud, by which it is scored.
const CloudModel = "cloud"

// local is how long the box takes for a job that starts at a time.
func (w *workload) local(job int, variant string, started time.Duration) time.Duration {
	takes := w.jobs[job].local
	if within(w.throttling, started) {
		takes = share(takes, throttleFactor)
	}
	if strings.HasSuffix(variant, tiny) {
		takes = share(takes, tinyShare)
	}
	return takes
}

// Tally scores a cell that another driver plays, as Run scores its own. Its figures of
// energy do not count what the radio draws.
type Tally struct {
	work  *Work
	score *scorer
	took  []TaskResult
}

// TaskResult is how one task ended.
type TaskResult struct {
	Route     string  `json:"route"` // offload.Local, a target's name, or "" for none
	Reason    string  `json:"reason,omitempty"`
	LatencyMs float64 `json:"latency_ms"`
	InTime    bool    `json:"in_time"`
	Sent      bool    `json:"sent"`
}

// Tally of the work's tasks. It is not safe for concurrent use.
func (w *Work) Tally() *Tally {
	return &Tally{work: w, score: newScorer(w.cell), took: make([]TaskResult, len(w.Tasks))}
}

// Ran counts a local run.
func (t *Tally) Ran(takes time.Duration) { t.score.ran(takes) }

// Sent counts a payload that was handed to the uplink.
func (t *Tally) Sent(task int) {
	t.score.sent(task, t.work.Tasks[task].Bytes+overhead, 0)
	t.took[task].Sent = true
}

// Finished takes a task's outcome.
func (t *Tally) Finished(task int, o offload.Outcome) {
	t.score.finish(task, o)
	r := &t.took[task]
	r.Route, r.Reason, r.LatencyMs, r.InTime = o.Record.Route, string(o.Reason), o.Record.LatencyMs, o.Record.DeadlineMet
}

// Score is what it all came to.
func (t *Tally) Score() Score { return t.score.result(t.work.work.jobs) }

// Results are by task.
func (t *Tally) Results() []TaskResult { return t.took }

// Play plays the cell from which the work was drawn on the virtual clock, and scores it and
// each of its tasks.
func (w *Work) Play() (Score, []TaskResult, error) {
	s, err := newSimulation(w.cell, w.Models())
	if err != nil {
		return Score{}, nil, err
	}
	tally := w.Tally()
	s.work, s.score = w.work, tally.score
	s.finished = tally.Finished
	s.run()
	for i := range tally.took {
		tally.took[i].Sent = i < len(tally.score.wasSent) && tally.score.wasSent[i]
	}
	return tally.Score(), tally.Results(), nil
}

// Cut is a trace of exactly a length: its beginning, or repeated until it is long enough.
func (t Trace) Cut(length time.Duration) (Trace, error) {
	if len(t.Slots) == 0 {
		return Trace{}, fmt.Errorf("trace %q has no slots", t.Name)
	}
	if length < SlotLength || length > maxLength {
		return Trace{}, fmt.Errorf("length %v: allowed is %v to %v", length, SlotLength, maxLength)
	}
	cut := Trace{Name: t.Name, Slots: make([]Slot, length/SlotLength)}
	for i := range cut.Slots {
		cut.Slots[i] = t.Slots[i%len(t.Slots)]
	}
	return cut, nil
}
