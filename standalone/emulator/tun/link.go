// SPDX-License-Identifier: Apache-2.0

package tun

import (
	"math"
	"math/rand/v2"
	"time"

	"edgex-offload/standalone/emulator"
)

// forever stands for no time at which to look again.
const forever = time.Duration(math.MaxInt64)

// link is the schedule: packets in, packets out, on virtual time since its start, which
// must not go back. It is not safe for concurrent use.
type link struct {
	options  Options
	timeline timeline
	lanes    [2]lane
	buffers  buffers
	served   time.Duration // until when packets have left
}

// newLink begins at time 0 by options that were checked.
func newLink(o Options) *link {
	l := &link{options: o, timeline: timeline{source: o.Source}}
	for _, d := range []emulator.Direction{emulator.Up, emulator.Down} {
		l.lanes[d] = lane{
			direction: d, options: &l.options, buffers: &l.buffers,
			rng: rand.New(rand.NewPCG(uint64(o.Seed), uint64(d))),
		}
	}
	l.timeline.reach(0)
	return l
}

// advance lets packets leave until now, slot by slot, and returns the present conditions.
func (l *link) advance(now time.Duration) emulator.Conditions {
	now = max(now, l.served) // another caller may have read the clock later and come first
	for {
		c := l.timeline.reach(l.served)
		end := nextSlot(l.served)
		l.served = min(now, end)
		for d := range l.lanes {
			l.lanes[d].serve(l.served, end, c)
		}
		if l.served < end {
			return c
		}
	}
}

// offer takes a packet that comes now; it is dropped or copied.
func (l *link) offer(now time.Duration, d emulator.Direction, data []byte) {
	c := l.advance(now)
	l.lanes[d].offer(l.served, c, data)
}

// due takes a packet that has arrived by now. done must be called with it.
func (l *link) due(now time.Duration, d emulator.Direction) (packet, bool) {
	l.advance(now)
	p, ok := l.lanes[d].due(now)
	if ok {
		l.lanes[d].handed++
	}
	return p, ok
}

// done counts a packet of due as arrived late, or as refused.
func (l *link) done(d emulator.Direction, p packet, late time.Duration, taken bool) {
	l.lanes[d].handed--
	c := &l.lanes[d].counters
	if taken {
		c.ArrivedPackets++
		c.ArrivedBytes += uint64(len(p.data))
		c.Late.add(late)
	} else {
		c.Dropped[Refused]++
	}
	l.buffers.put(p.data)
}

// wake is when to look again at the latest, forever if nothing waits or is on its way.
func (l *link) wake(now time.Duration) time.Duration {
	c := l.advance(now)
	at := forever
	for d := range l.lanes {
		at = min(at, l.lanes[d].wake(nextSlot(l.served), c))
	}
	return at
}

// change takes effect when the next slot begins, which it returns.
func (l *link) change(now time.Duration, how func(*timeline)) time.Duration {
	l.advance(now)
	how(&l.timeline)
	return nextSlot(l.served)
}

func (l *link) counters(now time.Duration) [2]Counters {
	l.advance(now)
	var all [2]Counters
	for d := range l.lanes {
		lane := &l.lanes[d]
		all[d] = lane.counters
		all[d].WaitingPackets, all[d].OnTheWay = lane.queue.len(), lane.onTheWay()+lane.handed
	}
	return all
}
