// SPDX-License-Identifier: Apache-2.0

package emulator

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// yield is what a profile yields over an hour: ms, Mbit/s, seconds, and shares in percent.
type yield struct {
	p50, p95, p99                 float64 // round trip
	stddev, mad                   float64
	alike50, alike1000            float64
	up, upP5, down, downP5        float64
	loss                          float64
	outage, perMin, median, worst float64 // outages; the worst of six hours
	slow, still                   float64 // a round trip of more than a second; nothing goes up
}

// The table comes from 48 hours of each profile; other seeds must give it again.
func yields() map[string]yield {
	return map[string]yield{
		"lan":       {.86, 1.55, 2.03, .30, .30, .015, .015, 902, 868, 902, 868, 0, 0, 0, 0, 0, 0, 0},
		"wifi":      {8.27, 58.2, 420, 160, 6.88, .82, .47, 37.9, 1.31, 48.1, 1.69, .150, 0, 0, 0, 0, .42, 1.33},
		"lte":       {40.5, 369, 1288, 216, 12.7, .96, .64, 6.65, .048, 17.4, .108, .023, .112, .122, .46, 1.9, 1.67, 2.53},
		"5g":        {15.8, 24.0, 55.4, 15.7, 3.32, .63, .28, 23.4, 4.17, 85.9, 14.0, .0074, 0, 0, 0, 0, 0, .59},
		"5g-drive":  {22.3, 234, 1149, 253, 11.6, .93, .60, 14.2, .053, 56.9, .184, .084, .53, .38, .61, 4.7, 1.31, 3.64},
		"3g":        {65.4, 903, 2092, 419, 22.2, .97, .70, .867, .001, 1.30, .001, .059, .205, .125, .81, 3.7, 4.52, 5.09},
		"satellite": {60.8, 84.5, 106, 13.7, 9.69, .42, .31, 14.2, 4.91, 226, 64.0, .236, 3.13, 22.7, .05, 1.55, 0, .80},
		"flaky":     {43.3, 136, 227, 44.8, 14.8, .82, .57, 7.38, .444, 20.2, 1.10, .132, 30.9, 6.14, 3.03, 4.0, 0, 0},
	}
}

func TestProfilesYieldWhatTheySay(t *testing.T) {
	const seeds = 6
	for _, p := range Profiles() {
		t.Run(p.Name, func(t *testing.T) {
			want, known := yields()[p.Name]
			require.True(t, known)
			var got yield
			var outages []time.Duration
			for seed := range int64(seeds) {
				f := Record(p.Start(seed), int(time.Hour/Slot)).Figures()
				add := func(sum *float64, v float64) { *sum += v / seeds }
				add(&got.p50, f.RTT.P50)
				add(&got.p95, f.RTT.P95)
				add(&got.p99, f.RTT.P99)
				add(&got.stddev, f.Jitter.StdDev)
				add(&got.mad, f.Jitter.MAD)
				add(&got.alike50, f.Alike50)
				add(&got.alike1000, f.Alike1000)
				add(&got.up, f.Up.Mean/1000)
				add(&got.upP5, f.Up.P5/1000)
				add(&got.down, f.Down.Mean/1000)
				add(&got.downP5, f.Down.P5/1000)
				add(&got.loss, 100*f.Loss)
				add(&got.outage, 100*f.Outage)
				add(&got.slow, 100*f.Slow)
				add(&got.still, 100*f.Still)
				outages = append(outages, f.Outages...)
			}
			slices.Sort(outages)
			if n := len(outages); n > 0 {
				got.perMin, got.median, got.worst = float64(n)/60/seeds, outages[n/2].Seconds(), outages[n-1].Seconds()
			}
			near := func(name string, want, got, share, least float64) {
				assert.InDelta(t, want, got, share*want+least, name)
			}
			// The rarer what a figure rests on, the wider its bounds.
			near("p50, ms", want.p50, got.p50, .03, 0)
			near("p95, ms", want.p95, got.p95, .2, 0)
			near("p99, ms", want.p99, got.p99, .25, 0)
			near("standard deviation, ms", want.stddev, got.stddev, .4, 0)
			near("mean absolute difference, ms", want.mad, got.mad, .1, 0)
			near("alike after 50 ms", want.alike50, got.alike50, 0, .05)
			near("alike after 1 s", want.alike1000, got.alike1000, 0, .05)
			near("up, Mbit/s", want.up, got.up, .05, 0)
			near("up p5, Mbit/s", want.upP5, got.upP5, .25, .005)
			near("down, Mbit/s", want.down, got.down, .07, 0)
			near("down p5, Mbit/s", want.downP5, got.downP5, .25, .01)
			near("loss, %", want.loss, got.loss, .1, 0)
			near("outage, %", want.outage, got.outage, .05, .15)
			near("outages a minute", want.perMin, got.perMin, .05, .07)
			near("median outage, s", want.median, got.median, .35, 0)
			near("longest outage of six hours, s", want.worst, got.worst, .75, 0)
			near("slow, %", want.slow, got.slow, .4, .05)
			near("still, %", want.still, got.still, .2, .01)
		})
	}
}

