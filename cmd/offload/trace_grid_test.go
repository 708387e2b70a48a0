// SPDX-License-Identifier: Apache-2.0

package main

import (
	"math"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"edgex-offload/runner"
	"edgex-offload/standalone/emulator"
)

// clockAt is some Unix time at which tests begin.
const clockAt = int64(1_700_000_000e9)

// arrival is a measurement and when it is known.
type arrival struct {
	sample runner.LinkSample
	known  time.Duration
}

// sampled measures a link at a pace, as a probe sees it: what is lost is known after a
// second, what comes back when it does. Rates are measured every five seconds.
func sampled(truth emulator.Trace, pace, phase time.Duration) []runner.LinkSample {
	var all []arrival
	tell := func(at time.Duration, kind string, rtt time.Duration, kbps float64) {
		all = append(all, arrival{runner.LinkSample{AtNs: clockAt + int64(at), Kind: kind, RTTMs: milliseconds(rtt), Kbps: kbps}, at + rtt})
	}
	next := time.Duration(0)
	for at := phase; at < lasting(len(truth.Slots)); at += pace {
		c := truth.Slots[at/emulator.Slot]
		if c.Out() {
			tell(at, "lost", time.Second, 0)
			continue
		}
		tell(at, "rtt", max(c.RTT, time.Microsecond), 0)
		if at >= next && c.UpBps > 0 && c.DownBps > 0 {
			tell(at, "up", 0, c.UpBps*8/1000)
			tell(at, "down", 0, c.DownBps*8/1000)
			next = at + 5*time.Second
		}
	}
	slices.SortStableFunc(all, func(a, b arrival) int { return int(a.known - b.known) })
	samples := make([]runner.LinkSample, len(all))
	for i, one := range all {
		one.sample.Seq = uint64(i + 1)
		samples[i] = one.sample
	}
	return samples
}

// gridded converts measurements that come in batches.
func gridded(samples []runner.LinkSample, batch int) (emulator.Trace, *grid) {
	var trace emulator.Trace
	g := &grid{upKbps: 1, downKbps: 2, add: func(c emulator.Conditions) { trace.Slots = append(trace.Slots, c) }}
	for part := range slices.Chunk(samples, batch) {
		g.take(part)
	}
	g.finish()
	return trace, g
}

// spans are the outages of a trace: first slot, and the one after the last.
func spans(trace emulator.Trace) (list [][2]int) {
	for i, c := range trace.Slots {
		switch {
		case !c.Out():
		case i > 0 && trace.Slots[i-1].Out():
			list[len(list)-1][1] = i + 1
		default:
			list = append(list, [2]int{i, i + 1})
		}
	}
	return list
}

// truths are made-up links, and measured ones where they are.
func truths(t *testing.T) map[string]emulator.Trace {
	t.Helper()
	all := map[string]emulator.Trace{}
	for _, p := range emulator.Profiles() {
		all[p.Name] = emulator.Record(p.Start(11), 4800)
	}
	files, _ := filepath.Glob("../../../shared/traces/*.csv")
	for _, file := range files {
		trace, err := readTrace(file)
		require.NoError(t, err)
		all[filepath.Base(file)] = trace
	}
	return all
}

func TestGridAtItsOwnPaceIsTheTruth(t *testing.T) {
	for name, truth := range truths(t) {
		for _, batch := range []int{1, 7, 100000} {
			got, g := gridded(sampled(truth, emulator.Slot, 20*time.Millisecond), batch)
			require.Len(t, got.Slots, len(truth.Slots), name)
			assert.Empty(t, g.refused, name)
			assert.Zero(t, g.gaps, name)
			for i, c := range truth.Slots {
				require.Equal(t, c.Out(), got.Slots[i].Out(), "%s, slot %d", name, i)
				if !c.Out() {
					require.InDelta(t, max(c.RTT, time.Microsecond), got.Slots[i].RTT, 2, "%s, slot %d", name, i)
				}
			}
		}
	}
}

func TestGridAtOtherPaces(t *testing.T) {
	for _, pace := range []time.Duration{20 * time.Millisecond, 100 * time.Millisecond, 250 * time.Millisecond, time.Second} {
		for name, truth := range truths(t) {
			got, _ := gridded(sampled(truth, pace, 0), 50)
			require.InDelta(t, len(truth.Slots), len(got.Slots), float64(pace/emulator.Slot)+1, name)
			got.Slots = got.Slots[:min(len(got.Slots), len(truth.Slots))]
			truth.Slots = truth.Slots[:len(got.Slots)]

			want, have := truth.Figures(), got.Figures()
			if pace < time.Second { // the shortest of them has too few seconds for quantiles of so few
				assert.InEpsilon(t, want.RTT.P50, have.RTT.P50, .06, "%s at %s: p50", name, pace)
				assert.InEpsilon(t, want.RTT.P95, have.RTT.P95, .25, "%s at %s: p95", name, pace)
			}
			assert.InDelta(t, want.Outage, have.Outage, .15*want.Outage+.004, "%s at %s: outages", name, pace)

			// An outage that at least two probes met, with as much room on either side, begins
			// and ends half a pace from the truth at the most, and a slot for the grid.
			most := float64(pace)/2/float64(emulator.Slot) + 1
			clear := int(2*pace/emulator.Slot) + 1
			found := spans(got)
			ends := spans(truth)
			for i, o := range ends {
				if o[1]-o[0] < clear || i > 0 && o[0]-ends[i-1][1] < clear || i < len(ends)-1 && ends[i+1][0]-o[1] < clear || o[1]+clear > len(truth.Slots) {
					continue
				}
				assert.True(t, slices.ContainsFunc(found, func(f [2]int) bool {
					return math.Abs(float64(f[0]-o[0])) <= most && math.Abs(float64(f[1]-o[1])) <= most
				}), "%s at %s: no outage like %v in %v", name, pace, o, found)
			}
		}
	}
}

