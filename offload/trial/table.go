// SPDX-License-Identifier: Apache-2.0

package trial

import (
	"cmp"
	"math"
	"slices"
	"time"

	"edgex-offload/offload"
)

// The roles of a policy.
const (
	Acting = "acting"
	Trial  = "trial"
	Shadow = "shadow"
)

// Row is what one policy came to in one role.
type Row struct {
	Policy string `json:"policy"`
	Role   string `json:"role"`
	// Tasks were decided by it; of a shadow, would have been.
	Tasks uint64 `json:"tasks"`
	// Missed is the share without a result by the deadline, with its 95% interval: Wilson's, or
	// that of the means of Batches stretches of 10 s where that reaches further.
	Missed  Interval `json:"missed"`
	Batches uint64   `json:"batches"`
	// P99Ms is the time from capture to the result that 99 of 100 tasks keep, with the 95%
	// interval of its order statistics, to 1%; null where more have no result, or where there
	// are too few tasks to bound it.
	P99Ms Interval `json:"p99Ms"`
	// Agreed is the share of a shadow's tasks in which it chose what was done: those count as
	// they really ended, the others by what their path promised.
	Agreed *float64 `json:"agreed,omitempty"`
}

// Table adds up records. New makes one.
type Table struct {
	rows map[rowKey]*row
}

type rowKey struct{ policy, role string }

// mostRows bounds the rows: a file of records may name any policy.
const mostRows = 64

// New returns a Table without records.
func New() *Table { return &Table{rows: map[rowKey]*row{}} }

// row is a Row that is being added up.
type row struct {
	tasks, agreed uint64
	missed        float64
	batches       batches
	times         histogram
}

// Add takes in a record, in the order in which the tasks ended. One that nobody decided, or
// that the end of the service cut off, says nothing of a policy.
func (t *Table) Add(r *offload.Record) {
	if r.Settled.Term == "" || r.Reason == offload.Stopped || r.Reason == offload.Invalid {
		return
	}
	role := Acting
	if r.Trial {
		role = Trial
	}
	missed, took := 1., math.Inf(1)
	if r.Route != "" {
		took = r.LatencyMs
		if r.DeadlineMet {
			missed = 0
		}
	}
	batch := batchOf(r)
	t.add(rowKey{r.Policy, role}, batch, missed, took, true)
	for i := range r.Shadows {
		s := &r.Shadows[i]
		if s.Decided == r.Decided {
			t.add(rowKey{s.Policy, Shadow}, batch, missed, took, true)
			continue
		}
		would, in := promised(s, r)
		t.add(rowKey{s.Policy, Shadow}, batch, would, in, false)
	}
}

// promised is what the path promised that a shadow would have taken: the probability of a
// miss, and the time to the answer.
func promised(s *offload.ShadowView, r *offload.Record) (missed, took float64) {
	if s.Decided == "" {
		return 1, math.Inf(1)
	}
	return 1 - min(max(s.InTime, 0), 1), r.ArrivedMs + s.ExpectedMs
}

func (t *Table) add(key rowKey, batch int64, missed, took float64, agreed bool) {
	r := t.rows[key]
	if r == nil {
		if len(t.rows) >= mostRows {
			return
		}
		r = &row{}
		t.rows[key] = r
	}
	r.tasks++
	r.missed += missed
	if agreed {
		r.agreed++
	}
	r.batches.add(batch, missed)
	r.times.add(took)
}

// batchLength is how long tasks count as one: longer than most stalls of a link, which hit
// all tasks under way alike.
const batchLength = 10 * time.Second

// batchOf is when a task ended, in stretches of batchLength.
func batchOf(r *offload.Record) int64 {
	ended := r.Created.Add(time.Duration(r.LatencyMs * float64(time.Millisecond)))
	return ended.Unix() / int64(batchLength/time.Second)
}

// Rows are sorted: what acts, what is on trial, shadows; then by name.
func (t *Table) Rows() []Row {
	rows := make([]Row, 0, len(t.rows))
	for key, r := range t.rows {
		rows = append(rows, r.row(key))
	}
	order := []string{Acting, Trial, Shadow}
	slices.SortFunc(rows, func(a, b Row) int {
		return cmp.Or(cmp.Compare(slices.Index(order, a.Role), slices.Index(order, b.Role)), cmp.Compare(a.Policy, b.Policy))
	})
	return rows
}

func (r *row) row(key rowKey) Row {
	out := Row{
		Policy: key.policy, Role: key.role, Tasks: r.tasks, P99Ms: r.times.quantile99(),
		Missed: wider(Wilson(r.missed, float64(r.tasks)), r.batches.interval()), Batches: r.batches.count(),
	}
	if key.role == Shadow {
		share := float64(r.agreed) / float64(r.tasks)
		out.Agreed = &share
	}
	return out
}
