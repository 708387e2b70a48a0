// SPDX-License-Identifier: Apache-2.0

package page

import (
	"fmt"
	"math"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"pgregory.net/rapid"

	"edgex-offload/twin"
)

func TestLatencyAtTheDeadlineIsInTime(t *testing.T) {
	deadlineBin := latencyBin(1)
	assert.InDelta(t, 1, latencyEdge(deadlineBin), 1e-9)
	for ms, want := range map[int]int{1: 0, 100: deadlineBin, 101: deadlineBin + 1, 1_000_000: latencyBins - 1, 0: 0} {
		var l Latency
		l.Add(time.Duration(ms)*time.Millisecond, 100*time.Millisecond)
		assert.Equal(t, 1, l.Bins[want], "%d ms", ms)
	}
	var l Latency
	l.Add(-1, time.Second)
	l.Add(time.Second, 0)
	assert.Equal(t, Latency{NoResult: 1}, l)
}

func TestThinKeepsEveryMiss(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		list := make([]Decision, rapid.IntRange(0, 9000).Draw(t, "n"))
		every := rapid.IntRange(1, 20).Draw(t, "every")
		missed := 0
		for i := range list {
			list[i] = Decision{At: time.Duration(len(list)-i) * time.Millisecond, InTime: i%every != 0}
			missed += 1 - order(list[i].InTime)
		}
		kept := thin(list)
		still := 0
		for i, d := range kept {
			still += 1 - order(d.InTime)
			if i > 0 && kept[i-1].At > d.At {
				t.Fatal("not by time")
			}
		}
		if still != missed || len(kept)-still != min(len(list)-missed, maxInTime) {
			t.Fatalf("kept %d with %d misses of %d with %d", len(kept), still, len(list), missed)
		}
	})
}

func TestPackedTimelineUnpacks(t *testing.T) {
	p := pack(timeline(100))
	assert.Len(t, p.Kind, 100)
	assert.Equal(t, []int{0, 20, 20}, p.T[:3])
	assert.Equal(t, byte('A'+3), p.Kind[0], "priority 0, missed, dropped")
	assert.Equal(t, byte('A'+(1*2+1)*4+1), p.Kind[1], "priority 1, in time, sent")
	assert.Equal(t, []int{-1, 100}, p.Latency[:2])
	assert.Equal(t, 100, p.Lost[0])
	assert.Equal(t, 8000, p.UpLow[1], "kbit/s")
	assert.Equal(t, 2000, p.Length)
	assert.Equal(t, "100 tasks: 30 on the box, 30 sent, 30 sent with the box as a backup, 10 without a result; 10 missed.", p.Note)
}

func TestLongLinkKeepsItsPeaks(t *testing.T) {
	var link []LinkPoint
	for i := range 8000 {
		p := LinkPoint{At: time.Duration(i) * twin.SlotLength, RTT: 20 * time.Millisecond, Up: 1e6}
		if i == 4003 {
			p.RTT, p.Up = time.Second, 5
		}
		link = append(link, p)
	}
	p := pack(Timeline{Link: link})
	assert.Len(t, p.X, linkColumns)
	assert.Equal(t, 10_000, p.RTTHigh[500])
	assert.Equal(t, 200, p.RTTLow[500])
	assert.Equal(t, 0, p.UpLow[500])
}

func TestTicksStayApartAndInside(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		least := rapid.Float64Range(-1e6, 1e6).Draw(t, "least")
		most := least + rapid.Float64Range(0, 1e6).Draw(t, "span")
		s, ticks := rounded(least, most, rapid.IntRange(2, 8).Draw(t, "parts"), plain)
		s.from, s.to = 0, 200
		if s.low > least+1e-6 || s.high < most-1e-6 {
			t.Fatalf("%v to %v is not within %v to %v", least, most, s.low, s.high)
		}
		if len(ticks) > 12 {
			t.Fatalf("%d ticks", len(ticks))
		}
		kept := s.spaced(ticks, 30)
		for i := 1; i < len(kept); i++ {
			if s.at(kept[i].at)-s.at(kept[i-1].at) < 30 {
				t.Fatalf("%s and %s are too near", kept[i-1].label, kept[i].label)
			}
		}
	})
}

func TestLabelsMeetNeitherMarksNorEachOther(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var c chart
		p := c.newPanel(scale{low: 0, high: 1, warp: straight}, scale{low: 0, high: 1, warp: straight}, 50, 30, 300, 300)
		var all []scattered
		var taken []box
		unit := rapid.Float64Range(0, 1)
		for i := range rapid.IntRange(1, 10).Draw(t, "n") {
			s := scattered{policy{Label: fmt.Sprint("policy-", i)}, estimate{mean: unit.Draw(t, "x"), se: math.NaN()}, estimate{mean: unit.Draw(t, "y"), se: math.NaN()}}
			all = append(all, s)
			at := p.at(s.x.mean, s.y.mean)
			taken = append(taken, box{at.x - 5, at.y - 5, at.x + 5, at.y + 5})
		}
		p.labels(all)
		for _, m := range c.Marks {
			if m.Text == "" {
				continue
			}
			w := textWidth(m.Text)
			left := float64(m.X) - w*map[string]float64{"start": 0, "middle": .5, "end": 1}[m.Anchor]
			b := box{left, float64(m.Y) - 11, left + w, float64(m.Y) + 2}
			for _, other := range taken {
				if b.meets(other) {
					t.Fatalf("%q meets something", m.Text)
				}
			}
			taken = append(taken, b)
		}
	})
}

