// SPDX-License-Identifier: Apache-2.0

package twin

import "time"

// way is how a task is answered in a plan.
type way uint8

const (
	dropped way = iota
	remotely
	fully   // on the box with the full model
	smaller // on the box with the tiny one
	ways
)

// lane is where it takes its turn: the uplink or the box.
func (w way) lane() int {
	if w == remotely {
		return 0
	}
	return 1
}

// known is what a plan knows of a task beforehand.
type known struct {
	deadline time.Duration
	// local is the time of a run by way and by whether it begins in a throttling episode.
	local [ways][2]time.Duration
	// worth is what an answer in time counts by way, best the most that can be had.
	worth [ways]float64
	best  float64
}

// place is a task's turn in a lane: it begins at start, the lane is free again at free, its
// payload is with the cloud at arrived, and its answer is there at done.
type place struct {
	way                        way
	prev, next                 int32
	start, free, arrived, done time.Duration
}

// plan is a schedule in which every task that is not dropped is in time. Each lane is a list
// in the order of its turns; the places behind those of the tasks are the lists' ends.
type plan struct {
	work   *workload
	trace  Trace
	tasks  []known
	places []place
	// inBlock counts the tasks of each lane among each block of tasks, to find a neighbour.
	inBlock [2][]int32
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
	n := len(w.jobs)
	p := &plan{work: w, trace: trace, tasks: make([]known, n), places: make([]place, n+2)}
	for lane := range p.inBlock {
		p.inBlock[lane] = make([]int32, n/block+1)
		end := int32(n + lane)
		p.places[end].prev, p.places[end].next = end, end
	}
	for i := range w.jobs {
		p.tasks[i] = p.know(int32(i))
	}
	return p
}

func (p *plan) know(i int32) known {
	j := &p.work.jobs[i]
	k := known{deadline: j.at + j.allowed}
	slow := share(j.local, throttleFactor)
	k.local[fully] = [2]time.Duration{j.local, slow}
	k.local[smaller] = [2]time.Duration{share(j.local, tinyShare), share(slow, tinyShare)}
	alone := place{}
	for w, accuracy := range [ways]float64{remotely: accuracyCloud, fully: accuracyLocal, smaller: accuracyTiny} {
		if accuracy == 0 {
			continue
		}
		if p.tasks[i] = k; p.follow(i, way(w), &alone).done > k.deadline {
			continue // not even with nobody before it
		}
		k.worth[w] = j.weight()*accuracy + perAnswer
		k.best = max(k.best, k.worth[w])
	}
	return k
}

// end is the end of the lane of a way, first the task whose turn is first there.
func (p *plan) end(w way) int32   { return int32(len(p.tasks) + w.lane()) }
func (p *plan) first(w way) int32 { return p.places[p.end(w)].next }

// takes is how long a run takes that begins at a time.
func (p *plan) takes(i int32, w way, start time.Duration) time.Duration {
	if within(p.work.throttling, start) {
		return p.tasks[i].local[w][1]
	}
	return p.tasks[i].local[w][0]
}

// follow is the turn of a task after another in its lane.
func (p *plan) follow(i int32, w way, last *place) place {
	start := max(last.free, p.work.jobs[i].at)
	if w == remotely {
		return p.send(i, start, last.arrived)
	}
	done := start + p.takes(i, w, start)
	for _, e := range p.work.throttling { // it may pay to wait until the box is cool
		if e.from <= start && start < e.to {
			if cool := e.to + p.takes(i, w, e.to); cool < done {
				start, done = e.to, cool
			}
		}
	}
	return place{way: w, start: start, free: done, done: done}
}

