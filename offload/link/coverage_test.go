// SPDX-License-Identifier: Apache-2.0

package link

import (
	"fmt"
	"math"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
)

// draw is a distribution of the time that an attempt takes.
type draw struct {
	name string
	of   func(r *rand.Rand) float64 // seconds
}

var draws = []draw{
	{"steady", func(r *rand.Rand) float64 { return .05 * (1 + .02*r.Float64()) }},
	{"lognormal", func(r *rand.Rand) float64 { return .06 * math.Exp(.5*r.NormFloat64()) }},
	{"wide lognormal", func(r *rand.Rand) float64 { return .06 * math.Exp(1.2*r.NormFloat64()) }},
	{"heavy tail", func(r *rand.Rand) float64 { return .04 * math.Pow(r.Float64(), -1/1.5) }},
	{"two modes", func(r *rand.Rand) float64 {
		if r.IntN(5) == 0 {
			return .4 + .1*r.Float64()
		}
		return .05 + .01*r.Float64()
	}},
}

// coverage counts how often the bounds at some levels held.
type coverage struct {
	levels []float64
	held   []int
	n      int
}

func covers(levels ...float64) *coverage {
	return &coverage{levels: levels, held: make([]int, len(levels))}
}

func (c *coverage) add(p *Prediction, took time.Duration) {
	c.n++
	for i, q := range c.levels {
		if took <= p.Quantile(q) {
			c.held[i]++
		}
	}
}

func (c *coverage) share(i int) float64 { return float64(c.held[i]) / float64(c.n) }

// attempts plays some on a link, ten a second, and compares each with its prediction.
func attempts(l *Link, from time.Duration, n int, seed uint64, of func(*rand.Rand) float64, c *coverage) (now time.Duration) {
	rng := rand.New(rand.NewPCG(seed, 1))
	for now = from; n > 0; n-- {
		now += 100 * time.Millisecond
		// Attempts overlap: one learns of the others as they end.
		p := l.Predict(now, 2000, Ahead{}, 0)
		took := seconds(of(rng))
		if c != nil {
			c.add(&p, took)
		}
		l.AddAnswer(&Attempt{Sent: now, End: now + took, Bytes: 2000, AnswerBytes: 150, Prediction: p})
	}
	return now
}

// The bounds hold as often as they say. Corrections are bounded and their steps add up, so
// that this is no luck of the seed: the share of n attempts is off by ln(49)/(step·n) at the
// most while no correction is at its end.
func TestBoundsHoldAsOftenAsTheySay(t *testing.T) {
	for _, d := range draws {
		for seed := range uint64(3) {
			t.Run(fmt.Sprintf("%s %d", d.name, seed), func(t *testing.T) {
				l := New()
				now := attempts(l, 0, 1000, seed, d.of, nil)
				c := covers(.5, .9, .95, .99)
				attempts(l, now, 20_000, seed+100, d.of, c)
				for i, q := range c.levels {
					assert.InDelta(t, q, c.share(i), .006, "share within the bound at %v", q)
				}
			})
		}
	}
}

// The first hundred attempts on a link that nothing was known of.
func TestBoundsHoldOnANewLink(t *testing.T) {
	for _, d := range draws[:2] {
		c := covers(.9, .95, .99)
		for seed := range uint64(200) {
			attempts(New(), 0, 100, seed, d.of, c)
		}
		for i, q := range c.levels {
			if share := c.share(i); share < q-.03 {
				t.Errorf("%s: %.3f within the bound at %v", d.name, share, q)
			}
		}
	}
}

