// SPDX-License-Identifier: Apache-2.0

package offload

import (
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"pgregory.net/rapid"
)

// probed is a probe as it was asked for.
type probed struct {
	at, until       time.Duration
	bytes, downward int
}

// site is a plant that notes its probes.
type site struct {
	*plant
	probes []probed
	// out is how many are without an answer.
	out int
}

func newSite(t fataler, c Config) *site {
	s := &site{plant: newPlant(t, c)}
	s.answer(s.plant.probe)
	s.do(Event{Kind: TimerRang})
	return s
}

// answer says how probes end from now on; nil lets each be lost.
func (s *site) answer(how func(Action) (time.Duration, Event)) {
	s.plant.probe = func(a Action) (time.Duration, Event) {
		s.probes = append(s.probes, probed{s.now, a.Until.Sub(testEpoch), a.Bytes, a.BytesDown})
		if how == nil {
			return a.Until.Sub(testEpoch) - s.now, Event{Kind: ProbeLost, Error: "deadline exceeded"}
		}
		return how(a)
	}
}

// since are the probes from a time on.
func (s *site) since(at time.Duration) (n []probed) {
	for _, p := range s.probes {
		if p.at >= at {
			n = append(n, p)
		}
	}
	return n
}

// trainSpent is what was spent on packet trains.
func (s *site) trainSpent() (bytes, trains int) {
	for _, p := range s.probes {
		if bytes += p.bytes + p.downward; p.bytes+p.downward > 0 {
			trains++
		}
	}
	return bytes, trains
}

// works lets tasks arrive for a while.
func (s *site) works(every, length time.Duration) {
	for end := s.now + length; s.now < end; {
		s.arrive(nil)
		s.until(min(s.now+every, end))
	}
}

// pauses are what lies between one probe and the next.
func pauses(probes []probed) (all []time.Duration) {
	for i := 1; i < len(probes); i++ {
		all = append(all, probes[i].at-probes[i-1].at)
	}
	return all
}

// locally is a site whose tasks are decided and stay on the box.
func locally() Config {
	c := testConfig()
	c.Settings.Policy = PolicyLocal
	return c
}

// remotely is one whose tasks all leave it.
func remotely() Config {
	c := testConfig()
	c.Settings.Policy, c.Settings.Hedge = PolicyCloud, false
	return c
}

const (
	goodRTT   = 30 * time.Millisecond // of newPlant's probes
	trainTrip = 75 * time.Millisecond // bounds that of its trains
)

func TestNoProbeWhileAnswersFlow(t *testing.T) {
	s := newSite(t, remotely())
	s.works(100*time.Millisecond, time.Minute)
	if n := s.since(time.Second); len(n) != 0 {
		t.Errorf("%d probes after the first second of answers: %+v", len(n), n)
	}
	if got := len(s.outcomes); got != 600 {
		t.Errorf("%d outcomes of 600 tasks", got)
	}
	// When they end, measuring begins: soon, since somebody asked.
	s.until(s.now + 2*time.Second)
	n := s.since(time.Minute)
	if len(n) < 4 || n[0].at > time.Minute+300*time.Millisecond {
		t.Errorf("probes after the last answer: %+v", n)
	}
}

// One attempt under way that is not overdue will tell by itself.
func TestNoProbeBesideAnAttemptThatIsNotOverdue(t *testing.T) {
	s := newSite(t, remotely())
	s.works(100*time.Millisecond, 10*time.Second)
	s.remote = func(Action) (time.Duration, Event) {
		return time.Millisecond, Event{Kind: RemoteFailed, At: 3 * time.Second, Error: "deadline exceeded"}
	}
	start := s.now
	s.arrive(func(task *Task) { task.Deadline = time.Time{} })
	s.until(start + 2*time.Second)
	n := s.since(start)
	if len(n) == 0 || n[0].at < start+100*time.Millisecond || n[0].at > start+time.Second {
		t.Errorf("the attempt left at %v, probes %+v: the first is due when the answer is overdue", start, n)
	}
}

func TestProbesAtTheShortIntervalWhileTasksAreDecided(t *testing.T) {
	for _, interval := range []time.Duration{50 * time.Millisecond, 250 * time.Millisecond, time.Second} {
		c := locally()
		c.Probing.IntervalMin, c.Probing.RateBytesPerMinute = interval, 0
		s := newSite(t, c)
		s.works(200*time.Millisecond, 20*time.Second)
		for _, pause := range pauses(s.probes)[1:] { // the first was asked for by nobody
			assert.Equal(t, goodRTT+interval, pause)
		}
		// Ten seconds after the last decision nobody asks any more.
		s.until(40 * time.Second)
		for _, pause := range pauses(s.since(31 * time.Second)) {
			assert.Equal(t, goodRTT+c.Probing.IntervalMax, pause)
		}
		assert.Zero(t, s.engine.Target(0).ProbesLost)
	}
}

func TestProbesAtTheLongIntervalWhileNobodyAsks(t *testing.T) {
	for _, interval := range []time.Duration{time.Second, 30 * time.Second} {
		c := testConfig()
		c.Probing.IntervalMax, c.Probing.RateBytesPerMinute = interval, 0
		s := newSite(t, c)
		s.until(10 * time.Minute)
		for _, pause := range pauses(s.probes) {
			assert.Equal(t, goodRTT+interval, pause)
		}
		assert.InDelta(t, 10*time.Minute/(goodRTT+interval), len(s.probes), 1)
	}
}