func TestNumbers(t *testing.T) {
	for want, got := range map[string]string{
		"1.23%":       percent(.0123),
		"–":           percent(math.NaN()),
		"0.00":        decimals(-.0001, 2),
		"−0.50":       decimals(-.5, 2),
		"+0.50":       signed(decimals(.5, 2)),
		"123":         short(123.4),
		"12.3":        short(12.34),
		"0.012":       short(.0123),
		"0.3":         plain(.1 + .2),
		"1e+20":       plain(1e20),
		"none":        milliseconds(twin.None),
		"1":           plusMinus("1", unknown),
		"1 ± 2":       plusMinus("1", "2"),
		"12\u202f345": count(12345),
		"999":         count(999),
		"a\ufffdb":    clean("a\nb"),
	} {
		assert.Equal(t, want, got)
	}
}

func TestMeanLeavesOutWhatIsNoNumber(t *testing.T) {
	e := mean([]float64{1, math.NaN(), 3, math.Inf(1)})
	assert.Equal(t, estimate{mean: 2, se: 1, n: 2}, e)
	assert.True(t, math.IsNaN(mean([]float64{1}).se))
	assert.True(t, math.IsNaN(mean(nil).mean))
}

func TestDifferencesArePaired(t *testing.T) {
	cell := func(trace string, miss float64) twin.Score { return twin.Score{Trace: trace, Miss: miss} }
	d := differences([]twin.Score{cell("x", .5), cell("y", .1), cell("z", .9)}, []twin.Score{cell("y", .05), cell("x", .4)}, metricOf("miss").of)
	assert.Equal(t, 2, d.n)
	assert.InDelta(t, .075, d.mean, 1e-12)
	assert.InDelta(t, .025, d.se, 1e-12)
}

func TestLead(t *testing.T) {
	cell := func(policy, trace string, miss, mb float64) twin.Score {
		return twin.Score{Policy: policy, Trace: trace, Miss: miss, Utility: 1 - miss, SentMB: mb, EnergyJ: 10}
	}
	said := func(d Data) string {
		r := newReport(d)
		return strings.ReplaceAll(strings.Join(r.findings(), " "), aside, "'")
	}
	a := []twin.Score{cell("a", "x", .01, 5), cell("a", "y", .03, 7)}
	for name, c := range map[string]struct {
		data Data
		want string
	}{
		"clear": {
			Data{Cells: append(a, cell("b", "x", .06, 1), cell("b", "y", .081, 1))},
			"'a' misses least: 2.00% ± 1.00% of its tasks have no result by their deadline (mean over 2 cells with its standard error). " +
				"That is 5.05 ± 0.05 percentage points less than 'b', the next, in the same 2 cells. " +
				"It takes 6.00 MB on the uplink and 10.0 J a cell; against 'b', that is 5.00 MB more and as many J.",
		},
		"by chance": {Data{Cells: append(a, cell("b", "x", .02, 1), cell("b", "y", .025, 1))}, "these cells do not tell the two apart"},
		"alike":     {Data{Cells: append(a, cell("b", "x", .01, 1), cell("b", "y", .03, 1))}, "misses just as many"},
		"one cell":  {Data{Cells: []twin.Score{cell("a", "x", .01, 5), cell("b", "x", .02, 5)}}, "one cell tells nothing of chance"},
		"elsewhere": {Data{Cells: []twin.Score{cell("a", "x", .01, 5), cell("b", "y", .02, 5)}}, "'b' is next with 2.00%, in other cells."},
		"reference": {Data{Cells: append(a, cell("known", "x", 0, 0)), References: []string{"known"}}, "The reference 'known', which is no policy that could be run, misses 0.00%."},
	} {
		t.Run(name, func(t *testing.T) { assert.Contains(t, said(c.data), c.want) })
	}
}

func TestKnobs(t *testing.T) {
	labels := func(values ...string) (list []string, k knob) {
		var s Sweep
		for _, v := range values {
			s.Points = append(s.Points, SweepPoint{Value: v})
		}
		k = knobOf(s)
		for _, t := range k.ticks {
			list = append(list, t.label)
		}
		return list, k
	}
	list, k := labels("4", "0", "2")
	assert.Equal(t, []string{"0", "2", "4"}, list)
	assert.Equal(t, 4., k.high)
	list, k = labels("10ms", "1s", "100ms")
	assert.Equal(t, []string{"10ms", "100ms", "1s"}, list)
	k.from, k.to = 0, 2
	assert.InDelta(t, 1, k.scale.at(.1), 1e-9, "logarithmic")
	list, _ = labels("true", "false")
	assert.Equal(t, []string{"true", "false"}, list)
	list, _ = labels("NaN", "+Inf", "1")
	assert.Len(t, list, 3)
}