// A stall of two seconds: what was sent in it comes back when it ends.
func TestGridShowsABacklogThatComesDown(t *testing.T) {
	var truth emulator.Trace
	for i := range 200 {
		c := emulator.Conditions{RTT: 20 * time.Millisecond, UpBps: 1e6, DownBps: 1e6}
		if i >= 100 && i < 140 {
			c.RTT += lasting(140 - i)
		}
		truth.Slots = append(truth.Slots, c)
	}
	for _, pace := range []time.Duration{emulator.Slot, 100 * time.Millisecond, 250 * time.Millisecond, time.Second, 4 * time.Second} {
		got, _ := gridded(sampled(truth, pace, time.Second), 3)
		for i := range 60 { // from the stall's begin on, where a probe began at all these paces
			want := truth.Slots[100+i].RTT
			assert.InDelta(t, want, got.Slots[100-20+i].RTT, float64(emulator.Slot), "%s, slot %d", pace, i)
		}
	}
	// One probe at a time, the next when the last is back, tells the same.
	lone := []runner.LinkSample{
		{AtNs: clockAt, Kind: "rtt", RTTMs: 20},
		{AtNs: clockAt + 1000e6, Kind: "rtt", RTTMs: 2020},
		{AtNs: clockAt + 3020e6, Kind: "rtt", RTTMs: 20},
	}
	got, _ := gridded(lone, 1)
	for i := range 40 {
		assert.InDelta(t, 2020-50*i, milliseconds(got.Slots[20+i].RTT), 1, "slot %d", i)
	}
}

func TestGridHoldsRates(t *testing.T) {
	at := func(ms int64, kind string, v float64) runner.LinkSample {
		s := runner.LinkSample{AtNs: clockAt + ms*1e6, Kind: kind, Kbps: v}
		if kind == "rtt" {
			s.RTTMs, s.Kbps = v, 0
		}
		return s
	}
	got, g := gridded([]runner.LinkSample{
		at(0, "rtt", 10), at(200, "up", 800), at(300, "rtt", 10), at(400, "up", 1600), at(600, "rtt", 10),
	}, 1)
	var up []float64
	for _, c := range got.Slots {
		up = append(up, c.UpBps*8/1000)
		assert.InDelta(t, 2, c.DownBps*8/1000, 1e-9, "never measured: what was said")
	}
	// The first is for what was before it, too.
	assert.Equal(t, []float64{800, 800, 800, 800, 800, 800, 800, 800, 1600, 1600, 1600, 1600, 1600}, up)
	assert.Equal(t, [2]bool{true, false}, g.rateKnown)
}

func TestGridOfManyInASlot(t *testing.T) {
	got, _ := gridded([]runner.LinkSample{
		{AtNs: clockAt, Kind: "rtt", RTTMs: 10},
		{AtNs: clockAt + 20e6, Kind: "rtt", RTTMs: 20},
		{AtNs: clockAt + 40e6, Kind: "lost"},
		{AtNs: clockAt + 50e6, Kind: "lost"},
	}, 2)
	require.Len(t, got.Slots, 2)
	assert.Equal(t, 15*time.Millisecond, got.Slots[0].RTT)
	assert.InDelta(t, 1./3, got.Slots[0].Loss, 1e-9)
	assert.True(t, got.Slots[1].Out())
}

