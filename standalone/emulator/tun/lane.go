// SPDX-License-Identifier: Apache-2.0

package tun

import (
	"math"
	"math/rand/v2"
	"time"

	"edgex-offload/standalone/emulator"
)

// maxPackets bounds those of one direction, waiting and on their way: 98 MB.
const maxPackets = 1 << 16

// lane is one direction.
type lane struct {
	direction emulator.Direction
	options   *Options
	buffers   *buffers
	rng       *rand.Rand
	counters  Counters

	queue fifo
	// left bytes of the queue's first packet remained at since.
	left  float64
	since time.Duration

	// What has left is in the order of its arrival in each of the two.
	ordered, reordered         fifo
	lastOrdered, lastReordered time.Duration // arrivals
	handed                     int           // due, and not done yet
}

// offer takes a packet that comes now, in a slot of conditions c.
func (l *lane) offer(now time.Duration, c emulator.Conditions, data []byte) {
	l.counters.CamePackets++
	l.counters.CameBytes += uint64(len(data))
	// Drawn for each packet, so that the luck of one does not depend on how the one before fared.
	p := packet{luck: l.rng.Float64(), order: l.rng.Float64()}
	if reason, refused := l.refuse(c, data); refused {
		l.counters.Dropped[reason]++
		return
	}
	p.data = l.buffers.take(data)
	if l.queue.len() == 0 {
		l.left, l.since = float64(len(data)), now
	}
	l.counters.WaitingBytes += len(data)
	l.queue.push(p)
}

func (l *lane) refuse(c emulator.Conditions, data []byte) (Reason, bool) {
	switch {
	case len(data) > MTU:
		return Oversize, true
	case len(data) == 0 || data[0]>>4 != 4:
		return NotIPv4, true
	case c.Out() && !l.options.HoldOutages:
		return Outage, true
	case l.counters.WaitingBytes+len(data) > l.options.queueBytes(rate(c, l.direction)):
		return QueueFull, true
	case l.queue.len()+l.onTheWay() >= maxPackets:
		return Overflow, true
	}
	return 0, false
}

func (l *lane) onTheWay() int { return l.ordered.len() + l.reordered.len() }

// serve lets packets leave until a time in a slot of conditions c, or its end. When a
// packet leaves does not depend on the times at which serve is called.
func (l *lane) serve(until, slotEnd time.Duration, c emulator.Conditions) {
	if c.Out() && !l.options.HoldOutages {
		for l.queue.len() > 0 {
			l.drop(l.dequeue(), Outage)
		}
		return
	}
	for l.queue.len() > 0 {
		leaves := l.leaves(c)
		if leaves > until {
			break
		}
		l.depart(l.dequeue(), leaves, c)
		if l.queue.len() > 0 {
			l.left, l.since = float64(len(l.queue.first().data)), leaves
		}
	}
	if until == slotEnd && l.queue.len() > 0 { // the next slot goes on at its own rate
		l.left = max(l.left-rate(c, l.direction)*(slotEnd-l.since).Seconds(), 0)
		l.since = slotEnd
	}
}

// leaves is when the queue's first packet will have left if the conditions stay.
func (l *lane) leaves(c emulator.Conditions) time.Duration {
	took := l.left / rate(c, l.direction) * float64(time.Second)
	if !(took < math.MaxInt64/2) { // a rate of 0 too
		return math.MaxInt64
	}
	return l.since + time.Duration(math.Ceil(took))
}

func (l *lane) dequeue() packet {
	p := l.queue.pop()
	l.counters.WaitingBytes -= len(p.data)
	return p
}

// depart sends a packet that has left on its way.
func (l *lane) depart(p packet, left time.Duration, c emulator.Conditions) {
	if p.luck < c.Loss {
		l.drop(p, Lost)
		return
	}
	p.arrives = max(left+max(c.RTT, 0)/2, l.lastOrdered)
	if p.order >= l.options.Reorder {
		l.lastOrdered = p.arrives
		l.ordered.push(p)
		return
	}
	l.counters.Reordered++
	p.arrives = max(p.arrives+l.options.ReorderDelay, l.lastReordered)
	l.lastReordered = p.arrives
	l.reordered.push(p)
}

func (l *lane) drop(p packet, reason Reason) {
	l.counters.Dropped[reason]++
	l.buffers.put(p.data)
}

// next is the earliest packet on its way, nil if there is none.
func (l *lane) next() *fifo {
	switch {
	case l.onTheWay() == 0:
		return nil
	case l.reordered.len() == 0:
		return &l.ordered
	case l.ordered.len() == 0 || l.reordered.first().arrives < l.ordered.first().arrives:
		return &l.reordered
	}
	return &l.ordered
}

// due takes a packet that has arrived by now.
func (l *lane) due(now time.Duration) (packet, bool) {
	next := l.next()
	if next == nil || next.first().arrives > now {
		return packet{}, false
	}
	return next.pop(), true
}

// wake is when to look again at the latest: when a packet arrives, when the next to leave
// could, or when the slot ends and the conditions change.
func (l *lane) wake(slotEnd time.Duration, c emulator.Conditions) time.Duration {
	at := time.Duration(math.MaxInt64)
	if next := l.next(); next != nil {
		at = next.first().arrives
	}
	if l.queue.len() > 0 {
		leaves := l.leaves(c)
		if leaves < slotEnd {
			leaves += max(c.RTT, 0) / 2
		}
		at = min(at, leaves, slotEnd)
	}
	return at
}
