// SPDX-License-Identifier: Apache-2.0

package emulator

import (
	"math"
	"math/rand/v2"
	"time"
)

// Direction of data on the link.
type Direction int

// The directions.
const (
	Up   Direction = iota // from the client to the server
	Down                  // from the server to the client
)

const (
	segmentBytes = 1400 // payload of one packet on the usual MTU of 1500
	firstResend  = 200 * time.Millisecond
	longestWait  = 1600 * time.Millisecond
	// horizon bounds how far ahead a piece may be put off: a link that is dead for
	// longer delivers it then.
	horizon = 10 * time.Minute
)

// Shaper says when data that is handed to the link arrives. Times count from the
// link's start and must not go back.
type Shaper struct {
	timeline timeline
	lanes    [2]lane
}

// lane is one direction: it sends one piece at a time.
type lane struct {
	free time.Duration // when what was handed over has left
	rng  *rand.Rand    // decides which pieces are lost
}

// NewShaper shapes by a source; the seed decides which pieces are lost.
func NewShaper(source Source, seed int64) *Shaper {
	return &Shaper{
		timeline: timeline{source: source},
		lanes: [2]lane{
			{rng: rand.New(rand.NewPCG(uint64(seed), 1))},
			{rng: rand.New(rand.NewPCG(uint64(seed), 2))},
		},
	}
}

// At is what the link is like at a time.
func (s *Shaper) At(now time.Duration) Conditions { return s.timeline.at(now) }

// Forget frees what was kept of the time before now; nothing earlier may be asked any more.
func (s *Shaper) Forget(now time.Duration) { s.timeline.forget(now) }

// Send hands n bytes to the link at now. They have left the sender at left, which is
// when the next piece may go, and reach the other side at arrives.
func (s *Shaper) Send(now time.Duration, d Direction, n int) (left, arrives time.Duration) {
	lane := &s.lanes[d]
	left = s.serialise(max(now, lane.free), d, n)
	lane.free = left
	return left, s.deliver(left, lane.rng, n)
}

// serialise integrates the rate over the slots until n bytes have left.
func (s *Shaper) serialise(start time.Duration, d Direction, n int) time.Duration {
	t, remaining := start, float64(n)
	for t-start < horizon {
		rate := s.timeline.at(t).rate(d)
		slotEnd := t - t%Slot + Slot
		if rate > 0 {
			if seconds := remaining / rate; seconds <= (slotEnd - t).Seconds() {
				return t + time.Duration(seconds*float64(time.Second))
			}
			remaining -= rate * (slotEnd - t).Seconds()
		}
		t = slotEnd
	}
	return t
}

// deliver adds the way, and the resends if the piece is lost.
func (s *Shaper) deliver(left time.Duration, rng *rand.Rand, n int) time.Duration {
	at := left
	wait := s.timeline.at(left).RTT
	for next := firstResend; at-left < horizon; next = min(2*next, longestWait) {
		now := s.timeline.at(at)
		arrives := at + now.RTT/2
		if !lost(now.Loss, rng, n) && !s.timeline.at(arrives).Out() {
			return arrives
		}
		at += max(wait, time.Millisecond)
		wait = next
	}
	return at
}

// lost draws whether at least one of a piece's packets is lost.
func lost(loss float64, rng *rand.Rand, n int) bool {
	if loss <= 0 {
		return false
	}
	packets := math.Ceil(float64(max(n, 1)) / segmentBytes)
	return rng.Float64() >= math.Pow(1-min(loss, 1), packets)
}

// Flow is one direction of one connection: its data arrives in order.
type Flow struct {
	shaper    *Shaper
	direction Direction
	last      time.Duration
}

// Flow begins one direction of a connection.
func (s *Shaper) Flow(d Direction) *Flow { return &Flow{shaper: s, direction: d} }

// Send is Shaper.Send, in order.
func (f *Flow) Send(now time.Duration, n int) (left, arrives time.Duration) {
	left, arrives = f.shaper.Send(now, f.direction, n)
	f.last = max(f.last, arrives)
	return left, f.last
}
