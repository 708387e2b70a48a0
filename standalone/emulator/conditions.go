// SPDX-License-Identifier: Apache-2.0

package emulator

import "time"

// Slot is the grid on which a link changes.
const Slot = 50 * time.Millisecond

// Conditions are what the link is like during one slot.
type Conditions struct {
	// RTT is the time there and back of a small packet, jitter included, the queue of
	// one's own data excluded.
	RTT time.Duration
	// UpBps and DownBps are bytes per second towards the server and back.
	UpBps, DownBps float64
	// Loss is the probability, 0 to 1, that a packet is lost; 1 is an outage.
	Loss float64
}

// Out says that nothing gets through.
func (c Conditions) Out() bool { return c.Loss >= 1 }

func (c Conditions) rate(d Direction) float64 {
	switch {
	case c.Out():
		return 0
	case d == Up:
		return c.UpBps
	default:
		return c.DownBps
	}
}

// Source yields the conditions of one slot after the other, without end.
type Source interface{ Next() Conditions }

// kbps converts kilobits per second, the unit of traces, to bytes per second.
func kbps(k float64) float64 { return k * 1000 / 8 }

// timeline gives access to a Source by time. It keeps the slots from the oldest one
// that can still be asked for.
type timeline struct {
	source Source
	first  int64 // number of slots[0]
	slots  []Conditions
}

func (t *timeline) at(now time.Duration) Conditions {
	i := max(int64(now/Slot)-t.first, 0)
	for int64(len(t.slots)) <= i {
		t.slots = append(t.slots, t.source.Next())
	}
	return t.slots[i]
}

// forget drops what lies before now, in large steps, so that copying is rare.
func (t *timeline) forget(now time.Duration) {
	const step = 1024
	if n := int64(now/Slot) - t.first; n > step {
		t.at(now)
		t.slots = append(t.slots[:0], t.slots[n:]...)
		t.first += n
	}
}
