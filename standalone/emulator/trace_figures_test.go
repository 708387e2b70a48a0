// SPDX-License-Identifier: Apache-2.0

package emulator

import (
	"math"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
)

func TestFigures(t *testing.T) {
	rtts := []int{10, 30, 10, -1, -1, 1500, 10, -1}
	var trace Trace
	for _, rtt := range rtts {
		c := Conditions{RTT: time.Duration(rtt) * ms, UpBps: kbps(1000), DownBps: kbps(2000), Loss: .1}
		if rtt < 0 {
			c = Conditions{Loss: 1}
		}
		if rtt == 1500 {
			c.UpBps = 0
		}
		trace.Slots = append(trace.Slots, c)
	}
	f := trace.Figures()
	assert.Equal(t, Spread{Mean: 312, P5: 10, P50: 10, P95: 1500, P99: 1500, Most: 1500}, f.RTT)
	assert.Equal(t, Spread{Mean: 800, P5: 0, P50: 1000, P95: 1000, P99: 1000, Most: 1000}, f.Up)
	assert.InDelta(t, math.Sqrt((3*302*302+282*282+1188*1188)/5.), f.Jitter.StdDev, 1e-9)
	assert.InDelta(t, (20+20+1490)/3., f.Jitter.MAD, 1e-9, "not across an outage")
	running := []float64{20 / 16., 20/16. + (20-20/16.)/16}
	last := running[1] + (1490-running[1])/16
	assert.InDelta(t, (running[0]+running[1]+last)/3, f.Jitter.RFC3550, 1e-9)
	assert.InDelta(t, last, f.Jitter.RFC3550Most, 1e-9)
	assert.InDelta(t, 1490, f.Jitter.Quantile, 1e-9)
	assert.InDelta(t, .1, f.Loss, 1e-9)
	assert.InDelta(t, 3./8, f.Outage, 1e-9)
	assert.Equal(t, []time.Duration{50 * ms, 100 * ms}, f.Outages)
	assert.InDelta(t, 1./8, f.Slow, 1e-9)
	assert.InDelta(t, 1./8, f.Still, 1e-9)
}

func TestFiguresOfNothing(t *testing.T) {
	assert.Equal(t, Figures{}, Trace{}.Figures())
	f := Trace{Slots: []Conditions{{Loss: 1}, {Loss: 1}}}.Figures()
	assert.Equal(t, Figures{Slots: 2, Outage: 1, Outages: []time.Duration{100 * ms}}, f)
	f = Trace{Slots: []Conditions{{RTT: 8 * ms, UpBps: 1, DownBps: 1}}}.Figures()
	assert.Zero(t, f.Jitter)
	assert.Zero(t, f.Alike50)
}

func TestAlike(t *testing.T) {
	var same, alternate, steps Trace
	for i := range 4000 {
		same.Slots = append(same.Slots, Conditions{RTT: 20 * ms})
		alternate.Slots = append(alternate.Slots, Conditions{RTT: time.Duration(10+10*(i%2)) * ms})
		steps.Slots = append(steps.Slots, Conditions{RTT: time.Duration(10+10*(i/40%2)) * ms})
	}
	assert.Zero(t, same.Figures().Alike50, "a constant resembles nothing")
	assert.InDelta(t, -1, alternate.Figures().Alike50, 1e-6)
	assert.InDelta(t, 1, alternate.Figures().Alike1000, 1e-6)
	assert.InDelta(t, .95, steps.Figures().Alike50, .01, "one of 40 differs from the one before")
	assert.InDelta(t, 0, steps.Figures().Alike1000, .02, "half of them differ")
}

func TestRank(t *testing.T) {
	list := []float64{1, 2, 3, 4}
	assert.Equal(t, []float64{1, 2, 4, 4}, []float64{Rank(list, 0), Rank(list, .5), Rank(list, .99), Rank(list, 1)})
}
