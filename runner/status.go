// SPDX-License-Identifier: Apache-2.0

package runner

import (
	"cmp"
	"maps"
	"slices"
	"time"

	"edgex-offload/offload"
	"edgex-offload/offload/trial"
)

// Status is how everything stands, for an operator.
type Status struct {
	Policy string `json:"policy"`
	// Objective is what the weights are for; "custom" for weights of the operator's own.
	Objective string `json:"objective"`
	// Trial is the policy on trial for a share of the sources; "" for none.
	Trial   string  `json:"trial,omitempty"`
	UptimeS float64 `json:"uptimeS"`
	Tasks   Tasks   `json:"tasks"`
	// Box is what the box runs on.
	Box Box `json:"box"`
	// LatencyMs are quantiles of the last results' time from capture to result; 0 without any.
	LatencyMs Quantiles      `json:"latencyMs"`
	Targets   []TargetStatus `json:"targets"`
	// LocalServiceMs is the mean execution time by variant.
	LocalServiceMs map[string]float64 `json:"localServiceMs"`
}

// Tasks counts tasks since the start.
type Tasks struct {
	Arrived  uint64 `json:"arrived"`
	Finished uint64 `json:"finished"`
	// UnderWay have no outcome yet; Waiting of them wait for the box, Running run on it.
	UnderWay int `json:"underWay"`
	Waiting  int `json:"waiting"`
	Running  int `json:"running"`
	// Routes counts results by who answered, Dropped the tasks without one by reason.
	Routes  map[string]uint64 `json:"routes"`
	Dropped map[string]uint64 `json:"dropped"`
	// OnTime counts results by their deadline.
	OnTime uint64 `json:"onTime"`
}

// Quantiles are in milliseconds.
type Quantiles struct {
	P50 float64 `json:"p50"`
	P95 float64 `json:"p95"`
	P99 float64 `json:"p99"`
}

// TargetStatus is one target and the link to it.
type TargetStatus struct {
	Name string `json:"name"`
	// Up is false while nothing is sent there; Reason says why.
	Up     bool   `json:"up"`
	Reason string `json:"reason,omitempty"`
	// RTTMs is the smoothed round trip, MinRTTMs the least of the last 60.
	RTTMs    float64 `json:"rttMs"`
	MinRTTMs float64 `json:"minRttMs"`
	// The three definitions of jitter: standard deviation, mean absolute difference, and
	// the running estimate of RFC 3550.
	JitterMs        float64 `json:"jitterMs"`
	JitterMADMs     float64 `json:"jitterMadMs"`
	JitterRFC3550Ms float64 `json:"jitterRfc3550Ms"`
	// Loss is the share of the last 60 probes that did not come back.
	Loss float64 `json:"loss"`
	// UpKbps and DownKbps are measured rates in kbit/s; 0 is unknown.
	UpKbps   float64 `json:"upKbps"`
	DownKbps float64 `json:"downKbps"`
	// Probes were sent, ProbesLost of them did not come back.
	Probes     uint64 `json:"probes"`
	ProbesLost uint64 `json:"probesLost"`
	// Waiting is the send queue, InFlight what was handed over.
	Waiting  int `json:"waiting"`
	InFlight int `json:"inFlight"`
	// HeardAgoMs is how long ago it gave a sign of life; -1 for never.
	HeardAgoMs float64 `json:"heardAgoMs"`
	// ServiceMs is its mean execution time by model.
	ServiceMs map[string]float64 `json:"serviceMs"`
}

// Status tells how everything stands now.
func (r *Runner) Status() Status {
	r.mu.Lock()
	defer r.mu.Unlock()
	now := time.Since(r.epoch)
	box := r.engine.Box()
	settings := r.engine.Settings()
	s := Status{
		Policy: settings.Policy, Objective: cmp.Or(settings.Objective, offload.ObjectiveCustom), Trial: settings.Trial.Policy,
		UptimeS: now.Seconds(), Box: r.box,
		Tasks: Tasks{
			Arrived: r.history.arrived, Finished: r.history.finished, OnTime: r.history.onTime,
			UnderWay: box.UnderWay, Waiting: box.Waiting, Running: box.Running,
			Routes: maps.Clone(r.history.routes), Dropped: maps.Clone(r.history.dropped),
		},
		LatencyMs:      r.history.quantiles(),
		Targets:        []TargetStatus{},
		LocalServiceMs: inMs(box.Service),
	}
	for i := range r.options.Targets {
		s.Targets = append(s.Targets, r.targetStatus(i, now))
	}
	return s
}

