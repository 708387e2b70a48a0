// SPDX-License-Identifier: Apache-2.0

package twin_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"edgex-offload/offload"
	"edgex-offload/standalone/emulator"
	"edgex-offload/twin"
)

// sharedTraces are the measured links beside the repository; the test is skipped without.
func sharedTraces(t *testing.T) []twin.Trace {
	t.Helper()
	files, _ := filepath.Glob("../../shared/traces/*.csv")
	if len(files) == 0 {
		t.Skip("no measured links in ../shared/traces")
	}
	var traces []twin.Trace
	for _, file := range files {
		f, err := os.Open(file)
		if err != nil {
			t.Fatal(err)
		}
		recorded, err := emulator.ReadTrace(f)
		_ = f.Close()
		if err != nil {
			t.Fatalf("%s: %v", file, err)
		}
		traces = append(traces, asTrace(strings.TrimSuffix(filepath.Base(file), ".csv"), recorded))
	}
	return traces
}

// asTrace is a link of the emulator as the twin takes it.
func asTrace(name string, recorded emulator.Trace) twin.Trace {
	trace := twin.Trace{Name: name}
	for _, c := range recorded.Slots {
		trace.Slots = append(trace.Slots, twin.Slot{RTT: c.RTT, Up: c.UpBps, Down: c.DownBps, Lost: c.Loss >= .5})
	}
	return trace
}

func TestPredictionsHoldOnMeasuredLinks(t *testing.T) {
	var all twin.LinkTally
	for _, trace := range sharedTraces(t) {
		var of twin.LinkTally
		for seed := range uint64(3) {
			tally, err := twin.CheckLink(trace, seed+1)
			if err != nil {
				t.Fatal(err)
			}
			of.Merge(tally)
		}
		s := of.Score(trace.Name)
		t.Logf("%+v", s)
		if s.Held95 < .91 {
			t.Errorf("%s: the 95%% bound held for %.1f%% of %d attempts, want 91%% and more", s.Trace, 100*s.Held95, s.Attempts)
		}
		all.Merge(&of)
	}
	s := all.Score("all")
	t.Logf("%+v", s)
	if s.Held95 < .94 || s.Held95 > .96 {
		t.Errorf("the 95%% bound held for %.1f%% of all %d attempts, want 94%% to 96%%", 100*s.Held95, s.Attempts)
	}
	if s.PingBoundMs < 2*s.BoundMs || s.PingEqualMs < 2*s.BoundMs {
		t.Errorf("mean bound %.0f ms, that of mean and two deviations %.0f ms, and %.0f ms where it holds as often; want half of both", s.BoundMs, s.PingBoundMs, s.PingEqualMs)
	}
	if s.ECE > .03 {
		t.Errorf("expected calibration error %.3f, want .03 at the most", s.ECE)
	}
	if s.RTTError > .1 || s.UpError > .2 || s.LossError > .03 {
		t.Errorf("errors: round trip %.2f, uplink %.2f, loss %.3f; want .1, .2, .03 at the most", s.RTTError, s.UpError, s.LossError)
	}
}

func TestChangesBecomeKnown(t *testing.T) {
	changes, err := twin.CheckChanges(10)
	if err != nil {
		t.Fatal(err)
	}
	most := map[string]float64{ // milliseconds
		"rate halved busy": 1500, "rate halved asked": 6000,
		"outage busy": 700, "outage asked": 700,
		"recovery busy": 300, "recovery asked": 500,
	}
	if len(changes) != len(most) {
		t.Fatalf("%d kinds of change, want %d", len(changes), len(most))
	}
	for _, c := range changes {
		if limit := most[c.Change+" "+c.Traffic]; c.Unknown > 0 || c.P90Ms > limit {
			t.Errorf("%s, %s: known after %.0f ms in 90%%, want %.0f; %d of %d never", c.Change, c.Traffic, c.P90Ms, limit, c.Unknown, c.Runs)
		}
	}
}

func TestALinkThatIsNotThereIsAnError(t *testing.T) {
	if _, err := twin.CheckLink(twin.Trace{Name: "empty"}, 1); err == nil || !strings.Contains(err.Error(), `"empty" has no slots`) {
		t.Errorf("error %v", err)
	}
}

func TestTallyOfKnownAttempts(t *testing.T) {
	var tally twin.LinkTally
	for i := range 100 { // every other attempt is in time, as promised
		took := .1
		if i%2 == 1 {
			took = .3
		}
		tally.Attempt(twin.LinkAttempt{Took: took, Bound: .25, InTime: .5, Deadline: .2, Rest: .05, PingMean: .05, PingDeviation: .1})
	}
	tally.Look(twin.Known{RTT: .11, Up: 90, Loss: .1}, twin.Known{RTT: .1, Up: 100})
	tally.Look(twin.Known{}, twin.Known{RTT: .1, Up: 100}) // unknown: not an error
	s := tally.Score("x")
	want := twin.LinkScore{
		Trace: "x", Attempts: 100, Held95: .5, BoundMs: 250, PingHeld: 1, PingBoundMs: 300, PingEqualMs: 100,
		Brier: .25, RTTError: .1, UpError: .1, LossError: .05,
	}
	for name, of := range map[string]func(twin.LinkScore) float64{
		"held":       func(s twin.LinkScore) float64 { return s.Held95 },
		"bound":      func(s twin.LinkScore) float64 { return s.BoundMs },
		"ping held":  func(s twin.LinkScore) float64 { return s.PingHeld },
		"ping bound": func(s twin.LinkScore) float64 { return s.PingBoundMs },
		"ping equal": func(s twin.LinkScore) float64 { return s.PingEqualMs },
		"ece":        func(s twin.LinkScore) float64 { return s.ECE },
		"brier":      func(s twin.LinkScore) float64 { return s.Brier },
		"rtt":        func(s twin.LinkScore) float64 { return s.RTTError },
		"up":         func(s twin.LinkScore) float64 { return s.UpError },
		"loss":       func(s twin.LinkScore) float64 { return s.LossError },
	} {
		if got, want := of(s), of(want); got-want > 1e-9 || want-got > 1e-9 {
			t.Errorf("%s is %v, want %v", name, got, want)
		}
	}
}

func TestCheckedLinkSendsEverything(t *testing.T) {
	if s := twin.LinkCheckSettings(); s.Policy != offload.PolicyCloud || s.Hedge || s.Validate() != nil {
		t.Errorf("%+v", s)
	}
}
