// SPDX-License-Identifier: Apache-2.0

package link

import (
	"math"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"pgregory.net/rapid"
)

// anyLink is a link in some state of its life: new, learned, shifted, stalled, silent.
func anyLink(rt *rapid.T) *path {
	p := newPath(time.Duration(rapid.IntRange(1, 800).Draw(rt, "rtt ms"))*time.Millisecond, rapid.Float64Range(2e3, 2e7).Draw(rt, "rate"))
	p.jitter = rapid.Float64Range(0, 5).Draw(rt, "jitter")
	for range rapid.IntRange(0, 60).Draw(rt, "events") {
		bytes := rapid.SampledFrom([]int{0, 200, 8000, 40_000, 500_000}).Draw(rt, "bytes")
		switch rapid.IntRange(0, 7).Draw(rt, "what") {
		case 0:
			p.probe()
		case 1:
			p.train(rapid.Bool().Draw(rt, "at least"))
		case 2:
			p.stalled(bytes, time.Duration(rapid.IntRange(1, 10_000).Draw(rt, "age"))*time.Millisecond)
		case 3:
			p.giveUp(bytes, time.Duration(rapid.IntRange(1, 3000).Draw(rt, "after"))*time.Millisecond)
		case 4:
			p.queue = time.Duration(rapid.IntRange(0, 1000).Draw(rt, "queue")) * time.Millisecond
		default:
			p.answer(bytes)
		}
		p.wait(time.Duration(rapid.SampledFrom([]int{0, 10, 1000, 100_000_000}).Draw(rt, "pause")) * time.Millisecond)
	}
	return p
}

// ahead is what an attempt may meet, in each state of the link.
func ahead(rt *rapid.T, now time.Duration) Ahead {
	a := Ahead{Bytes: rapid.SampledFrom([]float64{0, 0, 1e3, 1e6, 1e9}).Draw(rt, "ahead")}
	if rapid.Bool().Draw(rt, "under way") {
		late := time.Duration(rapid.IntRange(1, 1000).Draw(rt, "late")) * time.Millisecond
		a.Oldest = Flight{
			Left: now - time.Duration(rapid.IntRange(0, 5000).Draw(rt, "age"))*time.Millisecond,
			Late: late, Overdue: 2 * late,
		}
	}
	return a
}

// sane tells what is wrong with a prediction's bounds; "" when nothing is.
func sane(p *Prediction) string {
	last := 0.
	for _, b := range p.bounds {
		switch {
		case math.IsNaN(b) || math.IsInf(b, 0):
			return "a bound is no number"
		case b <= last:
			return "bounds are not positive and ascending"
		}
		last = b
	}
	return ""
}

func TestByIsADistributionThatQuantileInverts(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		link := anyLink(rt)
		service := time.Duration(rapid.IntRange(0, 500).Draw(rt, "service")) * time.Millisecond
		p := link.l.Predict(link.now, rapid.SampledFrom([]int{0, 2000, 60_000, 5_000_000}).Draw(rt, "size"), ahead(rt, link.now), service)
		if wrong := sane(&p); wrong != "" {
			rt.Fatalf("%s: %v", wrong, p.bounds)
		}
		if p.By(0) != 0 || p.By(-time.Second) != 0 || p.By(math.MinInt64) != 0 {
			rt.Errorf("by now already: %v", p.By(0))
		}
		last := 0.
		for d := 10 * time.Microsecond; d > 0 && d < math.MaxInt64/2; d += max(d/7, 1) {
			by := p.By(d)
			if !(by >= last && by <= 1) {
				rt.Fatalf("by %v %v, before that %v", d, by, last)
			}
			last = by
		}
		if by := p.By(math.MaxInt64); !(by >= last && by <= 1) {
			rt.Errorf("ever %v", by)
		}
		q := rapid.Float64Range(levelOf[0], levelOf[levels-1]).Draw(rt, "q")
		if at := p.Quantile(q); at < 1e8*time.Second {
			// A time is whole nanoseconds.
			if low, high := p.By(at-1), p.By(at+1); q < low-1e-9 || q > high+1e-9 {
				rt.Errorf("quantile %v is %v, by then %v to %v", q, at, low, high)
			}
		}
		if p.Quantile(0) != p.Quantile(.02) || p.Quantile(1) != p.Quantile(.99) || p.Quantile(.5) != p.Expected() {
			rt.Errorf("quantiles beyond the ends: %v, %v", p.Quantile(0), p.Quantile(1))
		}
		f := p.Flight()
		if f.Left != link.now || f.Late != p.Quantile(.9) || f.Overdue != p.Quantile(.98) {
			rt.Errorf("flight %+v of %v", f, p.bounds)
		}
	})
}