func TestGridOfWhatCannotBe(t *testing.T) {
	steady := func(from, n int) (list []runner.LinkSample) {
		for i := range n {
			list = append(list, runner.LinkSample{AtNs: clockAt + int64(from+i)*50e6, Kind: "rtt", RTTMs: 20})
		}
		return list
	}
	moved := func(list []runner.LinkSample, by time.Duration) []runner.LinkSample {
		for i := range list {
			list[i].AtNs += int64(by)
		}
		return list
	}
	odd := func(s runner.LinkSample) []runner.LinkSample {
		s.AtNs += clockAt + 500*50e6
		return slices.Concat(steady(0, 500), []runner.LinkSample{s}, steady(501, 499))
	}
	for _, c := range []struct {
		name    string
		samples []runner.LinkSample
		slots   int
		gaps    int
		refused map[string]uint64
	}{
		{"a negative time", odd(runner.LinkSample{Kind: "rtt", RTTMs: -1}), 1000, 0, map[string]uint64{refusedValue: 1}},
		{"no number", odd(runner.LinkSample{Kind: "rtt", RTTMs: math.NaN()}), 1000, 0, map[string]uint64{refusedValue: 1}},
		{"no end", odd(runner.LinkSample{Kind: "lost", RTTMs: math.Inf(1)}), 1000, 0, map[string]uint64{refusedValue: 1}},
		{"a rate of nothing", odd(runner.LinkSample{Kind: "up"}), 1000, 0, map[string]uint64{refusedValue: 1}},
		{"a rate beyond all", odd(runner.LinkSample{Kind: "down", Kbps: 1e12}), 1000, 0, map[string]uint64{refusedValue: 1}},
		{"a kind of another version", odd(runner.LinkSample{Kind: "snr", Kbps: 3}), 1000, 0, map[string]uint64{refusedKind: 1}},
		{"an hour's gap", slices.Concat(steady(0, 500), moved(steady(500, 500), time.Hour)), 1000, 1, nil},
		{"the clock steps back", slices.Concat(steady(0, 500), moved(steady(500, 500), -time.Hour)), 1000, 1, nil},
		{"the clock steps to the beginning of time and back", slices.Concat(steady(0, 500), moved(steady(500, 1), -time.Duration(clockAt)), steady(501, 499)), 1000, 2, nil},
		{"the clock at its ends", odd(runner.LinkSample{Kind: "rtt", RTTMs: 1, AtNs: math.MaxInt64 - clockAt - 500*50e6}), 1000, 2, nil},
		{"a gap that is held", slices.Concat(steady(0, 500), steady(1000, 500)), 1500, 0, nil},
		// It began 20 s ago and took so long, but that time is written already.
		{"an answer after 20 s", slices.Concat(steady(0, 500), []runner.LinkSample{{AtNs: clockAt + 100*50e6, Kind: "rtt", RTTMs: 20e3}}, steady(500, 500)), 1000, 0, map[string]uint64{refusedLate: 1}},
	} {
		t.Run(c.name, func(t *testing.T) {
			got, g := gridded(c.samples, 10)
			assert.InDelta(t, c.slots, len(got.Slots), 2)
			assert.Equal(t, c.gaps, g.gaps)
			assert.Equal(t, c.refused, g.refused)
			for i, slot := range got.Slots {
				require.False(t, slot.Out(), "slot %d", i)
			}
		})
	}
}

func TestGridIsBoundedInMemory(t *testing.T) {
	g := &grid{add: func(emulator.Conditions) {}}
	same := slices.Repeat([]runner.LinkSample{{AtNs: clockAt, Kind: "rtt", RTTMs: 1}}, mostPending+100)
	g.take(same)
	assert.Len(t, g.pending, mostPending)
	assert.Equal(t, map[string]uint64{refusedCrowd: 100}, g.refused)

	g = &grid{add: func(emulator.Conditions) {}}
	for i := range int64(100_000) { // more than an hour
		g.take([]runner.LinkSample{{AtNs: clockAt + i*50e6, Kind: "rtt", RTTMs: 1}, {AtNs: clockAt + i*50e6, Kind: "up", Kbps: 1}})
		require.LessOrEqual(t, len(g.pending), 2*int(settled/emulator.Slot)+4)
	}
}

// Whatever comes, what is written can be read, and is no longer than what came allows.
func TestGridOfAnything(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		samples := rapid.SliceOfN(rapid.Custom(func(t *rapid.T) runner.LinkSample {
			return runner.LinkSample{
				AtNs:  rapid.OneOf(rapid.Int64Range(0, 60e9), rapid.Int64()).Draw(t, "at"),
				Kind:  rapid.SampledFrom([]string{"rtt", "lost", "up", "down", ""}).Draw(t, "kind"),
				RTTMs: rapid.OneOf(rapid.Float64Range(0, 20e3), rapid.Float64()).Draw(t, "rtt"),
				Kbps:  rapid.Float64().Draw(t, "kbps"),
			}
		}), 1, 60).Draw(t, "samples")
		got, g := gridded(samples, rapid.IntRange(1, 60).Draw(t, "batch"))
		if most := int(longestHeld/emulator.Slot) * (len(samples) + 1); len(got.Slots) > most {
			t.Fatalf("%d slots of %d measurements", len(got.Slots), len(samples))
		}
		if g.answered == 0 {
			return
		}
		var csv strings.Builder
		if err := got.Write(&csv); err != nil {
			t.Fatal(err)
		}
		if _, err := emulator.ReadTrace(strings.NewReader(csv.String())); err != nil && !strings.Contains(err.Error(), "0 in all rows") {
			t.Fatal(err)
		}
	})
}
