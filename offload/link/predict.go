// SPDX-License-Identifier: Apache-2.0

package link

import (
	"math"
	"time"
)

// Ahead is what an attempt meets on its way out.
type Ahead struct {
	// Bytes wait before it in the send queue and in the kernel.
	Bytes float64
	// Oldest is the oldest message without an answer; the zero value when there is none.
	Oldest Flight
}

// Flight is a message on its way: when it left, and the ages at which it is late and
// overdue. Prediction.Flight gives it.
type Flight struct {
	Left          time.Duration
	Late, Overdue time.Duration
}

// state is how far the oldest message under way is beyond its prediction.
type state int

const (
	running state = iota
	late
	overdue
	states
)

func (f Flight) state(now time.Duration) state {
	switch age := now - f.Left; {
	case f.Overdue == 0 || age <= f.Late:
		return running
	case age <= f.Overdue:
		return late
	}
	return overdue
}

// Prediction is the distribution of the time from now to the answer of an attempt. It is a
// value: it stays what it was when it was made. The zero value predicts nothing.
type Prediction struct {
	// At is the engine time at which it was made.
	At time.Duration
	// scale is the time that residuals are relative to; in a state other than running it
	// comes of fresh: what it would be if the oldest message came back only now.
	scale, fresh float64
	class        int
	bytes        float64
	state        state
	bounds       [levels]float64 // seconds, ascending
}

// How a scale is put together; the exponents of geometric means.
const (
	// usualShare is that of what attempts of the class usually took: a scale of the last few
	// samples alone swings more than the times that follow do.
	usualShare = .6
	// stallShare is that of the age of the oldest message, against what attempts that were
	// made in a stall usually took.
	stallShare = .4
	// usualWeight is that of a sample in the usual times, stallWeight in those of stalls.
	usualWeight, stallWeight = .1, .05
	// firstStall is what a stall is taken to last before the first was seen.
	firstStall = .5 // seconds
)

// The shares of the histograms in the distribution of residuals.
const (
	recentShare, lastingShare, classShare = .1, .3, .6
)

// Predict works out when an attempt of so many bytes would be done if it were made now;
// service is the expected time at the target, its queue included.
func (l *Link) Predict(now time.Duration, bytes int, ahead Ahead, service time.Duration) Prediction {
	p := Prediction{At: now, class: classOf(bytes), state: ahead.Oldest.state(now)}
	const overhead = .001 // of sending and receiving, on both sides
	perByte, trip := l.perByte(), l.rtt()+overhead
	p.bytes = float64(bytes)
	p.scale = (ahead.Bytes+p.bytes)*perByte + trip + service.Seconds()
	if u := &l.usual[p.class]; u.n >= fewSamples {
		// What one of the usual size took, for one of this size.
		size := (p.bytes*perByte + trip) / (l.usualBytes[p.class].value*perByte + trip)
		p.scale = blend(p.scale, math.Exp(u.value)*size, usualShare)
	}
	if p.state != running {
		p.fresh = p.scale + (now - ahead.Oldest.Left).Seconds()
		usual := math.Exp(l.usualStalled[p.state].Or(math.Log(firstStall)))
		p.scale = blend(usual, p.fresh, stallShare)
	}
	l.bound(&p)
	return p
}

// fewSamples is how many it takes until usual times are asked.
const fewSamples = 6

// blend is the geometric mean with a share of b.
func blend(a, b, share float64) float64 {
	return math.Exp((1-share)*math.Log(a) + share*math.Log(b))
}

// bound fills in the bounds: the quantiles of the residuals at each level, as corrected.
func (l *Link) bound(p *Prediction) {
	mix := mixture{priors: &l.priors}
	if p.state == running {
		mix.add(&l.recent, p.At, recentShare)
		mix.add(&l.lasting, p.At, lastingShare)
		mix.add(&l.ofClass[p.class], p.At, classShare)
	} else {
		mix.add(&l.stalled[p.state], p.At, 1)
	}
	correction, top := &l.correction[p.state], l.top(p)
	least, bin := 0., 0
	below, above := 0., mix.upTo(0)
	for i, level := range levelOf {
		for bin < bins-1 && above < level {
			bin++
			below, above = above, mix.upTo(bin)
		}
		within := 0.
		if d := above - below; d > 0 {
			within = min(max((level-below)/d, 0), 1)
		}
		z := exp2((float64(bin)+within)/perOctave + firstOctave)
		// A bound at the top still differs from the one below it: By interpolates.
		least = max(least*(1+1e-6), min(z*p.scale*correction[i], top))
		p.bounds[i] = least
	}
}

// top is the longest bound that what was seen can justify: the longest time of late, and
// while the link stands still three times as long as it has been doing so.
func (l *Link) top(p *Prediction) float64 {
	longest := -l.longest.value()
	if l.lasting.weight(p.At) < 20 || math.IsInf(longest, 0) {
		return math.Inf(1)
	}
	return max(longest, p.scale, 3*p.fresh)
}

// Certain is the prediction of who knows: done after exactly that time.
func Certain(now, after time.Duration) Prediction {
	p := Prediction{At: now, scale: max(after.Seconds(), 1e-9)}
	for i := range p.bounds {
		p.bounds[i] = p.scale * (1 + 1e-9*float64(i-levels))
	}
	return p
}

// Expected is the median.
func (p *Prediction) Expected() time.Duration { return seconds(p.bounds[median]) }

// Quantile is the time within which a share q of such attempts are done, for q in
// [0.02, 0.99]; outside of that the bound of the nearer end.
func (p *Prediction) Quantile(q float64) time.Duration {
	i := 0
	for i < levels-1 && levelOf[i] < q {
		i++
	}
	if i == 0 || levelOf[i] <= q {
		return seconds(p.bounds[i])
	}
	f := (q - levelOf[i-1]) / (levelOf[i] - levelOf[i-1])
	return seconds(blend(p.bounds[i-1], p.bounds[i], f))
}

// By is the probability that the attempt is done within d of when it was predicted.
func (p *Prediction) By(d time.Duration) float64 {
	t := d.Seconds()
	switch {
	case t <= 0 || p.scale == 0:
		return 0
	case t < p.bounds[0]: // towards zero as the square: nothing is known of its shape
		x := t / p.bounds[0]
		return levelOf[0] * x * x
	}
	for i := 1; i < levels; i++ {
		if t < p.bounds[i] {
			f := math.Log(t/p.bounds[i-1]) / math.Log(p.bounds[i]/p.bounds[i-1])
			return levelOf[i-1] + f*(levelOf[i]-levelOf[i-1])
		}
	}
	const last = levels - 1
	return 1 - (1-levelOf[last])*math.Pow(p.bounds[last]/t, priorTail)
}

// Flight is the attempt under way once it was made.
func (p *Prediction) Flight() Flight {
	return Flight{Left: p.At, Late: seconds(p.bounds[lateLevel]), Overdue: seconds(p.bounds[overdueLevel])}
}
