// SPDX-License-Identifier: Apache-2.0

package emulator

import (
	"math"
	"math/rand/v2"
	"time"
)

// The signal's logarithm is a sum of a slow and a fast part, each forgetting its past
// exponentially (an Ornstein-Uhlenbeck process on the grid), and so is what others want.
var (
	slowFading  = memory(8 * time.Second)
	fastFading  = memory(300 * time.Millisecond)
	otherDemand = memory(time.Second)
)

const (
	slowShare   = .8 // of the fading's standard deviation; with fastShare 1 in squares
	fastShare   = .6
	demandShape = .6 // standard deviation of the logarithm of what others want
	// leastShare of the link is one's own however much others want: schedulers are fair.
	leastShare = .05
	// calm is how long nothing is interrupted at first, so that what is started with the
	// link finds it there.
	calm = 2 * time.Second
)

// course is one course of a profile. Slot by slot it walks through the regimes; what the
// signal leaves of the link carries what others want, and what it cannot carry waits in a
// queue (Lindley's recursion). So delay and rate move together, and after an interruption
// the round trip comes down as the queue empties in order. What is sent during a stall
// arrives when it ends, so its round trip is what is left of the stall and then the usual.
type course struct {
	regimes []regime
	rng     *rand.Rand
	current int
	slots   int // left in this regime, which does not end during an interruption
	elapsed time.Duration

	rtt        time.Duration
	up, down   float64 // bytes per second at full signal
	slow, fast float64 // standard normal each
	demand     float64 // standard normal
	queue      time.Duration

	interrupted time.Duration // what is left of an interruption
	drops       bool          // it loses packets
}

// Start begins the profile's first regime; the same seed yields the same link.
func (p Profile) Start(seed int64) Source {
	c := &course{regimes: p.regimes, rng: rand.New(rand.NewPCG(uint64(seed), 0))}
	c.slow, c.fast, c.demand = c.rng.NormFloat64(), c.rng.NormFloat64(), c.rng.NormFloat64()
	c.enter(0)
	c.interrupted = 0
	return c
}

func (c *course) Next() Conditions {
	if c.slots <= 0 && c.interrupted == 0 {
		c.enter(c.choose(c.regimes[c.current].next))
	}
	c.slots--
	r := &c.regimes[c.current]
	signal, demand := c.draw(r)
	c.interrupt(r)
	c.elapsed += Slot
	if c.interrupted > 0 {
		return c.during(r, demand)
	}
	c.fill(r, demand-signal)
	noise := time.Duration(c.rng.ExpFloat64() * float64(r.noise))
	share := max(signal-demand, leastShare*signal)
	return Conditions{RTT: c.rtt + c.wait(r, signal) + noise, UpBps: c.up * share, DownBps: c.down * share, Loss: r.loss}
}

// draw moves the signal and what others want, both as shares of the full signal.
func (c *course) draw(r *regime) (signal, demand float64) {
	c.slow, c.fast, c.demand = c.moved(c.slow, slowFading), c.moved(c.fast, fastFading), c.moved(c.demand, otherDemand)
	signal = lognormal(slowShare*c.slow+fastShare*c.fast, r.fading)
	return signal, r.load * lognormal(c.demand, demandShape)
}

// interrupt begins an interruption now and then.
func (c *course) interrupt(r *regime) {
	stall, outage := c.rng.Float64(), c.rng.Float64()
	if c.elapsed < calm || c.interrupted > 0 {
		return
	}
	switch {
	case outage < r.outages.perSlot():
		c.interrupted, c.drops = r.outages.length(c.rng), true
	case stall < r.stalls.perSlot():
		c.interrupted, c.drops = r.stalls.length(c.rng), false
	}
}

// during is a slot without signal.
func (c *course) during(r *regime, demand float64) Conditions {
	left := c.interrupted
	c.interrupted = max(left-Slot, 0)
	c.fill(r, demand)
	if c.drops {
		return Conditions{RTT: c.rtt, Loss: 1}
	}
	return Conditions{RTT: c.rtt + left + c.queue, Loss: r.loss}
}

// fill lets the queue grow by an excess up to the buffer, or shrink where it is negative;
// what a longer buffer took before is not thrown away.
func (c *course) fill(r *regime, excess float64) {
	c.queue = min(max(c.queue+time.Duration(excess*float64(Slot)), 0), max(c.queue, r.buffer))
}

// wait is how long the queue takes to empty at this signal, at most four times as long as
// at the full one: schedulers favour who waited.
func (c *course) wait(r *regime, signal float64) time.Duration {
	return time.Duration(min(float64(c.queue)/signal, 4*float64(r.buffer)))
}

func (c *course) enter(i int) {
	r := c.regimes[i]
	c.current = i
	c.slots = max(1, int(c.between(r.stay)/Slot))
	c.rtt = c.between(r.rtt)
	c.up, c.down = kbps(1000*c.betweenLog(r.up)), kbps(1000*c.betweenLog(r.down))
	if gap := c.between(r.handover); c.interrupted == 0 && gap > 0 {
		c.interrupted, c.drops = gap, r.loses
	}
}

func (c *course) choose(steps []step) int {
	draw := c.rng.Float64()
	for _, s := range steps {
		if draw -= s.weight; draw < 0 {
			return s.regime
		}
	}
	return steps[len(steps)-1].regime
}

func (c *course) between(r [2]time.Duration) time.Duration {
	return r[0] + time.Duration(c.rng.Float64()*float64(r[1]-r[0]))
}

func (c *course) betweenLog(r [2]float64) float64 {
	return r[0] * math.Exp(c.rng.Float64()*math.Log(r[1]/r[0]))
}

// moved is a standard normal variable one slot later.
func (c *course) moved(x, keeps float64) float64 {
	return keeps*x + math.Sqrt(1-keeps*keeps)*c.rng.NormFloat64()
}

// memory is the share of a value's deviation that is left after a slot, when e times less
// is left after a time.
func memory(after time.Duration) float64 { return math.Exp(-float64(Slot) / float64(after)) }

// lognormal has the mean 1.
func lognormal(x, shape float64) float64 { return math.Exp(shape*x - shape*shape/2) }

func (i interruption) perSlot() float64 { return i.perMin * Slot.Minutes() }

func (i interruption) length(rng *rand.Rand) time.Duration {
	drawn := float64(i.median) * math.Exp(i.shape*rng.NormFloat64())
	return time.Duration(min(max(drawn, float64(Slot)), float64(i.longest)))
}
