// SPDX-License-Identifier: Apache-2.0

package compare

import (
	"edgex-offload/twin"
)

// Report is what a grid came to. Its JSON has nothing of the time or the machine in it.
type Report struct {
	Cells []Cell `json:"cells"`
	// Summary is by name.
	Summary map[string]Summary `json:"summary"`
	Pairs   []Pair             `json:"pairs"`
	Sweeps  []Swept            `json:"sweeps,omitempty"`

	// Names are in the order of the grid, Scores those that Cells were made from.
	Names  []string     `json:"-"`
	Scores []twin.Score `json:"-"`
}

// Cell is the score of one cell.
type Cell struct {
	Policy string `json:"policy"`
	Class  string `json:"class"`
	Trace  string `json:"trace"`
	Seed   uint64 `json:"seed"`
	Figures
}

// Figures are those of twin.Score; nil is what there is not, as the latency that one task
// in a hundred exceeds where more than that have no result.
type Figures struct {
	Tasks        float64  `json:"tasks"`
	Miss         float64  `json:"miss"`
	MissP0       float64  `json:"miss_p0"`
	Utility      float64  `json:"utility"`
	P50Ms        *float64 `json:"p50_ms"`
	P95Ms        *float64 `json:"p95_ms"`
	P99Ms        *float64 `json:"p99_ms"`
	P999Ms       *float64 `json:"p999_ms"`
	SentMB       float64  `json:"sent_mb"`
	EnergyJ      float64  `json:"energy_j"`
	SentShare    float64  `json:"sent_share"`
	HedgeWon     float64  `json:"hedge_won"`
	HedgeWasted  float64  `json:"hedge_wasted"`
	ECE          *float64 `json:"ece"`
	Brier        *float64 `json:"brier"`
	MissFirst10s float64  `json:"miss_first_10s"`
	// Paid is 0, and not there, where no target has a price.
	Paid float64 `json:"paid,omitempty"`
}

// Summary are the means over the cells, each counting alike; of a figure that some cells do
// not have, over those that do.
type Summary struct {
	Figures
	// The regrets are 1 - utility/utility of the reference; nil where it was not played.
	RegretKnownNetwork    *float64 `json:"regret_known_network"`
	RegretEverythingKnown *float64 `json:"regret_everything_known"`
	// MissWithoutOverloaded leaves out the class that no policy can serve; nil without another.
	MissWithoutOverloaded *float64 `json:"miss_without_overloaded"`
}

// Swept are the means of an entry with one value of a setting.
type Swept struct {
	Key    string  `json:"key"`
	Value  string  `json:"value"`
	Policy string  `json:"policy"`
	Means  Figures `json:"means"`
}

// overloaded is the class of the benchmark that has more to do than it can.
const overloaded = "xavier-overloaded"

// NewReport sums up the scores of the runs of a grid.
func NewReport(runs []Run, scores []twin.Score) *Report {
	r := &Report{Cells: []Cell{}, Summary: map[string]Summary{}, Pairs: []Pair{}}
	for i := range runs {
		if runs[i].Key == "" {
			s := &scores[i]
			r.Cells = append(r.Cells, Cell{Policy: s.Policy, Class: s.Class, Trace: s.Trace, Seed: s.Seed, Figures: figuresOf(s, 1)})
			r.Scores = append(r.Scores, *s)
		}
	}
	of := map[string][]twin.Score{}
	for _, s := range r.Scores {
		if of[s.Policy] == nil {
			r.Names = append(r.Names, s.Policy)
		}
		of[s.Policy] = append(of[s.Policy], s)
	}
	for _, name := range r.Names {
		r.Summary[name] = summarize(of[name])
	}
	r.addRegrets()
	for i, a := range r.Names {
		for _, b := range r.Names[i+1:] {
			r.Pairs = append(r.Pairs, paired(of[a], of[b])...)
		}
	}
	r.addSweeps(runs, scores)
	return r
}

func summarize(scores []twin.Score) Summary {
	m := twin.Mean(scores)
	s := Summary{Figures: figuresOf(&m, len(scores))}
	var others []twin.Score
	for i := range scores {
		if scores[i].Class != overloaded {
			others = append(others, scores[i])
		}
	}
	if len(others) > 0 {
		miss := twin.Mean(others).Miss
		s.MissWithoutOverloaded = &miss
	}
	return s
}

// figuresOf are those of a score, or of the mean of so many.
func figuresOf(s *twin.Score, cells int) Figures {
	return Figures{
		Tasks: float64(s.Tasks) / float64(cells),
		Miss:  s.Miss, MissP0: s.MissCritical, Utility: s.Utility, MissFirst10s: s.MissFirst10s,
		P50Ms: some(s.P50Ms), P95Ms: some(s.P95Ms), P99Ms: some(s.P99Ms), P999Ms: some(s.P999Ms),
		SentMB: s.SentMB, EnergyJ: s.EnergyJ, SentShare: s.SentShare,
		HedgeWon: s.HedgeWon, HedgeWasted: s.HedgeWasted, Paid: s.Paid, ECE: some(s.ECE), Brier: some(s.Brier),
	}
}

func some(v float64) *float64 {
	if v == twin.None {
		return nil
	}
	return &v
}

func (r *Report) addRegrets() {
	against := func(reference string, utility float64) *float64 {
		best, played := r.Summary[reference]
		if !played || best.Utility == 0 {
			return nil
		}
		regret := 1 - utility/best.Utility
		return &regret
	}
	for name, s := range r.Summary {
		s.RegretKnownNetwork = against(KnownNetwork, s.Utility)
		s.RegretEverythingKnown = against(EverythingKnown, s.Utility)
		r.Summary[name] = s
	}
}

// addSweeps takes the runs with a key; those of one value and policy follow each other.
func (r *Report) addSweeps(runs []Run, scores []twin.Score) {
	for from := 0; from < len(runs); {
		first, to := &runs[from], from+1
		for to < len(runs) && runs[to].Key == first.Key && runs[to].Value == first.Value && runs[to].Name == first.Name {
			to++
		}
		if first.Key != "" {
			m := twin.Mean(scores[from:to])
			r.Sweeps = append(r.Sweeps, Swept{first.Key, first.Value, first.Name, figuresOf(&m, to-from)})
		}
		from = to
	}
}
