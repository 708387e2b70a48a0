// SPDX-License-Identifier: Apache-2.0

package offload

import (
	"slices"
	"time"
)

// plan is what the box would do with what waits: in order of the deadlines (Jackson's rule,
// which is late only where every order is), each with its most accurate variant; where one
// would be late, whatever before it costs least to be run smaller or not at all gives way.
// That is Moore's and Hodgson's algorithm (1968) with values and more than one way to give.
type plan struct {
	jobs    []*job
	entries []entry
	free    []time.Duration // by worker
}

// entry is one job of a plan.
type entry struct {
	job *job
	// worth is what a result of the box would be worth: less where another is likely to come.
	worth   float64
	variant *variant
	takes   time.Duration
	dropped bool
	// pending: a backup that does not compete for the box yet. If its link stands still it will,
	// and with it all that are under way there.
	pending bool
}

// beyondPrice is more than all that a plan holds is worth: whatever is less than critical
// gives way to a critical task that has no other way.
const beyondPrice = 1e6

// mostPlanned bounds the work of one plan; what is due later waits for the next one.
const mostPlanned = 48

// value of a result with a variant.
func (en *entry) value(t *Tuning, v *variant) float64 {
	value := en.worth * t.value(en.job.task.Priority, v.Accuracy)
	if en.job.onlyHere() {
		value += beyondPrice
	}
	return value
}

// plan works the plan out. Without extra the queue is planned, with it that job as well.
// skip, when set, is a run that would be stopped: its worker is free after that, and its job
// among those that wait.
func (e *Engine) plan(p *plan, extra *job, skip *attempt) (value float64) {
	b := &e.box
	p.entries, p.free = p.entries[:0], p.free[:0]
	for _, a := range b.running {
		busy := b.busyFor(a, e.now)
		if a == skip {
			busy = b.stopTime(a.expected)
		}
		p.free = append(p.free, e.now+busy)
	}
	for len(p.free) < b.workers {
		p.free = append(p.free, e.now)
	}
	p.jobs = append(p.jobs[:0], b.queue...)
	if extra != nil {
		p.jobs = append(p.jobs, extra)
	}
	for _, j := range e.jobs {
		if j.backup && !j.waiting && j.careful && j != extra {
			p.jobs = append(p.jobs, j)
		}
	}
	slices.SortFunc(p.jobs, (*job).sooner)
	for _, j := range p.jobs[:min(len(p.jobs), mostPlanned)] {
		if v := bestOf(j.variants()); v != nil {
			p.entries = append(p.entries, entry{
				job: j, worth: 1 - e.likely(j), variant: v, takes: b.expect(v, j.task, e.now), pending: !j.waiting && j != extra,
			})
		}
	}
	for p.late(e, room{}) {
		continue
	}
	for p.late(e, room{slack: e.settings.Tuning.PlanSlack}) {
		continue
	}
	if r := e.settings.Tuning.Reserve; r > 0 && len(p.entries) > 1 && b.load.share(e.now, b.workers) > fullLoad {
		for p.late(e, room{e.settings.Tuning.PlanSlack, r}) {
			continue
		}
	}
	for i := range p.entries {
		if en := &p.entries[i]; !en.dropped {
			value += en.value(&e.settings.Tuning, en.variant)
		}
	}
	return value
}

// bestOf is the most accurate variant; the first of equal ones; nil for none.
func bestOf(all []variant) (best *variant) {
	for i := range all {
		if best == nil || all[i].Accuracy > best.Accuracy {
			best = &all[i]
		}
	}
	return best
}

// fullLoad is the share of the box's time from which on a reserve is kept.
const fullLoad = .6

// room is what should be left between a planned end and the deadline: some of the run's
// expected time, and a share of the time allowed.
type room struct{ slack, reserve float64 }

// late lets something give way for the first entry that would miss its deadline, or would
// not have that room; false when there is nothing to do. For room smaller models are run, and
// nothing is dropped.
func (p *plan) late(e *Engine, r room) bool {
	var buffer [8]time.Duration
	free := append(buffer[:0], p.free...)
	for i := range p.entries {
		en := &p.entries[i]
		if en.dropped {
			continue
		}
		w := 0
		for k := range free {
			if free[k] < free[w] {
				w = k
			}
		}
		free[w] += en.takes
		j := en.job
		if j.due == forever {
			continue
		}
		left := time.Duration(r.slack*float64(en.takes) + r.reserve*float64(j.due-j.arrived))
		if over := free[w] + left - j.due; over > 0 && p.giveWay(e, i, over, r == room{}) {
			return true
		}
	}
	return false
}

// giveWay makes the entry up to the late one smaller, or drops it where it may, that loses the
// least for the time it saves; false where there is none.
func (p *plan) giveWay(e *Engine, late int, over time.Duration, mayDrop bool) bool {
	t := &e.settings.Tuning
	best, bestVariant, least := -1, (*variant)(nil), 0.
	consider := func(i int, v *variant, loss float64, saves time.Duration) {
		if saves <= 0 {
			return
		}
		rate := loss / min(saves, over).Seconds()
		if best < 0 || rate < least {
			best, bestVariant, least = i, v, rate
		}
	}
	for i := range p.entries[:late+1] {
		en := &p.entries[i]
		if en.dropped {
			continue
		}
		all := en.job.variants()
		for k := range all {
			if v := &all[k]; v != en.variant {
				takes := e.box.expect(v, en.job.task, e.now)
				consider(i, v, en.value(t, en.variant)-en.value(t, v), en.takes-takes)
			}
		}
		if !mayDrop {
			continue
		}
		saves := en.takes
		if i == late {
			saves = max(saves, over)
		}
		consider(i, nil, en.value(t, en.variant), saves)
	}
	if best < 0 {
		return false
	}
	en := &p.entries[best]
	if bestVariant == nil {
		en.dropped = true
		return true
	}
	en.variant, en.takes = bestVariant, e.box.expect(bestVariant, en.job.task, e.now)
	return true
}

// first is what runs next; nil for nothing.
func (p *plan) first() *entry {
	for i := range p.entries {
		if en := &p.entries[i]; !en.dropped && !en.pending {
			return en
		}
	}
	return nil
}

// find is a job's entry; nil for none.
func (p *plan) find(j *job) *entry {
	for i := range p.entries {
		if p.entries[i].job == j {
			return &p.entries[i]
		}
	}
	return nil
}