// After the link became another one, the bounds hold again within some hundred attempts.
func TestBoundsHoldAgainAfterAShift(t *testing.T) {
	for _, c := range []struct {
		name     string
		from, to func(r *rand.Rand) float64
	}{
		{"four times slower", draws[1].of, func(r *rand.Rand) float64 { return 4 * draws[1].of(r) }},
		{"four times quicker", func(r *rand.Rand) float64 { return 4 * draws[1].of(r) }, draws[1].of},
		{"steady, then wide", draws[0].of, draws[2].of},
		{"wide, then steady", draws[2].of, draws[0].of},
	} {
		t.Run(c.name, func(t *testing.T) {
			before, early, late := covers(.95), covers(.95), covers(.5, .9, .95)
			for seed := range uint64(20) {
				l := New()
				now := attempts(l, 0, 2000, seed, c.from, nil)
				now = attempts(l, now, 500, seed+50, c.from, before)
				now = attempts(l, now, 100, seed+100, c.to, early)
				now = attempts(l, now, 400, seed+150, c.to, nil)
				attempts(l, now, 2000, seed+200, c.to, late)
			}
			t.Logf("95%% bound: %.3f before, %.3f of the first hundred, %.3f later", before.share(0), early.share(0), late.share(2))
			assert.InDelta(t, .95, before.share(0), .01)
			for i, q := range late.levels {
				// What is forgotten by half in a minute still moves the bounds.
				assert.InDelta(t, q, late.share(i), .025, "share within the bound at %v", q)
			}
		})
	}
}

// Bounds are worth something: with what is known they are tighter than those of the prior.
func TestBoundsTightenWithWhatIsKnown(t *testing.T) {
	l := New()
	first := l.Predict(0, 2000, Ahead{}, 0)
	now := attempts(l, 0, 200, 1, draws[0].of, nil)
	known := l.Predict(now, 2000, Ahead{}, 0)
	if got, was := known.Quantile(.95), first.Quantile(.95); got > was/3 || got < 50*time.Millisecond {
		t.Errorf("95%% bound %v of a link that takes 50 ms, %v before anything was known", got, was)
	}
}

// Coverage in a stall comes of stalls, not of the link while it worked.
func TestBoundsHoldInStalls(t *testing.T) {
	for _, s := range []state{late, overdue} {
		l, rng, c, now := New(), rand.New(rand.NewPCG(1, 2)), covers(.5, .9, .95), time.Minute
		for i := range 6000 {
			now += 10 * time.Second
			age := seconds(.3 + rng.ExpFloat64())
			oldest := Flight{Left: now - age, Late: 1, Overdue: 2}
			if s == late {
				oldest.Overdue = time.Hour
			}
			p := l.Predict(now, 2000, Ahead{Oldest: oldest}, 0)
			took := seconds(2 * age.Seconds() * math.Exp(.7*rng.NormFloat64()))
			if i > 1000 {
				c.add(&p, took)
			}
			l.AddAnswer(&Attempt{Sent: now, End: now + took, Bytes: 2000, Prediction: p})
		}
		for i, q := range c.levels {
			assert.InDelta(t, q, c.share(i), .01, "state %d: share within the bound at %v", s, q)
		}
	}
}

// An engine that keeps a backup gives up many attempts before they are done, the slow ones
// above all. Those that are answered are the quick ones; the bounds know better.
func TestBoundsHoldWhereMostAttemptsAreGivenUp(t *testing.T) {
	for _, share := range []float64{.2, .5, .8} {
		for _, d := range draws[:4] {
			l, rng, c := New(), rand.New(rand.NewPCG(3, 4)), covers(.5, .9, .95, .99)
			for i := range 12_000 {
				now := time.Duration(i+1) * 100 * time.Millisecond
				p := l.Predict(now, 2000, Ahead{}, 0)
				took := seconds(d.of(rng))
				if i > 1000 {
					c.add(&p, took)
				}
				limit := took
				if rng.Float64() < share {
					limit = seconds(.04 + .1*rng.Float64())
				}
				a := &Attempt{Sent: now, End: now + min(took, limit), Bytes: 2000, Prediction: p}
				if limit < took {
					l.AddGivenUp(a)
				} else {
					l.AddAnswer(a)
				}
			}
			for i, q := range c.levels {
				assert.InDelta(t, q, c.share(i), .015, "%s, %.0f%% given up: share within the bound at %v", d.name, 100*share, q)
			}
		}
	}
}
