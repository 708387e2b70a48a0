// SPDX-License-Identifier: Apache-2.0

package twin

import (
	"cmp"
	"fmt"
	"time"
)

// EverythingKnown is the name under which UpperBound reports: the last of the references.
const EverythingKnown = "everything-known"

// UpperBound is how well a cell could have gone had everything been known in advance: each
// task's size and service times, throttling, overload and the link. It is found by search and
// is the score of a schedule that was played on the cell's own link, box and cloud, so it can
// be reached; that no schedule is better is not proven. Policies stay well below it, since
// what it knows is not to be known.
//
// It looks for the largest utility and then for the fewest misses, with one run at a time on
// the box and one payload at a time on each uplink. It follows from the cell alone; of the
// settings it uses none. What only a guess has (hedges, calibration) is not in its score.
func UpperBound(c Cell) (Score, error) {
	c.Name, c.Scenario = cmp.Or(c.Name, EverythingKnown), c.scenario()
	if len(c.Trace.Slots) == 0 {
		return Score{}, fmt.Errorf("trace %q has no slots", c.Trace.Name)
	}
	if err := c.Scenario.Validate(); err != nil {
		return Score{}, err
	}
	if err := c.Class.validate(c.Scenario); err != nil {
		return Score{}, err
	}
	w := newWorkload(c.Scenario, c.Class, c.Length(), c.Seed)
	p := newPlan(&w, c.Trace)
	p.begin()
	p.improve(newDraw(c.Seed))
	return p.play(&c), nil
}

// play carries a plan out with the wires and the times that a simulation has, and scores it.
func (p *plan) play(c *Cell) Score {
	s := &scorer{cell: c, scenario: c.Scenario}
	s.prepare(p.work.jobs)
	for target := range p.wires {
		p.playUplink(target, s)
	}
	p.playBox(s)
	return s.result()
}

func (p *plan) playUplink(target int, s *scorer) {
	uplink := p.wires[target]
	for i, end := p.first(target), p.end(target); i != end; i = p.places[i].next {
		j := &p.work.jobs[i]
		bytes := j.bytes + uplink.rules.Overhead
		now := uplink.held(max(j.at, uplink.free), float64(bytes), p.places[i].free)
		_, arrived, airtime := uplink.put(now, bytes)
		s.sent(int(i), target, bytes, airtime)
		s.outcomes[i].ends(j, uplink.answer(arrived+p.work.service(j, target, arrived)))
		s.outcomes[i].accuracy = p.accuracy(i)
	}
}

// held is when a payload goes on the wire so that its last byte does not leave before a time:
// as soon as it can, unless that would be in a slot that loses or delays it.
func (w *wire) held(from time.Duration, bytes float64, leaves time.Duration) time.Duration {
	low, high := from, max(from, leaves)
	for low < high {
		middle := low + (high-low)/2
		if w.trace.transfer(middle, bytes, up) < leaves-heldMargin {
			low = middle + 1
		} else {
			high = middle
		}
	}
	return low
}

func (p *plan) playBox(s *scorer) {
	box, free := p.box(), time.Duration(0)
	for i, end := p.first(box), p.end(box); i != end; i = p.places[i].next {
		j, place := &p.work.jobs[i], &p.places[i]
		start := max(j.at, free, place.start)
		takes := p.work.local(j, start, p.variant(j, place.way).Share)
		s.ran(takes)
		free = start + takes
		s.outcomes[i].ends(j, free)
		s.outcomes[i].accuracy = p.accuracy(i)
	}
}

func (r *result) ends(j *job, done time.Duration) {
	r.latency, r.inTime = milliseconds(done-j.at), done <= j.deadline()
}
