// SPDX-License-Identifier: Apache-2.0

package link

import (
	"fmt"
	"math"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"pgregory.net/rapid"
)

// probed is a link after round trips of so many milliseconds, one a second.
func probed(trips ...float64) *Link {
	l := New()
	for i, trip := range trips {
		sent := time.Duration(i+1) * time.Second
		l.AddProbe(Probe{Sent: sent, Back: sent + time.Duration(trip*1e6)})
	}
	return l
}

// The definitions, written down as they are read.

func stdDev(x []float64) float64 {
	if len(x) < 2 {
		return 0
	}
	sum, squares := 0., 0.
	for _, v := range x {
		sum += v
	}
	for _, v := range x {
		squares += math.Pow(v-sum/float64(len(x)), 2)
	}
	return math.Sqrt(squares / float64(len(x)-1))
}

func meanAbsoluteDifference(x []float64) float64 {
	if len(x) < 2 {
		return 0
	}
	sum := 0.
	for i := range len(x) - 1 {
		sum += math.Abs(x[i+1] - x[i])
	}
	return sum / float64(len(x)-1)
}

func rfc3550(x []float64) float64 {
	j := 0.
	for i := range max(len(x), 1) - 1 {
		j += (math.Abs(x[i+1]-x[i]) - j) / 16
	}
	return j
}

func percentile(x []float64, q float64) float64 {
	x = slices.Sorted(slices.Values(x))
	at := q * float64(len(x)-1)
	low, high := int(math.Floor(at)), int(math.Ceil(at))
	return x[low] + (at-math.Floor(at))*(x[high]-x[low])
}

func spread(x []float64) float64 {
	if len(x) < 2 {
		return 0
	}
	return percentile(x, .95) - percentile(x, .5)
}

func TestJitterIsAsDefined(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		trips := rapid.SliceOfN(rapid.Float64Range(.01, 5000), 0, 200).Draw(rt, "ms")
		e := probed(trips...).Estimate()
		last := trips[max(0, len(trips)-60):]
		for _, c := range []struct {
			name string
			got  time.Duration
			want float64
		}{
			{"standard deviation of the last 60", e.Jitter.StdDev, stdDev(last)},
			{"mean absolute difference of the last 60", e.Jitter.MAD, meanAbsoluteDifference(last)},
			{"RFC 3550, running", e.Jitter.RFC3550, rfc3550(trips)},
			{"p95 - p50 of the last 60", e.Jitter.Spread, spread(last)},
		} {
			if !assert.InDelta(rt, c.want, ms(c.got), 1e-4+1e-6*c.want, c.name) {
				rt.FailNow()
			}
		}
		if e.Samples != len(trips) {
			rt.Errorf("%d samples, want %d", e.Samples, len(trips))
		}
	})
}

// The figures of this table were worked out by hand.
func TestJitterOfSmallSeries(t *testing.T) {
	for _, c := range []struct {
		trips                        []float64
		stdDev, mad, rfc3550, spread float64
	}{
		{nil, 0, 0, 0, 0},
		{[]float64{40}, 0, 0, 0, 0},
		{[]float64{40, 40, 40}, 0, 0, 0, 0},
		{[]float64{40, 56}, math.Sqrt(128), 16, 1, 7.2},                // p95 is 40 + .95·16, p50 48
		{[]float64{40, 56, 40}, math.Sqrt(256. / 3), 16, 1.9375, 14.4}, // sorted 40 40 56: p95 40 + .9·16
		{[]float64{10, 20, 30, 40, 50}, math.Sqrt(250), 10, 160 * (1 - math.Pow(15./16, 4)) / 16, 18},
		{[]float64{50, 40, 30, 20, 10}, math.Sqrt(250), 10, 160 * (1 - math.Pow(15./16, 4)) / 16, 18},
		{[]float64{20, 20, 20, 20, 1020}, math.Sqrt(200000), 250, 62.5, 800}, // one stall
	} {
		t.Run(fmt.Sprint(c.trips), func(t *testing.T) {
			j := probed(c.trips...).Estimate().Jitter
			assert.InDelta(t, c.stdDev, ms(j.StdDev), 1e-5, "standard deviation")
			assert.InDelta(t, c.mad, ms(j.MAD), 1e-5, "mean absolute difference")
			assert.InDelta(t, c.rfc3550, ms(j.RFC3550), 1e-5, "RFC 3550")
			assert.InDelta(t, c.spread, ms(j.Spread), 1e-5, "p95 - p50")
		})
	}
}

// A probe behind our own payloads shows our queue, and one that the server held its work.
func TestJitterIsTheLinksAlone(t *testing.T) {
	l := probed(40, 40, 40, 40)
	before := l.Estimate()
	l.AddProbe(Probe{Sent: 10 * time.Second, Back: 11 * time.Second, Behind: true})
	held := int64(700 * time.Millisecond)
	l.AddProbe(Probe{Sent: 12 * time.Second, Back: 12*time.Second + 740*time.Millisecond, Held: Stamps{Received: 1, Sent: 1 + held}})
	if e := l.Estimate(); e.Jitter != before.Jitter || e.RTT != before.RTT {
		t.Errorf("from %+v and %v to %+v and %v", before.Jitter, before.RTT, e.Jitter, e.RTT)
	}
}

// What keeps a link from use is its jitter while it works: an outage of a second is seen as
// a stall, not remembered as jitter for a minute.
func TestSteadyJitterLeavesStallsOut(t *testing.T) {
	var trips []float64
	for i := range 60 {
		trips = append(trips, 40+float64(i%2))
	}
	trips[20], trips[40] = 1000, 2000
	l := probed(trips...)
	if steady, plain := ms(l.SteadyJitter()), ms(l.Jitter()); steady > plain/4 || plain < 100 {
		t.Errorf("steady jitter %.1f ms, with the stalls %.1f ms", steady, plain)
	}
	if got := l.Patience(); got < 100*time.Millisecond || got > 2*time.Second {
		t.Errorf("patience %v: 100 ms to 2 s is its range", got)
	}
}
