// SPDX-License-Identifier: Apache-2.0

package main

import (
	"math"
	"slices"
	"time"

	"edgex-offload/runner"
	"edgex-offload/standalone/emulator"
)

const (
	// settled is for how long a measurement of a time may still come after the newest one:
	// round trips are told when they end, and so not in the order in which they began.
	settled = 15 * time.Second
	// longestHeld is how long a value is held when no measurement comes. A longer gap is
	// left out of the trace, as nobody knows what the link was then.
	longestHeld = 30 * time.Second
	// overdue is how much longer than the next round trip one must take for it to be a
	// backlog that comes down, and not mere variation.
	overdue = 2 * emulator.Slot
	// mostPending bounds the measurements of a window in which they may come in any order.
	mostPending = 1 << 16
	// What a trace can hold.
	mostRTTMs, mostKbps = 600e3, 1e9
)

// Why a measurement is not in the trace.
const (
	refusedKind  = "unknown kind"
	refusedValue = "value out of bounds"
	refusedLate  = "too late"
	refusedCrowd = "too many at a time"
)

// grid turns measurements into a trace, slot by slot as they come. It is not safe for
// concurrent use.
//
// A slot has the mean of the round trips that began in it, and the share of probes that
// were lost. A slot in which nothing began has what was measured nearest to it, before or
// after: so an outage begins half-way between the last probe that came back and the first
// that did not. What was sent later cannot come back earlier on a connection: after a long
// round trip, the next slots have what is left of it. Rates are held until the next one.
type grid struct {
	// upKbps and downKbps are written until a rate is measured.
	upKbps, downKbps float64
	add              func(emulator.Conditions)

	base      int64 // Unix nanoseconds at the trace's time 0, moved by the gaps left out
	newest    time.Duration
	begun     bool
	pending   []point // by time, not in the trace yet
	before    point   // the last probe that is
	next      int     // the slot to be written next
	rateKnown [2]bool

	answered, lost int
	latest         time.Duration // the last round trip that came
	// gaps is how often measurements stopped, or the clock stepped, for longer than is held.
	gaps    int
	refused map[string]uint64
}

// point is a probe, or a rate if one is set.
type point struct {
	at   time.Duration
	rtt  time.Duration
	lost bool
	up   float64 // kbit/s
	down float64
}

func (p point) isRate() bool { return p.up > 0 || p.down > 0 }

// take adds measurements in the order in which they came, and writes the slots that are
// settled.
func (g *grid) take(samples []runner.LinkSample) {
	for _, s := range samples {
		if why := g.insert(s); why != "" {
			if g.refused == nil {
				g.refused = map[string]uint64{}
			}
			g.refused[why]++
		}
	}
	g.write(g.newest - settled)
}

// insert puts a measurement in its place, or says why it has none.
func (g *grid) insert(s runner.LinkSample) (refused string) {
	p, ok := pointOf(s)
	switch {
	case !ok && s.Kind != "rtt" && s.Kind != "lost" && s.Kind != "up" && s.Kind != "down":
		return refusedKind
	case !ok:
		return refusedValue
	case len(g.pending) >= mostPending:
		return refusedCrowd
	}
	if !g.begun {
		g.begun, g.base = true, s.AtNs
	}
	p.at = elapsed(s.AtNs, g.base)
	if p.at+p.rtt < g.newest-settled || p.at > g.newest+longestHeld {
		// The clock stepped, or nothing came for long: go on right after what there is.
		g.gaps++
		p.at = g.newest + emulator.Slot
		g.base = s.AtNs - int64(p.at)
	}
	if p.at < lasting(g.next) && g.next > 0 {
		return refusedLate
	}
	g.newest = max(g.newest, p.at)
	i, _ := slices.BinarySearchFunc(g.pending, p, func(a, b point) int {
		if a.at <= b.at {
			return -1 // after those of the same time
		}
		return 1
	})
	g.pending = slices.Insert(g.pending, i, p)
	g.count(p)
	return ""
}

func (g *grid) count(p point) {
	switch {
	case p.isRate():
	case p.lost:
		g.lost++
	default:
		g.answered++
		g.latest = p.rtt
	}
}

