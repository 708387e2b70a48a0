// SPDX-License-Identifier: Apache-2.0

package offload

import (
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
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
	s.remote = func(Action) (time.Duration, Event) { // a target that takes its time
		return time.Millisecond, Event{Kind: RemoteDone, At: 900 * time.Millisecond, Answer: &Answer{Label: "good"}, Execution: 850 * time.Millisecond}
	}
	work := func(task *Task) { task.Deadline = time.Time{} }
	for range 30 {
		s.arrive(work)
		s.until(s.now + 900*time.Millisecond)
	}
	if n := s.since(10 * time.Second); len(n) != 0 {
		t.Errorf("probes beside attempts that take what they always do: %+v", n)
	}
	s.remote = func(Action) (time.Duration, Event) {
		return time.Millisecond, Event{Kind: RemoteFailed, At: 30 * time.Second, Error: "deadline exceeded"}
	}
	start := s.now
	s.arrive(work)
	s.until(start + 20*time.Second)
	n := s.since(start)
	if len(n) < 20 || n[0].at < start+900*time.Millisecond || n[0].at > start+1300*time.Millisecond {
		t.Errorf("the attempt left at %v, probes %+v: the first is due when the answer is overdue", start, n)
	}
	for _, p := range n {
		if p.bytes+p.downward > 0 {
			t.Errorf("a train at %v beside an attempt", p.at)
		}
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
			// Where there is room for one way, it is the way up.
			e, _ := s.engine.Estimate(0)
			assert.Equal(t, perMinute >= trainBytes, e.Up.BytesPerSecond > 0)
			assert.Equal(t, perMinute >= 2*trainBytes, e.Down.BytesPerSecond > 0)
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
	assert.Less(t, e.Jitter.StdDev, time.Millisecond, "what a probe waited for a train")
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
