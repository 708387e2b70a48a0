// SPDX-License-Identifier: Apache-2.0

package infer

import (
	"math"
	"slices"
	"time"
)

// keptTimes is how many of the last execution times are kept: the 99th percentile rests on
// the third longest.
const keptTimes = 256

// Times is the distribution of a version's execution times.
type Times struct {
	// Mean weighs recent answers more; the quantiles are those of the last 256.
	Mean, P50, P95, P99 time.Duration
	// Samples is how many there were in all.
	Samples uint64
}

// sketch keeps the last execution times. It is not safe for concurrent use.
type sketch struct {
	ring [keptTimes]time.Duration
	n    uint64
	mean float64 // exponentially weighted
}

func (s *sketch) add(took time.Duration) {
	s.ring[s.n%keptTimes] = took
	if s.n == 0 {
		s.mean = float64(took)
	}
	s.mean += serviceWeight * (float64(took) - s.mean)
	s.n++
}

func (s *sketch) sorted() []time.Duration {
	list := slices.Clone(s.ring[:min(s.n, keptTimes)])
	slices.Sort(list)
	return list
}

func (s *sketch) times() Times {
	list := s.sorted()
	return Times{
		Mean: time.Duration(s.mean), Samples: s.n,
		P50: quantile(list, .5), P95: quantile(list, .95), P99: quantile(list, .99),
	}
}

// quantile of a sorted list by the nearest rank; 0 of none.
func quantile(sorted []time.Duration, q float64) time.Duration {
	if len(sorted) == 0 {
		return 0
	}
	return sorted[rank(len(sorted), math.Ceil(q*float64(len(sorted)))-1)]
}

// bounds are those within which the quantile of what was sampled lies, z deviations to each
// side, whatever its distribution: ranks by the normal limit of the binomial (Conover,
// Practical Nonparametric Statistics, 3.2).
func bounds(sorted []time.Duration, q, z float64) (low, high time.Duration) {
	n := float64(len(sorted))
	if n == 0 {
		return 0, math.MaxInt64
	}
	deviation := z * math.Sqrt(n*q*(1-q))
	high = math.MaxInt64 // not known where there are too few
	if up := math.Ceil(n*q+deviation) - 1; up < n {
		high = sorted[rank(len(sorted), up)]
	}
	if down := math.Floor(n*q-deviation) - 1; down >= 0 {
		low = sorted[rank(len(sorted), down)]
	}
	return low, high
}

func rank(n int, r float64) int { return min(max(int(r), 0), n-1) }