// What is sent in a stall is not lost: it arrives when the stall ends, in order.
func TestAStallIsABacklogInOrder(t *testing.T) {
	for _, p := range Profiles() {
		var stalls int
		for seed := range int64(3) {
			slots := Record(p.Start(seed), 36000).Slots
			for i, c := range slots[1:] {
				before := slots[i]
				if before.UpBps > 0 || before.Out() || c.UpBps > 0 || c.Out() {
					continue
				}
				stalls++
				assert.LessOrEqual(t, before.RTT, c.RTT+Slot+time.Microsecond, "%s, slot %d: it would overtake", p.Name, i)
			}
		}
		if p.Name != "lan" && p.Name != "flaky" {
			assert.Greater(t, stalls, 10, p.Name)
		}
	}
}

func TestDelayIsTiedToLoad(t *testing.T) {
	lte, err := ProfileNamed("lte")
	require.NoError(t, err)
	var slow, fast, all []float64
	for _, c := range Record(lte.Start(1), 72000).Slots {
		if c.Out() || c.UpBps == 0 {
			continue
		}
		all = append(all, c.UpBps)
		if c.RTT > 150*ms {
			slow = append(slow, c.UpBps)
		} else {
			fast = append(fast, c.UpBps)
		}
	}
	require.Greater(t, len(slow), len(all)/50)
	assert.Less(t, spread(slow).P50, .2*spread(fast).P50, "where round trips are long, little is left")
}

func TestTheSameSeedGivesTheSameTrace(t *testing.T) {
	for _, p := range Profiles() {
		csv := func(seed int64) string {
			var text strings.Builder
			require.NoError(t, Record(p.Start(seed), 1200).Write(&text))
			return text.String()
		}
		assert.Equal(t, csv(5), csv(5), p.Name)
		assert.NotEqual(t, csv(5), csv(6), p.Name)
	}
}

func TestEachProfileBeginsUp(t *testing.T) {
	for _, p := range Profiles() {
		for seed := range int64(20) {
			source := p.Start(seed)
			for i := range 40 {
				c := source.Next()
				require.False(t, c.Out() || c.UpBps == 0, "%s, seed %d, slot %d", p.Name, seed, i)
			}
		}
	}
}

func TestEachRegimeCanBeReachedAndLeft(t *testing.T) {
	for _, p := range Profiles() {
		reached := map[int]bool{0: true}
		for _, r := range p.regimes {
			sum := 0.
			for _, s := range r.next {
				reached[s.regime] = true
				sum += s.weight
			}
			assert.InDelta(t, 1, sum, 1e-9, p.Name)
		}
		assert.Len(t, reached, len(p.regimes), p.Name)
	}
}

func TestProfileNames(t *testing.T) {
	for _, name := range []string{"dialup", ""} {
		_, err := ProfileNamed(name)
		require.EqualError(t, err, `profile "`+name+`": allowed are lan, wifi, lte, 5g, 5g-drive, 3g, satellite, flaky`)
	}
	p, err := ProfileNamed("flaky")
	require.NoError(t, err)
	assert.Equal(t, "flaky", p.Name)
	p, err = ProfileNamed("ethernet")
	require.NoError(t, err)
	assert.Equal(t, "lan", p.Name)
}
