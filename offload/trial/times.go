// SPDX-License-Identifier: Apache-2.0

package trial

import "math"

// histogram counts times in bins that grow by 1%, from 0.1 ms to 3 hours.
type histogram struct {
	bins  [times]uint64
	over  uint64 // longer, or without a result
	count uint64
}

const (
	times  = 1872 // 0.1 ms times 1.01^1872 is 3.4 hours
	least  = .1   // ms
	growth = 1.01
)

func (h *histogram) add(ms float64) {
	h.count++
	bin := 0
	if ms > least {
		bin = 1 + int(min(math.Log(ms/least)/math.Log(growth), times))
	}
	if bin >= times || math.IsNaN(ms) {
		h.over++
		return
	}
	h.bins[bin]++
}

// fromTop is the time at a rank from the longest, 1; infinite where there is no result.
func (h *histogram) fromTop(rank uint64) float64 {
	if rank <= h.over {
		return math.Inf(1)
	}
	above := h.over
	for bin := times - 1; bin >= 0; bin-- {
		if above += h.bins[bin]; above >= rank {
			return least * math.Pow(growth, float64(bin)-.5) // the middle of the bin
		}
	}
	return 0
}

// quantile99 is what 99 of 100 keep. How many of n independent times lie beyond the true one
// has a binomial distribution, which tells the ranks that enclose it (David and Nagaraja,
// Order Statistics, 2003, 7.1). Correlated times make it wider than told here.
func (h *histogram) quantile99() Interval {
	if h.count == 0 {
		return Interval{math.Inf(1), math.Inf(1), math.Inf(1)}
	}
	beyond := 1 + uint64(.01*float64(h.count))
	high, low := ranks99(h.count)
	out := Interval{Value: h.fromTop(beyond), Low: h.fromTop(min(low, h.count)), High: math.Inf(1)}
	if high > 0 {
		out.High = h.fromTop(high)
	}
	if low > h.count {
		out.Low = 0
	}
	return out
}

// ranks99 are the ranks from the longest between which the 99% quantile lies with 95%: above
// it no more than high-1, below low, each but for 2.5%. high is 0 where even the longest of
// them may be too short.
func ranks99(n uint64) (high, low uint64) {
	const share, side, normal = .01, .025, 5000
	mean := share * float64(n)
	if n > normal { // and so the mean above 50
		half := z95 * math.Sqrt(mean*(1-share))
		return uint64(max(mean-half, 0)), uint64(math.Ceil(mean + half + 1))
	}
	probability := math.Pow(1-share, float64(n)) // of none beyond it
	sum := 0.
	for k := uint64(0); k <= n; k++ {
		sum += probability // of at most k beyond it
		if sum <= side {
			high = k + 1
		}
		if 1-sum <= side {
			return high, k + 1
		}
		probability *= float64(n-k) / float64(k+1) * share / (1 - share)
	}
	return high, n + 1
}