func TestAMeteredTargetGetsFewProbesAndNoTrains(t *testing.T) {
	c := locally()
	c.Targets[0].Metered = true
	c.Probing.IntervalMax = c.Probing.IntervalMin
	s := newSite(t, c)
	s.works(200*time.Millisecond, time.Minute)
	for _, pause := range pauses(s.probes) {
		assert.Equal(t, goodRTT+leastMetered, pause)
	}
	bytes, trains := s.trainSpent()
	assert.Zero(t, bytes+trains)
	assert.Zero(t, s.engine.Target(0).TrainBytes)
}

func TestTrainsKeepTheirBudget(t *testing.T) {
	for _, perMinute := range []int{0, 1000, trainBytes, 20_000, 2 * trainBytes, 64 << 10, 256 << 10, mostRateBytes} {
		t.Run(fmt.Sprint(perMinute), func(t *testing.T) {
			c := locally()
			c.Probing.RateBytesPerMinute = perMinute
			s := newSite(t, c)
			s.works(time.Second, 10*time.Minute)
			bytes, trains := s.trainSpent()
			// A last train may have begun a minute that is not over.
			if most := 10*perMinute + 2*trainBytes; bytes > most && perMinute >= trainBytes || perMinute < trainBytes && bytes > 0 {
				t.Errorf("%d bytes in %d trains, allowed are %d a minute", bytes, trains, perMinute)
			}
			if perMinute >= trainBytes && bytes < min(10*perMinute, 120*trainBytes)/2 {
				t.Errorf("%d bytes in %d trains of a budget of %d a minute", bytes, trains, perMinute)
			}
			if most := int(10*time.Minute/upAge) + 1; trains > most {
				t.Errorf("%d trains, more than one in %v", trains, upAge)
			}
			assert.Equal(t, uint64(bytes), s.engine.Target(0).TrainBytes)
		})
	}
}

func TestTrainsOnlyWhileSomebodyAsks(t *testing.T) {
	s := newSite(t, testConfig())
	s.until(10 * time.Minute)
	if _, trains := s.trainSpent(); trains != 1 {
		t.Errorf("%d trains in ten minutes that nobody asked for, want the first figure alone", trains)
	}
	if first := s.probes[0]; first.bytes+first.downward > 0 {
		t.Error("the first probe was a train: nobody knows whether the link is there")
	}
	e, _ := s.engine.Estimate(0)
	assert.InDelta(t, 625e3, e.Up.BytesPerSecond, 1)
	assert.InDelta(t, 625e3, e.Down.BytesPerSecond, 1)
}

func TestNoTrainWhileAnswersShowTheRate(t *testing.T) {
	s := newSite(t, remotely())
	s.works(100*time.Millisecond, time.Minute)
	before, _ := s.trainSpent()
	s.works(700*time.Millisecond, time.Minute)
	after, _ := s.trainSpent()
	assert.Equal(t, before, after, "an answer every 0.7 s, and trains beside them")
	assert.LessOrEqual(t, before, 2*trainBytes)
}

// On a link of 60 kbit/s a train takes seconds: it is not lost, what comes behind it is no
// measure of the round trip, and neither is a stall.
func TestATrainOnASlowLinkIsNoStall(t *testing.T) {
	s := newSite(t, locally())
	const rate = 8000. // bytes per second
	var free time.Duration
	s.answer(func(a Action) (time.Duration, Event) {
		up, down := seconds(float64(a.Bytes)/rate), seconds(float64(a.BytesDown)/rate)
		free = max(s.now, free) + up + down
		took := free - s.now + goodRTT
		if a.Bytes+a.BytesDown > 0 {
			return took, Event{Kind: TrainDone, Bytes: a.Bytes, Spread: up, BytesDown: a.BytesDown, SpreadDown: down}
		}
		return took, Event{Kind: ProbeDone, RTT: took}
	})
	for s.now < 2*time.Minute {
		s.works(100*time.Millisecond, 100*time.Millisecond)
		if state := s.engine.Target(0); state.ProbesLost > 0 || state.Unusable != "" || state.Stalled > 0 {
			t.Fatalf("at %v: %+v", s.now, state)
		}
	}
	e, _ := s.engine.Estimate(0)
	assert.InDelta(t, ms(goodRTT), ms(e.RTT), 1)
	assert.InDelta(t, rate, e.Up.BytesPerSecond, 1)
	_, trains := s.trainSpent()
	assert.Greater(t, trains, 5)
}

func TestATrainThatWasNotSentIsNoSignOfLife(t *testing.T) {
	s := newSite(t, locally())
	s.until(3 * time.Second)
	heard, _ := s.engine.Estimate(0)
	s.do(Event{Kind: TrainDone, Probe: 1e6})
	after, _ := s.engine.Estimate(0)
	assert.Equal(t, heard, after)
}

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
		assert.Less(t, back.Loss, lost.Loss)
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
			assert.LessOrEqual(t, pause, s.config.Probing.IntervalMax, "a pause in the outage")
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
