// SPDX-License-Identifier: Apache-2.0

package offload

import "time"

// speed is the share of its full clock that the box may run at: what a power mode allows and
// heat leaves. Times of local runs are learned as of a box at full speed and expected at the
// speed of the moment, so that a box that throttles is known to be slow at once, and to be
// quick again at once. The zero value is full speed.
type speed struct {
	told float64 // the share; 0 is full speed
	// since is when it became so; until then so much full-speed time had passed.
	since, passed time.Duration
}

// leastShare bounds what a box can be said to be slowed down to.
const leastShare = .05

func (s *speed) share() float64 {
	if s.told == 0 {
		return 1
	}
	return s.told
}

// full is the full-speed time that passed from the start to now.
func (s *speed) full(now time.Duration) time.Duration {
	return s.passed + s.shrink(now-s.since)
}

// stretch is how long what takes so long at full speed takes now.
func (s *speed) stretch(d time.Duration) time.Duration {
	if s.told == 0 {
		return d
	}
	return longer(d, 1/s.told)
}

// shrink is the full-speed time in a time at this speed.
func (s *speed) shrink(d time.Duration) time.Duration {
	if s.told == 0 {
		return d
	}
	return time.Duration(float64(d) * s.told)
}

// mean is the share that a run had of the full speed from its start to now.
func (s *speed) mean(a *attempt, now time.Duration) float64 {
	if now <= a.started {
		return s.share()
	}
	return float64(s.full(now)-a.fullAt) / float64(now-a.started)
}

// setSpeed takes over the share of its full speed that the box has from now on; 0 is not known
// and counts as 1. What runs goes on at the new speed.
func (e *Engine) setSpeed(share float64) {
	if share == 0 {
		share = 1
	}
	b := &e.box
	if !within(share, 0, 1) || max(share, leastShare) == b.speed.share() {
		return
	}
	slower := b.speed.share() / max(share, leastShare)
	b.speed = speed{told: max(share, leastShare), since: e.now, passed: b.speed.full(e.now)}
	b.pace.explained(slower)
	for _, a := range b.running {
		a.slow(e.now, slower)
	}
	b.changed = true
}

// slow makes what is left of a run so many times as long.
func (a *attempt) slow(now time.Duration, times float64) {
	a.expected = lengthened(a.expected, now-a.started, times)
	a.whole = lengthened(a.whole, now-a.started, times)
	if now < a.overdueFrom() {
		a.overdue = false
	}
}

func lengthened(whole, gone time.Duration, times float64) time.Duration {
	if whole <= gone {
		return whole
	}
	return gone + longer(whole-gone, times)
}

func longer(d time.Duration, times float64) time.Duration {
	return time.Duration(min(float64(d)*times, float64(forever/4))) // two of them are still less than forever
}

// explained takes out of the pace what was seen of a change of speed before it was told: runs
// tell of it within milliseconds, the kernel's files are looked at now and then.
func (p *pace) explained(slower float64) {
	switch f := p.factor(); {
	case slower > 1 && f > 1:
		p.slower = max(1, f/slower)
	case slower < 1 && f < 1:
		p.slower = min(1, f/slower)
	}
}
