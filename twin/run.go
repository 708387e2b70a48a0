// SPDX-License-Identifier: Apache-2.0

package twin

import (
	"container/heap"
	"fmt"
	"time"

	"edgex-offload/offload"
	"edgex-offload/offload/link"
)

// Cell is one run: a policy on a class over a trace with a seed.
type Cell struct {
	Settings offload.Settings
	Class    Class
	Trace    Trace
	Seed     uint64
}

// epoch is where the virtual clock starts; any fixed time would do.
var epoch = time.Unix(0, 0).UTC()

// Run plays one cell and scores it. The error is that of the settings.
func Run(c Cell) (Score, error) {
	s, err := newSimulation(c, c.Class.models())
	if err != nil {
		return Score{}, err
	}
	s.work = newWorkload(c.Class, s.length, c.Seed)
	score := newScorer(c)
	s.score, s.finished = score, score.finish
	s.run()
	return score.result(s.work.jobs), nil
}

func newSimulation(c Cell, models []offload.Model) (*simulation, error) {
	if len(c.Trace.Slots) == 0 {
		return nil, fmt.Errorf("trace %q has no slots", c.Trace.Name)
	}
	engine, err := offload.NewEngine(offload.Config{
		Settings: c.Settings, Targets: []offload.Target{{Name: "cloud"}}, Probing: offload.DefaultProbing(), Models: models, Workers: 1,
		Power: offload.Power{Busy: c.Class.Watts, Radio: radioWatts}, Epoch: epoch,
	})
	if err != nil {
		return nil, err
	}
	return &simulation{
		cell: c, engine: engine, wire: wire{trace: c.Trace}, remote: map[uint64]bool{},
		length: c.Trace.Length(), score: newScorer(c),
	}, nil
}

// simulation is a run under way.
type simulation struct {
	cell   Cell
	engine *offload.Engine
	wire   wire
	work   workload
	score  *scorer
	// finished takes each outcome.
	finished func(ref int, o offload.Outcome)

	// remote are the attempts that are with the cloud or on their way.
	remote map[uint64]bool

	now    time.Duration
	length time.Duration
	// probeBytes went over the wire to measure it, both ways.
	probeBytes int
	events     queue
	order      int
	ring       int // the number of the Ring that counts
}

// event is something that will happen: the engine is told, unless do says otherwise.
type event struct {
	at    time.Duration
	order int
	do    func()
}

func (s *simulation) at(when time.Duration, do func()) {
	s.order++
	heap.Push(&s.events, event{max(when, s.now), s.order, do})
}

// run lets everything happen until the tasks of the length have all ended; the engine would
// go on measuring the link for ever.
func (s *simulation) run() {
	for i := range s.work.jobs {
		s.at(s.work.jobs[i].at, func() { s.arrive(i) })
	}
	for s.events.Len() > 0 && (s.now < s.length || s.engine.Box().UnderWay > 0) {
		e := heap.Pop(&s.events).(event)
		s.now = e.at
		e.do()
	}
	s.tell(offload.Event{Kind: offload.Stop})
}

func (s *simulation) arrive(i int) {
	j := &s.work.jobs[i]
	created := epoch.Add(s.now)
	s.tell(offload.Event{Kind: offload.TaskArrived, Ref: uint64(i), Task: &offload.Task{
		// A source of its own: the benchmark counts each task, so none supersedes another.
		Source: fmt.Sprint(i), Model: j.model(), Priority: j.priority, Payload: payload(j.bytes),
		Created: created, Deadline: created.Add(j.allowed),
	}})
}

// probeWire is what a probe takes both ways: its 64 bytes of padding and what gRPC adds.
const probeWire = 2*64 + 60

// noBytes backs every payload: the engine looks at its length alone.
var noBytes [500_000]byte

func payload(bytes int) []byte { return noBytes[:bytes] }

