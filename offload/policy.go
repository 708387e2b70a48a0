// SPDX-License-Identifier: Apache-2.0

package offload

import (
	"time"
)

// path is one way to run a task, as a policy sees it.
type path struct {
	target   int // onBox or the target's index
	expected time.Duration
	// left is the time to the deadline; forever when there is none.
	left   time.Duration
	joules float64
	price  float64 // in the operator's currency
	// transfer is the time of the payload on the uplink, wait what it waits for it.
	transfer, wait time.Duration
	link           linkView
	// prediction is of a remote path.
	prediction prediction
	raw        float64 // the probability of being in time as the link says it
	// silent: nothing is under way there, and nothing was heard for long.
	silent bool
	view   *PathView
	// split is the one that the path goes by, head the time until its features are there.
	split *split
	head  time.Duration
	// headToll is what the head takes of the box, in shares of accuracy.
	headToll float64
}

func (p *path) inTime() bool { return p.expected <= p.left }

// linkView is what the simple policies ask of a link.
type linkView interface {
	Known() bool
	RTT() time.Duration
	SteadyJitter() time.Duration
	Loss() float64
	Heard() time.Duration
}

// decision is what a policy looks at: a task, and what each path promises, the local one
// first. It is the engine's own and valid during the call.
type decision struct {
	job      *job
	now      time.Duration
	paths    []path
	settings *Settings
	// energyPrice is Weights.Energy with what the battery adds.
	energyPrice float64
	// Of the policies that learn: both says to run the backup at once as well, values are the
	// actions' scores.
	lesson lesson
	values [Actions]float32
	both   bool
	// ahead is the work that the box does first, spare where another way to a target is looked at.
	ahead time.Duration
	spare PathView
}

// policy chooses among the usable paths; -1 for none. It may write Cost and Gain of each
// path's view, and keeps nothing of the decision.
type policy interface {
	choose(d *decision) (chosen int, settled Settled)
}

// policyFor makes a policy; the last two are for those that learn.
func policyFor(name string, l *Learning, n Network) policy {
	switch name {
	case PolicyLocal:
		return alwaysLocal{}
	case PolicyCloud:
		return alwaysCloud{}
	case PolicyThreshold:
		return threshold{}
	case PolicyCost:
		return cost{}
	case PolicyLinUCB:
		return newLinUCB(l)
	case PolicyDQN:
		return dqn{n}
	default:
		return quantile{}
	}
}

// careful tells whether what a policy sends is backed up by the probability of its being in
// time. Of cost and threshold, which send what they expect in time, it is not: they are what
// the field compares with, and keep a backup for its latest useful start.
func careful(policy string) bool { return policy != PolicyCost && policy != PolicyThreshold }

// quickest is the usable path with the least expected time that accept takes; -1 for none.
func quickest(paths []path, accept func(*path) bool) int {
	best := -1
	for i := range paths {
		p := &paths[i]
		if p.view.Usable && accept(p) && (best < 0 || p.expected < paths[best].expected) {
			best = i
		}
	}
	return best
}

func isLocal(p *path) bool  { return p.target == onBox }
func isRemote(p *path) bool { return p.target != onBox }
func isAny(*path) bool      { return true }

// onlyPath is for a policy whose own choice is out of the question.
func onlyPath(paths []path) (int, Settled) {
	i := quickest(paths, isAny)
	if i < 0 {
		return -1, Settled{Term: NoUsablePath}
	}
	return i, Settled{Term: OnlyUsable}
}

// alwaysLocal runs on the box whatever the network does, and elsewhere only what the box cannot.
type alwaysLocal struct{}

func (alwaysLocal) choose(d *decision) (int, Settled) {
	if i := quickest(d.paths, isLocal); i >= 0 {
		return i, Settled{Term: ByPolicy}
	}
	return onlyPath(d.paths)
}

// alwaysCloud sends whatever can be sent, to the quickest target.
type alwaysCloud struct{}

func (alwaysCloud) choose(d *decision) (int, Settled) {
	if i := quickest(d.paths, isRemote); i >= 0 {
		return i, Settled{Term: ByPolicy}
	}
	return onlyPath(d.paths)
}

// threshold sends while round trip, jitter and loss are within their limits.
type threshold struct{}

func (threshold) choose(d *decision) (int, Settled) {
	over := Settled{Term: NoneInTime}
	best := -1
	for i := range d.paths {
		p := &d.paths[i]
		if p.target == onBox || !p.view.Usable {
			continue
		}
		if beyond := d.settings.Threshold.beyond(p); beyond.Term != "" {
			over = beyond
			continue
		}
		if p.inTime() && (best < 0 || p.expected < d.paths[best].expected) {
			best = i
		}
	}
	if best >= 0 {
		return best, Settled{Term: WithinLimits}
	}
	if i := quickest(d.paths, isLocal); i >= 0 {
		return i, over
	}
	return onlyPath(d.paths)
}

// beyond is the limit that does not hold; no term when all do.
func (t *Threshold) beyond(p *path) Settled {
	s := Settled{Against: p.view.Target}
	switch l := p.link; {
	case !l.Known():
		s.Term = NotMeasured
	case l.RTT() > t.RTT:
		s.Term, s.Limit = BeyondRTT, ms(t.RTT)
	case l.SteadyJitter() > t.Jitter:
		s.Term, s.Limit = BeyondJitter, ms(t.Jitter)
	case l.Loss() > t.Loss:
		s.Term, s.Limit = BeyondLoss, t.Loss
	}
	return s
}

// cost takes the path with the least cost of those that are in time: expected time (with K
// times the jitter) plus energy and money, less what its accuracy is worth, all in
// milliseconds. When none is in time it takes the one that is nearest to it.
type cost struct{}

func (cost) choose(d *decision) (int, Settled) {
	accuracy := 0. // of the best path: what the others lose against it is their cost
	for i := range d.paths {
		if d.paths[i].view.Usable {
			accuracy = max(accuracy, d.paths[i].view.Accuracy)
		}
	}
	best, second := -1, -1
	for i := range d.paths {
		p := &d.paths[i]
		if !p.view.Usable {
			continue
		}
		w := &d.settings.Weights
		p.view.Cost = w.Latency*ms(p.expected) + w.Accuracy*100*(accuracy-p.view.Accuracy) +
			d.energyPrice*p.joules + w.Money*p.price
		if !p.inTime() {
			continue
		}
		switch {
		case best < 0 || p.view.Cost < d.paths[best].view.Cost:
			best, second = i, best
		case second < 0 || p.view.Cost < d.paths[second].view.Cost:
			second = i
		}
	}
	switch {
	case best < 0:
		i := quickest(d.paths, isAny)
		if i < 0 {
			return -1, Settled{Term: NoUsablePath}
		}
		return i, Settled{Term: NearestTime}
	case second < 0:
		return best, Settled{Term: OnlyInTime}
	}
	return best, Settled{Term: ByCost, Against: d.paths[second].view.Target}
}
