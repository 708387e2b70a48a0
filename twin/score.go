// SPDX-License-Identifier: Apache-2.0

package twin

import (
	"math"
	"slices"
	"strings"
	"time"

	"edgex-offload/offload"
)

// Score is what a policy came to in one cell. Shares are 0 to 1.
type Score struct {
	Policy string `json:"policy"`
	Class  string `json:"class"`
	Trace  string `json:"trace"`
	Seed   uint64 `json:"seed"`
	Tasks  int    `json:"tasks"`
	// Miss is the share without a result by the deadline; MissCritical of those with
	// priority 0 of the benchmark (CRITICAL), MissFirst10s of the first ten seconds.
	Miss         float64 `json:"miss"`
	MissCritical float64 `json:"miss_p0"`
	MissFirst10s float64 `json:"miss_first_10s"`
	// Utility is the sum of weight times accuracy of the results in time over that of weights.
	Utility float64 `json:"utility"`
	// P50Ms to P99Ms are latencies; -1 where that share has no result at all.
	P50Ms float64 `json:"p50_ms"`
	P95Ms float64 `json:"p95_ms"`
	P99Ms float64 `json:"p99_ms"`
	// SentMB are 10^6 bytes on the uplink, SentShare the share of tasks that were sent.
	SentMB    float64 `json:"sent_mb"`
	SentShare float64 `json:"sent_share"`
	EnergyJ   float64 `json:"energy_j"`
	// HedgeWon is the share of sent tasks that the box answered in time, HedgeWasted of
	// those for which it ran although the cloud answered.
	HedgeWon    float64 `json:"hedge_won"`
	HedgeWasted float64 `json:"hedge_wasted"`
}

// scorer counts while a cell runs.
type scorer struct {
	cell             Cell
	energy           float64
	bytes            int
	outcomes         []result // by task
	wasSent          []bool
	sentTasks        int
	hedgeWon, wasted int
}

type result struct {
	latency  float64 // ms; +Inf without a result
	inTime   bool
	accuracy float64
}

func newScorer(c Cell) *scorer { return &scorer{cell: c} }

func (s *scorer) ran(takes time.Duration) { s.energy += s.cell.Class.Watts * takes.Seconds() }

func (s *scorer) sent(task, bytes int, airtime time.Duration) {
	s.energy += radioWatts * airtime.Seconds()
	s.bytes += bytes
	s.room(task)
	if !s.wasSent[task] {
		s.wasSent[task] = true
		s.sentTasks++
	}
}

// room makes place for a task's figures.
func (s *scorer) room(task int) {
	for len(s.outcomes) <= task {
		s.outcomes = append(s.outcomes, result{latency: math.Inf(1)})
		s.wasSent = append(s.wasSent, false)
	}
}

func (s *scorer) finish(task int, o offload.Outcome) {
	s.room(task)
	if o.Answer == nil {
		return
	}
	r := &o.Record
	s.outcomes[task] = result{latency: r.LatencyMs, inTime: r.DeadlineMet, accuracy: accuracyOf(o.Answer.Model)}
	ranHere := slices.ContainsFunc(r.Attempts, func(a offload.AttemptView) bool { return a.Target == offload.Local })
	switch {
	case !s.wasSent[task] || !ranHere:
	case r.Route == offload.Local && r.DeadlineMet:
		s.hedgeWon++
	case r.Route != offload.Local:
		s.wasted++
	}
}

func accuracyOf(model string) float64 {
	switch {
	case model == CloudModel:
		return accuracyCloud
	case strings.HasSuffix(model, tiny):
		return accuracyTiny
	default:
		return accuracyLocal
	}
}

func (s *scorer) result(jobs []job) Score {
	out := Score{
		Policy: s.cell.Settings.Policy, Class: s.cell.Class.Name, Trace: s.cell.Trace.Name, Seed: s.cell.Seed,
		Tasks: len(jobs), SentMB: float64(s.bytes) / 1e6, EnergyJ: s.energy,
	}
	var all, critical, first tally
	var worth, weights float64
	latencies := make([]float64, 0, len(jobs))
	for i := range jobs {
		s.room(i)
		r, j := s.outcomes[i], &jobs[i]
		all.add(r.inTime)
		if j.priority == offload.Critical {
			critical.add(r.inTime)
		}
		if j.at < 10*time.Second {
			first.add(r.inTime)
		}
		weights += j.weight()
		if r.inTime {
			worth += j.weight() * r.accuracy
		}
		latencies = append(latencies, r.latency)
	}
	out.Miss, out.MissCritical, out.MissFirst10s = all.missed(), critical.missed(), first.missed()
	out.Utility = ratio(worth, weights)
	slices.Sort(latencies)
	out.P50Ms, out.P95Ms, out.P99Ms = quantile(latencies, .5), quantile(latencies, .95), quantile(latencies, .99)
	out.SentShare = ratio(float64(s.sentTasks), float64(len(jobs)))
	out.HedgeWon = ratio(float64(s.hedgeWon), float64(s.sentTasks))
	out.HedgeWasted = ratio(float64(s.wasted), float64(s.sentTasks))
	return out
}

// tally counts tasks and those that were in time.
type tally struct{ n, inTime int }

func (t *tally) add(inTime bool) {
	t.n++
	if inTime {
		t.inTime++
	}
}

func (t *tally) missed() float64 { return ratio(float64(t.n-t.inTime), float64(t.n)) }

func ratio(a, b float64) float64 {
	if b == 0 {
		return 0
	}
	return a / b
}

func quantile(sorted []float64, q float64) float64 {
	if len(sorted) == 0 {
		return -1
	}
	v := sorted[int(q*float64(len(sorted)-1)+.5)]
	if math.IsInf(v, 1) {
		return -1
	}
	return v
}

// Mean is the mean over cells, each counting alike; quantiles of latency are left out,
// since a mean of them says nothing.
func Mean(scores []Score) Score {
	var m Score
	for _, s := range scores {
		m.Policy = s.Policy
		m.Tasks += s.Tasks
		m.Miss += s.Miss
		m.MissCritical += s.MissCritical
		m.MissFirst10s += s.MissFirst10s
		m.Utility += s.Utility
		m.SentMB += s.SentMB
		m.SentShare += s.SentShare
		m.EnergyJ += s.EnergyJ
		m.HedgeWon += s.HedgeWon
		m.HedgeWasted += s.HedgeWasted
	}
	for _, field := range []*float64{
		&m.Miss, &m.MissCritical, &m.MissFirst10s, &m.Utility, &m.SentMB, &m.SentShare, &m.EnergyJ, &m.HedgeWon, &m.HedgeWasted,
	} {
		*field = ratio(*field, float64(len(scores)))
	}
	return m
}
