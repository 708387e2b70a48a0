// SPDX-License-Identifier: Apache-2.0

package offload

import (
	"math"
	"math/rand/v2"
	"testing"
	"time"
)

func near(got, want, tolerance float64) bool { return math.Abs(got-want) <= tolerance*want }

func TestJitterInItsThreeDefinitions(t *testing.T) {
	var l link
	for i := range windowSize * 10 { // alternating 40 and 60 ms
		l.addRTT(time.Duration(40+20*(i%2)) * time.Millisecond)
	}
	e := l.estimate()
	if got := ms(e.Jitter); !near(got, 10*math.Sqrt(60./59), .001) {
		t.Errorf("standard deviation %.3f ms, want that of a sample of 60: 10.08", got)
	}
	if got := ms(e.JitterMAD); !near(got, 20, .001) {
		t.Errorf("mean absolute difference %.3f ms, want 20", got)
	}
	if got := ms(e.JitterRFC3550); !near(got, 20, .001) {
		t.Errorf("RFC 3550 %.3f ms, want 20 once settled", got)
	}
	if got := ms(e.RTT); !near(got, 50, .1) {
		t.Errorf("smoothed round trip %.1f ms, want about 50", got)
	}
	if e.MinRTT != 40*time.Millisecond {
		t.Errorf("least round trip %v, want 40ms", e.MinRTT)
	}
}

// answers plays answers of a link with a rate and a round trip, one after the other.
func answers(l *link, n, bytes int, rate float64, rtt time.Duration, noise *rand.Rand) {
	at := l.heard
	for range n {
		at += 100 * time.Millisecond
		sent := at
		jitter := time.Duration(noise.Float64() * float64(rtt) / 10)
		took := seconds(float64(bytes)/rate) + rtt + jitter + 15*time.Millisecond
		l.addRTT(rtt + jitter)
		l.addAnswer(sent+took, sent, bytes, 200, 15*time.Millisecond)
		at = sent + took
	}
	l.heard = at
}

func TestUplinkRateFromRealAnswers(t *testing.T) {
	for _, c := range []struct {
		name  string
		mbit  float64
		rtt   time.Duration
		bytes int
	}{
		{"3G", .8, 120 * time.Millisecond, 30_000},
		{"LTE", 5, 50 * time.Millisecond, 60_000},
		{"5G", 30, 20 * time.Millisecond, 200_000},
		{"WiFi", 70, 5 * time.Millisecond, 200_000},
	} {
		t.Run(c.name, func(t *testing.T) {
			var l link
			noise := rand.New(rand.NewPCG(1, 2))
			answers(&l, 40, c.bytes, c.mbit*1e6/8, c.rtt, noise)
			if got := l.upRate() * 8 / 1e6; !near(got, c.mbit, .1) {
				t.Errorf("measured %.2f Mbit/s, want %.2f within 10%%", got, c.mbit)
			}
			answers(&l, 15, c.bytes, c.mbit*1e6/16, c.rtt, noise) // the rate halves
			if got := l.upRate() * 8 / 1e6; !near(got, c.mbit/2, .15) {
				t.Errorf("after the rate halved measured %.2f Mbit/s, want %.2f", got, c.mbit/2)
			}
		})
	}
}

func TestSmallPayloadsSayNothingOfTheRate(t *testing.T) {
	var l link
	answers(&l, 20, rateBytes-1, 1e6, 30*time.Millisecond, rand.New(rand.NewPCG(1, 2)))
	if l.up.n != 0 {
		t.Errorf("%d rate samples from payloads under %d bytes", l.up.n, rateBytes)
	}
}

func TestALyingServerIsBoundedInEffect(t *testing.T) {
	var l link
	answers(&l, 20, 50_000, 1e6, 30*time.Millisecond, rand.New(rand.NewPCG(1, 2)))
	before := l.estimate()
	for _, spent := range []time.Duration{-time.Hour, time.Hour, math.MinInt64, math.MaxInt64} {
		l.addAnswer(l.heard+100*time.Millisecond, l.heard, 50_000, 200, spent)
	}
	if l.estimate() != before {
		t.Errorf("impossible service times changed the estimate from %+v to %+v", before, l.estimate())
	}
}

func TestLossIsTheShareOfLostProbes(t *testing.T) {
	var l link
	for i := range windowSize {
		if i%4 == 0 {
			l.addProbeLost()
		} else {
			l.addProbeBack()
		}
	}
	if got := l.estimate().Loss; got != .25 {
		t.Errorf("loss %v, want .25", got)
	}
}
