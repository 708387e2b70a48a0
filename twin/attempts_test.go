// SPDX-License-Identifier: Apache-2.0

package twin

import (
	"math"
	"testing"
	"time"

	"pgregory.net/rapid"

	"edgex-offload/offload"
)

// small is a scenario of one camera and one sensor, to be changed by a test.
func small() Scenario {
	s := Benchmark()
	s.Throttling, s.Overload = Episodes{}, Episodes{}
	s.Classes = []Class{{"small", 20 * time.Millisecond, 10, benchmarkSources(1, 10, 50e3, 100*time.Millisecond, 5, 4)}}
	return s
}

// bare is a simulation in which nothing happens by itself.
func bare(t *testing.T, s Scenario, trace Trace, jobs ...job) *simulation {
	t.Helper()
	settings := offload.DefaultSettings()
	settings.Policy = offload.PolicyLocal
	sim, err := newSimulation(Cell{Settings: settings, Scenario: &s, Class: s.Classes[0], Trace: trace}, s.models(s.Classes[0]))
	if err != nil {
		t.Fatal(err)
	}
	sim.work = workload{scenario: sim.scenario, jobs: jobs, overload: make([][]episode, len(s.Targets))}
	sim.finished = func(int, *offload.Outcome) {}
	sim.prepare()
	return sim
}

func TestCancelledRunEndsAtTheNextChunk(t *testing.T) {
	const ms = time.Millisecond
	for _, c := range []struct {
		chunks            int
		cancelled, worker time.Duration // the worker is free again
	}{
		{8, 0, 0},
		{8, 1 * ms, 10 * ms},
		{8, 10 * ms, 10 * ms},
		{8, 31 * ms, 40 * ms},
		{8, 71 * ms, 80 * ms}, // its last chunk
		{1, 1 * ms, 80 * ms},  // not in chunks
		{4, 1 * ms, 20 * ms},
	} {
		s := small()
		s.Chunks = c.chunks
		sim := bare(t, s, steady(0, 1, time.Second), job{local: 80 * ms, bytes: 1})
		sim.startLocal(&offload.Action{Attempt: 7, Variant: "frame"})
		sim.now = c.cancelled
		sim.cancel(7)
		sim.cancel(7) // said twice changes nothing
		for len(sim.events) > 0 && len(sim.runs) > 0 {
			e := sim.events.pop()
			sim.now = e.at
			sim.happen(&e)
		}
		if sim.now != c.worker {
			t.Errorf("%d chunks, cancelled after %v: the worker is free after %v, want %v", c.chunks, c.cancelled, sim.now, c.worker)
		}
		if joules := c.worker.Seconds() * 10; math.Abs(sim.score.energy-joules) > 1e-9 {
			t.Errorf("%d chunks, cancelled after %v: %.3f J, want %.3f", c.chunks, c.cancelled, sim.score.energy, joules)
		}
	}
}

func TestForesightIsWhatThenHappens(t *testing.T) {
	rapid.Check(t, func(r *rapid.T) {
		slots := rapid.SliceOfN(rapid.Custom(func(r *rapid.T) Slot {
			return Slot{
				RTT:  time.Duration(rapid.IntRange(0, 300).Draw(r, "rtt")) * time.Millisecond,
				Up:   float64(rapid.IntRange(0, 1000).Draw(r, "up")) * 1000,
				Down: float64(rapid.IntRange(1, 1000).Draw(r, "down")) * 1000, Lost: rapid.IntRange(0, 5).Draw(r, "lost") == 0,
			}
		}), 1, 50).Draw(r, "slots")
		slots[0].Up = 1e5 // one that moves
		s := small()
		sim := bare(t, s, Trace{Slots: slots}, job{bytes: rapid.IntRange(1, 100_000).Draw(r, "bytes"), cloud: 15 * time.Millisecond, allowed: time.Second})
		sim.work.overload[0] = []episode{{time.Second, 3 * time.Second}}
		sim.scenario.Overload.Factor = 5
		sim.wires[0].send(0, rapid.IntRange(1, 50_000).Draw(r, "before"))
		sim.now = time.Duration(rapid.IntRange(0, 3000).Draw(r, "now")) * time.Millisecond
		before := sim.wires[0]

		foreseen := foresight{sim}.Done(sim.now, 0, 0, 0)
		behind := foresight{sim}.Done(sim.now, 0, 0, 10_000)
		if sim.wires[0].free != before.free || sim.wires[0].arrived != before.arrived {
			t.Fatal("asking has changed the wire")
		}
		if foreseen < sim.now || behind < sim.now { // behind others it may be sooner: it misses a loss
			r.Fatalf("back at %v, behind 10 kB at %v, asked at %v", foreseen, behind, sim.now)
		}
		sim.send(&offload.Action{Attempt: 1, Promised: .5, Task: &offload.Task{Payload: make([]byte, sim.work.jobs[0].bytes)}})
		for e := sim.events.pop(); ; e = sim.events.pop() {
			if e.kind == endRemote {
				if e.at != foreseen {
					r.Fatalf("foreseen for %v, back at %v", foreseen, e.at)
				}
				return
			}
		}
	})
}

