// SPDX-License-Identifier: Apache-2.0

package link

import (
	"math"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"pgregory.net/rapid"
)

// sample is one of a series.
type sample struct {
	at            time.Duration
	value, weight float64
}

// series is in order of time, with pauses from none to minutes.
func series(rt *rapid.T) []sample {
	all := rapid.SliceOfN(rapid.Custom(func(t *rapid.T) sample {
		pause := rapid.SampledFrom([]int{0, 50, 1000, 29_000, 61_000}).Draw(t, "pause")
		return sample{
			at:    time.Duration(rapid.IntRange(0, pause).Draw(t, "after")) * time.Millisecond,
			value: rapid.Float64Range(-10, 10).Draw(t, "value"), weight: rapid.Float64Range(.1, 1e6).Draw(t, "weight"),
		}
	}), 1, 60).Draw(rt, "samples")
	for i := 1; i < len(all); i++ {
		all[i].at += all[i-1].at
	}
	return all
}

// quantileOf is the weighted quantile by counting: the least value that has a share q of
// the weight at or below it. A sample counts less the older it is against the last.
func quantileOf(all []sample, q float64) float64 {
	last := all[len(all)-1].at
	weight := func(s sample) float64 {
		age := (last - s.at).Seconds() / freshness.Seconds()
		return s.weight / (1 + age*age)
	}
	best, total := math.Inf(1), 0.
	for _, s := range all {
		total += weight(s)
	}
	for _, candidate := range all {
		below := 0.
		for _, s := range all {
			if s.value <= candidate.value {
				below += weight(s)
			}
		}
		if below >= q*total*(1-1e-12) {
			best = min(best, candidate.value)
		}
	}
	return best
}

func TestRanksAreWeightedQuantilesOfTheLast(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		size := rapid.SampledFrom([]int{1, tripRanks, rateRanks}).Draw(rt, "size")
		q := rapid.SampledFrom([]float64{tripQuantile, rateQuantile, .123, .877}).Draw(rt, "q")
		var r ranks
		all := series(rt)
		for i, s := range all {
			r.add(s.at, s.value, s.weight, size)
			if got, want := r.quantile(q), quantileOf(all[max(0, i+1-size):i+1], q); got != want {
				rt.Fatalf("after %d samples %v, want %v", i+1, got, want)
			}
		}
	})
}

// One sample of many is never believed, however far off it is.
func TestRanksDoNotMoveWithAnOutlier(t *testing.T) {
	for _, outlier := range []float64{math.MaxFloat64, -math.MaxFloat64, 0} {
		var r ranks
		for i := range 20 {
			value := 1 + .01*float64(i%5)
			if i%7 == 6 {
				value = outlier
			}
			r.add(time.Duration(i)*time.Second/4, value, 1, tripRanks)
			if got := r.quantile(tripQuantile); got < 1 || got > 1.05 {
				t.Errorf("with %v among the samples the quantile is %v", outlier, got)
			}
		}
	}
}

// least is over the last one to two spans, whatever the pauses.
func TestLeastIsThatOfTheLastMinute(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		var l least
		if v := l.value(); !math.IsInf(v, 1) {
			rt.Fatalf("%v before the first sample", v)
		}
		all := series(rt)
		for i, s := range all {
			l.add(s.at, s.value)
			within := func(span time.Duration) float64 {
				low := math.Inf(1)
				for _, x := range all[:i+1] {
					if s.at-x.at < span {
						low = min(low, x.value)
					}
				}
				return low
			}
			if got := l.value(); got > within(extremeSpan) || got < within(2*extremeSpan) {
				rt.Fatalf("sample %d: %v, the least of 30 s is %v, of a minute %v", i, got, within(extremeSpan), within(2*extremeSpan))
			}
		}
	})
}

func TestWindowHoldsTheLastSixtyInOrder(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		var w window
		var all []float64
		for range rapid.IntRange(0, 150).Draw(rt, "samples") {
			v := rapid.Float64Range(0, 10).Draw(rt, "value")
			w.add(v)
			all = append(all, v)
		}
		want := all[max(0, len(all)-windowSize):]
		got := make([]float64, w.n)
		for i := range got {
			got[i] = w.at(i)
		}
		if !slices.Equal(got, want) {
			rt.Fatalf("the window holds %v, want %v", got, want)
		}
		assert.InDelta(rt, stdDev(want), w.stddev(), 1e-9)
		assert.InDelta(rt, meanAbsoluteDifference(want), w.meanAbsoluteDifference(), 1e-9)
		assert.InDelta(rt, spread(want), w.spread(), 1e-9)
	})
}

func TestAverageStartsAtItsFirstSample(t *testing.T) {
	var a Average
	assert.Equal(t, 7., a.Or(7))
	a.Add(3, .25)
	assert.Equal(t, 3., a.Or(7))
	a.Add(5, .25)
	assert.Equal(t, 3.5, a.Or(7))
}
