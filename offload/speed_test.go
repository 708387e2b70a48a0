// SPDX-License-Identifier: Apache-2.0

package offload

import (
	"math"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"
)

const fullTime = 20 * time.Millisecond // of a run at full speed

// throttling is a plant whose box, and nothing else, runs tasks: as fast as share says when a
// run starts.
func throttling(t fataler, share *float64) *plant {
	c := testConfig()
	c.Targets, c.Settings.Policy = nil, PolicyLocal
	p := newPlant(t, c)
	p.local = func(a Action) Event {
		return Event{Answer: &Answer{Label: "good", Model: a.Variant}, Execution: time.Duration(float64(fullTime) / *share)}
	}
	return p
}

// runs lets so many tasks run one after the other.
func (p *plant) runs(n int) (last uint64) {
	for range n {
		last = p.arrive(nil)
		p.until(p.now + 250*time.Millisecond)
	}
	return last
}

func (p *plant) told(share float64) {
	p.do(Event{Kind: BoxChanged, Battery: 1, Charging: true, Speed: share})
}

func (p *plant) expects() time.Duration { return p.engine.Box().Service["surface-small/1"] }

func near(got, want time.Duration, share float64) bool {
	return math.Abs(float64(got-want)) <= share*float64(want)
}

func TestAThrottledBoxIsSlowAtOnceAndQuickAgainAtOnce(t *testing.T) {
	share := 1.
	p := throttling(t, &share)
	p.runs(20)
	for i, s := range []float64{.5, .25, 1, .8} {
		share = s
		p.told(s)
		if want := time.Duration(float64(fullTime) / s); !near(p.expects(), want, .01) {
			t.Errorf("change %d: a run is expected to take %v before there is one at %.2f, want %v", i, p.expects(), s, want)
		}
		r := p.outcome(p.runs(5)).Record
		if want := float64(fullTime.Milliseconds()) / s; math.Abs(r.Paths[0].ServiceMs-want) > want/50 {
			t.Errorf("change %d: decided by %.1f ms, want %.1f", i, r.Paths[0].ServiceMs, want)
		}
		if math.Abs(r.Paths[0].Joules-DefaultPower().Busy*fullTime.Seconds()) > 1e-2 {
			t.Errorf("change %d: a run draws %.3f J, want what it does at full speed", i, r.Paths[0].Joules)
		}
		switch text := Explain(&r); {
		case s == 1 && (r.Speed != 0 || strings.Contains(text, "full speed")):
			t.Errorf("a box at full speed has a speed of %v in the record: %s", r.Speed, text)
		case s == .5 && (r.Speed != .5 || !strings.Contains(text, "the box ran at 50% of its full speed")):
			t.Errorf("speed %v in the record: %s", r.Speed, text)
		}
	}
}

// Runs tell that a box throttles before the kernel's files are looked at again.
func TestAChangeThatRunsToldOfIsNotCountedTwice(t *testing.T) {
	share := 1.
	p := throttling(t, &share)
	p.runs(20)
	share = .5
	p.runs(3)
	if !near(p.expects(), 2*fullTime, .1) {
		t.Fatalf("a run is expected to take %v after three of %v", p.expects(), 2*fullTime)
	}
	p.told(.5)
	if !near(p.expects(), 2*fullTime, .1) {
		t.Errorf("told, a run is expected to take %v, want about %v", p.expects(), 2*fullTime)
	}
	share = 1
	p.runs(3)
	p.told(1)
	if !near(p.expects(), fullTime, .1) {
		t.Errorf("told that it is cool, a run is expected to take %v, want about %v", p.expects(), fullTime)
	}
}

// A model that waits for memory more than for the clock is slowed down less than told.
func TestRunsHaveTheLastWord(t *testing.T) {
	share := 1.
	p := throttling(t, &share)
	p.runs(20)
	share = .75
	p.told(.5)
	p.runs(10)
	if want := fullTime * 4 / 3; !near(p.expects(), want, .1) {
		t.Errorf("a run is expected to take %v after ten of %v", p.expects(), want)
	}
}

func TestARunUnderWayGoesOnAtTheNewSpeed(t *testing.T) {
	share := 1.
	p := throttling(t, &share)
	p.runs(20)
	p.local = func(Action) Event { return Event{Answer: &Answer{}, Execution: 30 * time.Millisecond} }
	p.arrive(nil)
	p.until(p.now + 10*time.Millisecond)
	a := p.engine.box.running[0]
	p.told(.5)
	if left := p.engine.box.busyFor(a, p.now); !near(left, 20*time.Millisecond, .01) {
		t.Errorf("%v are left of a run that was half done when the box became half as fast, want 20ms", left)
	}
	p.told(1)
	if left := p.engine.box.busyFor(a, p.now); !near(left, 10*time.Millisecond, .01) {
		t.Errorf("%v are left of it at full speed, want 10ms", left)
	}
	p.told(.5)
	p.until(p.now + time.Second)
	p.told(1)
	if !near(p.expects(), fullTime, .02) {
		t.Errorf("it was learned as %v at full speed, want %v: half of it ran at half the speed", p.expects(), fullTime)
	}
}

func TestASpeedThatCannotBeIsNotTaken(t *testing.T) {
	share := .5
	p := throttling(t, &share)
	p.told(.5)
	for _, s := range []float64{-1, 1.01, math.NaN(), math.Inf(1), math.Inf(-1)} {
		if p.told(s); p.engine.Box().Speed != .5 {
			t.Errorf("%v: the box runs at %v", s, p.engine.Box().Speed)
		}
	}
	if p.told(1e-9); p.engine.Box().Speed != leastShare {
		t.Errorf("the box runs at %v, at least at %v", p.engine.Box().Speed, leastShare)
	}
	if p.told(0); p.engine.Box().Speed != 1 {
		t.Errorf("a box of which nothing is known runs at %v", p.engine.Box().Speed)
	}
}

// Whatever the speeds are and were, what is expected is what a run takes.
func TestWhatIsLearnedIsOfFullSpeed(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		share := 1.
		p := throttling(rt, &share)
		p.runs(5)
		for range rapid.IntRange(1, 20).Draw(rt, "changes") {
			share = rapid.Float64Range(.1, 1).Draw(rt, "share")
			p.told(share)
			p.runs(rapid.IntRange(0, 4).Draw(rt, "runs"))
			if want := time.Duration(float64(fullTime) / share); !near(p.expects(), want, .02) {
				rt.Fatalf("at %.2f a run is expected to take %v, want %v", share, p.expects(), want)
			}
		}
	})
}