// send is the turn on the uplink: the last byte leaves as soon as the answer can be in time,
// which is not in a slot with loss and may not be in one with a long round trip. Done lies
// behind the deadline where it cannot be in time.
func (p *plan) send(i int32, start, last time.Duration) place {
	j, deadline := &p.work.jobs[i], p.tasks[i].deadline
	uplink := wire{trace: p.trace}
	left := p.trace.transfer(start, float64(j.bytes+overhead), up)
	for left <= deadline {
		slot := p.trace.at(left)
		if !slot.Lost && slot.Up > 0 {
			arrived := max(left+slot.RTT/2, last)
			if done := uplink.answer(arrived + p.work.service(j, arrived)); done <= deadline {
				return place{way: remotely, start: start, free: left, arrived: arrived, done: done}
			}
		}
		left = left.Truncate(SlotLength) + SlotLength + heldMargin
	}
	return place{way: remotely, done: deadline + 1}
}

// fits tells whether a task can have its turn after another one, with all that follow still
// in time, and what it costs: its own time and by how much it delays the others.
func (p *plan) fits(i int32, w way, after int32) (cost time.Duration, ok bool) {
	turn := p.follow(i, w, &p.places[after])
	if turn.done > p.tasks[i].deadline {
		return 0, false
	}
	cost = turn.done - p.work.jobs[i].at
	for n := p.places[after].next; n != p.end(w); n = p.places[n].next {
		old := &p.places[n]
		if turn.free <= old.start && turn.arrived <= old.arrived {
			break
		}
		turn = p.follow(n, old.way, &turn)
		if turn.done > p.tasks[n].deadline {
			return 0, false
		}
		cost += max(0, turn.free-old.free)
	}
	return cost, true
}

// insert gives a task its turn after another one; it was found to fit.
func (p *plan) insert(i int32, w way, after int32) {
	turn := p.follow(i, w, &p.places[after])
	turn.prev, turn.next = after, p.places[after].next
	p.set(i, turn)
	p.link(after, i)
	p.link(i, turn.next)
	p.inBlock[w.lane()][i/block]++
	p.pass(i, w, func(turn, old *place) bool { return turn.free <= old.start && turn.arrived <= old.arrived })
}

// remove drops a task; what follows moves up, as far as it stays in time.
func (p *plan) remove(i int32) {
	gone := p.places[i]
	if gone.way == dropped {
		return
	}
	p.set(i, place{})
	p.link(gone.prev, gone.next)
	p.inBlock[gone.way.lane()][i/block]--
	p.pass(gone.prev, gone.way, func(_, _ *place) bool { return false })
}

// pass brings the turns after one up to date, until one stays as it is or is to stay so.
func (p *plan) pass(i int32, w way, stays func(turn, old *place) bool) {
	for n := p.places[i].next; n != p.end(w); n = p.places[n].next {
		old := p.places[n]
		if stays(&p.places[i], &old) {
			return
		}
		turn := p.follow(n, old.way, &p.places[i])
		if turn.done > p.tasks[n].deadline || (turn.start == old.start && turn.free == old.free && turn.arrived == old.arrived) {
			return
		}
		turn.prev, turn.next = old.prev, old.next
		p.set(n, turn)
		i = n
	}
}

func (p *plan) link(a, b int32) {
	p.note(a)
	p.note(b)
	p.places[a].next, p.places[b].prev = b, a
}

func (p *plan) set(i int32, to place) {
	p.note(i)
	p.places[i] = to
}

func (p *plan) note(i int32) { p.before = append(p.before, changed{i, p.places[i]}) }

// keep makes what was tried part of the plan.
func (p *plan) keep() { p.before = p.before[:0] }

// undo brings back the plan as it was at the last keep.
func (p *plan) undo() {
	for k := len(p.before) - 1; k >= 0; k-- {
		c := &p.before[k]
		if is, was := p.places[c.i].way, c.way; is != was && int(c.i) < len(p.tasks) {
			p.count(c.i, is, -1)
			p.count(c.i, was, 1)
		}
		p.places[c.i] = c.place
	}
	p.keep()
}

func (p *plan) count(i int32, w way, by int32) {
	if w != dropped {
		p.inBlock[w.lane()][i/block] += by
	}
}
