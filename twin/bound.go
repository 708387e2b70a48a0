// SPDX-License-Identifier: Apache-2.0

package twin

import (
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
// the box and one payload at a time on the uplink. It follows from the cell alone; of the
// settings it uses none.
func UpperBound(c Cell) (Score, error) {
	if len(c.Trace.Slots) == 0 {
		return Score{}, fmt.Errorf("trace %q has no slots", c.Trace.Name)
	}
	c.Settings.Policy = EverythingKnown
	w := newWorkload(c.Class, c.Trace.Length(), c.Seed)
	p := newPlan(&w, c.Trace)
	p.begin()
	p.improve(newDraw(c.Seed))
	return p.play(c), nil
}

// play carries a plan out with the wire and the times that a simulation has, and scores it.
func (p *plan) play(c Cell) Score {
	s := newScorer(c)
	s.room(len(p.tasks) - 1)
	p.playUplink(s)
	p.playBox(s)
	return s.result(p.work.jobs)
}

func (p *plan) playUplink(s *scorer) {
	uplink := wire{trace: p.trace}
	for i := p.first(remotely); i != p.end(remotely); i = p.places[i].next {
		j := &p.work.jobs[i]
		now := p.held(max(j.at, uplink.free), float64(j.bytes+overhead), p.places[i].free)
		_, arrived, airtime := uplink.send(now, j.bytes)
		s.sent(int(i), j.bytes+overhead, airtime)
		done := uplink.answer(arrived + p.work.service(j, arrived))
		s.outcomes[i] = ended(j, done, accuracyCloud)
	}
}

// held is when a payload goes on the wire so that its last byte does not leave before a time:
// as soon as it can, unless that would be in a slot that loses or delays it.
func (p *plan) held(from time.Duration, bytes float64, leaves time.Duration) time.Duration {
	low, high := from, max(from, leaves)
	for low < high {
		middle := low + (high-low)/2
		if p.trace.transfer(middle, bytes, up) < leaves-heldMargin {
			low = middle + 1
		} else {
			high = middle
		}
	}
	return low
}

func (p *plan) playBox(s *scorer) {
	free := time.Duration(0)
	for i := p.first(fully); i != p.end(fully); i = p.places[i].next {
		j, place := &p.work.jobs[i], &p.places[i]
		start := max(j.at, free, place.start)
		takes := p.takes(i, place.way, start)
		s.ran(takes)
		free = start + takes
		accuracy := accuracyLocal
		if place.way == smaller {
			accuracy = accuracyTiny
		}
		s.outcomes[i] = ended(j, free, accuracy)
	}
}

func ended(j *job, done time.Duration, accuracy float64) result {
	took := done - j.at
	return result{latency: milliseconds(took), inTime: took <= j.allowed, accuracy: accuracy}
}
