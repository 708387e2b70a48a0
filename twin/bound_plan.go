// SPDX-License-Identifier: Apache-2.0

package twin

import (
	"cmp"
	"slices"
	"time"
)

// way is how a task is answered in a plan: by target way-1 while way is up to their number,
// by a variant on the box beyond.
type way int8

const dropped way = 0

// place is a task's turn in a lane: it begins at start, the lane is free again at free, its
// payload is with the target at arrived, and its answer is there at done.
type place struct {
	way                        way
	prev, next                 int32
	start, free, arrived, done time.Duration
}

// plan is a schedule in which every task that is not dropped is in time. A lane is the uplink
// to a target or, the last one, the box, and is a list of tasks in the order of their turns;
// the places behind those of the tasks are the lists' ends.
type plan struct {
	work   *workload
	wires  []wire
	places []place
	// ways are by model, the most accurate first, and targets before the box.
	ways [][]way
	// worth is what an answer in time counts, by task and way (stride ways for each task, with
	// that of being dropped), best the most that it can.
	worth  []float64
	stride int
	best   []float64
	// inBlock counts the tasks of each lane among each block of tasks, to find a neighbour.
	inBlock [][]int32
	// before are the places that a trial has changed, as they were.
	before []changed
}

type changed struct {
	i int32
	place
}

const (
	block = 64
	// perAnswer makes the fewer misses the better plan where utility is the same.
	perAnswer = 1e-6
	// heldMargin is how far into a slot a payload that waited for it leaves.
	heldMargin = time.Microsecond
)

func newPlan(w *workload, trace Trace) *plan {
	p := &plan{work: w}
	for i := range w.scenario.Targets {
		p.wires = append(p.wires, wire{trace: w.scenario.Targets[i].Link.trace(trace), rules: &w.scenario.Wire})
	}
	n, lanes := len(w.jobs), len(p.wires)+1
	p.places, p.best, p.inBlock = make([]place, n+lanes), make([]float64, n), make([][]int32, lanes)
	for lane := range p.inBlock {
		p.inBlock[lane] = make([]int32, n/block+1)
		end := p.end(lane)
		p.places[end].prev, p.places[end].next = end, end
	}
	for m := range w.scenario.Models {
		p.ways = append(p.ways, p.waysOf(m))
		p.stride = max(p.stride, 1+len(p.ways[m]))
	}
	p.worth = make([]float64, n*p.stride)
	for i := range w.jobs {
		p.weigh(int32(i))
	}
	return p
}

// box is the lane of the box.
func (p *plan) box() int { return len(p.wires) }

// end is the end of a lane, first the task whose turn is first there.
func (p *plan) end(lane int) int32   { return int32(len(p.work.jobs) + lane) }
func (p *plan) first(lane int) int32 { return p.places[p.end(lane)].next }

// lane is where a way takes its turn.
func (p *plan) lane(w way) int { return min(int(w)-1, p.box()) }

// variant is what a way on the box runs.
func (p *plan) variant(j *job, w way) *Variant {
	return &p.work.scenario.Models[j.model].Variants[int(w)-1-p.box()]
}

// accuracyOf is that of a model's answers by a way.
func (p *plan) accuracyOf(model int, w way) float64 {
	m := &p.work.scenario.Models[model]
	switch lane := p.lane(w); {
	case w == dropped:
		return 0
	case lane < p.box():
		return p.work.scenario.accuracyAt(lane, m)
	default:
		return m.Variants[int(w)-1-lane].Accuracy
	}
}

func (p *plan) accuracy(i int32) float64 {
	return p.accuracyOf(p.work.jobs[i].model, p.places[i].way)
}

func (p *plan) waysOf(model int) []way {
	var all []way
	for w := range p.box() + len(p.work.scenario.Models[model].Variants) {
		all = append(all, way(w+1))
	}
	slices.SortStableFunc(all, func(a, b way) int { return cmp.Compare(p.accuracyOf(model, b), p.accuracyOf(model, a)) })
	return all
}

// weigh finds what a task is worth by each way that is in time with nobody before it.
func (p *plan) weigh(i int32) {
	j := &p.work.jobs[i]
	var alone place
	for _, w := range p.ways[j.model] {
		if p.follow(i, w, &alone).done <= j.deadline() {
			worth := j.weight*p.accuracyOf(j.model, w) + perAnswer
			p.worth[int(i)*p.stride+int(w)] = worth
			p.best[i] = max(p.best[i], worth)
		}
	}
}

// value is what a task's place in the plan is worth.
func (p *plan) value(i int32) float64 { return p.worthOf(i, p.places[i].way) }

func (p *plan) worthOf(i int32, w way) float64 { return p.worth[int(i)*p.stride+int(w)] }

// follow is the turn of a task after another in its lane.
func (p *plan) follow(i int32, w way, last *place) place {
	j := &p.work.jobs[i]
	start := max(last.free, j.at)
	if lane := p.lane(w); lane < p.box() {
		turn := p.send(j, lane, start, last.arrived)
		turn.way = w
		return turn
	}
	variant := p.variant(j, w).Share
	done := start + p.work.local(j, start, variant)
	for _, e := range p.work.throttling { // it may pay to wait until the box is cool
		if e.from <= start && start < e.to {
			if cool := e.to + p.work.local(j, e.to, variant); cool < done {
				start, done = e.to, cool
			}
		}
	}
	return place{way: w, start: start, free: done, done: done}
}

// send is the turn on an uplink: the last byte leaves as soon as the answer can be in time,
// which is not in a slot with loss and may not be in one with a long round trip. Done lies
// behind the deadline where it cannot be in time.
func (p *plan) send(j *job, target int, start, last time.Duration) place {
	uplink, deadline := &p.wires[target], j.deadline()
	left := uplink.trace.transfer(start, float64(j.bytes+uplink.rules.Overhead), up)
	for left <= deadline {
		slot := uplink.trace.at(left)
		if !slot.Lost && slot.Up > 0 {
			arrived := max(left+slot.RTT/2, last)
			if done := uplink.answer(arrived + p.work.service(j, target, arrived)); done <= deadline {
				return place{start: start, free: left, arrived: arrived, done: done}
			}
		}
		left = left.Truncate(SlotLength) + SlotLength + heldMargin
	}
	return place{done: deadline + 1}
}
