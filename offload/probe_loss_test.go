// SPDX-License-Identifier: Apache-2.0

package offload

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"pgregory.net/rapid"
)

func TestAProbeIsLostAfterItsTimeoutAndTakenBackWhenItComes(t *testing.T) {
	for _, timeout := range []time.Duration{200 * time.Millisecond, time.Second, 3 * time.Second, time.Minute} {
		c := testConfig()
		c.Probing.Timeout, c.Probing.RateBytesPerMinute = timeout, 0
		s := newSite(t, c)
		s.until(10 * time.Second)
		before, _ := s.engine.Estimate(0)
		late := timeout + 700*time.Millisecond
		s.answer(func(Action) (time.Duration, Event) { return late, Event{Kind: ProbeDone, RTT: late} })
		sent := s.probes[len(s.probes)-1].at
		for s.probes[len(s.probes)-1].at == sent {
			s.until(s.now + time.Millisecond)
		}
		sent = s.now
		s.until(sent + timeout - time.Millisecond)
		assert.Zero(t, s.engine.Target(0).ProbesLost)
		s.until(sent + timeout)
		assert.Equal(t, uint64(1), s.engine.Target(0).ProbesLost, "timeout %v", timeout)
		lost, _ := s.engine.Estimate(0)
		assert.Greater(t, lost.Loss, before.Loss)
		assert.Contains(t, s.engine.Target(0).Unusable, "lost")
		s.until(sent + late)
		back, _ := s.engine.Estimate(0)
		assert.InDelta(t, before.Loss, back.Loss, .002)
		assert.Equal(t, sent+late, back.Heard)
		assert.NotContains(t, s.engine.Target(0).Unusable, "lost")
		assert.Equal(t, uint64(1), s.engine.Target(0).ProbesLost, "it was not back in time all the same")
	}
}

// In an outage probing goes on, and the first answer ends it.
func TestAnOutageIsProbedUntilItIsOver(t *testing.T) {
	for _, length := range []time.Duration{2 * time.Second, 20 * time.Second, 10 * time.Minute} {
		s := newSite(t, locally())
		s.works(200*time.Millisecond, 10*time.Second)
		good := func(Action) (time.Duration, Event) { return goodRTT, Event{Kind: ProbeDone, RTT: goodRTT} }
		s.answer(nil)
		start := s.now
		s.works(200*time.Millisecond, length)
		if state := s.engine.Target(0); state.Unusable == "" || state.ProbesLost == 0 {
			t.Errorf("after %v without an answer: %+v", length, state)
		}
		during := s.since(start + impatient)
		for _, pause := range pauses(during) {
			assert.Equal(t, s.config.Probing.IntervalMax, pause, "a pause in the outage")
		}
		for _, pause := range pauses(s.since(start)) {
			assert.GreaterOrEqual(t, pause, s.config.Probing.IntervalMin)
		}
		s.answer(good)
		end := s.now
		s.until(end + s.config.Probing.IntervalMax + goodRTT + time.Millisecond)
		if state := s.engine.Target(0); state.Unusable != "" {
			t.Errorf("outage of %v: %v after its end: %s", length, s.now-end, state.Unusable)
		}
	}
}

// One packet of many is lost: what came after it says that the link works.
func TestALostProbeAmongGoodOnesIsNoOutage(t *testing.T) {
	s := newSite(t, locally())
	s.works(200*time.Millisecond, 3*time.Second)
	n := 0
	s.answer(func(a Action) (time.Duration, Event) {
		if n++; n%5 == 0 {
			return a.Until.Sub(testEpoch) - s.now, Event{Kind: ProbeLost, Error: "deadline exceeded"}
		}
		return goodRTT, Event{Kind: ProbeDone, RTT: goodRTT}
	})
	for s.now < time.Minute {
		s.works(20*time.Millisecond, 20*time.Millisecond)
		if state := s.engine.Target(0); state.Unusable != "" && state.Stalled == 0 {
			t.Fatalf("at %v: %s", s.now, state.Unusable)
		}
	}
	state := s.engine.Target(0)
	assert.InDelta(t, n/5, state.ProbesLost, 1)
	e, _ := s.engine.Estimate(0)
	assert.InDelta(t, .2, e.Loss, .1)
}

