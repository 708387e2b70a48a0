// SPDX-License-Identifier: Apache-2.0

package twin

import "time"

// SlotLength is the grid of a trace.
const SlotLength = 50 * time.Millisecond

// Slot is what the link is like for one SlotLength.
type Slot struct {
	RTT time.Duration
	// Up and Down are bytes per second.
	Up, Down float64
	// Lost says that what leaves in this slot does not arrive.
	Lost bool
}

// Trace is a link over time. It repeats at its end.
type Trace struct {
	Name  string
	Slots []Slot
}

// Length is how long the trace is until it repeats.
func (t Trace) Length() time.Duration { return time.Duration(len(t.Slots)) * SlotLength }

func (t Trace) at(when time.Duration) Slot {
	return t.Slots[int(when/SlotLength)%len(t.Slots)]
}

// transfer is when bytes that start at a time have left, at the rate of each slot that
// they take. A trace that never moves ends the search after a full turn of standstill.
func (t Trace) transfer(start time.Duration, bytes float64, rate func(Slot) float64) time.Duration {
	when := start
	for still := 0; still <= len(t.Slots); {
		r := rate(t.at(when))
		end := when.Truncate(SlotLength) + SlotLength
		carried := r * (end - when).Seconds()
		if carried >= bytes {
			return when + time.Duration(bytes/r*float64(time.Second))
		}
		if r > 0 {
			still = 0
		} else {
			still++
		}
		bytes -= carried
		when = end
	}
	return when
}

func up(s Slot) float64   { return s.Up }
func down(s Slot) float64 { return s.Down }

// wire is the uplink: one payload at a time, in order.
type wire struct {
	trace Trace
	rules *Wire
	free  time.Duration
	// arrived is when the last payload reached the cloud: none overtakes another.
	arrived time.Duration
}

// send puts a payload on the wire and gives when its last byte left, when it is at the
// cloud, and how long the radio was on.
func (w *wire) send(now time.Duration, bytes int) (left, arrived, airtime time.Duration) {
	return w.put(now, bytes+w.rules.Overhead)
}

// put is send of so many bytes, headers and all.
func (w *wire) put(now time.Duration, bytes int) (left, arrived, airtime time.Duration) {
	start := max(now, w.free)
	left = w.trace.transfer(start, float64(bytes), up)
	airtime = left - start
	pause := w.rules.FirstRetry
	for range w.rules.Retries {
		if !w.trace.at(left).Lost {
			break
		}
		left += pause
		pause = min(2*pause, w.rules.LastRetry)
	}
	w.free = left
	w.arrived = max(left+w.trace.at(left).RTT/2, w.arrived)
	return left, w.arrived, airtime
}

// answer is when the answer of a task that is done in the cloud at a time is here.
func (w *wire) answer(done time.Duration) time.Duration {
	return w.trace.transfer(done+w.trace.at(done).RTT/2, float64(w.rules.Answer), down)
}

// train sends bytes back to back, up and then down, and gives when the last is back and how
// far the first and the last are apart at each end.
func (w *wire) train(now time.Duration, bytesUp, bytesDown int) (back, upSpread, downSpread time.Duration) {
	start := max(now, w.free)
	left, arrived, _ := w.put(now, max(w.rules.Overhead, bytesUp)) // hardly any where only the way down is measured
	there := arrived + w.trace.at(arrived).RTT/2
	back = w.trace.transfer(there, float64(bytesDown), down)
	return back, left - start, back - there
}

// probe gives when a probe that starts now is back. It waits behind the payload on the wire.
func (w *wire) probe(now time.Duration) (back time.Duration, lost bool) {
	leaves := max(now, w.free)
	slot := w.trace.at(leaves)
	return leaves + slot.RTT, slot.Lost
}
