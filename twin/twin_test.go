// SPDX-License-Identifier: Apache-2.0

package twin

import (
	"math"
	"reflect"
	"testing"
	"time"

	"edgex-offload/offload"
)

// steady is a link that never changes.
func steady(rtt time.Duration, mbit float64, length time.Duration) Trace {
	slots := make([]Slot, length/SlotLength)
	for i := range slots {
		slots[i] = Slot{RTT: rtt, Up: mbit * 1e6 / 8, Down: mbit * 1e6 / 8}
	}
	return Trace{Name: "steady", Slots: slots}
}

func benchmarkClass(name string) (Class, error) {
	s := Benchmark()
	return s.Class(name)
}

func play(t *testing.T, policy, class string, trace Trace, mod func(*offload.Settings)) Score {
	t.Helper()
	settings := offload.DefaultSettings()
	settings.Policy, settings.Grace = policy, 0
	if mod != nil {
		mod(&settings)
	}
	c, err := benchmarkClass(class)
	if err != nil {
		t.Fatal(err)
	}
	score, err := Run(Cell{Settings: settings, Class: c, Trace: trace, Seed: 1})
	if err != nil {
		t.Fatal(err)
	}
	return score
}

func TestSameCellSameScore(t *testing.T) {
	trace := steady(40*time.Millisecond, 5, 20*time.Second)
	first, second := play(t, "cost", "nano", trace, nil), play(t, "cost", "nano", trace, nil)
	if !reflect.DeepEqual(first, second) {
		t.Errorf("two runs of one cell differ:\n%+v\n%+v", first, second)
	}
}

func TestEachPolicyMeetsTheSameTasks(t *testing.T) {
	trace := steady(40*time.Millisecond, 5, 20*time.Second)
	tasks := play(t, "local", "xavier", trace, nil).Tasks
	for _, policy := range offload.Policies() {
		if got := play(t, policy, "xavier", trace, nil).Tasks; got != tasks {
			t.Errorf("%s met %d tasks, local %d", policy, got, tasks)
		}
	}
}

func TestGoodLinkPays(t *testing.T) {
	trace := steady(10*time.Millisecond, 100, 60*time.Second)
	local, cost := play(t, "local", "orin", trace, nil), play(t, "cost", "orin", trace, nil)
	if cost.Utility < local.Utility+.05 {
		t.Errorf("utility %.3f with a near cloud, %.3f without: a link of 100 Mbit/s should pay", cost.Utility, local.Utility)
	}
	if local.SentMB != 0 || cost.SentMB == 0 {
		t.Errorf("sent %.1f MB by local and %.1f MB by cost", local.SentMB, cost.SentMB)
	}
}

func TestDeadLinkCostsNothing(t *testing.T) {
	trace := steady(10*time.Millisecond, 100, 30*time.Second)
	for i := range trace.Slots {
		trace.Slots[i].Lost = true
	}
	local, cost := play(t, "local", "xavier", trace, nil), play(t, "cost", "xavier", trace, nil)
	if cost.Miss > local.Miss+.01 {
		t.Errorf("missed %.2f%% with a dead cloud, %.2f%% without one", 100*cost.Miss, 100*local.Miss)
	}
}

func TestHedgeSavesWhatAnOutageWouldCost(t *testing.T) {
	trace := steady(20*time.Millisecond, 50, 60*time.Second)
	for i := range trace.Slots { // a second of outage every five
		trace.Slots[i].Lost = i%100 < 20
	}
	with := play(t, "cost", "nano", trace, nil)
	without := play(t, "cost", "nano", trace, func(s *offload.Settings) { s.Hedge = false })
	if with.Miss >= without.Miss {
		t.Errorf("missed %.2f%% with hedge, %.2f%% without", 100*with.Miss, 100*without.Miss)
	}
}

func TestTransferFollowsTheRateOfEachSlot(t *testing.T) {
	trace := Trace{Slots: []Slot{{Up: 1e6}, {Up: 0}, {Up: 2e6}, {Up: 1e6}}}
	for _, c := range []struct {
		start time.Duration
		bytes float64
		want  time.Duration
	}{
		{0, 10_000, 10 * time.Millisecond},
		{40 * time.Millisecond, 10_000, 50 * time.Millisecond},
		{40 * time.Millisecond, 30_000, 110 * time.Millisecond}, // 10 ms, a slot of nothing, 10 ms at twice the rate
		{50 * time.Millisecond, 1_000, 100*time.Millisecond + 500*time.Microsecond},
		{190 * time.Millisecond, 20_000, 210 * time.Millisecond}, // the trace repeats
	} {
		if got := trace.transfer(c.start, c.bytes, up); got != c.want {
			t.Errorf("%v bytes from %v have left at %v, want %v", c.bytes, c.start, got, c.want)
		}
	}
	dead := Trace{Slots: make([]Slot, 10)}
	if got := dead.transfer(0, 1, up); got > time.Minute {
		t.Errorf("a link that never moves is tried until %v", got)
	}
}

func TestLostPayloadIsSentAgain(t *testing.T) {
	trace := steady(40*time.Millisecond, 8, 10*time.Second) // 1 MB/s
	for i := range 6 {                                      // the first 300 ms are lost
		trace.Slots[i].Lost = true
	}
	rules := Benchmark().Wire
	w := wire{trace: trace, rules: &rules}
	left, arrived, airtime := w.send(0, 10_000-rules.Overhead)
	if left != 610*time.Millisecond || arrived != 630*time.Millisecond || airtime != 10*time.Millisecond {
		t.Errorf("left %v, arrived %v, radio %v; want 10 ms + pauses of 200 and 400 ms, half a round trip later, 10 ms", left, arrived, airtime)
	}
}

func TestWorkloadIsAsTheClassSays(t *testing.T) {
	class, err := benchmarkClass("xavier")
	if err != nil {
		t.Fatal(err)
	}
	const length = 400 * time.Second
	scenario := Benchmark()
	w := newWorkload(&scenario, class, length, 7)
	frames, windows, service := 0, 0, 0.
	for i := range w.jobs {
		j := &w.jobs[i]
		if scenario.Models[j.model].Name == "window" {
			windows++
			service += j.local.Seconds()
		} else if j.priority != offload.Critical {
			frames++
		}
		if i > 0 && j.at < w.jobs[i-1].at {
			t.Fatal("the tasks are not in order of time")
		}
	}
	if want := 2 * 15 * 400; math.Abs(float64(frames-want)) > 4 {
		t.Errorf("%d frames, want %d", frames, want)
	}
	if want := 4000.; math.Abs(float64(windows)-want) > 5*math.Sqrt(want) {
		t.Errorf("%d windows, want about %.0f (Poisson)", windows, want)
	}
	if mean := service / float64(windows) * 1000; math.Abs(mean-6.6*1.0125) > .2 {
		t.Errorf("a window takes %.2f ms, want about 6.7", mean)
	}
}

func TestBadCells(t *testing.T) {
	if _, err := Run(Cell{Trace: Trace{Name: "empty"}}); err == nil {
		t.Error("a trace without slots is taken")
	}
	if _, err := Run(Cell{Trace: steady(1, 1, time.Second)}); err == nil {
		t.Error("settings of nothing are taken")
	}
	if _, err := benchmarkClass("toaster"); err == nil {
		t.Error("an unknown class is taken")
	}
}
