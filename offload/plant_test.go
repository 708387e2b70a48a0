// SPDX-License-Identifier: Apache-2.0

package offload

import (
	"cmp"
	"fmt"
	"slices"
	"time"
)

// plant drives an engine on a virtual clock, with a box and targets that behave as told.
// It checks on the way what must hold after every event.
type plant struct {
	t      fataler
	engine *Engine
	config Config
	now    time.Duration
	later  []happening // in order of time
	order  int
	ring   time.Duration
	log    []Event
	// actions is a print of every action, to compare runs by.
	actions []string

	running   int
	cancelled map[uint64]bool
	outcomes  map[uint64][]Outcome
	refs      uint64

	// local and remote say how long an attempt takes and how it ends.
	local  func(a Action) Event
	remote func(a Action) (sent time.Duration, ev Event)
	// obeys: a run that is told to stop does, a millisecond later.
	obeys bool
	// probe says when and how a probe ends; nil lets each be lost.
	probe func(a Action) (after time.Duration, ev Event)
}

// fataler is what *testing.T and *rapid.T have in common.
type fataler interface {
	Helper()
	Fatal(args ...any)
	Fatalf(format string, args ...any)
}

type happening struct {
	at    time.Duration
	order int
	ev    Event
}

var testEpoch = time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)

const testModel = "surface"

func testConfig() Config {
	return Config{
		Settings: DefaultSettings(), Targets: []Target{{Name: "cloud"}}, Probing: DefaultProbing(), Workers: 1, Power: DefaultPower(), Epoch: testEpoch,
		Models: []Model{{
			Name:   testModel,
			Local:  []Variant{{Name: "surface-small/1", Accuracy: .85, Service: 20 * time.Millisecond}},
			Remote: RemoteModel{Accuracy: .95},
		}},
	}
}

func newPlant(t fataler, c Config) *plant {
	t.Helper()
	e, err := NewEngine(c)
	if err != nil {
		t.Fatal(err)
	}
	return &plant{
		t: t, engine: e, config: c, ring: forever, cancelled: map[uint64]bool{}, outcomes: map[uint64][]Outcome{},
		local: func(a Action) Event {
			return Event{Answer: &Answer{Label: "good", Model: a.Variant}, Execution: 20 * time.Millisecond}
		},
		probe: func(a Action) (time.Duration, Event) {
			rtt := 30 * time.Millisecond
			if a.Bytes > 0 { // 5 Mbit/s each way
				spread := time.Duration(float64(a.Bytes) / 625e3 * 1e9)
				return rtt + spread, Event{Kind: TrainDone, Bytes: a.Bytes, Spread: spread, BytesDown: a.BytesDown, SpreadDown: spread}
			}
			return rtt, Event{Kind: ProbeDone, RTT: rtt}
		},
		remote: func(Action) (time.Duration, Event) {
			return time.Millisecond, Event{Kind: RemoteDone, At: 60 * time.Millisecond, Answer: &Answer{Label: "good", Model: "surface-large/1"}, Execution: 15 * time.Millisecond, Bytes: 150}
		},
	}
}

// do is an event that happens now.
func (p *plant) do(ev Event) {
	ev.At = p.now
	p.log = append(p.log, ev)
	for _, a := range p.engine.Handle(ev) {
		p.actions = append(p.actions, fmt.Sprintf("%v %+v", p.now, printable(a)))
		p.take(a)
	}
	p.check()
	p.checkOrder()
}

// checkOrder is that a critical task that waits alone among the critical ones does not miss its
// deadline behind a lower run that could have been stopped for it, or need not have been started.
func (p *plant) checkOrder() {
	p.t.Helper()
	e, s := p.engine, p.engine.Settings()
	var critical *job
	for _, j := range e.box.queue {
		if j.task.Priority == Critical {
			if critical != nil {
				return
			}
			critical = j
		}
	}
	if critical == nil || critical.flying() != nil || len(critical.variants()) == 0 || s.FIFO || s.Tuning.Preempt == 0 {
		return
	}
	if _, fits := e.box.fitting(critical, e.box.freeAt(e.now)); fits {
		return
	}
	for _, a := range e.box.running {
		if a.stopping || a.priority == Critical || a.job != nil && a.job.preempted >= mostPreempted {
			continue
		}
		if _, could := e.box.fitting(critical, e.now+e.box.stopTime(a.expected)); could {
			p.t.Fatalf("%v: task %d, critical, with %v left, waits behind a lower run that takes %v of %v more",
				e.now, critical.ref, critical.deadline-e.now, e.box.busyFor(a, e.now), a.expected)
		}
	}
}

func printable(a Action) Action {
	a.Task, a.Outcome.Answer, a.Outcome.Record.Correct = nil, nil, nil
	return a
}

func (p *plant) take(a Action) {
	switch a.Kind {
	case StartLocal:
		p.running++
		ev := p.local(a)
		ev.Kind, ev.Attempt = LocalDone, a.Attempt
		p.in(ev.Execution, ev)
	case SendRemote:
		if a.Task.Private {
			p.t.Fatalf("the private task %s is sent to %s", a.Task.ID, p.config.Targets[a.Target].Name)
		}
		if a.Task.FeaturesOnly && a.Task.Context["content-type"] != FeaturesType {
			p.t.Fatalf("the task %s is sent to %s as it is", a.Task.ID, p.config.Targets[a.Target].Name)
		}
		sent, ev := p.remote(a)
		ev.Attempt = a.Attempt
		p.in(sent, Event{Kind: PayloadSent, Attempt: a.Attempt})
		p.in(ev.At, ev)
	case SendProbe:
		if p.probe != nil {
			after, ev := p.probe(a)
			ev.Target, ev.Probe = a.Target, a.Probe
			p.in(after, ev)
		}
	case CancelAttempt:
		p.cancelled[a.Attempt] = true
		if !p.obeys {
			break
		}
		for i, h := range p.later {
			if h.ev.Kind == LocalDone && h.ev.Attempt == a.Attempt {
				p.later = slices.Delete(p.later, i, i+1)
				p.in(time.Millisecond, Event{Kind: LocalDone, Attempt: a.Attempt, Error: "cancelled", Execution: time.Millisecond})
				break
			}
		}
	case FinishTask:
		o := a.Outcome
		o.Record = o.Record.Detach()
		p.outcomes[a.Ref] = append(p.outcomes[a.Ref], o)
	case Ring:
		p.ring = a.At
	}
}

