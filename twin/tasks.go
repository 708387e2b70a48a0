// SPDX-License-Identifier: Apache-2.0

package twin

import (
	"fmt"
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

	cell Cell
	work workload
}

// DrawWork draws the tasks that Play plays. The error names what is wrong with the cell.
func DrawWork(c Cell) (*Work, error) {
	c.Scenario = c.scenario()
	if err := c.Scenario.Validate(); err != nil {
		return nil, err
	}
	if err := c.Class.validate(c.Scenario); err != nil {
		return nil, err
	}
	w := &Work{cell: c, work: newWorkload(c.Scenario, c.Class, c.Length(), c.Seed)}
	for i := range w.work.jobs {
		j := &w.work.jobs[i]
		w.Tasks = append(w.Tasks, WorkTask{
			At: j.at, Model: c.Scenario.Models[j.model].Name, Bytes: j.bytes, Priority: j.priority, Allowed: j.allowed,
		})
	}
	return w, nil
}

// Scenario is the cell's; it is not to be changed.
func (w *Work) Scenario() *Scenario { return w.cell.Scenario }

// Models are what the engine is told of the models of such a box.
func (w *Work) Models() []offload.Model { return w.cell.Scenario.models(w.cell.Class) }

// Power is what such a box draws.
func (w *Work) Power() offload.Power {
	return offload.Power{Busy: w.cell.Class.Watts, Radio: w.cell.Scenario.RadioWatts}
}

// Local is how long the box takes for a task that starts at a time on a variant.
func (w *Work) Local(task int, variant string, started time.Duration) time.Duration {
	j := &w.work.jobs[task]
	return w.work.local(j, started, w.cell.Scenario.variant(j, variant).Share)
}

// Remote is how long a target, by its index, takes for a task that reaches it at a time.
func (w *Work) Remote(task, target int, arrived time.Duration) time.Duration {
	return w.work.service(&w.work.jobs[task], target, arrived)
}

// Tally scores a cell that another driver plays, as Run scores its own. Its figures of
// energy do not count what the radio draws. It is not safe for concurrent use.
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

// Tally of the work's tasks.
func (w *Work) Tally() *Tally {
	t := &Tally{work: w, score: newScorer(&simulation{cell: w.cell, scenario: w.cell.Scenario})}
	t.score.prepare(w.work.jobs)
	t.took = make([]TaskResult, len(w.Tasks))
	return t
}

// Ran counts a local run.
func (t *Tally) Ran(takes time.Duration) { t.score.ran(takes) }

// Sent counts a payload that was handed to a target's uplink.
func (t *Tally) Sent(task, target int) {
	t.score.sent(task, target, t.work.Tasks[task].Bytes+t.work.cell.Scenario.Wire.Overhead, 0)
}

// Finished takes a task's outcome.
func (t *Tally) Finished(task int, o *offload.Outcome) {
	t.score.finish(task, o)
	t.note(task, o)
}

func (t *Tally) note(task int, o *offload.Outcome) {
	r := &t.took[task]
	r.Route, r.Reason, r.LatencyMs, r.InTime = o.Record.Route, string(o.Reason), o.Record.LatencyMs, o.Record.DeadlineMet
}

// Score is what it all came to.
func (t *Tally) Score() Score { return t.score.result() }

// Results are by task.
func (t *Tally) Results() []TaskResult {
	for i := range t.took {
		t.took[i].Sent = t.score.outcomes[i].wasSent
	}
	return t.took
}

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
	return tally.Score(), tally.Results(), nil
}

// Cut is a trace of exactly a length: its beginning, or repeated until it is long enough.
func (t Trace) Cut(length time.Duration) (Trace, error) {
	if len(t.Slots) == 0 {
		return Trace{}, fmt.Errorf("trace %q has no slots", t.Name)
	}
	if length < SlotLength || length > longestCut {
		return Trace{}, fmt.Errorf("length %v: allowed is %v to %v", length, SlotLength, longestCut)
	}
	cut := Trace{Name: t.Name, Slots: make([]Slot, length/SlotLength)}
	for i := range cut.Slots {
		cut.Slots[i] = t.Slots[i%len(t.Slots)]
	}
	return cut, nil
}

// longestCut bounds what a repeated trace takes.
const longestCut = time.Hour
