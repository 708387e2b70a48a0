// SPDX-License-Identifier: Apache-2.0

package source

import (
	"maps"
	"sync"
	"time"
)

// State is the health of a source.
type State string

// The states.
const (
	Starting State = "starting" // nothing captured yet
	Running  State = "running"  // samples flow
	Retrying State = "retrying" // failed, not yet often enough to be called down
	Down     State = "down"     // failed FailuresToDown times in a row
	Disabled State = "disabled" // turned off
)

// Status is what an operator sees of one source.
type Status struct {
	State    State             `json:"state"`
	Detail   string            `json:"detail,omitempty"` // why it is not running
	Since    time.Time         `json:"since"`            // of State
	Rate     float64           `json:"rate"`             // samples per second; 0 is as the source delivers
	Enabled  bool              `json:"enabled"`
	Captured uint64            `json:"captured"`
	Sent     uint64            `json:"sent"`
	Dropped  map[Reason]uint64 `json:"dropped,omitempty"`
}

// String is the state, with the reason where there is one.
func (s Status) String() string {
	if s.Detail == "" {
		return string(s.State)
	}
	return string(s.State) + ": " + s.Detail
}

// TotalDropped sums up Dropped.
func (s Status) TotalDropped() uint64 {
	var n uint64
	for _, c := range s.Dropped {
		n += c
	}
	return n
}

// journal keeps the account of one source and decides on its state.
type journal struct {
	name           string
	failuresToDown int
	log            Logger
	changed        func(Status)

	mu       sync.Mutex
	status   Status
	failures int // in a row
	noted    map[Reason]bool
}

func newJournal(name string, o Options) *journal {
	return &journal{
		name: name, failuresToDown: o.FailuresToDown, log: o.Log, changed: o.Changed,
		status: Status{State: Starting, Since: time.Now(), Dropped: map[Reason]uint64{}},
		noted:  map[Reason]bool{},
	}
}

func (j *journal) snapshot() Status {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.copy()
}

func (j *journal) copy() Status {
	s := j.status
	s.Dropped = maps.Clone(s.Dropped)
	return s
}

func (j *journal) captured() {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.status.Captured++
	j.failures = 0
	j.enter(Running, "")
}

func (j *journal) sent() {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.status.Sent++
}

func (j *journal) drop(reason Reason) {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.status.Dropped[reason]++
}

func (j *journal) skipped(r *Rejection) {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.turnedAway(r)
}

func (j *journal) rejected(r *Rejection) {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.failures++
	if j.failures >= j.failuresToDown {
		j.enter(Down, r.Error())
	}
	j.turnedAway(r)
}

// turnedAway counts, and tells of each reason once per state, unless the state already
// told.
func (j *journal) turnedAway(r *Rejection) {
	j.status.Dropped[r.Reason]++
	if !j.noted[r.Reason] && j.status.Detail != r.Error() {
		j.log.Warnf("source %s: %s (told once; counted from here on)", j.name, r)
	}
	j.noted[r.Reason] = true
}

// failed counts a run that ended. It returns how many failed in a row.
func (j *journal) failed(err error) int {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.failures++
	if j.failures >= j.failuresToDown {
		j.enter(Down, err.Error())
	} else {
		j.enter(Retrying, err.Error())
	}
	return j.failures
}

// restart forgets the failures: the source was turned on or off.
func (j *journal) restart(s State) {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.failures = 0
	j.enter(s, "")
}

// enter changes the state; within one state a new detail is kept and not logged.
func (j *journal) enter(s State, detail string) {
	j.status.Detail = detail
	if j.status.State == s {
		return
	}
	before := j.status.State
	j.status.State, j.status.Since = s, time.Now()
	clear(j.noted)
	if s == Retrying || s == Down {
		j.log.Warnf("source %s: %s (was %s)", j.name, j.status, before)
	} else {
		j.log.Infof("source %s: %s (was %s)", j.name, j.status, before)
	}
	j.changed(j.copy())
}
