// SPDX-License-Identifier: Apache-2.0

package offload

import (
	"math"
	"time"

	"edgex-offload/offload/link"
)

// priorService is the execution time to assume where nothing says one.
const priorService = 20 * time.Millisecond

// sizeWeight is that of an answer in the mean size of answers.
const sizeWeight = .3

// serviceTime is the execution time of one model in one place.
type serviceTime struct {
	mean link.Average
	// deviation is the mean of how far a run was from the mean.
	deviation link.Average
	spread    float64       // seconds, the deviation to assume until it is measured
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
	if s.mean.Samples() > 0 {
		sample = min(sample, outlier*s.mean.Or(0))
		s.deviation.Add(math.Abs(sample-s.mean.Or(0)), serviceWeight)
		if sample < s.mean.Or(0)/2 {
			weight = recoveryWeight
		}
	}
	s.mean.Add(sample, weight)
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
	if s == nil || s.mean.Samples() == 0 {
		return unmeasured
	}
	if measured := seconds(s.mean.Or(0)); now-s.at < staleAfter || measured < unmeasured {
		return measured
	}
	return unmeasured
}

// measured is the mean execution time; 0 for none.
func (s *serviceTime) measured() time.Duration {
	if s == nil || s.mean.Samples() == 0 {
		return 0
	}
	return seconds(s.mean.Or(0))
}

func seconds(s float64) time.Duration {
	return time.Duration(min(s, 1e9) * float64(time.Second))
}

func ms(d time.Duration) float64 { return float64(d) / float64(time.Millisecond) }

// pace is how long runs take of late against their usual time.
type pace struct {
	slower float64 // a factor; 0 is unknown and counts as 1
}

const (
	// A run that is as long as expected, give or take paceUsual of its logarithm, moves the pace
	// by paceWeight; one that is not by paceJump: a box begins to throttle from one run to the next.
	paceUsual, paceWeight, paceJump = .25, .15, .9
	// paceReturn pulls it back to 1, so that it is the models' usual times that settle.
	paceReturn = .02
	// mostPace bounds what one run says.
	mostPace = 2.
)

func (p *pace) factor() float64 {
	if p.slower == 0 {
		return 1
	}
	return p.slower
}

// of is an execution time at this pace; one that was never measured counts as it is.
func (p *pace) of(usual time.Duration, s *serviceTime) time.Duration {
	if s.mean.Samples() == 0 {
		return usual
	}
	return time.Duration(float64(usual) * p.factor())
}

// add learns from a run, and gives what it would have taken at the usual pace.
func (p *pace) add(took time.Duration, s *serviceTime) (usual time.Duration) {
	if took <= 0 || s.mean.Samples() == 0 {
		return took
	}
	ratio := took.Seconds() / max(s.mean.Or(0), 1e-9)
	f, weight := p.factor(), paceWeight
	if math.Abs(math.Log(ratio/f)) > paceUsual {
		weight = paceJump
	}
	f += weight * (min(max(ratio, 1/mostPace), mostPace) - f)
	p.slower = f + paceReturn*(1-f)
	return time.Duration(float64(took) / p.slower)
}

// within is the probability that a run expected to take so long is done in a time: a
// logistic distribution around it, with a tail of runs that the box stalls in.
func (s *serviceTime) within(left, expected time.Duration) float64 {
	if left <= 0 {
		return 0
	}
	const leastShare, stallShare, logisticScale = .12, .005, 1.7
	deviation := leastShare * expected.Seconds()
	if s != nil {
		deviation = max(deviation, min(1.25*s.deviation.Or(s.spread), .5*expected.Seconds()))
	}
	x := (left - expected).Seconds() / max(deviation, 1e-6)
	return (1 - stallShare) / (1 + math.Exp(-logisticScale*x))
}

// load is how much work arrives for each worker, as a share of the time there is; work that
// came loadMemory ago counts 1/e.
type load struct {
	work float64 // seconds
	at   time.Duration
}

const loadMemory = time.Second

func (l *load) fade(now time.Duration) {
	if now > l.at {
		l.work *= math.Exp(-(now - l.at).Seconds() / loadMemory.Seconds())
		l.at = now
	}
}

func (l *load) add(now, work time.Duration) {
	l.fade(now)
	l.work += work.Seconds()
}

// share is 1 where what arrives takes all the time of so many workers.
func (l *load) share(now time.Duration, workers int) float64 {
	l.fade(now)
	return l.work / loadMemory.Seconds() / float64(workers)
}
