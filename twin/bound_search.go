// SPDX-License-Identifier: Apache-2.0

package twin

import (
	"cmp"
	"slices"
	"time"
)

// neighbour is the last turn of a lane that begins before a task arrives, or the lane's end.
func (p *plan) neighbour(i int32, w way) int32 {
	at, lane := p.work.jobs[i].at, w.lane()
	n := i - 1
	for n >= 0 && (p.places[n].way == dropped || p.places[n].way.lane() != lane) {
		if p.inBlock[lane][n/block] == 0 {
			n = n/block*block - 1
		} else {
			n--
		}
	}
	if n < 0 {
		n = p.end(w)
	}
	for n != p.end(w) && p.places[n].start >= at {
		n = p.places[n].prev
	}
	for next := p.places[n].next; next != p.end(w) && p.places[next].start < at; next = p.places[n].next {
		n = next
	}
	return n
}

// try gives a task the cheapest turn of a way, if there is one.
func (p *plan) try(i int32, w way) bool {
	if p.tasks[i].worth[w] == 0 {
		return false
	}
	deadline := p.tasks[i].deadline
	after := p.neighbour(i, w)
	best, least := int32(-1), time.Duration(0)
	look := func(after int32) {
		if cost, ok := p.fits(i, w, after); ok && (best < 0 || cost < least) {
			best, least = after, cost
		}
	}
	if after != p.end(w) { // the turn that is under way may have to wait instead
		look(p.places[after].prev)
	}
	for p.places[after].free < deadline {
		look(after)
		if after = p.places[after].next; after == p.end(w) {
			break
		}
	}
	if best < 0 {
		return false
	}
	p.insert(i, w, best)
	return true
}

func (p *plan) tryAll(i int32, all ...way) {
	for _, w := range all {
		if p.try(i, w) {
			return
		}
	}
}

// value is what a task's place in the plan is worth.
func (p *plan) value(i int32) float64 { return p.tasks[i].worth[p.places[i].way] }

// begin makes a first plan: what earns most for its time on the box goes there first; what
// did not fit is sent if it can be; then whatever earns most for its bytes is sent as well,
// and what fits now in the place of that is taken up.
func (p *plan) begin() {
	order := make([]int32, len(p.tasks))
	for i := range order {
		order[i] = int32(i)
	}
	by := func(key func(j *job) float64) {
		slices.SortStableFunc(order, func(a, b int32) int {
			return cmp.Compare(key(&p.work.jobs[b]), key(&p.work.jobs[a]))
		})
	}
	by(func(j *job) float64 { return j.weight() / j.local.Seconds() })
	for _, i := range order {
		p.try(i, fully)
	}
	by(func(j *job) float64 { return j.weight() / float64(j.bytes+overhead) })
	for _, i := range order {
		if p.places[i].way == dropped {
			p.tryAll(i, remotely, smaller)
		}
	}
	p.keep()
	for _, i := range order {
		p.better(i, remotely)
	}
	for _, i := range order {
		p.better(i, remotely, fully, smaller)
	}
}

// better moves a task to the first of some ways that fits, if that is worth more.
func (p *plan) better(i int32, all ...way) {
	had := p.value(i)
	if had == p.tasks[i].best {
		return
	}
	p.remove(i)
	p.tryAll(i, all...)
	if p.value(i) > had {
		p.keep()
	} else {
		p.undo()
	}
}

// How long is searched: so often goes a window over all tasks, and so often is each tried in
// another order; so often again around each task that was dropped.
const (
	sweeps       = 3
	trials       = 6
	rescues      = 20
	rescueTrials = 20
	leastWindow  = 3
	widestWindow = 6
)

// improve searches on: it takes the tasks of a window out of the plan and puts them back in
// another order, which is kept unless it is worse.
func (p *plan) improve(d draw) {
	for range sweeps {
		for from := 0; from < len(p.tasks); {
			window := p.window(from, d)
			p.search(window, trials, d)
			from += (len(window) + 1) / 2
		}
	}
	for range rescues {
		for i := range p.tasks {
			if p.places[i].way == dropped {
				p.search(p.window(max(0, i-d.IntN(widestWindow)), d), rescueTrials, d)
			}
		}
	}
}

// window is some tasks that came one after the other.
func (p *plan) window(from int, d draw) []int32 {
	window := make([]int32, 0, widestWindow)
	to := min(from+leastWindow+d.IntN(widestWindow-leastWindow+1), len(p.tasks))
	for i := from; i < to; i++ {
		window = append(window, int32(i))
	}
	return window
}

// search tries a window as long as it gets better, and so often without.
func (p *plan) search(window []int32, trials int, d draw) {
	for left := trials; left > 0 && p.loss(window) > 0; left-- {
		if p.shuffle(window, d) {
			left = trials
		}
	}
}

// loss is what the tasks of a window could be worth more, each alone.
func (p *plan) loss(window []int32) float64 {
	sum := 0.
	for _, i := range window {
		sum += p.tasks[i].best - p.value(i)
	}
	return sum
}

func (p *plan) sum(window []int32) float64 {
	sum := 0.
	for _, i := range window {
		sum += p.value(i)
	}
	return sum
}

// shuffle tries the tasks of a window in another order and tells whether that was better.
func (p *plan) shuffle(window []int32, d draw) bool {
	had := p.sum(window)
	var key [widestWindow]float64
	from := window[0]
	plain := d.IntN(2) == 0
	for _, i := range window {
		p.remove(i)
		j := &p.work.jobs[i]
		key[i-from] = d.Float64()
		if plain {
			key[i-from] = j.weight() / float64(j.local) * (.3 + key[i-from])
		}
	}
	order := slices.Clone(window)
	slices.SortFunc(order, func(a, b int32) int { return cmp.Compare(key[b-from], key[a-from]) })
	for _, i := range order {
		if d.IntN(6) == 0 {
			p.tryAll(i, fully, remotely, smaller)
		} else {
			p.tryAll(i, remotely, fully, smaller)
		}
	}
	if has := p.sum(window); has >= had {
		p.keep()
		return has > had+perAnswer/2
	}
	p.undo()
	return false
}
