// SPDX-License-Identifier: Apache-2.0

package offload

import (
	"slices"
	"testing"
	"time"

	"edgex-offload/offload/link"
)

// benchPlant is a box that is warm: its link and its models are measured, and its pools filled.
type benchPlant struct {
	engine  *Engine
	task    *Task
	answer  *Answer
	now     time.Duration
	ref     uint64
	actions []Action
	// took are the times of the arrivals, each with its decision.
	took []time.Duration
}

func newBenchPlant(b testing.TB, c Config) *benchPlant {
	e, err := NewEngine(c)
	if err != nil {
		b.Fatal(err)
	}
	p := &benchPlant{
		engine: e, answer: &Answer{Label: "good"},
		task: &Task{Model: testModel, Source: "camera/Frame", Priority: High, Payload: make([]byte, 60_000)},
	}
	for range 2000 {
		p.round(b)
	}
	p.took = p.took[:0]
	return p
}

// round is one task from its arrival to its end: the target answers after 35 ms and what the
// box is asked for takes it 10 ms.
func (p *benchPlant) round(b testing.TB) {
	p.now += 40 * time.Millisecond
	p.ref++
	p.task.Created = testEpoch.Add(p.now)
	p.task.Deadline = p.task.Created.Add(100 * time.Millisecond)
	began := time.Now()
	actions := p.engine.Handle(Event{Kind: TaskArrived, At: p.now, Ref: p.ref, Task: p.task})
	p.took = append(p.took, time.Since(began))
	p.actions = append(p.actions[:0], actions...)
	for i := 0; i < len(p.actions); i++ {
		a := p.actions[i]
		switch a.Kind {
		case StartLocal:
			p.handle(Event{Kind: LocalDone, At: p.now + 10*time.Millisecond, Attempt: a.Attempt, Answer: p.answer, Execution: 10 * time.Millisecond})
		case SendRemote:
			p.handle(Event{Kind: PayloadSent, At: p.now + 20*time.Millisecond, Attempt: a.Attempt})
			p.handle(Event{
				Kind: RemoteDone, At: p.now + 35*time.Millisecond, Attempt: a.Attempt, Answer: p.answer, Execution: 5 * time.Millisecond, Bytes: 150,
				Held: link.Stamps{Received: int64(p.now + 25*time.Millisecond), Sent: int64(p.now + 30*time.Millisecond)},
			})
		case SendProbe:
			p.handle(Event{Kind: ProbeDone, At: p.now + 36*time.Millisecond, Probe: a.Probe, RTT: 10 * time.Millisecond})
		}
	}
	if n := len(p.engine.jobs); n > 0 {
		b.Fatalf("%d tasks did not end", n)
	}
}

func (p *benchPlant) handle(ev Event) {
	p.actions = append(p.actions, p.engine.Handle(ev)...)
}

// benchConfig is a box with two variants and one target, or as many as are named.
func benchConfig(policy string) Config {
	c := testConfig()
	c.Settings.Policy = policy
	c.Models[0].Local = []Variant{
		{Name: "surface-small/1", Accuracy: .85, Service: 10 * time.Millisecond},
		{Name: "surface-tiny/1", Accuracy: .7, Service: 4 * time.Millisecond},
	}
	return c
}

// BenchmarkDecision is what a task waits for: its arrival in the engine, all paths worked out,
// one chosen, the record written and the first actions given. The metrics are the mean and the
// 99th percentile of it alone; ns/op and allocs/op are of the whole task with all its events.
func BenchmarkDecision(b *testing.B) {
	for _, policy := range Policies() {
		b.Run(policy, func(b *testing.B) {
			p := newBenchPlant(b, benchConfig(policy))
			p.took = make([]time.Duration, 0, 1<<22)
			b.ReportAllocs()
			for b.Loop() {
				if len(p.took) == cap(p.took) {
					p.took = p.took[:0]
				}
				p.round(b)
			}
			var sum time.Duration
			for _, t := range p.took {
				sum += t
			}
			slices.Sort(p.took)
			b.ReportMetric(float64(sum.Nanoseconds())/float64(len(p.took)), "mean-ns/decision")
			b.ReportMetric(float64(p.took[len(p.took)*99/100].Nanoseconds()), "p99-ns/decision")
		})
	}
}

// A task costs no allocation, from its arrival to its end, whatever decides it.
func TestATaskAllocatesNothing(t *testing.T) {
	for _, policy := range Policies() {
		slow := testSplits() // are looked at and not taken
		for i := range slow {
			slow[i].Service = 70 * time.Millisecond
		}
		for _, splits := range [][]Split{nil, slow} {
			c := benchConfig(policy)
			c.Models[0].Splits = splits
			p := newBenchPlant(t, c)
			p.took = make([]time.Duration, 0, 10_000)
			if n := testing.AllocsPerRun(1000, func() { p.round(t) }); n >= 1 {
				t.Errorf("%s, %d splits: %.1f allocations for each task, want none", policy, len(splits), n)
			}
		}
	}
}