// A probe is lost once, whatever else is said of it.
func TestAProbeIsLostOnce(t *testing.T) {
	for _, kind := range []EventKind{ProbeLost, ProbeFailed} {
		s := newSite(t, locally())
		s.works(200*time.Millisecond, 3*time.Second)
		good := s.engine.Target(0).Probes
		s.answer(func(Action) (time.Duration, Event) { return 5 * time.Second, Event{Kind: kind, Error: "no connection"} })
		s.works(200*time.Millisecond, 20*time.Second)
		s.plant.probe = nil
		s.works(200*time.Millisecond, 20*time.Second)
		if state := s.engine.Target(0); state.ProbesLost > state.Probes-good+1 || state.ProbesLost < state.Probes-good-10 {
			t.Errorf("%d of %d probes lost, the first %d were not", state.ProbesLost, state.Probes, good)
		}
	}
}

func TestAnOutageIsNoticedWithinARoundTripAndPatience(t *testing.T) {
	s := newSite(t, locally())
	s.works(200*time.Millisecond, 10*time.Second)
	s.answer(nil)
	start := s.now
	for s.engine.Target(0).Unusable == "" {
		s.until(s.now + 10*time.Millisecond)
		if s.now > start+time.Second {
			t.Fatal("nothing was noticed in a second")
		}
	}
	if most := goodRTT + s.config.Probing.IntervalMin + goodRTT + 110*time.Millisecond; s.now-start > most {
		t.Errorf("noticed after %v, want %v: the next probe, its round trip and patience", s.now-start, most)
	}
}

// Whatever becomes of probes, those without an answer are bounded, and each report of one
// that is not known any more changes no count.
func TestProbesWithoutAnAnswerAreBounded(t *testing.T) {
	c := locally()
	c.Probing.IntervalMin, c.Probing.IntervalMax = 10*time.Millisecond, 10*time.Millisecond
	s := newSite(t, c)
	s.plant.probe = nil // the driver never reports any
	for s.now < time.Minute {
		s.works(100*time.Millisecond, 100*time.Millisecond)
		if n := len(s.engine.targets[0].probes); n > mostProbes {
			t.Fatalf("%d probes without an answer", n)
		}
	}
	state := s.engine.Target(0)
	if most := uint64(mostProbes * (time.Minute/probeMemory + 1)); state.Probes > most || state.Probes < mostProbes {
		t.Errorf("%d probes, at the most %d are without an answer for %v", state.Probes, mostProbes, probeMemory)
	}
	for id := range uint64(2000) {
		s.do(Event{Kind: ProbeLost, Probe: id})
	}
	assert.LessOrEqual(t, s.engine.Target(0).ProbesLost, s.engine.Target(0).Probes)
}

// The driver gives a probe up later after losses: the link may have become slow.
func TestProbesAreWaitedForLongerAfterLosses(t *testing.T) {
	s := newSite(t, locally())
	s.works(200*time.Millisecond, 5*time.Second)
	s.answer(nil)
	start := s.now
	s.works(200*time.Millisecond, 30*time.Second)
	var last time.Duration
	for _, p := range s.since(start) {
		if p.bytes+p.downward > 0 {
			continue
		}
		wait := p.until - p.at
		if wait < last || wait > probeMemory {
			t.Fatalf("a probe at %v is waited for %v, one before it for %v", p.at, wait, last)
		}
		last = wait
	}
	if first := s.since(start)[0]; first.until-first.at != s.config.Probing.Timeout || last < 4*s.config.Probing.Timeout {
		t.Errorf("waited for %v at first, %v at the end", first.until-first.at, last)
	}
	s.answer(func(Action) (time.Duration, Event) { return goodRTT, Event{Kind: ProbeDone, RTT: goodRTT} })
	s.until(s.now + 5*time.Second)
	if p := s.probes[len(s.probes)-1]; p.until-p.at != s.config.Probing.Timeout {
		t.Errorf("waited for %v after the outage", p.until-p.at)
	}
}

