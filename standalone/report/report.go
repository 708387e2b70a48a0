// SPDX-License-Identifier: Apache-2.0

package report

import (
	"cmp"
	"slices"
	"time"

	"edgex-offload/offload"
	"edgex-offload/offload/trial"
)

// Report is what a run came to. Shares are 0 to 1.
type Report struct {
	// Frames are the events of the device service on the bus: frames and sensor windows.
	Frames int `json:"frames"`
	// Tasks are the decision records.
	Tasks    int      `json:"tasks"`
	Outcomes Outcomes `json:"outcomes"`
	// OnTime is the share of all tasks that had their result by the deadline.
	OnTime float64 `json:"on_time"`
	// Accuracy is the share of answers that agree with the ground truth; nil without truth.
	Accuracy *float64 `json:"accuracy"`
	// PromisedAccuracy is what the models' files state for the same answers, in the mean.
	PromisedAccuracy *float64 `json:"promised_accuracy"`
	// LatencyMs is from capture to result.
	LatencyMs Quantiles `json:"latency_ms"`
	// Link is what the box knew of its link to the cloud, in the mean over its decisions.
	Link Link `json:"link"`
	// EventsPublished are the outcome events on the bus.
	EventsPublished int     `json:"events_published"`
	DurationS       float64 `json:"duration_s"`
	// PassedOver counts what came from the bus and became no task, by reason.
	PassedOver map[string]int `json:"passed_over"`
	// Policy, and Profile: the emulated link's profile or trace.
	Policy  string `json:"policy"`
	Profile string `json:"profile"`
	// Policies compares those that decided, and those that only chose, with their intervals.
	Policies []trial.Row `json:"policies,omitempty"`
	// BySource has the same figures for each device and resource.
	BySource map[string]Source `json:"by_source"`

	reachable bool // the cloud, for at least one task
	chosen    int  // the cloud, for how many tasks
}

// Outcomes counts how tasks ended.
type Outcomes struct {
	Local   int            `json:"local"`
	Cloud   int            `json:"cloud"`
	Dropped map[string]int `json:"dropped"`
	// Features are those of Cloud that were sent as the features of a split model.
	Features int `json:"features,omitempty"`
	// Late are those of Local and Cloud that came after their deadline.
	Late int `json:"late"`
}

// Quantiles are in milliseconds; all 0 without any result.
type Quantiles struct {
	P50 float64 `json:"p50"`
	P95 float64 `json:"p95"`
	P99 float64 `json:"p99"`
}

// Link is the estimate of the link; 0 is unknown.
type Link struct {
	RTTMs    float64 `json:"rtt_ms"`
	JitterMs float64 `json:"jitter_ms"` // standard deviation of the round trip
	UpKbps   float64 `json:"up_kbps"`
	Loss     float64 `json:"loss"`
}

// Source is what one source came to.
type Source struct {
	Tasks            int      `json:"tasks"`
	Local            int      `json:"local"`
	Cloud            int      `json:"cloud"`
	Dropped          int      `json:"dropped"`
	OnTime           float64  `json:"on_time"`
	Accuracy         *float64 `json:"accuracy"`
	PromisedAccuracy *float64 `json:"promised_accuracy"`
	P50Ms            float64  `json:"p50_ms"`
}

// Seen is what the records do not tell.
type Seen struct {
	Frames, EventsPublished int
	PassedOver              map[string]int
	Duration                time.Duration
	Profile                 string
}

// Run gathers the records of a run. It keeps a few numbers of each, not the record, so
// that a run may last for days. The zero value is not ready; New makes one.
type Run struct {
	all       *tally
	sources   map[string]*tally
	promised  map[string]float64 // stated accuracy by promiseKey
	link      linkMeans
	reachable bool // the cloud, for at least one task
	chosen    int  // the cloud, for how many tasks
	policy    string
	policies  *trial.Table
}

// New returns a Run without records.
func New() *Run {
	return &Run{all: newTally(), sources: map[string]*tally{}, promised: map[string]float64{}, policies: trial.New()}
}

// From computes a report in one go.
func From(records []offload.Record, seen Seen) Report {
	run := New()
	run.Add(records)
	return run.Report(seen)
}

// Add takes in the next records.
func (run *Run) Add(records []offload.Record) {
	for i := range records {
		r := &records[i]
		run.policy = r.Policy
		run.look(r)
		run.policies.Add(r)
		if run.sources[r.Source] == nil {
			run.sources[r.Source] = newTally()
		}
		run.all.add(r, run.promised)
		run.sources[r.Source].add(r, run.promised)
	}
}

// look takes in what a decision knew.
func (run *Run) look(r *offload.Record) {
	if r.Decided != "" && r.Decided != offload.Local {
		run.chosen++
	}
	for _, p := range r.Paths {
		if p.Accuracy > 0 {
			run.promised[promiseKey(r.Model, p.Target, p.Variant)] = p.Accuracy
		}
		if p.Target != offload.Local {
			run.link.add(p)
			run.reachable = run.reachable || p.Usable
		}
	}
}

// Report is what the run came to so far.
func (run *Run) Report(seen Seen) Report {
	report := Report{
		Frames: seen.Frames, Tasks: run.all.tasks, Outcomes: run.all.outcomes, OnTime: run.all.onTimeShare(),
		Accuracy: share(run.all.correct, run.all.judged), PromisedAccuracy: meanOf(run.all.promised, run.all.judged),
		LatencyMs: run.all.quantiles(), Link: run.link.means(),
		EventsPublished: seen.EventsPublished, DurationS: round(seen.Duration.Seconds(), 1),
		PassedOver: seen.PassedOver, Policy: run.policy, Profile: seen.Profile, BySource: map[string]Source{},
		reachable: run.reachable, chosen: run.chosen,
	}
	if rows := run.policies.Rows(); len(rows) > 0 {
		report.Policies = rows
	}
	for name, t := range run.sources {
		report.BySource[name] = t.source()
	}
	return report
}

// SourceNames are sorted, the busiest first.
func (r Report) SourceNames() []string {
	names := make([]string, 0, len(r.BySource))
	for name := range r.BySource {
		names = append(names, name)
	}
	slices.SortFunc(names, func(a, b string) int {
		return cmp.Or(cmp.Compare(r.BySource[b].Tasks, r.BySource[a].Tasks), cmp.Compare(a, b))
	})
	return names
}
