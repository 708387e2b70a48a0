// SPDX-License-Identifier: Apache-2.0

package twin

import (
	"fmt"
	"slices"
	"strconv"
	"time"

	"edgex-offload/offload"
)

// Cell is one run: a policy on a class over a trace with a seed.
type Cell struct {
	Settings offload.Settings
	// Scenario is the Benchmark where it is nil, and is not changed.
	Scenario *Scenario
	Class    Class
	Trace    Trace
	Seed     uint64
	// Foresight lets the engine see the network's future.
	Foresight bool
	// Network is what policy dqn asks; nil for none.
	Network offload.Network
	// Name is what the score is filed under; that of the policy where it is "".
	Name string
	// Observe, where it is set, hears of each task that ends, and when. The record is valid
	// during the call; Record.Detach keeps it. Its TaskID names the source of the task.
	Observe func(now time.Duration, o *offload.Outcome)
}

func (c *Cell) scenario() *Scenario {
	if c.Scenario != nil {
		return c.Scenario
	}
	s := Benchmark()
	return &s
}

// Length is how long the cell's tasks arrive.
func (c *Cell) Length() time.Duration { return min(c.Trace.Length(), c.scenario().Longest) }

// epoch is where the virtual clock starts; any fixed time would do.
var epoch = time.Unix(0, 0).UTC()

// Run plays one cell and scores it. The error names what is wrong with the cell.
func Run(c Cell) (Score, error) {
	c.Scenario = c.scenario()
	if err := c.Scenario.Validate(); err != nil {
		return Score{}, err
	}
	s, err := newSimulation(c, c.Scenario.models(c.Class))
	if err != nil {
		return Score{}, err
	}
	if err := c.Class.validate(c.Scenario); err != nil {
		return Score{}, err
	}
	s.work = newWorkload(c.Scenario, c.Class, s.length, c.Seed)
	s.finished = func(ref int, o *offload.Outcome) {
		if c.Observe != nil {
			c.Observe(s.now, o)
		}
		s.score.finish(ref, o)
	}
	s.run()
	return s.score.result(), nil
}

func newSimulation(c Cell, models []offload.Model) (*simulation, error) {
	if len(c.Trace.Slots) == 0 {
		return nil, fmt.Errorf("trace %q has no slots", c.Trace.Name)
	}
	c.Scenario = c.scenario()
	s := &simulation{cell: c, scenario: c.Scenario, length: c.Length()}
	s.score = newScorer(s)
	config := offload.Config{
		Settings: c.Settings, Probing: offload.DefaultProbing(), Models: models, Workers: 1,
		Power: offload.Power{Busy: c.Class.Watts, Radio: s.scenario.RadioWatts}, Epoch: epoch,
		Network: c.Network,
	}
	unpriced := 0. // what a megabyte counts in decisions where nothing costs anything: as in the service
	if !slices.ContainsFunc(s.scenario.Targets, func(t Target) bool { return t.PricePerMB > 0 || t.PricePerCall > 0 }) {
		unpriced = 1
	}
	for i := range s.scenario.Targets {
		t := &s.scenario.Targets[i]
		config.Targets = append(config.Targets, offload.Target{
			Name: t.Name, Metered: t.Metered, PricePerMB: t.PricePerMB + unpriced, PricePerCall: t.PricePerCall,
		})
		s.wires = append(s.wires, wire{trace: t.Link.trace(c.Trace), rules: &s.scenario.Wire})
		s.answers = append(s.answers, &offload.Answer{Model: t.Name})
	}
	if c.Foresight {
		config.Foresight = foresight{s}
	}
	var err error
	s.engine, err = offload.NewEngine(config)
	return s, err
}

// simulation is a run under way.
type simulation struct {
	cell     Cell
	scenario *Scenario
	engine   *offload.Engine
	// wires are by target, as are answers, what each of them says; said are the answers of
	// the box's variants.
	wires         []wire
	answers, said []*offload.Answer
	work          workload
	tasks         []offload.Task
	bytes         []byte // backs every payload: the engine looks at its length alone
	score         *scorer
	// finished takes each outcome.
	finished func(ref int, o *offload.Outcome)

	// flights are the attempts that are with a target or on their way, runs those on the box.
	flights []flight
	runs    []localRun

	now    time.Duration
	length time.Duration
	// underWay are the tasks that arrived and have not ended.
	underWay int
	// probeBytes went over the wires to measure them, both ways.
	probeBytes int
	events     queue
	order      int
	ring       uint64 // the number of the Ring that counts
}