// More bytes, more before them, more service: never earlier.
func TestAPredictionGrowsWithWhatIsToBeDone(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		link := anyLink(rt)
		a, bytes, service := ahead(rt, link.now), rapid.IntRange(0, 10_000).Draw(rt, "bytes"), 20*time.Millisecond
		before := link.l.Predict(link.now, bytes, a, service)
		switch rapid.IntRange(0, 2).Draw(rt, "what grows") {
		case 0: // within its class
			bytes += rapid.IntRange(0, 6000).Draw(rt, "more")
		case 1:
			a.Bytes *= 1 + rapid.Float64Range(0, 5).Draw(rt, "more")
		case 2:
			service *= 3
		}
		after := link.l.Predict(link.now, bytes, a, service)
		for i := range levels {
			if after.bounds[i] < before.bounds[i]*(1-1e-9) {
				rt.Errorf("bound at %v from %v to %v s", levelOf[i], before.bounds[i], after.bounds[i])
			}
		}
	})
}

// P(z > x) = (0.7/x)^1.6, and the time of the assumed rate and round trip.
func TestAnUnknownLinkFollowsThePrior(t *testing.T) {
	for _, bytes := range []int{0, 2000, 60_000, 1_000_000} {
		l := New()
		p := l.Predict(time.Second, bytes, Ahead{}, 20*time.Millisecond)
		scale := priorRTT + .02 + .001 + float64(bytes)/priorRate
		for _, q := range levelOf {
			want := scale * priorKnee * math.Pow(1-q, -1/priorTail)
			within(t, "quantile", p.Quantile(q).Seconds(), want, .02)
		}
		for _, x := range []float64{.9, 1.5, 4, 12, 30, 200} {
			want := 1 - math.Pow(priorKnee/x, priorTail)
			assert.InDelta(t, want, p.By(seconds(x*scale)), .08*(1-want), "z = %v", x)
		}
		assert.Equal(t, running, p.state)
	}
}

func TestTheZeroPredictionPredictsNothing(t *testing.T) {
	var p Prediction
	assert.Zero(t, p.By(time.Hour))
	assert.Zero(t, p.Quantile(.5))
	assert.Equal(t, Flight{}, p.Flight())
	assert.Equal(t, running, p.Flight().state(time.Hour))
	l := New()
	l.AddGivenUp(&Attempt{Sent: 1, End: time.Second})
	assert.Equal(t, New().Predict(0, 1000, Ahead{}, 0), l.Predict(0, 1000, Ahead{}, 0), "it teaches nothing")
	assert.Zero(t, l.Estimate().Calibration)
}

func TestAMessageIsLateThenOverdue(t *testing.T) {
	f := Flight{Left: time.Second, Late: 100 * time.Millisecond, Overdue: 300 * time.Millisecond}
	for at, want := range map[time.Duration]state{
		time.Second: running, 1100 * time.Millisecond: running, 1101 * time.Millisecond: late,
		1300 * time.Millisecond: late, 1301 * time.Millisecond: overdue, time.Hour: overdue,
	} {
		assert.Equal(t, want, f.state(at), "%v", at)
	}
	assert.Equal(t, running, Flight{}.state(time.Hour), "nothing is under way")
}

// While the link stands still, the longer it has the longer it will.
func TestBoundsGrowWithTheAgeOfAStall(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		link := anyLink(rt)
		overdue := time.Duration(rapid.IntRange(2, 2000).Draw(rt, "overdue")) * time.Millisecond
		var last Prediction
		for _, age := range []time.Duration{time.Millisecond, 200 * time.Millisecond, 3 * time.Second, time.Minute} {
			now := link.now + overdue + age
			p := link.l.Predict(now, 20_000, Ahead{Oldest: Flight{Left: link.now, Late: 1, Overdue: overdue}}, 0)
			// At one time, lest something is forgotten in between.
			p2 := link.l.Predict(link.now, 20_000, Ahead{Oldest: Flight{Left: 2*link.now - now, Late: 1, Overdue: overdue}}, 0)
			if wrong := sane(&p); wrong != "" || p.state == running {
				rt.Fatalf("stalled %v: %s: %v", p.state != running, wrong, p.bounds)
			}
			for i := range levels {
				if p2.bounds[i] < last.bounds[i]*(1-1e-9) {
					rt.Errorf("bound at %v from %v to %v s with the stall at %v", levelOf[i], last.bounds[i], p2.bounds[i], age)
				}
			}
			if last.scale > 0 && p2.scale <= last.scale {
				rt.Errorf("scale from %v to %v s with the stall at %v", last.scale, p2.scale, age)
			}
			last = p2
		}
	})
}

