// SPDX-License-Identifier: Apache-2.0

package twin

import (
	"cmp"
	"math"
	"slices"
	"time"

	"edgex-offload/offload"
)

// None is a figure that there is not: a latency that some tasks do not have, the calibration
// of promises that nobody made.
const None = -1

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
	// P50Ms to P999Ms are latencies; None where that share has no result at all.
	P50Ms  float64 `json:"p50_ms"`
	P95Ms  float64 `json:"p95_ms"`
	P99Ms  float64 `json:"p99_ms"`
	P999Ms float64 `json:"p999_ms"`
	// SentMB are 10^6 bytes on the uplink, SentShare the share of tasks that were sent.
	SentMB    float64 `json:"sent_mb"`
	SentShare float64 `json:"sent_share"`
	EnergyJ   float64 `json:"energy_j"`
	// Paid is what sending cost, in the currency of the targets' prices.
	Paid float64 `json:"-"`
	// HedgeWon is the share of sent tasks that the box answered in time, HedgeWasted of
	// those for which it ran although the cloud answered.
	HedgeWon    float64 `json:"hedge_won"`
	HedgeWasted float64 `json:"hedge_wasted"`
	// ECE is the expected calibration error of the promised probability that a sent task is
	// answered by its deadline, over ten bins, Brier its Brier score; None of nothing sent.
	ECE   float64 `json:"ece"`
	Brier float64 `json:"brier"`

	Latencies   Latencies   `json:"-"`
	Calibration Calibration `json:"-"`
}

// scorer counts while a cell runs.
type scorer struct {
	cell     *Cell
	scenario *Scenario
	jobs     []job
	outcomes []result // by task
	energy   float64
	bytes    int
	paid     float64

	calibration                 Calibration
	sentTasks, hedgeWon, wasted int
}

type result struct {
	latency  float64 // ms; +Inf without a result
	accuracy float64
	inTime   bool
	wasSent  bool
}

func newScorer(s *simulation) *scorer { return &scorer{cell: &s.cell, scenario: s.scenario} }

// prepare makes room for the tasks' figures.
func (s *scorer) prepare(jobs []job) {
	s.jobs, s.outcomes = jobs, make([]result, len(jobs))
	for i := range s.outcomes {
		s.outcomes[i].latency = math.Inf(1)
	}
}

// ran counts time on the box; negative where a run ended early.
func (s *scorer) ran(takes time.Duration) { s.energy += s.cell.Class.Watts * takes.Seconds() }

func (s *scorer) sent(task, target, bytes int, airtime time.Duration) {
	s.energy += s.scenario.RadioWatts * airtime.Seconds()
	s.bytes += bytes
	t := &s.scenario.Targets[target]
	s.paid += t.PricePerCall + t.PricePerMB*float64(bytes)/1e6
	if r := &s.outcomes[task]; !r.wasSent {
		r.wasSent = true
		s.sentTasks++
	}
}

// finish takes how a task ended.
func (s *scorer) finish(task int, o *offload.Outcome) {
	if o.Answer == nil {
		return
	}
	r, out := &o.Record, &s.outcomes[task]
	out.latency, out.inTime, out.accuracy = r.LatencyMs, r.DeadlineMet, s.accuracy(task, r)
	ranHere := slices.ContainsFunc(r.Attempts, func(a offload.AttemptView) bool { return a.Target == offload.Local && !a.OfHead() })
	switch {
	case !out.wasSent || !ranHere:
	case r.Route == offload.Local && r.DeadlineMet:
		s.hedgeWon++
	case r.Route != offload.Local:
		s.wasted++
	}
}

// accuracy is that of the model that answered.
func (s *scorer) accuracy(task int, r *offload.Record) float64 {
	m := &s.scenario.Models[s.jobs[task].model]
	if r.Route == offload.Local {
		for i := range m.Variants {
			if m.Variants[i].Name == r.AnsweredBy {
				return m.Variants[i].Accuracy
			}
		}
	}
	if split := s.scenario.split(&s.jobs[task], r.AnsweredBy); split != nil {
		return split.Accuracy
	}
	for i := range s.scenario.Targets {
		if s.scenario.Targets[i].Name == r.Route {
			return s.scenario.accuracyAt(i, m)
		}
	}
	return 0
}

// promised takes what was promised of an attempt, and whether it will be so; an attempt that
// is cancelled later counts as well.
func (s *scorer) promised(inTime float64, willBe bool) { s.calibration.Add(inTime, willBe) }

// score is what the tasks' results came to, whoever found them.
func score(c *Cell, jobs []job, outcomes []result) Score {
	out := Score{
		Policy: cmp.Or(c.Name, c.Settings.Policy), Class: c.Class.Name, Trace: c.Trace.Name, Seed: c.Seed, Tasks: len(jobs),
	}
	var all, critical, first tally
	var worth, weights float64
	latencies := make([]float64, len(jobs))
	for i := range jobs {
		r, j := &outcomes[i], &jobs[i]
		all.add(r.inTime)
		if j.priority == offload.Critical {
			critical.add(r.inTime)
		}
		if j.at < 10*time.Second {
			first.add(r.inTime)
		}
		weights += j.weight
		if r.inTime {
			worth += j.weight * r.accuracy
		}
		latencies[i] = r.latency
		out.Latencies.Add(r.latency)
	}
	out.Miss, out.MissCritical, out.MissFirst10s = all.missed(), critical.missed(), first.missed()
	out.Utility = ratio(worth, weights)
	slices.Sort(latencies)
	out.P50Ms, out.P95Ms = quantile(latencies, .5), quantile(latencies, .95)
	out.P99Ms, out.P999Ms = quantile(latencies, .99), quantile(latencies, .999)
	return out
}

func (s *scorer) result() Score {
	out := score(s.cell, s.jobs, s.outcomes)
	out.SentMB, out.Paid, out.EnergyJ = float64(s.bytes)/1e6, s.paid, s.energy
	out.SentShare = ratio(float64(s.sentTasks), float64(len(s.jobs)))
	out.HedgeWon = ratio(float64(s.hedgeWon), float64(s.sentTasks))
	out.HedgeWasted = ratio(float64(s.wasted), float64(s.sentTasks))
	out.Calibration = s.calibration
	out.ECE, out.Brier = s.calibration.Errors()
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
		return None
	}
	v := sorted[int(q*float64(len(sorted)-1)+.5)]
	if math.IsInf(v, 1) {
		return None
	}
	return v
}

// figures are all that a mean is taken of.
func (s *Score) figures() []*float64 {
	return []*float64{
		&s.Miss, &s.MissCritical, &s.MissFirst10s, &s.Utility, &s.P50Ms, &s.P95Ms, &s.P99Ms, &s.P999Ms, &s.SentMB,
		&s.SentShare, &s.EnergyJ, &s.Paid, &s.HedgeWon, &s.HedgeWasted, &s.ECE, &s.Brier,
	}
}

// Mean is the mean over cells, each counting alike: of each figure over the cells that have
// it. Tasks are their sum.
func Mean(scores []Score) Score {
	var m Score
	sums := m.figures()
	counts := make([]int, len(sums))
	for i := range scores {
		s := &scores[i]
		m.Policy = s.Policy
		m.Tasks += s.Tasks
		m.Latencies.Merge(&s.Latencies)
		m.Calibration.Merge(&s.Calibration)
		for k, f := range s.figures() {
			if *f != None {
				*sums[k] += *f
				counts[k]++
			}
		}
	}
	for k, sum := range sums {
		if counts[k] > 0 {
			*sum /= float64(counts[k])
		} else if len(scores) > 0 {
			*sum = None
		}
	}
	return m
}