// flight is a remote attempt under way.
type flight struct {
	attempt           uint64
	target            int
	arrived, answered time.Duration
	answer            *offload.Answer
}

// localRun is one on the box; takes is its whole time, ends when its worker is free.
type localRun struct {
	attempt              uint64
	model                *offload.Answer
	started, takes, ends time.Duration
	cancelled            bool
}

func (s *simulation) later(when time.Duration, e event) {
	s.order++
	e.at, e.order = max(when, s.now), s.order
	s.events.push(e)
}

func (s *simulation) at(when time.Duration, do func()) {
	s.later(when, event{kind: callDo, do: do})
}

// run lets everything happen until the tasks of the length have all ended; the engine would
// go on measuring the links for ever.
func (s *simulation) run() {
	s.prepare()
	planned := s.order
	for next := 0; next < len(s.work.jobs) || s.now < s.length || s.underWay > 0; {
		switch {
		case next < len(s.work.jobs) && s.arrivesFirst(next, planned):
			s.now = s.work.jobs[next].at
			s.arrive(next)
			next++
		case len(s.events) > 0:
			e := s.events.pop()
			s.now = e.at
			s.happen(&e)
		default:
			s.now = max(s.now, s.length)
		}
	}
	s.tell(offload.Event{Kind: offload.Stop})
}

// arrivesFirst tells whether a task comes before the next event. Of the same time, it comes
// after what was planned before the run.
func (s *simulation) arrivesFirst(task, planned int) bool {
	if len(s.events) == 0 {
		return true
	}
	at, first := s.work.jobs[task].at, &s.events[0]
	return at < first.at || (at == first.at && first.order > planned)
}

func (s *simulation) prepare() {
	most := 0
	for i := range s.work.jobs {
		most = max(most, s.work.jobs[i].bytes)
	}
	for i := range s.scenario.Models {
		for k := range s.scenario.Models[i].Splits {
			most = max(most, s.scenario.Models[i].Splits[k].Bytes)
		}
	}
	s.bytes = make([]byte, most)
	s.tasks = make([]offload.Task, len(s.work.jobs))
	s.score.prepare(s.work.jobs)
	s.lookAtBox()
}

func (s *simulation) happen(e *event) {
	switch e.kind {
	case callDo:
		e.do()
	case ringBell:
		if e.id == s.ring {
			s.tell(offload.Event{Kind: offload.TimerRang})
		}
	case endLocal:
		s.endLocal(e.id)
	case leave:
		s.tell(offload.Event{Kind: offload.PayloadSent, Attempt: e.id})
	case endRemote:
		s.endRemote(e.id)
	case failRemote:
		s.tell(offload.Event{Kind: offload.RemoteFailed, Attempt: e.id, Error: cancelled})
	}
}

// cancelled is what is said of an attempt that was.
const cancelled = "cancelled"

// tell gives the engine an event and does what it says.
func (s *simulation) tell(ev offload.Event) {
	ev.At = s.now
	actions := s.engine.Handle(ev)
	for i := range actions {
		a := &actions[i]
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
			s.underWay--
			s.finished(int(a.Ref), &a.Outcome)
		case offload.Ring:
			s.ring++
			s.later(a.At, event{kind: ringBell, id: s.ring})
		}
	}
}

func (s *simulation) arrive(i int) {
	j := &s.work.jobs[i]
	created := epoch.Add(s.now)
	s.tasks[i] = offload.Task{
		// A source of its own: each task counts, so none supersedes another. Its ID says where
		// it comes from.
		ID: j.source, Source: strconv.Itoa(i), Model: s.scenario.Models[j.model].Name, Priority: j.priority,
		Payload: s.bytes[:j.bytes], Created: created, Deadline: created.Add(j.allowed),
	}
	s.underWay++
	s.tell(offload.Event{Kind: offload.TaskArrived, Ref: uint64(i), Task: &s.tasks[i]})
}
