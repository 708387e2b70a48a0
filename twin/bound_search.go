// SPDX-License-Identifier: Apache-2.0

package twin

import (
	"cmp"
	"math"
	"slices"
	"time"
)

// neighbour is the last turn of a lane that begins before a task arrives, or the lane's end.
func (p *plan) neighbour(i int32, lane int) int32 {
	at, end := p.work.jobs[i].at, p.end(lane)
	n := i - 1
	for n >= 0 && (p.places[n].way == dropped || p.lane(p.places[n].way) != lane) {
		if p.inBlock[lane][n/block] == 0 {
			n = n/block*block - 1
		} else {
			n--
		}
	}
	if n < 0 {
		n = end
	}
	for n != end && p.places[n].start >= at {
		n = p.places[n].prev
	}
	for next := p.places[n].next; next != end && p.places[next].start < at; next = p.places[n].next {
		n = next
	}
	return n
}

// mostLooks bounds the turns that are looked at: with deadlines of minutes there are thousands.
const mostLooks = 32

// try gives a task the cheapest turn of a way, if there is one.
func (p *plan) try(i int32, w way) bool {
	if p.worthOf(i, w) == 0 {
		return false
	}
	lane, deadline := p.lane(w), p.work.jobs[i].deadline()
	after, end := p.neighbour(i, lane), p.end(lane)
	best, least := int32(-1), time.Duration(math.MaxInt64)
	look := func(after int32) {
		if cost, ok := p.fits(i, w, after, least); ok {
			best, least = after, cost
		}
	}
	if after != end { // the turn that is under way may have to wait instead
		look(p.places[after].prev)
	}
	for looks := 0; looks < mostLooks && p.places[after].free < deadline; looks++ {
		look(after)
		if after = p.places[after].next; after == end {
			break
		}
	}
	if best < 0 {
		return false
	}
	p.insert(i, w, best)
	return true
}

func (p *plan) tryAll(i int32, all []way) {
	for _, w := range all {
		if p.try(i, w) {
			return
		}
	}
}

// begin makes a first plan: what earns most for its time on the box goes there first, then
// each task moves to where it is worth more, those first that earn most for their bytes; in
// the end what fits in the place of what has moved is taken up.
func (p *plan) begin() {
	order := make([]int32, len(p.work.jobs))
	for i := range order {
		order[i] = int32(i)
	}
	by := func(key func(j *job) float64) {
		slices.SortStableFunc(order, func(a, b int32) int {
			return cmp.Compare(key(&p.work.jobs[b]), key(&p.work.jobs[a]))
		})
	}
	by(func(j *job) float64 { return j.weight / j.local.Seconds() })
	for _, i := range order {
		if len(p.work.scenario.Models[p.work.jobs[i].model].Variants) > 0 {
			p.try(i, way(p.box()+1))
		}
	}
	p.keep()
	by(func(j *job) float64 { return j.weight / float64(1+j.bytes) })
	for _, i := range order {
		if p.places[i].way == dropped {
			p.better(i)
		}
	}
	for range 2 {
		for _, i := range order {
			p.better(i)
		}
	}
}

// better moves a task to the best way that fits, if that is worth more.
func (p *plan) better(i int32) {
	had := p.value(i)
	if had == p.best[i] {
		return
	}
	p.remove(i)
	p.tryAll(i, p.ways[p.work.jobs[i].model])
	if p.value(i) > had {
		p.keep()
	} else {
		p.undo()
	}
}

// How long is searched: so often goes a window over all tasks, and so often is each tried in
// another order; so often again around each task that was dropped. Five times as much of it
// raises utility by .0004.
const (
	sweeps       = 2
	trials       = 4
	rescues      = 16
	rescueTrials = 16
	anyWay       = 3 // one of so many is tried by any way first
	leastWindow  = 3
	widestWindow = 6
)

// improve searches on: it takes the tasks of a window out of the plan and puts them back in
// another order, which is kept unless it is worse.
func (p *plan) improve(d draw) {
	for range sweeps {
		for from := 0; from < len(p.work.jobs); {
			window := p.window(from, d)
			p.search(window, trials, d)
			from += (len(window) + 1) / 2
		}
	}
	for range rescues {
		for i := range p.work.jobs {
			if p.places[i].way == dropped {
				p.search(p.window(max(0, i-d.IntN(widestWindow)), d), rescueTrials, d)
			}
		}
	}
}

// window is some tasks that came one after the other.
func (p *plan) window(from int, d draw) []int32 {
	window := make([]int32, 0, widestWindow)
	to := min(from+leastWindow+d.IntN(widestWindow-leastWindow+1), len(p.work.jobs))
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
		sum += p.best[i] - p.value(i)
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
	for _, i := range window {
		p.remove(i)
	}
	for _, i := range p.reorder(window, d) {
		ways := p.ways[p.work.jobs[i].model]
		if d.IntN(anyWay) == 0 && p.try(i, ways[d.IntN(len(ways))]) {
			continue // a smaller model may make room for two
		}
		p.tryAll(i, ways)
	}
	if has := p.sum(window); has >= had {
		p.keep()
		return has > had+perAnswer/2
	}
	p.undo()
	return false
}

// reorder draws an order: any, or one in which what earns more for its time on the box is
// likely to come before the rest.
func (p *plan) reorder(window []int32, d draw) []int32 {
	var key [widestWindow]float64
	greedy := d.IntN(2) == 0
	for k, i := range window {
		key[k] = d.Float64()
		if greedy {
			j := &p.work.jobs[i]
			key[k] = j.weight / float64(j.local) * (.3 + key[k])
		}
	}
	order, from := slices.Clone(window), window[0]
	slices.SortFunc(order, func(a, b int32) int { return cmp.Compare(key[b-from], key[a-from]) })
	return order
}
