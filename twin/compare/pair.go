// SPDX-License-Identifier: Apache-2.0

package compare

import (
	"math"

	"edgex-offload/twin"
)

// Pair is how two entries differ in a figure, over the cells that both played: the same
// tasks over the same link.
type Pair struct {
	A      string `json:"a"`
	B      string `json:"b"`
	Metric string `json:"metric"`
	// Mean is that of A less B, SE its standard error; nil of too few cells.
	Mean *float64 `json:"mean"`
	SE   *float64 `json:"se"`
	// Wins are the cells in which A is better.
	Wins  int `json:"wins"`
	Cells int `json:"cells"`
}

// metric is a figure that entries are compared in.
type metric struct {
	name   string
	of     func(*twin.Score) float64
	larger bool // is better
}

func metrics() []metric {
	return []metric{
		{name: "miss", of: func(s *twin.Score) float64 { return s.Miss }},
		{name: "miss_p0", of: func(s *twin.Score) float64 { return s.MissCritical }},
		{name: "utility", of: func(s *twin.Score) float64 { return s.Utility }, larger: true},
		{name: "p99_ms", of: func(s *twin.Score) float64 { return s.P99Ms }},
		{name: "sent_mb", of: func(s *twin.Score) float64 { return s.SentMB }},
		{name: "energy_j", of: func(s *twin.Score) float64 { return s.EnergyJ }},
	}
}

// cellKey is what two scores have in common that are compared.
type cellKey struct {
	class, trace string
	seed         uint64
}

// paired compares the scores of two entries.
func paired(a, b []twin.Score) []Pair {
	other := map[cellKey]*twin.Score{}
	for i := range b {
		other[cellKey{b[i].Class, b[i].Trace, b[i].Seed}] = &b[i]
	}
	var pairs []Pair
	for _, m := range metrics() {
		var differences []float64
		p := Pair{A: a[0].Policy, B: b[0].Policy, Metric: m.name}
		for i := range a {
			match := other[cellKey{a[i].Class, a[i].Trace, a[i].Seed}]
			if match == nil || m.of(&a[i]) == twin.None || m.of(match) == twin.None {
				continue
			}
			d := m.of(&a[i]) - m.of(match)
			differences = append(differences, d)
			if d != 0 && d > 0 == m.larger {
				p.Wins++
			}
		}
		p.Cells = len(differences)
		p.Mean, p.SE = meanAndError(differences)
		pairs = append(pairs, p)
	}
	return pairs
}

// meanAndError are the mean and its standard error, s/sqrt(n).
func meanAndError(of []float64) (mean, se *float64) {
	n := float64(len(of))
	if n == 0 {
		return nil, nil
	}
	sum, squares := 0., 0.
	for _, v := range of {
		sum += v / n
	}
	if n == 1 {
		return &sum, nil
	}
	for _, v := range of {
		squares += (v - sum) * (v - sum)
	}
	e := math.Sqrt(squares / (n - 1) / n)
	return &sum, &e
}
