// SPDX-License-Identifier: Apache-2.0

package twin

import (
	"reflect"
	"testing"
	"time"

	"edgex-offload/offload"
)

func cell(t *testing.T, class string, trace Trace) Cell {
	t.Helper()
	scenario := Benchmark()
	c, err := scenario.Class(class)
	if err != nil {
		t.Fatal(err)
	}
	s := offload.DefaultSettings()
	s.Grace = 0
	return Cell{Settings: s, Scenario: &scenario, Class: c, Trace: trace, Seed: 3}
}

func draws(t *testing.T, c Cell) *Work {
	t.Helper()
	w, err := DrawWork(c)
	if err != nil {
		t.Fatal(err)
	}
	return w
}

func TestDrawnTasksAreTheTwins(t *testing.T) {
	c := cell(t, "xavier", steady(40*time.Millisecond, 10, 20*time.Second))
	work, own := draws(t, c), newWorkload(c.Scenario, c.Class, 20*time.Second, 3)
	if len(work.Tasks) != len(own.jobs) {
		t.Fatalf("%d tasks, the twin has %d", len(work.Tasks), len(own.jobs))
	}
	for i, j := range own.jobs {
		if want := (WorkTask{j.at, c.Scenario.Models[j.model].Name, j.bytes, j.priority, j.allowed}); work.Tasks[i] != want {
			t.Fatalf("task %d is %+v, the twin's %+v", i, work.Tasks[i], want)
		}
	}
}

func TestDrawnTimesHaveTheEpisodes(t *testing.T) {
	scenario := Benchmark()
	w := &Work{cell: Cell{Scenario: &scenario}, work: workload{
		scenario:   &scenario,
		jobs:       []job{{local: 20 * time.Millisecond, cloud: 10 * time.Millisecond}},
		throttling: []episode{{time.Second, 2 * time.Second}}, overload: [][]episode{{{2 * time.Second, 3 * time.Second}}},
	}}
	for _, c := range []struct {
		at                  time.Duration
		whole, small, cloud time.Duration
	}{
		{0, 20 * time.Millisecond, 8 * time.Millisecond, 10 * time.Millisecond},
		{1500 * time.Millisecond, 32 * time.Millisecond, 12800 * time.Microsecond, 10 * time.Millisecond},
		{2500 * time.Millisecond, 20 * time.Millisecond, 8 * time.Millisecond, 50 * time.Millisecond},
	} {
		whole, small, cloud := w.Local(0, "frame", c.at), w.Local(0, "frame-tiny", c.at), w.Remote(0, 0, c.at)
		if whole != c.whole || small != c.small || cloud != c.cloud {
			t.Errorf("at %v: %v, %v and %v; want %v, %v and %v", c.at, whole, small, cloud, c.whole, c.small, c.cloud)
		}
	}
}

func TestPlayIsRun(t *testing.T) {
	c := cell(t, "nano", steady(40*time.Millisecond, 10, 20*time.Second))
	want, err := Run(c)
	if err != nil {
		t.Fatal(err)
	}
	score, results, err := draws(t, c).Play()
	if err != nil || !reflect.DeepEqual(score, want) {
		t.Errorf("%v; played %+v, run %+v", err, score, want)
	}
	missed, sent := 0, 0
	for _, r := range results {
		if !r.InTime {
			missed++
		}
		if r.Sent {
			sent++
		}
	}
	if n := float64(len(results)); float64(missed)/n != want.Miss || float64(sent)/n != want.SentShare {
		t.Errorf("%d missed and %d sent of %d, want shares of %v and %v", missed, sent, len(results), want.Miss, want.SentShare)
	}
}

func TestTallyOfNoOutcomeHasAllMissed(t *testing.T) {
	w := draws(t, cell(t, "nano", steady(40*time.Millisecond, 10, 5*time.Second)))
	tally := w.Tally()
	for i := range w.Tasks {
		tally.Sent(i, 0)
		tally.Finished(i, &offload.Outcome{Reason: offload.Expired})
	}
	if s := tally.Score(); s.Miss != 1 || s.SentShare != 1 || s.Tasks != len(w.Tasks) {
		t.Errorf("%+v", s)
	}
}

func TestCutIsOfExactlyItsLength(t *testing.T) {
	trace := Trace{Name: "x", Slots: []Slot{{Up: 1}, {Up: 2}, {Up: 3}}}
	cut, err := trace.Cut(5 * SlotLength)
	if want := []Slot{{Up: 1}, {Up: 2}, {Up: 3}, {Up: 1}, {Up: 2}}; err != nil || !reflect.DeepEqual(cut.Slots, want) {
		t.Errorf("%v %+v", err, cut.Slots)
	}
	if cut, err := trace.Cut(SlotLength); err != nil || cut.Length() != SlotLength {
		t.Errorf("%v %v", err, cut.Length())
	}
	for _, length := range []time.Duration{-time.Second, 0, SlotLength - 1, longestCut + 1} {
		if _, err := trace.Cut(length); err == nil {
			t.Errorf("a length of %v is taken", length)
		}
	}
	if _, err := (Trace{}).Cut(time.Second); err == nil {
		t.Error("a trace without slots is taken")
	}
}
