// SPDX-License-Identifier: Apache-2.0

package emulator

import (
	"fmt"
	"math"
	"math/rand/v2"
	"strings"
	"time"
)

// Profile is a built-in kind of link: a state machine that draws, when it enters a
// state, how long it stays and what the link is like there. The figures are rounded
// from public measurements of such links; what a profile yields in the mean over an
// hour is in its Summary, which a test holds it to.
type Profile struct {
	Name string
	// About says in a line what it is like.
	About string
	// Summary is what it yields in the mean.
	Summary Summary
	states  []state
}

// Summary of a link over time; RTT and rates are of the time without outages.
type Summary struct {
	RTT            time.Duration
	UpBps, DownBps float64
	Outage         float64 // share of time, 0 to 1
	OutagesPerMin  float64
}

// state is one state of a profile. Ranges are drawn from when it is entered: durations
// evenly, rates evenly in their logarithm.
type state struct {
	stay   [2]time.Duration
	rtt    [2]time.Duration
	jitter time.Duration // mean of what is added to the RTT in each slot, exponentially distributed
	up     [2]float64    // Mbit/s
	down   [2]float64
	loss   float64
	next   []step
}

// step leads to a state by its index with a weight.
type step struct {
	state  int
	weight float64
}

const ms, second = time.Millisecond, time.Second

// Profiles lists the built-in links, from the steadiest to the roughest.
func Profiles() []Profile {
	return []Profile{
		{
			Name: "lan", About: "wired: 1 ms, 900 Mbit/s, steady",
			Summary: Summary{RTT: 1 * ms, UpBps: kbps(900e3), DownBps: kbps(900e3)},
			states: []state{
				{stay: span(60*second, 60*second), rtt: span(700*time.Microsecond, 900*time.Microsecond), jitter: 200 * time.Microsecond, up: even(900), down: even(900), next: to(0)},
			},
		},
		{
			Name: "wifi", About: "6 ms and 40 Mbit/s, with busy spells of a few seconds at 40 ms and 9 Mbit/s",
			Summary: Summary{RTT: 15 * ms, UpBps: kbps(36e3), DownBps: kbps(49e3)},
			states: []state{
				{stay: span(10*second, 20*second), rtt: span(4*ms, 7*ms), jitter: 2 * ms, up: rates(30, 60), down: rates(40, 80), next: to(1)},
				{stay: span(3*second, 6*second), rtt: span(15*ms, 40*ms), jitter: 15 * ms, up: rates(5, 15), down: rates(8, 20), loss: .005, next: to(0)},
			},
		},
		{
			Name: "lte", About: "50 ms and 9 Mbit/s up, loaded cells at 2 Mbit/s, handovers of half a second",
			Summary: Summary{RTT: 63 * ms, UpBps: kbps(7.3e3), DownBps: kbps(20e3), Outage: .0155, OutagesPerMin: 1.95},
			states: []state{
				{stay: span(15*second, 25*second), rtt: span(38*ms, 50*ms), jitter: 6 * ms, up: rates(6, 14), down: rates(15, 40), next: []step{{1, .5}, {2, .5}}},
				{stay: span(5*second, 10*second), rtt: span(60*ms, 110*ms), jitter: 25 * ms, up: rates(1, 3), down: rates(3, 8), loss: .002, next: []step{{0, .5}, {2, .5}}},
				{stay: span(200*ms, 800*ms), loss: 1, next: []step{{0, .7}, {1, .3}}},
			},
		},
		{
			Name: "5g-drive", About: "20 ms and 25 Mbit/s near a mast, 3 Mbit/s at the edge of its cell, handovers and gaps of up to 3 s",
			Summary: Summary{RTT: 37 * ms, UpBps: kbps(17e3), DownBps: kbps(77e3), Outage: .025, OutagesPerMin: 2.45},
			states: []state{
				{stay: span(8*second, 20*second), rtt: span(14*ms, 22*ms), jitter: 4 * ms, up: rates(15, 40), down: rates(60, 200), next: []step{{1, .7}, {2, .3}}},
				{stay: span(4*second, 10*second), rtt: span(35*ms, 70*ms), jitter: 20 * ms, up: rates(1.5, 5), down: rates(5, 20), loss: .003, next: []step{{0, .4}, {2, .4}, {3, .2}}},
				{stay: span(100*ms, 400*ms), loss: 1, next: to(0)},
				{stay: span(1*second, 3*second), loss: 1, next: to(1)},
			},
		},
		{
			Name: "satellite", About: "low orbit: 65 ms and 10 Mbit/s up, another path every 15 s, 0.2% loss, short gaps",
			Summary: Summary{RTT: 68 * ms, UpBps: kbps(10e3), DownBps: kbps(125e3), Outage: .024, OutagesPerMin: 2},
			states: []state{
				{stay: span(15*second, 15*second), rtt: span(45*ms, 75*ms), jitter: 8 * ms, up: rates(6, 16), down: rates(80, 200), loss: .002, next: []step{{0, .5}, {1, .3}, {2, .2}}},
				{stay: span(100*ms, 500*ms), loss: 1, next: to(0)},
				{stay: span(800*ms, 2*second), loss: 1, next: to(0)},
			},
		},
		{
			Name: "flaky", About: "outages of 2 to 4 s every 10 s or so, and in between 10 Mbit/s or 1 Mbit/s",
			Summary: Summary{RTT: 82 * ms, UpBps: kbps(6.3e3), DownBps: kbps(18.5e3), Outage: .30, OutagesPerMin: 6},
			states: []state{
				{stay: span(3*second, 5*second), rtt: span(25*ms, 40*ms), jitter: 8 * ms, up: rates(6, 12), down: rates(15, 40), next: []step{{1, .6}, {2, .4}}},
				{stay: span(2*second, 4*second), rtt: span(80*ms, 150*ms), jitter: 40 * ms, up: rates(.6, 1.6), down: rates(1.5, 4), loss: .005, next: []step{{0, .3}, {2, .7}}},
				{stay: span(2*second, 4*second), loss: 1, next: to(0)},
			},
		},
	}
}

