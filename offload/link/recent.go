// SPDX-License-Identifier: Apache-2.0

package link

import (
	"math"
	"slices"
	"time"
)

// ranks keeps the last few samples with their weights and gives their quantiles. A quantile
// of few samples follows a change within as many, and an outlier does not move it at all.
type ranks struct {
	values, weights [mostRanks]float64
	at              [mostRanks]time.Duration
	n, next         int
	// known is the last quantile that was asked for, knownFor which; they are asked for much more
	// often than a sample comes.
	known, knownFor float64
}

const mostRanks = 9

// freshness is the age against the latest sample at which one counts half: where samples are
// rare the latest decides, where they are many it is one of them.
const freshness = 3 * time.Second

// add keeps the last size samples, mostRanks at the most.
func (r *ranks) add(at time.Duration, value, weight float64, size int) {
	r.values[r.next], r.weights[r.next], r.at[r.next] = value, weight, at
	r.next = (r.next + 1) % size
	r.n = min(r.n+1, size)
	r.knownFor = 0
}

// quantile is the least sample below or at which a share q of all weight lies. There must
// be one.
func (r *ranks) quantile(q float64) float64 {
	if r.knownFor != q {
		r.known, r.knownFor = r.sorted(q), q
	}
	return r.known
}

func (r *ranks) sorted(q float64) float64 {
	var values, weights [mostRanks]float64
	total, n := 0., 0
	latest := time.Duration(math.MinInt64)
	for i := range r.n {
		latest = max(latest, r.at[i])
	}
	for i := range r.n { // insertion sort: nine at the most
		age := float64(latest-r.at[i]) / float64(freshness)
		values[n], weights[n] = r.values[i], r.weights[i]/(1+age*age)
		total += weights[n]
		n++
		for k := n - 1; k > 0 && values[k] < values[k-1]; k-- {
			values[k], values[k-1] = values[k-1], values[k]
			weights[k], weights[k-1] = weights[k-1], weights[k]
		}
	}
	sum, value := 0., 0.
	for i := range n {
		if value, sum = values[i], sum+weights[i]; sum >= total*q {
			break
		}
	}
	return value
}

// Average is an exponentially weighted mean that starts at its first sample.
type Average struct {
	value float64
	n     int
}

// Add takes a sample with the weight, 0 to 1, that it has against all before it.
func (a *Average) Add(sample, weight float64) {
	a.n++
	if a.n == 1 {
		a.value = sample
		return
	}
	a.value += weight * (sample - a.value)
}

// Or is the mean, or what is given while nothing is known.
func (a *Average) Or(unknown float64) float64 {
	if a.n == 0 {
		return unknown
	}
	return a.value
}

// Samples counts what it is the mean of.
func (a *Average) Samples() int { return a.n }

// extremeSpan is how far least and most look back: one to two times as long.
const extremeSpan = 30 * time.Second

// least is the minimum of the last one to two extremeSpans, in two buckets.
type least struct {
	began          time.Duration
	current, older float64
	filled         bool
}

func (l *least) add(at time.Duration, sample float64) {
	l.forget(at)
	l.current = min(l.current, sample)
}

// forget lets time pass.
func (l *least) forget(at time.Duration) {
	switch {
	case !l.filled || at-l.began >= 2*extremeSpan:
		*l = least{began: at, current: math.Inf(1), older: math.Inf(1), filled: true}
	case at-l.began >= extremeSpan:
		l.began, l.older, l.current = l.began+extremeSpan, l.current, math.Inf(1)
	}
}

// value is +Inf before the first sample.
func (l *least) value() float64 {
	if !l.filled {
		return math.Inf(1)
	}
	return min(l.current, l.older)
}

// windowSize is how many round trips the definitions of jitter look back on: a minute of
// probes at 1 Hz, a quarter of one at 4 Hz.
const windowSize = 60

// window keeps the last windowSize samples; statistics are computed when asked for.
type window struct {
	samples [windowSize]float64
	n, next int
	// deviation is what stddev gives, worked out once for each sample.
	deviation float64
}

func (w *window) add(sample float64) {
	w.samples[w.next] = sample
	w.next = (w.next + 1) % windowSize
	w.n = min(w.n+1, windowSize)
	w.deviation = w.spreadAroundMean()
}

// at gives the i-th oldest sample.
func (w *window) at(i int) float64 {
	return w.samples[(w.next-w.n+i+windowSize)%windowSize]
}

func (w *window) mean() float64 {
	sum := 0.
	for i := range w.n {
		sum += w.samples[i]
	}
	return sum / float64(max(w.n, 1))
}

// stddev is the sample standard deviation; 0 with fewer than two samples.
func (w *window) stddev() float64 { return w.deviation }

func (w *window) spreadAroundMean() float64 {
	if w.n < 2 {
		return 0
	}
	mean, sum := w.mean(), 0.
	for i := range w.n {
		d := w.samples[i] - mean
		sum += d * d
	}
	return math.Sqrt(sum / float64(w.n-1))
}

// meanAbsoluteDifference is that of neighbouring samples; 0 with fewer than two.
func (w *window) meanAbsoluteDifference() float64 {
	if w.n < 2 {
		return 0
	}
	sum := 0.
	for i := 1; i < w.n; i++ {
		sum += math.Abs(w.at(i) - w.at(i-1))
	}
	return sum / float64(w.n-1)
}

// spread is p95 - p50, with linear interpolation between the samples by rank.
func (w *window) spread() float64 {
	if w.n < 2 {
		return 0
	}
	sorted := w.samples
	slices.Sort(sorted[:w.n])
	at := func(q float64) float64 {
		x := q * float64(w.n-1)
		i := min(int(x), w.n-2)
		return sorted[i] + (x-float64(i))*(sorted[i+1]-sorted[i])
	}
	return at(.95) - at(.5)
}

func seconds(s float64) time.Duration {
	return time.Duration(min(s, 1e9) * float64(time.Second))
}
