// SPDX-License-Identifier: Apache-2.0

package twin

import (
	"slices"
	"time"

	"edgex-offload/offload"
	"edgex-offload/offload/link"
)

func (s *simulation) startLocal(a *offload.Action) {
	j := &s.work.jobs[a.Ref]
	part, answer := s.scenario.variant(j, a.Variant).Share, s.answerOf(a.Variant)
	if split := s.scenario.split(j, a.Variant); split != nil {
		part, answer = split.HeadShare, &offload.Answer{Features: s.bytes[:split.Bytes]}
	}
	takes := s.work.local(j, s.now, part)
	s.score.ran(takes)
	s.runs = append(s.runs, localRun{attempt: a.Attempt, model: answer, started: s.now, takes: takes, ends: s.now + takes})
	s.later(s.now+takes, event{kind: endLocal, id: a.Attempt})
}

// variant finds the one that a run uses.
func (s *Scenario) variant(j *job, name string) *Variant {
	variants := s.Models[j.model].Variants
	for i := range variants {
		if variants[i].Name == name {
			return &variants[i]
		}
	}
	return &Variant{Name: name, Share: 1}
}

// answerOf is what a variant says; all its runs say the same.
func (s *simulation) answerOf(variant string) *offload.Answer {
	for _, a := range s.said {
		if a.Model == variant {
			return a
		}
	}
	a := &offload.Answer{Model: variant}
	s.said = append(s.said, a)
	return a
}

func (s *simulation) endLocal(attempt uint64) {
	i := slices.IndexFunc(s.runs, func(r localRun) bool { return r.attempt == attempt })
	if i < 0 || s.runs[i].ends > s.now {
		return
	}
	r := s.runs[i]
	s.runs = slices.Delete(s.runs, i, i+1)
	if r.cancelled {
		s.tell(offload.Event{Kind: offload.LocalDone, Attempt: attempt, Execution: s.now - r.started, Error: cancelled})
		return
	}
	s.tell(offload.Event{Kind: offload.LocalDone, Attempt: attempt, Execution: r.takes, Answer: r.model})
}

// cancel ends a remote attempt for the engine, as a cancelled call does; its payload stays
// on the wire. A local run ends with the chunk that it is in, and what it did is lost.
func (s *simulation) cancel(attempt uint64) {
	for i := range s.runs {
		if s.runs[i].attempt == attempt {
			s.cutShort(&s.runs[i])
			return
		}
	}
	if i := s.flight(attempt); i >= 0 {
		s.flights = slices.Delete(s.flights, i, i+1)
		s.later(s.now, event{kind: failRemote, id: attempt})
	}
}

// cutShort ends a run at its next chunk border. In its last chunk it just ends.
func (s *simulation) cutShort(r *localRun) {
	chunks, takes := int64(s.scenario.Chunks), int64(r.takes)
	done := int64(s.now-r.started) * chunks
	border := (done + takes - 1) / max(takes, 1) // chunks that will have been run
	if border >= chunks || r.cancelled {
		return
	}
	ends := r.started + time.Duration(takes*border/chunks)
	s.score.ran(ends - r.ends)
	r.cancelled, r.ends = true, ends
	s.later(ends, event{kind: endLocal, id: r.attempt})
}

// send puts a payload on the wire.
func (s *simulation) send(a *offload.Action) {
	j := &s.work.jobs[a.Ref]
	w := &s.wires[a.Target]
	bytes, answer := len(a.Task.Payload), s.answers[a.Target]
	left, arrived, airtime := w.send(s.now, bytes)
	takes := s.work.service(j, a.Target, arrived)
	if split := s.scenario.split(j, a.Task.Model); split != nil {
		takes, answer = share(takes, split.TailShare), s.answerOf(split.tail())
	}
	done := arrived + takes
	back := w.answer(done)
	s.score.sent(int(a.Ref), a.Target, bytes+w.rules.Overhead, airtime)
	s.score.promised(a.Promised, back <= j.deadline())
	s.flights = append(s.flights, flight{a.Attempt, a.Target, arrived, done, answer})
	s.later(left, event{kind: leave, id: a.Attempt})
	s.later(back, event{kind: endRemote, id: a.Attempt})
}

func (s *simulation) flight(attempt uint64) int {
	return slices.IndexFunc(s.flights, func(f flight) bool { return f.attempt == attempt })
}

func (s *simulation) endRemote(attempt uint64) {
	i := s.flight(attempt)
	if i < 0 {
		return
	}
	f := s.flights[i]
	s.flights = slices.Delete(s.flights, i, i+1)
	s.tell(offload.Event{
		Kind: offload.RemoteDone, Attempt: attempt, Execution: f.answered - f.arrived, Bytes: s.scenario.Wire.Answer,
		Held:   link.Stamps{Received: cloudClock + int64(f.arrived), Sent: cloudClock + int64(f.answered)},
		Answer: f.answer,
	})
}

// cloudClock is where the cloud's clock stands when the virtual one starts, in Unix
// nanoseconds: nothing may depend on it.
const cloudClock = int64(1_700_000_000_123_456_789)

// probeWire is what a probe takes both ways: its 64 bytes of padding and what gRPC adds.
const probeWire = 2*64 + 60

// probe sends a probe or a packet train.
func (s *simulation) probe(action *offload.Action) {
	if s.now >= s.length {
		return
	}
	a := *action // it is overwritten by the time that it comes back
	w := &s.wires[a.Target]
	sent, until := s.now, a.Until.Sub(epoch)
	s.probeBytes += probeWire + a.Bytes + a.BytesDown
	lost := func() {
		s.tell(offload.Event{Kind: offload.ProbeLost, Target: a.Target, Probe: a.Probe, Error: "no answer"})
	}
	if a.Bytes+a.BytesDown > 0 {
		back, up, down := w.train(s.now, a.Bytes, a.BytesDown)
		if back > until {
			s.at(until, lost)
			return
		}
		s.at(back, func() {
			s.tell(offload.Event{
				Kind: offload.TrainDone, Target: a.Target, Probe: a.Probe,
				Bytes: a.Bytes, Spread: up, BytesDown: a.BytesDown, SpreadDown: down,
			})
		})
		return
	}
	back, never := w.probe(s.now)
	if never || back > until {
		s.at(until, lost)
		return
	}
	s.at(back, func() {
		s.tell(offload.Event{Kind: offload.ProbeDone, Target: a.Target, Probe: a.Probe, RTT: s.now - sent})
	})
}
