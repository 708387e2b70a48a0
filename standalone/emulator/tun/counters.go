// SPDX-License-Identifier: Apache-2.0

package tun

import (
	"math/bits"
	"time"
)

// Reason is why a packet was dropped.
type Reason int

// The reasons.
const (
	Lost      Reason = iota // by the slot's loss
	Outage                  // it waited or came during an outage
	QueueFull               // the queue was full
	Overflow                // more than 65536 packets waited and were on their way
	Oversize                // it was longer than the MTU
	NotIPv4                 // it was of another protocol
	Refused                 // the receiving namespace did not take it
	NumReasons
)

// String names the reason for a log and a metric's label.
func (r Reason) String() string {
	return [...]string{"lost", "outage", "queue_full", "overflow", "oversize", "not_ipv4", "refused"}[r]
}

// Counters are what one direction carried since the link's start. Packets that came are
// those that arrived, were dropped, wait or are on their way.
type Counters struct {
	// Came from the sender, and Arrived at the receiver.
	CamePackets, CameBytes       uint64
	ArrivedPackets, ArrivedBytes uint64
	// Reordered arrived behind packets that left later, or could have.
	Reordered uint64
	Dropped   [NumReasons]uint64
	// Missed never came: the sender's device dropped them because this process did not
	// take them in time. What is measured while it rises is not the link.
	Missed uint64
	// Waiting for their turn, the one that is leaving included, now.
	WaitingPackets, WaitingBytes int
	// OnTheWay have left and not arrived.
	OnTheWay int
	// Late is by how much packets arrived later than they should have: what the
	// emulation adds of its own, without what it took to notice that they came.
	Late Lateness
}

// Lateness is a distribution, exact to a quarter. The zero value is empty.
type Lateness struct {
	Max     time.Duration
	buckets [latenessBuckets]uint64
	total   uint64
}

// Buckets are a quarter of an octave of nanoseconds wide, up to 18 minutes.
const (
	octaveBits      = 2
	latenessBuckets = 40 << octaveBits
)

func (l *Lateness) add(late time.Duration) {
	l.Max = max(l.Max, late)
	l.total++
	l.buckets[bucket(late)]++
}

// bucket of a duration: its octave, and the quarter in it.
func bucket(late time.Duration) int {
	ns := uint64(max(late, 1))
	octave := bits.Len64(ns) - 1
	quarter := int(ns<<octaveBits>>octave) & (1<<octaveBits - 1)
	return min(octave<<octaveBits+quarter, latenessBuckets-1)
}

// Quantile is what a share q, 0 to 1, of packets were at most late; 0 if there were none.
func (l *Lateness) Quantile(q float64) time.Duration {
	var seen uint64
	for i, n := range l.buckets {
		if seen += n; n > 0 && float64(seen) >= q*float64(l.total) {
			octave, quarter := i>>octaveBits, i&(1<<octaveBits-1)
			return min(time.Duration(1<<octaveBits+quarter+1)<<octave>>octaveBits, l.Max)
		}
	}
	return 0
}