func span(from, until time.Duration) [2]time.Duration { return [2]time.Duration{from, until} }
func rates(from, until float64) [2]float64            { return [2]float64{from, until} }
func even(rate float64) [2]float64                    { return rates(rate, rate) }
func to(state int) []step                             { return []step{{state, 1}} }

// ProfileNamed finds a built-in profile; the error lists what is allowed.
func ProfileNamed(name string) (Profile, error) {
	var names []string
	for _, p := range Profiles() {
		if p.Name == name {
			return p, nil
		}
		names = append(names, p.Name)
	}
	return Profile{}, fmt.Errorf("profile %q: allowed are %s", name, strings.Join(names, ", "))
}

// Start begins the profile's first state; the same seed yields the same link.
func (p Profile) Start(seed int64) Source {
	g := &generator{states: p.states, rng: rand.New(rand.NewPCG(uint64(seed), 0))}
	g.enter(0)
	return g
}

// generator walks through a profile's states, one slot at a time.
type generator struct {
	states  []state
	rng     *rand.Rand
	current int
	slots   int // left in this state
	base    Conditions
	fading  float64 // of the rate, as the logarithm of a factor
}

// Each slot keeps nine tenths of the last slot's fading and adds some: rates move by
// about a tenth, and stay similar for half a second.
const fadingMemory, fadingStep = .9, .05

func (g *generator) Next() Conditions {
	if g.slots == 0 {
		g.enter(g.choose(g.states[g.current].next))
	}
	g.slots--
	c := g.base
	if c.Out() {
		return c
	}
	g.fading = fadingMemory*g.fading + fadingStep*g.rng.NormFloat64()
	c.UpBps *= math.Exp(g.fading)
	c.DownBps *= math.Exp(g.fading)
	c.RTT += time.Duration(g.rng.ExpFloat64() * float64(g.states[g.current].jitter))
	return c
}

func (g *generator) enter(i int) {
	s := g.states[i]
	g.current = i
	g.slots = max(1, int(g.between(s.stay)/Slot))
	g.base = Conditions{
		RTT:     g.between(s.rtt),
		UpBps:   kbps(1000 * g.betweenLog(s.up)),
		DownBps: kbps(1000 * g.betweenLog(s.down)),
		Loss:    s.loss,
	}
}

func (g *generator) choose(steps []step) int {
	draw := g.rng.Float64()
	for _, s := range steps {
		if draw -= s.weight; draw < 0 {
			return s.state
		}
	}
	return steps[len(steps)-1].state
}

func (g *generator) between(r [2]time.Duration) time.Duration {
	return r[0] + time.Duration(g.rng.Float64()*float64(r[1]-r[0]))
}

func (g *generator) betweenLog(r [2]float64) float64 {
	if r[0] <= 0 {
		return 0
	}
	return r[0] * math.Exp(g.rng.Float64()*math.Log(r[1]/r[0]))
}
