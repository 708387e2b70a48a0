// SPDX-License-Identifier: Apache-2.0

package twin

import "time"

// fits tells whether a task can have its turn after another one, with all that follow still
// in time, and what it costs: its own time and by how much it delays the others. That is to
// be less than a limit.
func (p *plan) fits(i int32, w way, after int32, limit time.Duration) (cost time.Duration, ok bool) {
	turn := p.follow(i, w, &p.places[after])
	if turn.done > p.work.jobs[i].deadline() {
		return 0, false
	}
	cost = turn.done - p.work.jobs[i].at
	for n, end := p.places[after].next, p.end(p.lane(w)); n != end; n = p.places[n].next {
		old := &p.places[n]
		if turn.free <= old.start && turn.arrived <= old.arrived {
			break
		}
		turn = p.follow(n, old.way, &turn)
		if turn.done > p.work.jobs[n].deadline() {
			return 0, false
		}
		if cost += max(0, turn.free-old.free); cost >= limit {
			break
		}
	}
	return cost, cost < limit
}

// insert gives a task its turn after another one; it was found to fit.
func (p *plan) insert(i int32, w way, after int32) {
	turn := p.follow(i, w, &p.places[after])
	turn.prev, turn.next = after, p.places[after].next
	p.set(i, turn)
	p.link(after, i)
	p.link(i, turn.next)
	p.count(i, w, 1)
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
	p.count(i, gone.way, -1)
	p.pass(gone.prev, gone.way, func(_, _ *place) bool { return false })
}

// pass brings the turns after one up to date, until one stays as it is or is to stay so.
func (p *plan) pass(i int32, w way, stays func(turn, old *place) bool) {
	for n, end := p.places[i].next, p.end(p.lane(w)); n != end; n = p.places[n].next {
		old := p.places[n]
		if stays(&p.places[i], &old) {
			return
		}
		turn := p.follow(n, old.way, &p.places[i])
		if turn.done > p.work.jobs[n].deadline() || (turn.start == old.start && turn.free == old.free && turn.arrived == old.arrived) {
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
		if is, was := p.places[c.i].way, c.way; is != was && int(c.i) < len(p.work.jobs) {
			p.count(c.i, is, -1)
			p.count(c.i, was, 1)
		}
		p.places[c.i] = c.place
	}
	p.keep()
}

func (p *plan) count(i int32, w way, by int32) {
	if w != dropped {
		p.inBlock[p.lane(w)][i/block] += by
	}
}
