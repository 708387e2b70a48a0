// SPDX-License-Identifier: Apache-2.0

package tun

import (
	"time"

	"edgex-offload/standalone/emulator"
)

// maxHistory bounds the slots that are kept, to the last two hours and up to four.
const maxHistory = 4 * 3600 * int(time.Second/emulator.Slot)

// timeline knows what the link is like in the present slot and was like in those before.
// It never looks ahead, so that a change of source takes effect with the next slot.
type timeline struct {
	source emulator.Source
	cut    bool
	first  int64 // number of slots[0]
	slots  []emulator.Conditions
}

// reach makes the slot of a time the present one. Times must not go back.
func (t *timeline) reach(now time.Duration) emulator.Conditions {
	for number := int64(now / emulator.Slot); t.first+int64(len(t.slots)) <= number; {
		c := t.source.Next()
		if t.cut {
			c.Loss = 1
		}
		t.slots = append(t.slots, c)
		if len(t.slots) == maxHistory {
			t.slots = append(t.slots[:0], t.slots[maxHistory/2:]...)
			t.first += int64(maxHistory / 2)
		}
	}
	return t.slots[len(t.slots)-1]
}

// at is the slot of a time that was reached, or the nearest that is kept.
func (t *timeline) at(when time.Duration) emulator.Conditions {
	i := int64(when/emulator.Slot) - t.first
	return t.slots[min(max(i, 0), int64(len(t.slots))-1)]
}

// nextSlot is when the slot after that of a time begins.
func nextSlot(now time.Duration) time.Duration { return now - now%emulator.Slot + emulator.Slot }

// rate in bytes per second; 0 in an outage, and for what is no rate.
func rate(c emulator.Conditions, d emulator.Direction) float64 {
	r := c.DownBps
	if d == emulator.Up {
		r = c.UpBps
	}
	if c.Out() || !(r > 0) {
		return 0
	}
	return r
}
