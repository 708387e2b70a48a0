// SPDX-License-Identifier: Apache-2.0

package twin

import "math"

// Latencies are how many results took how long, in bins that each reach 2^(1/8), or 9%,
// further than the one before. Its zero value is ready to use.
type Latencies struct {
	// Bins are of results, Without are the tasks that have none.
	Bins    [latencyBins]int
	Without int
}

const (
	latencyBins      = 128
	binsPerDoubling  = 8
	firstLatencyBins = .25 // ms, the upper end of the first bin
)

// LatencyBin gives the ends of a bin, in milliseconds. The first one begins at 0, the last
// one has no end.
func LatencyBin(i int) (from, to float64) {
	from, to = firstLatencyBins*math.Exp2(float64(i-1)/binsPerDoubling), firstLatencyBins*math.Exp2(float64(i)/binsPerDoubling)
	if i <= 0 {
		from = 0
	}
	if i >= latencyBins-1 {
		to = math.Inf(1)
	}
	return from, to
}

// Add takes the latency of a task in milliseconds, infinite without a result.
func (l *Latencies) Add(ms float64) {
	if math.IsInf(ms, 1) {
		l.Without++
		return
	}
	bin := math.Ceil(math.Log2(max(ms, firstLatencyBins)/firstLatencyBins) * binsPerDoubling)
	l.Bins[min(int(bin), latencyBins-1)]++
}

// Merge adds all of another.
func (l *Latencies) Merge(o *Latencies) {
	for i, n := range o.Bins {
		l.Bins[i] += n
	}
	l.Without += o.Without
}

// Calibration compares what was promised of attempts, the probability of an answer by the
// deadline, with what came. Its zero value is ready to use.
type Calibration struct {
	// Bins are of equal width, 0 to .1 first.
	Bins [10]CalibrationBin
	// Squares is the sum of squared errors.
	Squares float64
}

// CalibrationBin is of attempts that were promised about the same.
type CalibrationBin struct {
	Count int
	// Promised is the sum of the probabilities, InTime how many came in time.
	Promised float64
	InTime   int
}

// Add takes an attempt.
func (c *Calibration) Add(promised float64, inTime bool) {
	b := &c.Bins[max(0, min(int(promised*float64(len(c.Bins))), len(c.Bins)-1))]
	b.Count++
	b.Promised += promised
	if inTime {
		b.InTime++
	}
	c.Squares += (promised - one(inTime)) * (promised - one(inTime))
}

// Merge adds all of another.
func (c *Calibration) Merge(o *Calibration) {
	for i := range c.Bins {
		c.Bins[i].Count += o.Bins[i].Count
		c.Bins[i].Promised += o.Bins[i].Promised
		c.Bins[i].InTime += o.Bins[i].InTime
	}
	c.Squares += o.Squares
}

// Errors are the expected calibration error, the mean over the attempts of how far what was
// promised in their bin is from what came, and the Brier score; None of no attempts.
func (c *Calibration) Errors() (ece, brier float64) {
	n, off := 0, 0.
	for i := range c.Bins {
		b := &c.Bins[i]
		n += b.Count
		off += math.Abs(b.Promised - float64(b.InTime))
	}
	if n == 0 {
		return None, None
	}
	return off / float64(n), c.Squares / float64(n)
}