// in is an event that will happen after a while.
func (p *plant) in(d time.Duration, ev Event) {
	p.order++
	h := happening{p.now + d, p.order, ev}
	i, _ := slices.BinarySearchFunc(p.later, h, func(x, y happening) int {
		return cmp.Or(cmp.Compare(x.at, y.at), cmp.Compare(x.order, y.order))
	})
	p.later = slices.Insert(p.later, i, h)
}

// until lets everything happen up to a time.
func (p *plant) until(end time.Duration) {
	for steps := 0; ; steps++ {
		if steps > 1e6 {
			p.t.Fatal("the engine asks to be rung for ever")
		}
		if p.ring < forever && p.ring <= end && (len(p.later) == 0 || p.ring < p.later[0].at) {
			p.now = max(p.now, p.ring)
			p.ring = forever
			p.do(Event{Kind: TimerRang})
			continue
		}
		if len(p.later) == 0 || p.later[0].at > end {
			break
		}
		h := p.later[0]
		p.later = p.later[1:]
		p.now = h.at
		if h.ev.Kind == LocalDone {
			p.running--
		}
		p.do(h.ev)
	}
	p.now = end
}

// arrive hands a task over now and returns its ref.
func (p *plant) arrive(mod func(*Task)) uint64 {
	p.refs++
	now := testEpoch.Add(p.now)
	task := &Task{
		ID: fmt.Sprintf("t%d", p.refs), Source: fmt.Sprintf("camera-%d/Frame", p.refs), Model: testModel, Priority: Medium,
		Payload: make([]byte, 10_000), Created: now, Deadline: now.Add(300 * time.Millisecond),
	}
	if mod != nil {
		mod(task)
	}
	p.do(Event{Kind: TaskArrived, Ref: p.refs, Task: task})
	return p.refs
}

// link tells the engine of a good link: probes that came back.
func (p *plant) link(rtt time.Duration) {
	for range 10 {
		p.do(Event{Kind: ProbeDone, RTT: rtt})
	}
}

// outcome is the one outcome of a task.
func (p *plant) outcome(ref uint64) Outcome {
	p.t.Helper()
	if n := len(p.outcomes[ref]); n != 1 {
		p.t.Fatalf("task %d has %d outcomes, want 1", ref, n)
	}
	return p.outcomes[ref][0]
}

// check is what must hold after every event.
func (p *plant) check() {
	p.t.Helper()
	s := p.engine.Settings()
	if p.running > p.config.Workers {
		p.t.Fatalf("%d local runs on %d workers", p.running, p.config.Workers)
	}
	if w := p.engine.Box().Waiting; w > s.QueueLimit {
		p.t.Fatalf("%d tasks wait, the limit is %d", w, s.QueueLimit)
	}
	for i := range p.config.Targets {
		if st := p.engine.Target(i); st.Waiting+st.InFlight > s.InFlightLimit {
			p.t.Fatalf("%d attempts under way at %s, the limit is %d", st.Waiting+st.InFlight, p.config.Targets[i].Name, s.InFlightLimit)
		}
	}
	for _, t := range p.engine.targets {
		if n := len(t.flying); n > 3*s.InFlightLimit+1 {
			p.t.Fatalf("%d attempts are with %s, the limit is %d and twice as many that nobody waits for", n, t.name, s.InFlightLimit)
		}
	}
	p.checkJobs()
	for ref, outcomes := range p.outcomes {
		if len(outcomes) > 1 {
			p.t.Fatalf("task %d has %d outcomes", ref, len(outcomes))
		}
		if o := outcomes[0]; (o.Answer == nil) != (o.Reason != "") {
			p.t.Fatalf("task %d: answer %v with reason %q", ref, o.Answer, o.Reason)
		}
	}
}

// checkJobs is that each task under way is somewhere: it waits for the box, once and with
// something to run, or an attempt at it is under way, or its answer is held.
func (p *plant) checkJobs() {
	p.t.Helper()
	e := p.engine
	if e.stopped {
		return
	}
	places := map[*job]int{}
	for _, j := range e.box.queue {
		places[j]++
		if e.byRef[j.ref] != j {
			p.t.Fatalf("%v: task %d waits for the box and is done", e.now, j.ref)
		}
	}
	for _, j := range e.jobs {
		want := 0
		if j.waiting {
			want = 1
		}
		switch {
		case places[j] != want:
			p.t.Fatalf("%v: task %d is %d times in the box's queue, waiting %v", e.now, j.ref, places[j], j.waiting)
		case j.waiting && len(j.variants()) == 0:
			p.t.Fatalf("%v: task %d waits for a box that cannot run it", e.now, j.ref)
		case j.due > j.deadline:
			p.t.Fatalf("%v: the box has until %v for task %d, whose deadline is at %v", e.now, j.due, j.ref, j.deadline)
		case !j.waiting && len(j.live) == 0 && j.held.answer == nil:
			p.t.Fatalf("%v: nothing is under way for task %d: %+v", e.now, j.ref, j.record.Attempts)
		}
	}
}