func TestAfterAStopNothingIsProbed(t *testing.T) {
	s := newSite(t, locally())
	s.works(200*time.Millisecond, 2*time.Second)
	s.do(Event{Kind: Stop})
	n := len(s.probes)
	s.until(s.now + time.Minute)
	assert.Len(t, s.probes, n)
}

// Each target is measured by itself.
func TestTargetsAreProbedEachByItself(t *testing.T) {
	c := locally()
	c.Targets = []Target{{Name: "cloud"}, {Name: "peer", Metered: true}}
	s := newSite(t, c)
	s.answer(func(a Action) (time.Duration, Event) {
		if a.Target == 0 {
			return goodRTT, Event{Kind: ProbeDone, RTT: goodRTT}
		}
		return 10 * time.Second, Event{Kind: ProbeLost}
	})
	s.works(200*time.Millisecond, 20*time.Second)
	cloud, peer := s.engine.Target(0), s.engine.Target(1)
	assert.Empty(t, cloud.Unusable)
	assert.NotEmpty(t, peer.Unusable)
	assert.Zero(t, cloud.ProbesLost)
	assert.NotZero(t, peer.ProbesLost)
	assert.InDelta(t, 70, cloud.Probes, 5)
	assert.InDelta(t, 20, peer.Probes, 2)
}

// Whatever comes of probes, their counts hold and the engine asks for no more than the
// configuration has room for.
func TestProbingHoldsWhateverHappens(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		c := locally()
		c.Probing.IntervalMin = time.Duration(rapid.IntRange(10, 500).Draw(rt, "interval")) * time.Millisecond
		c.Probing.IntervalMax = c.Probing.IntervalMin * time.Duration(rapid.IntRange(1, 10).Draw(rt, "longer"))
		c.Probing.Timeout = time.Duration(rapid.IntRange(10, 3000).Draw(rt, "timeout")) * time.Millisecond
		c.Probing.RateBytesPerMinute = rapid.SampledFrom([]int{0, 15_000, 256 << 10}).Draw(rt, "budget")
		if rapid.Bool().Draw(rt, "sends") {
			c.Settings.Policy = PolicyCost
		}
		s := newSite(rt, c)
		s.answer(func(a Action) (time.Duration, Event) {
			after := time.Duration(rapid.SampledFrom([]int{0, 1, 30, 900, 12_000}).Draw(rt, "after")) * time.Millisecond
			kind := rapid.SampledFrom([]EventKind{ProbeDone, TrainDone, ProbeLost, ProbeFailed}).Draw(rt, "kind")
			return after, Event{Kind: kind, RTT: after, Bytes: a.Bytes, Spread: after / 2, BytesDown: a.BytesDown, SpreadDown: after / 3}
		})
		for range rapid.IntRange(1, 20).Draw(rt, "steps") {
			if rapid.Bool().Draw(rt, "task") {
				s.arrive(nil)
			}
			s.until(s.now + time.Duration(rapid.IntRange(0, 2000).Draw(rt, "pause"))*time.Millisecond)
			state, out := s.engine.Target(0), len(s.engine.targets[0].probes)
			if out > mostProbes || state.ProbesLost > state.Probes || state.Probes != uint64(len(s.probes)) {
				rt.Fatalf("%d without an answer, %+v of %d", out, state, len(s.probes))
			}
		}
		for _, p := range s.probes {
			if p.until <= p.at || p.until > p.at+probeMemory+trainTimeout {
				rt.Errorf("a probe at %v until %v", p.at, p.until)
			}
		}
		if bytes, _ := s.trainSpent(); float64(bytes) > float64(c.Probing.RateBytesPerMinute)*(1+s.now.Minutes()) {
			rt.Errorf("%d bytes of trains in %v of %d a minute", bytes, s.now, c.Probing.RateBytesPerMinute)
		}
		for _, pause := range pauses(s.probes) {
			if pause < c.Probing.IntervalMin {
				rt.Errorf("a pause of %v, the shortest is %v", pause, c.Probing.IntervalMin)
			}
		}
	})
}
