// SPDX-License-Identifier: Apache-2.0

package fit

import (
	"fmt"
	"strings"

	"edgex-offload/offload"
	"edgex-offload/twin"
)

// Objective is what is to be as small as possible in a cell.
type Objective struct {
	Name string
	// Formula says it in words.
	Formula string
	of      func(*twin.Score) float64
}

// What the objectives weigh against a task of full utility. That utility is in all of them:
// the cheapest task is one that is never run.
const (
	utilityForLatency = .1   // seconds
	bytesPerMB        = .002 // money per 10^6 bytes where no target has a price
	balancedCritical  = .5
	balancedEnergy    = .05
	balancedMoney     = .25
)

// Objectives are those of the engine, as figures of what came. In their formulas U is utility, miss the share of missed
// tasks, missP0 of the critical ones.
func Objectives() []Objective {
	return []Objective{
		{offload.ObjectiveBalanced, "(1 - U) + miss + 0.5 missP0 + 0.05 joules per task + 0.25 money per 1000 tasks", func(s *twin.Score) float64 {
			return 1 - s.Utility + s.Miss + balancedCritical*s.MissCritical + balancedEnergy*joules(s) + balancedMoney*money(s)
		}},
		{offload.ObjectiveAccuracy, "1 - U", func(s *twin.Score) float64 { return 1 - s.Utility }},
		{offload.ObjectiveLatency, "mean time to the result in s, 1 s where there is none and at most, + 0.1 (1 - U)", func(s *twin.Score) float64 {
			return latency(&s.Latencies) + utilityForLatency*(1-s.Utility)
		}},
		{offload.ObjectiveEnergy, "joules per task + (1 - U)", func(s *twin.Score) float64 { return joules(s) + 1 - s.Utility }},
		{offload.ObjectiveCost, "money per 1000 tasks + (1 - U)", func(s *twin.Score) float64 { return money(s) + 1 - s.Utility }},
	}
}

// MoneyFormula says what money is in the formulas.
const MoneyFormula = "what the targets' prices come to; where no target has one, 0.002 per MB sent"

// ObjectiveByName finds one; the error lists them.
func ObjectiveByName(name string) (Objective, error) {
	var names []string
	for _, o := range Objectives() {
		if o.Name == name {
			return o, nil
		}
		names = append(names, o.Name)
	}
	return Objective{}, fmt.Errorf("objective %q: allowed are %s", name, strings.Join(names, ", "))
}

func joules(s *twin.Score) float64 { return s.EnergyJ / max(1, float64(s.Tasks)) }

// money is per thousand tasks.
func money(s *twin.Score) float64 {
	paid := s.Paid
	if paid == 0 {
		paid = bytesPerMB * s.SentMB
	}
	return 1000 * paid / max(1, float64(s.Tasks))
}

// latency is the mean in seconds, to the width of a bin; a task counts one second at most.
func latency(l *twin.Latencies) float64 {
	sum, n := float64(l.Without), l.Without
	for i, count := range l.Bins {
		from, to := twin.LatencyBin(i)
		sum += float64(count) * min(1, (from+to)/2/1000)
		n += count
	}
	return sum / max(1, float64(n))
}
