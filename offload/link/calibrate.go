// SPDX-License-Identifier: Apache-2.0

package link

import (
	"math"
	"time"
)

// levelOf are the probabilities for which a prediction has a bound.
var levelOf = [...]float64{.02, .05, .1, .2, .3, .4, .5, .6, .7, .8, .9, .95, .98, .99}

const levels = len(levelOf)

// The indexes of levels with a meaning of their own.
const (
	median       = 6
	lateLevel    = 10 // beyond it a message is late
	p95          = 11
	overdueLevel = 12 // beyond it the link stands still
)

// correction is what each bound is multiplied with so that it holds as often as its level.
type correction [levels]float64

// correctionStep is how much a bound grows, as a logarithm, when it did not hold at level 0:
// at level p it grows by p of it, and shrinks by 1 - p of it when it held. A smaller step
// follows a change later and swings less.
const correctionStep = .02

// mostCorrection bounds it, either way.
const mostCorrection = 7.

// learn takes whether a bound held: 1 or 0, or with what probability it did.
func (c *correction) learn(level int, held float64) {
	step := correctionStep * (levelOf[level] - held)
	c[level] = min(max(c[level]*math.Exp(step), 1/mostCorrection), mostCorrection)
}

// learn compares a prediction with what it took, in seconds. An attempt that was given up
// (done is false) would have taken longer: it makes no bound shorter.
func (l *Link) learn(at time.Duration, p *Prediction, took float64, done bool) {
	if p.scale == 0 || took <= 0 {
		return
	}
	// Of one that was given up within a bound, the prediction itself says how likely it would
	// have held. Without that, those that were answered in time would be all that is seen.
	before := 0.
	if !done {
		before = p.By(seconds(took))
	}
	for i, level := range levelOf {
		held := 0.
		switch within := took <= p.bounds[i]; {
		case within && done:
			held = 1
		case within:
			held = max(level-before, 0) / (1 - before)
		}
		l.correction[p.state].learn(i, held)
	}
	z := took / p.scale
	if p.state == running {
		l.recent.learn(at, z, done, &l.priors)
		l.lasting.learn(at, z, done, &l.priors)
		l.ofClass[p.class].learn(at, z, done, &l.priors)
	} else {
		l.stalled[p.state].learn(at, z, done, &l.priors)
	}
	if !done { // what was beyond this is, in the middle, some way further
		const further = 1.5
		took *= further
	}
	if done || took > -l.longest.value() {
		l.longest.add(at, -took)
	}
	usual, weight := &l.usual[p.class], usualWeight
	if p.state != running {
		usual, weight = &l.usualStalled[p.state], stallWeight
	} else if done {
		l.usualBytes[p.class].Add(p.bytes, usualWeight)
	}
	if log := math.Log(took); done || (usual.n >= fewSamples && log > usual.value) {
		usual.Add(log, weight)
	}
}

// score keeps how predictions held, over all attempts.
type score struct {
	attempts, within95  uint64
	squares             float64
	count, promised, in [10]float64 // by tenths of the promised probability
	deadlines           uint64
}

// bound notes whether the 95% bound held.
func (s *score) bound(held bool) {
	s.attempts++
	if held {
		s.within95++
	}
}

// promise notes a probability that was promised and whether it came true.
func (s *score) promise(p float64, came bool) {
	i := min(int(p*10), 9)
	s.count[i]++
	s.promised[i] += p
	s.deadlines++
	d := p
	if came {
		s.in[i]++
		d = 1 - p
	}
	s.squares += d * d
}

func (s *score) calibration() Calibration {
	c := Calibration{Attempts: s.attempts}
	if s.attempts > 0 {
		c.Held95 = float64(s.within95) / float64(s.attempts)
	}
	if s.deadlines == 0 {
		return c
	}
	for i := range s.count {
		c.Error += math.Abs(s.promised[i]-s.in[i]) / float64(s.deadlines)
	}
	c.Brier = s.squares / float64(s.deadlines)
	return c
}