// probe sends a probe or a packet train.
func (s *simulation) probe(a offload.Action) {
	if s.now >= s.length {
		return
	}
	sent, until := s.now, a.Until.Sub(epoch)
	s.probeBytes += probeWire + a.Bytes + a.BytesDown
	lost := func() { s.tell(offload.Event{Kind: offload.ProbeLost, Probe: a.Probe, Error: "no answer"}) }
	if a.Bytes+a.BytesDown > 0 {
		back, up, down := s.wire.train(s.now, a.Bytes, a.BytesDown)
		if back > until {
			s.at(until, lost)
			return
		}
		s.at(back, func() {
			s.tell(offload.Event{Kind: offload.TrainDone, Probe: a.Probe, Bytes: a.Bytes, Spread: up, BytesDown: a.BytesDown, SpreadDown: down})
		})
		return
	}
	back, never := s.wire.probe(s.now)
	if never || back > until {
		s.at(until, lost)
		return
	}
	s.at(back, func() { s.tell(offload.Event{Kind: offload.ProbeDone, Probe: a.Probe, RTT: s.now - sent}) })
}

// tell gives the engine an event and does what it says.
func (s *simulation) tell(ev offload.Event) {
	ev.At = s.now
	for _, a := range s.engine.Handle(ev) {
		switch a.Kind {
		case offload.StartLocal:
			s.startLocal(a)
		case offload.SendRemote:
			s.send(a)
		case offload.SendProbe:
			s.probe(a)
		case offload.CancelAttempt:
			s.cancel(a.Attempt)
		case offload.FinishTask:
			s.finished(int(a.Ref), a.Outcome)
		case offload.Ring:
			s.ring++
			number := s.ring
			s.at(a.At, func() {
				if number == s.ring {
					s.tell(offload.Event{Kind: offload.TimerRang})
				}
			})
		}
	}
}

func (s *simulation) startLocal(a offload.Action) {
	takes := s.work.local(int(a.Ref), a.Variant, s.now)
	s.score.ran(takes)
	s.at(s.now+takes, func() {
		s.tell(offload.Event{Kind: offload.LocalDone, Attempt: a.Attempt, Execution: takes, Answer: &offload.Answer{Model: a.Variant}})
	})
}

// cancel ends a remote attempt for the engine, as a cancelled call does; its payload stays
// on the wire. A local run goes on: it is not preemptive.
func (s *simulation) cancel(attempt uint64) {
	if s.remote[attempt] {
		delete(s.remote, attempt)
		s.at(s.now, func() {
			s.tell(offload.Event{Kind: offload.RemoteFailed, Attempt: attempt, Error: "cancelled"})
		})
	}
}

// send puts a payload on the wire.
func (s *simulation) send(a offload.Action) {
	j := &s.work.jobs[a.Ref]
	left, arrived, airtime := s.wire.send(s.now, j.bytes)
	s.score.sent(int(a.Ref), j.bytes+overhead, airtime)
	s.at(left, func() { s.tell(offload.Event{Kind: offload.PayloadSent, Attempt: a.Attempt}) })
	service := s.work.service(j, arrived)
	s.remote[a.Attempt] = true
	s.at(s.wire.answer(arrived+service), func() {
		if !s.remote[a.Attempt] {
			return
		}
		delete(s.remote, a.Attempt)
		s.tell(offload.Event{
			Kind: offload.RemoteDone, Attempt: a.Attempt, Execution: service, Bytes: answerBytes,
			Held:   link.Stamps{Received: cloudClock + int64(arrived), Sent: cloudClock + int64(arrived+service)},
			Answer: &offload.Answer{Model: CloudModel},
		})
	})
}

// cloudClock is where the cloud's clock stands when the virtual one starts, in Unix
// nanoseconds: nothing may depend on it.
const cloudClock = int64(1_700_000_000_123_456_789)

// queue is a heap of events by time, then by order of their making.
type queue []event

func (q queue) Len() int { return len(q) }
func (q queue) Less(i, j int) bool {
	return q[i].at < q[j].at || (q[i].at == q[j].at && q[i].order < q[j].order)
}
func (q queue) Swap(i, j int) { q[i], q[j] = q[j], q[i] }

// Push is for container/heap.
func (q *queue) Push(x any) { *q = append(*q, x.(event)) }

// Pop is for container/heap.
func (q *queue) Pop() any {
	old := *q
	last := old[len(old)-1]
	old[len(old)-1] = event{} // let go of what it holds
	*q = old[:len(old)-1]
	return last
}