// pointOf checks a measurement's values; its time is not set.
func pointOf(s runner.LinkSample) (point, bool) {
	within := func(v, most float64) bool { return v >= 0 && v <= most } // false for NaN
	rtt := time.Duration(s.RTTMs * float64(time.Millisecond))
	switch s.Kind {
	case "rtt":
		return point{rtt: rtt}, within(s.RTTMs, mostRTTMs) && s.RTTMs > 0
	case "lost":
		return point{rtt: rtt, lost: true}, within(s.RTTMs, mostRTTMs)
	case "up":
		return point{up: s.Kbps}, within(s.Kbps, mostKbps) && s.Kbps > 0
	case "down":
		return point{down: s.Kbps}, within(s.Kbps, mostKbps) && s.Kbps > 0
	}
	return point{}, false
}

// elapsed is from base to at, cut where it would overflow.
func elapsed(at, base int64) time.Duration {
	if d := at - base; (d >= 0) == (at >= base) {
		return time.Duration(min(max(d, math.MinInt64/2), math.MaxInt64/2))
	}
	if at > base {
		return math.MaxInt64 / 2
	}
	return math.MinInt64 / 2
}

// finish writes the rest.
func (g *grid) finish() { g.write(g.newest + emulator.Slot) }

// write writes the slots that end by then.
func (g *grid) write(until time.Duration) {
	if g.next == 0 {
		shift, ok := g.begin()
		if !ok {
			return
		}
		until -= shift
	}
	if lasting(g.next+1) > until {
		return
	}
	probes := slices.DeleteFunc(slices.Clone(g.pending), point.isRate)
	i, r := 0, 0 // the first probe and the first of all that are not before the slot
	for ; lasting(g.next+1) <= until; g.next++ {
		end := lasting(g.next + 1)
		for ; r < len(g.pending) && g.pending[r].at < end; r++ {
			g.rate(g.pending[r])
		}
		first := i
		for ; i < len(probes) && probes[i].at < end; i++ {
			g.before = probes[i]
		}
		c := together(probes[first:i])
		if first == i {
			c = g.between(lasting(g.next), probes[i:])
		}
		c.UpBps, c.DownBps = g.upKbps*1000/8, g.downKbps*1000/8
		g.add(c)
	}
	g.pending = slices.Delete(g.pending, 0, r)
}

// begin moves time 0 to the first probe, by shift, and takes the first rates for those
// before them; false before there is a probe.
func (g *grid) begin() (shift time.Duration, ok bool) {
	first := slices.IndexFunc(g.pending, func(p point) bool { return !p.isRate() })
	if first < 0 {
		return 0, false
	}
	shift = g.pending[first].at
	g.base += int64(shift)
	g.newest -= shift
	for i := range g.pending {
		g.pending[i].at -= shift
	}
	for i := len(g.pending) - 1; i >= 0; i-- {
		g.rate(g.pending[i])
	}
	return shift, true
}

func (g *grid) rate(p point) {
	if p.up > 0 {
		g.upKbps, g.rateKnown[0] = p.up, true
	}
	if p.down > 0 {
		g.downKbps, g.rateKnown[1] = p.down, true
	}
}

// together is a slot in which probes began.
func together(probes []point) emulator.Conditions {
	var c emulator.Conditions
	back := 0
	for _, p := range probes {
		if !p.lost {
			c.RTT += p.rtt
			back++
		}
	}
	if back == 0 {
		return emulator.Conditions{Loss: 1}
	}
	c.RTT /= time.Duration(back)
	c.Loss = 1 - float64(back)/float64(len(probes))
	return c
}

// between is a slot in which no probe began, from the last before and the first after it.
func (g *grid) between(at time.Duration, after []point) emulator.Conditions {
	before := g.before // there is one, as the trace begins with a probe
	if len(after) == 0 {
		return noEarlier(before.alone(), before, at)
	}
	next := after[0]
	nearest := before
	if next.at-at < at-before.at {
		nearest = next
	}
	c := nearest.alone()
	if !before.lost && !next.lost && before.rtt > next.rtt+overdue {
		c.RTT = next.rtt
	}
	return noEarlier(c, before, at)
}

func (p point) alone() emulator.Conditions { return together([]point{p}) }

// noEarlier lets nothing come back before what was sent before it.
func noEarlier(c emulator.Conditions, before point, at time.Duration) emulator.Conditions {
	if !c.Out() && !before.lost {
		c.RTT = max(c.RTT, before.at+before.rtt-at)
	}
	return c
}