func (r *Runner) targetStatus(i int, now time.Duration) TargetStatus {
	link, _ := r.engine.Estimate(i)
	state := r.engine.Target(i)
	t := TargetStatus{
		Name: r.options.Targets[i].Name, Up: state.Unusable == "", Reason: state.Unusable,
		RTTMs: ms(link.RTT), MinRTTMs: ms(link.MinRTT),
		JitterMs: ms(link.Jitter.StdDev), JitterMADMs: ms(link.Jitter.MAD), JitterRFC3550Ms: ms(link.Jitter.RFC3550),
		Loss: link.Loss, UpKbps: kbps(link.Up.BytesPerSecond), DownKbps: kbps(link.Down.BytesPerSecond),
		Probes: state.Probes, ProbesLost: state.ProbesLost,
		Waiting: state.Waiting, InFlight: state.InFlight,
		HeardAgoMs: -1, ServiceMs: inMs(state.Service),
	}
	if link.Heard > 0 {
		t.HeardAgoMs = ms(now - link.Heard)
	}
	return t
}

// Decisions are the last records after a sequence number, oldest first, limit at the most.
// What was asked for and is no longer kept is left out: a gap in Seq shows it.
func (r *Runner) Decisions(limit int, after uint64) []offload.Record {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.history.since(limit, after)
}

// Find gives the records of a task that are kept, the newest first, limit at the most; a
// task's id is what its source made it, so that there may be several.
func (r *Runner) Find(task string, limit int) []offload.Record {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.history.find(task, limit)
}

// Kept is how many decision records there are, and how many there may be.
func (r *Runner) Kept() (records, limit int) {
	r.mu.Lock()
	defer r.mu.Unlock()
	return len(r.history.records), cap(r.history.records)
}

// Policies compares the policies that decided, and those that only chose, since the settings
// were last changed.
func (r *Runner) Policies() (since time.Time, rows []trial.Row) {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.policiesSince, r.policies.Rows()
}

func inMs(of map[string]time.Duration) map[string]float64 {
	out := make(map[string]float64, len(of))
	for k, d := range of {
		out[k] = ms(d)
	}
	return out
}

func ms(d time.Duration) float64 { return float64(d) / float64(time.Millisecond) }

// history counts outcomes and keeps the last records.
type history struct {
	arrived, finished, onTime uint64
	routes, dropped           map[string]uint64
	records                   []offload.Record // a ring; the record with Seq s is at (s-1) % cap
	latencies                 []float64        // a ring of the last results
}

// latencyWindow is how many results the quantiles look back on.
const latencyWindow = 1024

func newHistory(keep int) history {
	return history{
		routes: map[string]uint64{}, dropped: map[string]uint64{},
		records: make([]offload.Record, 0, keep), latencies: make([]float64, 0, latencyWindow),
	}
}

func (h *history) add(o offload.Outcome) {
	if len(h.records) < cap(h.records) {
		h.records = append(h.records, o.Record)
	} else {
		h.records[int(h.finished%uint64(cap(h.records)))] = o.Record
	}
	h.finished++
	if o.Answer == nil {
		h.dropped[string(o.Reason)]++
		return
	}
	h.routes[o.Record.Route]++
	if o.Record.DeadlineMet {
		h.onTime++
	}
	if len(h.latencies) == latencyWindow {
		h.latencies = slices.Delete(h.latencies, 0, 1)
	}
	h.latencies = append(h.latencies, o.Record.LatencyMs)
}

func (h *history) since(limit int, after uint64) []offload.Record {
	kept := uint64(len(h.records))
	first := max(after, h.finished-kept) // records first+1 .. finished
	if first >= h.finished || limit <= 0 {
		return []offload.Record{}
	}
	count := min(h.finished-first, uint64(limit))
	if after == 0 { // the newest when no place to go on from is given
		first = h.finished - count
	}
	out := make([]offload.Record, 0, count)
	for s := first; s < first+count; s++ {
		out = append(out, h.records[int(s%uint64(cap(h.records)))])
	}
	return out
}

func (h *history) find(task string, limit int) []offload.Record {
	out := []offload.Record{}
	kept := uint64(len(h.records))
	for s := h.finished; s > h.finished-kept && len(out) < limit; s-- {
		if r := &h.records[int((s-1)%uint64(cap(h.records)))]; r.TaskID == task {
			out = append(out, *r)
		}
	}
	return out
}

func (h *history) quantiles() Quantiles {
	if len(h.latencies) == 0 {
		return Quantiles{}
	}
	sorted := slices.Sorted(slices.Values(h.latencies))
	at := func(q float64) float64 { return sorted[int(q*float64(len(sorted)-1)+.5)] }
	return Quantiles{P50: at(.5), P95: at(.95), P99: at(.99)}
}
