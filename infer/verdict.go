// SPDX-License-Identifier: Apache-2.0

package infer

import (
	"fmt"
	"math"
	"slices"
	"time"
)

// verdict on a new version.
type verdict struct {
	promote bool
	reason  string
}

func (v verdict) String() string {
	if v.promote {
		return "promoted: " + v.reason
	}
	return "taken back: " + v.reason
}

// The certainty with which a new version is found worse. Before the end it is looked at
// several times, so that a chance finding has to be rarer each time; at the end little is
// lost by taking back a version that was no worse.
const (
	errorChanceEarly = .005
	errorChanceLast  = .05
	timeDeviations   = 2.6 // on each side; about one in 200 by chance
	// leastSlower is a difference that no task notices.
	leastSlower = 500 * time.Microsecond
	// fewestForTail is how many times it takes to speak of a 95th percentile.
	fewestForTail = 100
)

// judge compares both versions over the same period; nil is no verdict yet. The new one is
// taken back
//   - when its share of failed tasks is larger by more than MaxErrorIncrease, and chance
//     explains that with less than 0.005 (0.05 at the end) by Fisher's exact test, one-sided,
//     or all of its tasks have failed at the end;
//   - when its median or its 95th percentile is more than LatencyRatio times the old one's:
//     before the end also by the far bounds of both, at the end by the figures themselves.
func judge(old, fresh *arm, rules Canary, last bool) *verdict {
	chance := errorChanceEarly
	if last {
		chance = errorChanceLast
	}
	increase := share(fresh) - share(old)
	all := last && fresh.errors == fresh.tasks // of however few
	if p := fisher(fresh.errors, fresh.tasks, old.errors, old.tasks); increase > rules.MaxErrorIncrease && (all || p < chance) {
		return &verdict{reason: fmt.Sprintf("%d of its %d tasks failed, of the former version %d of %d (chance %.2g; allowed are %.3g more)",
			fresh.errors, fresh.tasks, old.errors, old.tasks, p, rules.MaxErrorIncrease)}
	}
	before, now := old.times.sorted(), fresh.times.sorted()
	for _, q := range []float64{.5, .95} {
		if v := slower(before, now, q, rules.LatencyRatio, last); v != nil {
			return v
		}
	}
	if !last {
		return nil
	}
	return &verdict{promote: true, reason: fmt.Sprintf("%d of its %d tasks failed, of the former version %d of %d; median %s after %s",
		fresh.errors, fresh.tasks, old.errors, old.tasks, short(quantile(now, .5)), short(quantile(before, .5)))}
}

func slower(before, now []time.Duration, q, ratio float64, last bool) *verdict {
	fewest := firstJudged
	if q > .5 {
		fewest = fewestForTail
	}
	if min(len(before), len(now)) < fewest {
		return nil
	}
	was, is := quantile(before, q), quantile(now, q)
	if !last {
		_, was = bounds(before, q, timeDeviations)
		is, _ = bounds(now, q, timeDeviations)
	}
	if is-was <= leastSlower || float64(is) <= ratio*float64(was) {
		return nil
	}
	name := map[bool]string{true: "median", false: "95th percentile"}[q == .5]
	return &verdict{reason: fmt.Sprintf("its %s is %s, that of the former version %s (allowed is %.3g times as long)",
		name, short(quantile(now, q)), short(quantile(before, q)), ratio)}
}

func short(d time.Duration) time.Duration { return d.Round(10 * time.Microsecond) }

func share(a *arm) float64 {
	if a.tasks == 0 {
		return 0
	}
	return float64(a.errors) / float64(a.tasks)
}

// fisher is the probability that of as many errors in all at least a fall on the first n
// tasks of n + m, if both fail alike (R. A. Fisher, Statistical Methods for Research Workers,
// 21.02: the upper tail of the hypergeometric distribution).
func fisher(a, n, b, m int) float64 {
	all := a + b
	whole := over(n+m, all)
	p := 0.
	for k := a; k <= min(all, n); k++ {
		if all-k <= m {
			p += math.Exp(over(n, k) + over(m, all-k) - whole)
		}
	}
	return min(p, 1)
}

// over is the logarithm of n over k.
func over(n, k int) float64 {
	lg := func(x int) float64 { v, _ := math.Lgamma(float64(x) + 1); return v }
	return lg(n) - lg(k) - lg(n-k)
}

// evenly keeps times from all over a period that nobody knows the length of: when there are
// too many every second goes, and from then on half as many are taken.
type evenly struct {
	list   []time.Duration
	stride int
	passed int
}

const mostEvenly = 512

func (e *evenly) add(took time.Duration) {
	e.stride = max(e.stride, 1)
	if e.passed++; e.passed < e.stride {
		return
	}
	e.passed = 0
	if e.list = append(e.list, took); len(e.list) < mostEvenly {
		return
	}
	half := e.list[:0]
	for i := 1; i < mostEvenly; i += 2 {
		half = append(half, e.list[i])
	}
	e.list, e.stride = half, 2*e.stride
}

// addIfLonger takes a time that was cut off, if it says something: that it is longer than most.
func (e *evenly) addIfLonger(took time.Duration) {
	if took > quantile(e.sorted(), .5) {
		e.add(took)
	}
}

func (e *evenly) sorted() []time.Duration {
	list := slices.Clone(e.list)
	slices.Sort(list)
	return list
}