func TestPromisesAreScored(t *testing.T) {
	var c Calibration
	if ece, brier := c.Errors(); ece != None || brier != None {
		t.Errorf("of no promise: %v, %v", ece, brier)
	}
	for i := range 100 {
		c.Add(.95, i < 80)  // promised .95, in time .80
		c.Add(.25, i < 25)  // as promised
		c.Add(1, i%2 == 0)  // in the last bin, with the first
		c.Add(0, i%10 == 0) // in the first
	}
	// Bins: .95 and 1 together promise 195 and keep 130 of 200; 0 promises 0 and keeps 10.
	ece, brier := c.Errors()
	if want := (65. + 0 + 10) / 400; math.Abs(ece-want) > 1e-9 {
		t.Errorf("expected calibration error %v, want %v", ece, want)
	}
	want := (80*.05*.05 + 20*.95*.95 + 25*.75*.75 + 75*.25*.25 + 50 + 10) / 400
	if math.Abs(brier-want) > 1e-9 {
		t.Errorf("Brier score %v, want %v", brier, want)
	}
	var merged Calibration
	merged.Merge(&c)
	if merged != c {
		t.Error("merging with nothing changes it")
	}
}

func TestLatencyBins(t *testing.T) {
	for _, ms := range []float64{0, .1, .25, .26, 1, 7.7, 100, 1e4, 1e9} {
		var l Latencies
		l.Add(ms)
		for i, n := range l.Bins {
			if from, to := LatencyBin(i); n == 1 && (ms < from || ms > to) {
				t.Errorf("%v ms is in the bin of %v to %v", ms, from, to)
			}
		}
	}
	var l Latencies
	l.Add(math.Inf(1))
	if l.Without != 1 || l.Bins != [latencyBins]int{} {
		t.Error("no result is not counted as such")
	}
}

func TestEveryTaskEndsExactlyOnce(t *testing.T) {
	rapid.Check(t, func(r *rapid.T) {
		s := small()
		s.Chunks = rapid.IntRange(1, 8).Draw(r, "chunks")
		s.Classes[0].Service = time.Duration(rapid.IntRange(1, 120).Draw(r, "service")) * time.Millisecond
		if rapid.Bool().Draw(r, "peer") {
			s.Targets = append(s.Targets, Target{
				Name: "peer", Service: 30 * time.Millisecond, Accuracy: .85,
				Link: Link{RTT: 2 * time.Millisecond, UpKbps: 20_000, DownKbps: 20_000, Loss: .1},
			})
		}
		trace := steady(time.Duration(rapid.IntRange(1, 200).Draw(r, "rtt"))*time.Millisecond, float64(rapid.IntRange(1, 50).Draw(r, "mbit")), 5*time.Second)
		lost := rapid.IntRange(2, 50).Draw(r, "lost")
		for i := range trace.Slots {
			trace.Slots[i].Lost = i%lost == 0
		}
		settings := offload.DefaultSettings()
		settings.Policy = rapid.SampledFrom(offload.Policies()).Draw(r, "policy")
		ends := 0
		cell := Cell{Settings: settings, Scenario: &s, Class: s.Classes[0], Trace: trace, Seed: rapid.Uint64().Draw(r, "seed")}
		watched := cell
		last := time.Duration(0)
		watched.Observe = func(now time.Duration, o *offload.Outcome) {
			ends++
			if now < last || (o.Answer == nil) == (o.Reason == "") {
				r.Fatalf("at %v after %v: answer %v, reason %q", now, last, o.Answer, o.Reason)
			}
			last = now
		}
		first, err := Run(watched)
		if err != nil {
			r.Fatal(err)
		}
		if ends != first.Tasks {
			r.Fatalf("%d of %d tasks ended", ends, first.Tasks)
		}
		if second, err := Run(cell); err != nil || second != first {
			r.Fatalf("the same cell again: %+v, before %+v, %v", second, first, err)
		}
	})
}

func TestASecondTargetIsUsed(t *testing.T) {
	s := small()
	s.Targets = append(s.Targets, Target{
		Name: "peer", Service: 10 * time.Millisecond, Accuracy: .88, PricePerMB: 2,
		Link: Link{RTT: time.Millisecond, UpKbps: 100_000, DownKbps: 100_000},
	})
	dead := steady(0, 1, 20*time.Second)
	for i := range dead.Slots {
		dead.Slots[i].Lost = true
	}
	settings := offload.DefaultSettings()
	settings.Policy = offload.PolicyCost
	answered := 0
	score, err := Run(Cell{
		Settings: settings, Scenario: &s, Class: s.Classes[0], Trace: dead, Seed: 1,
		Observe: func(_ time.Duration, o *offload.Outcome) { answered += int(one(o.Record.Route == "peer")) },
	})
	if err != nil {
		t.Fatal(err)
	}
	if 2*answered < score.Tasks {
		t.Errorf("the peer answered %d of %d tasks while the cloud was out of reach", answered, score.Tasks)
	}
	if score.Paid <= 0 || score.Paid > 2*score.SentMB+1e-9 {
		t.Errorf("paid %v for %v MB", score.Paid, score.SentMB)
	}
	if score.Utility < .8 {
		t.Errorf("utility %.3f: the peer's accuracy should count", score.Utility)
	}
}
