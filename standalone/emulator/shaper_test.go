// SPDX-License-Identifier: Apache-2.0

package emulator

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"pgregory.net/rapid"
)

// steady is 100 ms and 10,000 bytes per second each way.
func steady() Conditions { return Conditions{RTT: 100 * ms, UpBps: 10e3, DownBps: 10e3} }

// slots builds a source that repeats the given conditions, each for a number of slots.
func slots(parts ...any) Source {
	var all []Conditions
	for i := 0; i < len(parts); i += 2 {
		for range parts[i].(int) {
			all = append(all, parts[i+1].(Conditions))
		}
	}
	return Trace{Slots: all}.Start()
}

func TestSend(t *testing.T) {
	out, dead, half := steady(), steady(), steady()
	out.Loss, dead.UpBps, half.UpBps = 1, 0, 5e3
	for _, c := range []struct {
		name          string
		source        Source
		now           time.Duration
		bytes         int
		left, arrives time.Duration
	}{
		{"nothing takes half a round trip", slots(1, steady()), 0, 0, 0, 50 * ms},
		{"bytes take their time", slots(1, steady()), 0, 1000, 100 * ms, 150 * ms},
		{"the rate may change under way", slots(2, steady(), 100, half), 0, 1500, 200 * ms, 250 * ms},
		{"the clock may stand inside a slot", slots(1, steady()), 30 * ms, 400, 70 * ms, 120 * ms},
		{"a slot without rate only waits", slots(1, steady(), 4, dead, 100, steady()), 0, 1000, 300 * ms, 350 * ms},
		{"an outage holds what is not sent yet", slots(1, steady(), 20, out, 100, steady()), 60 * ms, 500, 1100 * ms, 1150 * ms},
		// Left at 40 ms, would arrive at 90 ms: sent again after 100, 200, 400 and 800 ms.
		{"an outage takes what is on its way", slots(1, steady(), 20, out, 200, steady()), 0, 400, 40 * ms, 1540*ms + 50*ms},
	} {
		t.Run(c.name, func(t *testing.T) {
			left, arrives := NewShaper(c.source, 1).Send(c.now, Up, c.bytes)
			assert.Equal(t, c.left, left, "left")
			assert.Equal(t, c.arrives, arrives, "arrives")
		})
	}
}

func TestTheTwoDirectionsDoNotWaitForEachOther(t *testing.T) {
	s := NewShaper(slots(1, steady()), 1)
	s.Send(0, Up, 10000)
	left, _ := s.Send(0, Down, 100)
	assert.Equal(t, 10*ms, left)
	left, _ = s.Send(0, Up, 100)
	assert.Equal(t, 1010*ms, left, "but connections share a direction")
}

func TestALinkThatIsDeadForGoodDeliversAtTheHorizon(t *testing.T) {
	dead := steady()
	dead.Loss = 1
	left, arrives := NewShaper(slots(1, dead), 1).Send(0, Up, 1)
	assert.Equal(t, horizon, left)
	assert.GreaterOrEqual(t, arrives, left+horizon)
	assert.Less(t, arrives, left+horizon+longestWait)
}

func TestLossDelaysOneRoundTripAndMore(t *testing.T) {
	lossy := steady()
	lossy.Loss = .1
	s := NewShaper(slots(1, lossy), 7)
	var resent, waited int
	const n = 10000
	for i := range n {
		now := time.Duration(i) * second
		s.Forget(now)
		left, arrives := s.Send(now, Up, 100)
		switch delay := arrives - left - 50*ms; {
		case delay == 0:
		case delay == 100*ms:
			resent++
		default:
			waited++
			assert.GreaterOrEqual(t, delay, 300*ms)
		}
	}
	assert.InDelta(t, .09*n, resent, 150, "lost once")
	assert.InDelta(t, .01*n, waited, 60, "lost more often")
}

// conditions draws any link, dead ones too.
func conditions(t *rapid.T) Source {
	one := rapid.Custom(func(t *rapid.T) Conditions {
		return Conditions{
			RTT:     time.Duration(rapid.Int64Range(0, int64(3*second)).Draw(t, "rtt")),
			UpBps:   rapid.SampledFrom([]float64{0, 1e-300, 10, 1e4, 1e6, 1e9}).Draw(t, "up"),
			DownBps: rapid.SampledFrom([]float64{0, 1, 1e5}).Draw(t, "down"),
			Loss:    rapid.SampledFrom([]float64{0, .01, .5, 1}).Draw(t, "loss"),
		}
	})
	return Trace{Slots: rapid.SliceOfN(one, 1, 40).Draw(t, "slots")}.Start()
}

func TestFlowKeepsOrderAndTime(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := NewShaper(conditions(t), rapid.Int64().Draw(t, "seed"))
		flow := s.Flow(Direction(rapid.IntRange(0, 1).Draw(t, "direction")))
		var now, lastLeft, lastArrives time.Duration
		for range rapid.IntRange(1, 8).Draw(t, "pieces") {
			now += time.Duration(rapid.Int64Range(0, int64(second)).Draw(t, "pause"))
			s.Forget(now)
			left, arrives := flow.Send(now, rapid.IntRange(0, maxPiece).Draw(t, "bytes"))
			if left < now || left < lastLeft || arrives < left || arrives < lastArrives {
				t.Fatalf("at %s: left %s after %s, arrives %s after %s", now, left, lastLeft, arrives, lastArrives)
			}
			if left > max(now, lastLeft)+horizon+Slot {
				t.Fatalf("at %s: put off to %s", now, left)
			}
			lastLeft, lastArrives = left, arrives
		}
	})
}

func TestTheSameSeedGivesTheSameLink(t *testing.T) {
	run := func(seed int64) (all []time.Duration) {
		s := NewShaper(Profiles()[5].Start(seed), seed)
		for i := range 500 {
			_, arrives := s.Send(time.Duration(i)*70*ms, Up, 3000)
			all = append(all, arrives)
		}
		return all
	}
	assert.Equal(t, run(3), run(3))
	assert.NotEqual(t, run(3), run(4))
}
