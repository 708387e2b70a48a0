// SPDX-License-Identifier: Apache-2.0

package remote

import "time"

// brake bounds what of the payloads is in the network. A loss-based congestion control,
// which most kernels have, fills the modem's buffer before it slows down, and a small urgent
// message then stands behind that for as long as the buffer is deep. The brake keeps to what
// the path holds, as BBR does in the kernel (Cardwell et al., BBR: congestion-based
// congestion control, ACM Queue 2016), but from outside and with a limit alone.
//
// The path holds rate × round trip. Both are measured in rounds: a piece is written, and a
// round trip later it is acknowledged, and with it what was delivered meanwhile. The largest
// rate and the shortest round trip of the last seconds count. A round trip holds one's own
// queue, so that queue is let run down for a moment where that did not happen by itself.
//
// Its zero value is ready to use. It has no clock: a time never lies before the one before.
type brake struct {
	round  round
	rates  peak      // bytes per second
	paces  peak      // rounds per second: the inverse of the round trip
	lumps  peak      // bytes that were acknowledged at once
	lump   round     // since when they were at more than the rate
	grows  bool      // the last round delivered far more than those before
	looked time.Time // when a round began that met no queue of one's own
}

// round is a piece on its way and its acknowledgement on the way back.
type round struct {
	began time.Time
	acked uint64 // bytes that were acknowledged when it began
	ends  uint64 // and that are when it ends; 0 while there is none
}

const (
	// cruise is how many times of what the path holds may be in it. What is beyond once is
	// what urgent messages wait for; it keeps the path busy while acknowledgements are late,
	// and shows when it carries more than before.
	cruise = 1.25
	// climb is that while the rate grows, as TCP's slow start doubles it in each round. A rate
	// grows that is risen times the largest before.
	climb, risen = 2, 1.25
	// glance is what is in the path, of what it holds, when the round trip is looked at.
	glance = .5
	// least is left to every path, in bytes, for acknowledgements of several packets at once,
	// and lateness too, at the path's rate, for what a timer and the scheduler take.
	least, lateness = 8 << 10, 2 * time.Millisecond
	// A path that acknowledges in lumps, as radio does, is left the largest of late (BBR's
	// extra_acked), up to mostLump times of what it holds and lumpTime at its rate: with that
	// an urgent message waits for less than a round trip and 20 ms still.
	mostLump, lumpTime = .5, 10 * time.Millisecond
	// halfWindow is half of the time for which a rate and a round trip count at most, and
	// lumpWindow the same of lumps.
	halfWindow, lumpWindow = 10 * time.Second, time.Second
	// leastHold and mostHold bound a hold: what changes meanwhile is seen after it.
	leastHold, mostHold = time.Millisecond, 20 * time.Millisecond
)

// hold is for how long the next piece, in bytes, waits before it asks again; 0 lets it go.
// acked and out are the bytes that were acknowledged and that were written but were not.
func (b *brake) hold(now time.Time, acked uint64, out, next int) time.Duration {
	b.measure(now, acked, out)
	rate := b.rates.most(now, halfWindow)
	holds := 0.
	if rate > 0 {
		holds = rate / b.paces.most(now, halfWindow)
	}
	look := now.Sub(b.looked) > halfWindow
	lump := min(b.gather(now, acked, rate), mostLump*holds+rate*lumpTime.Seconds())
	if excess := float64(out) - b.limit(rate, holds, lump, look); rate > 0 && excess > 0 {
		return min(max(time.Duration(excess/rate*float64(time.Second)), leastHold), mostHold)
	}
	alone := float64(out) <= glance*holds || rate == 0
	if b.round.ends == 0 || alone && look {
		b.round = round{began: now, acked: acked, ends: acked + uint64(out+next)}
		if alone {
			b.looked = now
		}
	}
	return 0
}

// limit is what may be in the network at a rate on a path that holds so much, in bytes.
func (b *brake) limit(rate, holds, lump float64, look bool) float64 {
	switch {
	case look:
		return glance * holds
	case b.grows:
		return climb*holds + least
	default:
		return cruise*holds + least + rate*lateness.Seconds() + lump
	}
}

// gather is the largest lump of acknowledgements of late, in bytes beyond what the rate
// gives.
func (b *brake) gather(now time.Time, acked uint64, rate float64) float64 {
	lump := float64(acked-b.lump.acked) - rate*now.Sub(b.lump.began).Seconds()
	if lump <= 0 || b.grows || rate == 0 {
		b.lump = round{began: now, acked: acked}
	} else {
		b.lumps.add(now, lumpWindow, lump)
	}
	return b.lumps.most(now, lumpWindow)
}

// measure ends the round when its piece is acknowledged. One in which the network ran empty
// tells nothing.
func (b *brake) measure(now time.Time, acked uint64, out int) {
	r := b.round
	took := now.Sub(r.began).Seconds()
	switch {
	case r.ends == 0 || out > 0 && (acked < r.ends || took <= 0):
		return
	case out > 0:
		rate := float64(acked-r.acked) / took
		b.grows = rate > risen*b.rates.most(now, halfWindow)
		b.rates.add(now, halfWindow, rate)
		b.paces.add(now, halfWindow, 1/took)
	}
	b.round = round{}
}

// peak remembers the largest of what was measured during the last half of a window to a
// whole one.
type peak struct {
	turned         time.Time
	recent, before float64
}

func (p *peak) add(now time.Time, half time.Duration, v float64) {
	p.turn(now, half)
	p.recent = max(p.recent, v)
}

// most is 0 where nothing was measured.
func (p *peak) most(now time.Time, half time.Duration) float64 {
	p.turn(now, half)
	return max(p.recent, p.before)
}

func (p *peak) turn(now time.Time, half time.Duration) {
	switch age := now.Sub(p.turned); {
	case age >= 2*half:
		*p = peak{turned: now}
	case age >= half:
		*p = peak{turned: now, before: p.recent}
	}
}
