// SPDX-License-Identifier: Apache-2.0

package offload

import (
	"math"
	"time"
)

// average is an exponentially weighted mean that starts at its first sample.
type average struct {
	value float64
	n     int
}

func (a *average) add(sample, weight float64) {
	a.n++
	if a.n == 1 {
		a.value = sample
		return
	}
	a.value += weight * (sample - a.value)
}

func (a *average) or(unknown float64) float64 {
	if a.n == 0 {
		return unknown
	}
	return a.value
}

// windowSize is how many samples of RTT and of loss the link remembers: half a minute
// of probes at 2 Hz.
const windowSize = 60

// window keeps the last windowSize samples; statistics are computed when asked for.
type window struct {
	samples [windowSize]float64
	n, next int
}

func (w *window) add(sample float64) {
	w.samples[w.next] = sample
	w.next = (w.next + 1) % windowSize
	w.n = min(w.n+1, windowSize)
}

// at gives the i-th oldest sample.
func (w *window) at(i int) float64 {
	return w.samples[(w.next-w.n+i+windowSize)%windowSize]
}

func (w *window) mean() float64 {
	if w.n == 0 {
		return 0
	}
	sum := 0.
	for i := range w.n {
		sum += w.at(i)
	}
	return sum / float64(w.n)
}

// stddev is the sample standard deviation; 0 with fewer than two samples.
func (w *window) stddev() float64 {
	if w.n < 2 {
		return 0
	}
	mean, sum := w.mean(), 0.
	for i := range w.n {
		d := w.at(i) - mean
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

func (w *window) min() float64 {
	least := math.Inf(1)
	for i := range w.n {
		least = min(least, w.at(i))
	}
	return least
}

// serviceTime is the execution time of one model in one place.
type serviceTime struct {
	mean average
	// deviation is the mean of how far a run was from the mean.
	deviation average
	at        time.Duration // of the last sample
}

const (
	// serviceWeight follows a throttling box within some ten runs.
	serviceWeight = .15
	// recoveryWeight is that of a run which took less than half of what was expected: the
	// box is free again.
	recoveryWeight = .5
	// outlier is how many times the mean a run counts at the most: one stall of the box is
	// not what the next run will take.
	outlier = 4
	// staleAfter is when a measurement that keeps a path from being taken counts no more:
	// only another run can tell.
	staleAfter = 10 * time.Second
)

func (s *serviceTime) add(at, took time.Duration) {
	if took <= 0 || took > time.Hour {
		return
	}
	sample, weight := took.Seconds(), serviceWeight
	if s.mean.n > 0 {
		sample = min(sample, outlier*s.mean.value)
		s.deviation.add(math.Abs(sample-s.mean.value), serviceWeight)
		if sample < s.mean.value/2 {
			weight = recoveryWeight
		}
	}
	s.mean.add(sample, weight)
	s.at = at
}

// expect is the measured time, else the first of the assumed ones that is known, else
// fallback. A measurement that has become old counts only while it promises less than those.
func (s *serviceTime) expect(now, fallback time.Duration, assumed ...time.Duration) time.Duration {
	unmeasured := fallback
	for _, d := range assumed {
		if d > 0 {
			unmeasured = d
			break
		}
	}
	if s == nil || s.mean.n == 0 {
		return unmeasured
	}
	if measured := seconds(s.mean.value); now-s.at < staleAfter || measured < unmeasured {
		return measured
	}
	return unmeasured
}

// spread is what a run may well take longer than expected: four deviations, as in TCP's
// retransmission timer (RFC 6298), a quarter of the expected time at least.
func (s *serviceTime) spread(expected time.Duration) time.Duration {
	least := expected / 4
	if s == nil {
		return least
	}
	return max(least, seconds(4*s.deviation.value))
}

// measured is the mean execution time; 0 for none.
func (s *serviceTime) measured() time.Duration {
	if s == nil || s.mean.n == 0 {
		return 0
	}
	return seconds(s.mean.value)
}

func seconds(s float64) time.Duration {
	return time.Duration(min(s, 1e9) * float64(time.Second))
}

func ms(d time.Duration) float64 { return float64(d) / float64(time.Millisecond) }