func TestAStallIsLearned(t *testing.T) {
	p := newPath(40*time.Millisecond, 625e3)
	for range 50 {
		p.answer(20_000)
	}
	running := p.l.Predict(p.now, 20_000, Ahead{}, p.service)
	stall := func() Prediction {
		return p.l.Predict(p.now, 20_000, Ahead{Oldest: Flight{Left: p.now - time.Second, Late: 1, Overdue: 2}}, p.service)
	}
	first := stall()
	for range 60 {
		p.stalled(20_000, 4*time.Second)
	}
	learned := stall()
	if first.Expected() < 2*running.Expected() || learned.Expected() < 2*time.Second || learned.Expected() > 8*time.Second {
		t.Errorf("median: running %v, first stall %v, after sixty that lasted 4 s %v", running.Expected(), first.Expected(), learned.Expected())
	}
}

func TestDaysOfSilenceFallBackToThePrior(t *testing.T) {
	p := newPath(40*time.Millisecond, 625e3)
	for range 400 {
		p.probe()
		p.answer(60_000)
	}
	before := p.l.Predict(p.now, 60_000, Ahead{}, p.service)
	for _, silence := range []time.Duration{24 * time.Hour, 10 * 24 * time.Hour, 100 * 365 * 24 * time.Hour} {
		after := p.l.Predict(p.now+silence, 60_000, Ahead{}, p.service)
		if wrong := sane(&after); wrong != "" {
			t.Fatalf("after %v: %s: %v", silence, wrong, after.bounds)
		}
		if ratio := after.bounds[levels-1] / after.bounds[median]; ratio < 3 {
			t.Errorf("after %v the 99%% bound is %.1f times the median, before %.1f", silence, ratio, before.bounds[levels-1]/before.bounds[median])
		}
		within(t, "the scale, which is all that is known,", after.scale, before.scale, .001)
	}
	p.wait(10 * 24 * time.Hour)
	p.answer(60_000)
	p.probe()
	after := p.l.Predict(p.now, 60_000, Ahead{}, p.service)
	if wrong := sane(&after); wrong != "" {
		t.Errorf("after the first answer: %s: %v", wrong, after.bounds)
	}
}

// An attempt that was given up would have taken longer: no bound gets shorter by it, and one
// that it has passed gets longer.
func TestGivenUpAttemptsNeverShortenABound(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		link := anyLink(rt)
		a := ahead(rt, link.now)
		p := link.l.Predict(link.now, 20_000, a, link.service)
		took := time.Duration(rapid.Float64Range(.01, 3).Draw(rt, "after") * float64(p.Quantile(.9)))
		link.now += took
		if a.Oldest.Overdue > 0 { // as old as it was, so that the same state is asked for
			a.Oldest.Left += took
		}
		before := link.l.Predict(link.now, 20_000, a, link.service)
		weighed := link.l.lasting.weight(link.now) >= 20
		link.l.AddGivenUp(&Attempt{Sent: p.At, End: link.now, Bytes: 20_000, Prediction: p})
		after := link.l.Predict(link.now, 20_000, a, link.service)
		if !weighed && link.l.lasting.weight(link.now) >= 20 {
			rt.Skip("with so many attempts the longest of them bounds all from now on")
		}
		for i := range levels {
			if after.bounds[i] < before.bounds[i]*(1-1e-9) {
				rt.Errorf("given up after %v of %v: bound at %v from %v to %v s", took, p.Quantile(.5), levelOf[i], before.bounds[i], after.bounds[i])
			}
		}
		if took > p.Quantile(.99) && after.Quantile(.5) <= before.Quantile(.5) {
			rt.Errorf("given up after %v, the median was and is %v", took, after.Quantile(.5))
		}
	})
}

// Not even by what is forgotten at that moment: of times that are as long as any was, the
// longest of the last minute bounds all.
func TestAGivenUpAttemptForgetsNothing(t *testing.T) {
	l := New()
	now := attempts(l, 0, 200, 1, draws[2].of, nil)
	now += extremeSpan + time.Second
	p := l.Predict(now, 2000, Ahead{}, 0)
	now += extremeSpan
	before := l.Predict(now, 2000, Ahead{}, 0)
	l.AddGivenUp(&Attempt{Sent: now - 100*time.Millisecond, End: now, Bytes: 2000, Prediction: Prediction{
		At: now - 100*time.Millisecond, scale: p.scale, bounds: p.bounds, class: p.class,
	}})
	after := l.Predict(now, 2000, Ahead{}, 0)
	if before.Quantile(.99) > after.Quantile(.99) {
		t.Errorf("99%% bound from %v to %v", before.Quantile(.99), after.Quantile(.99))
	}
}
