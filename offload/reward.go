// SPDX-License-Identifier: Apache-2.0

package offload

import (
	"errors"
	"fmt"
)

// Learning are the parameters of the policies linucb and dqn.
type Learning struct {
	// Alpha is how many standard deviations of what is not known an action of linucb is
	// given on top. Raising it tries more of what may be better.
	Alpha float64
	// Forgetting is what a lesson of linucb counts after each later one of the same action, .9
	// to 1. Lowering it follows a change sooner and is less sure of everything.
	Forgetting float64
	// Ridge is how many lessons what linucb assumes at the start weighs.
	Ridge float64
	// Reward says what an outcome is worth.
	Reward Reward
}

// Reward says what the outcome of a task with a priority of worth w is worth to the policies
// that learn:
//
//	in time  Accuracy · accuracy · w/(w + 1)
//	else     -Miss/(w + 1)
//	less     Latency · time/time allowed + Energy · joules + Cost · money
//
// cut to -1 to 1. With Accuracy and Miss of 1 it orders outcomes as policy quantile does. Each
// priority spans about the same range, so that a state's figures explain it without a product
// with the priority.
type Reward struct {
	Accuracy, Miss, Latency float64
	// Energy is per joule, Cost per unit of money.
	Energy, Cost float64
}

// DefaultLearning is what suits most links.
func DefaultLearning() Learning {
	return Learning{
		Alpha: .1, Forgetting: .9998, Ridge: 20,
		Reward: Reward{Accuracy: 1, Miss: 1, Latency: .02},
	}
}

func (l Learning) validate() error {
	var errs []error
	check := func(key string, v, low, high float64) {
		if !within(v, low, high) {
			errs = append(errs, fmt.Errorf("Learning.%s %v: allowed is %v to %v", key, v, low, high))
		}
	}
	check("Alpha", l.Alpha, 0, 100)
	check("Forgetting", l.Forgetting, .9, 1)
	check("Ridge", l.Ridge, .001, 1e6)
	check("Reward.Accuracy", l.Reward.Accuracy, 0, 100)
	check("Reward.Miss", l.Reward.Miss, 0, 100)
	check("Reward.Latency", l.Reward.Latency, 0, 100)
	check("Reward.Energy", l.Reward.Energy, 0, 100)
	check("Reward.Cost", l.Reward.Cost, 0, 1e6)
	return errors.Join(errs...)
}

// of is the reward of a record that is complete.
func (w *Reward) of(r *Record, spent spending) float64 {
	value := -w.Miss / (spent.worth + 1)
	if r.DeadlineMet {
		value = w.Accuracy * spent.accuracy * spent.worth / (spent.worth + 1)
	}
	if r.DeadlineMs > 0 {
		value -= w.Latency * min(max(0, r.LatencyMs)/r.DeadlineMs, 1)
	}
	return min(max(value-w.Energy*spent.joules-w.Cost*spent.money, -1), 1)
}

// spending is what an outcome took and what its result is good for.
type spending struct{ worth, accuracy, joules, money float64 }

// spent works out what a job took, when its record is complete.
func (e *Engine) spent(j *job) spending {
	r := &j.record
	s := spending{worth: j.task.Priority.worth()}
	if r.Route != Local {
		s.accuracy = j.accuracyThere()
	}
	for i := range r.Attempts {
		a := &r.Attempts[i]
		if a.Target != Local || a.OfHead() && j.onward != nil && j.sent != 0 { // that is in the path's joules
			continue
		}
		s.joules += e.box.joules(e.power.Busy, duration(max(0, a.EndedMs-a.StartedMs)))
		if a.Result == "ok" && r.Route == Local {
			s.accuracy = j.accuracyOf(a.Variant)
		}
	}
	for i := range r.Paths[min(1, len(r.Paths)):] {
		if j.sent&(1<<i) != 0 {
			s.joules += r.Paths[i+1].Joules
			s.money += r.Paths[i+1].Price
		}
	}
	return s
}

// accuracyOf is that of a variant by its name; 0 for one that is gone.
func (j *job) accuracyOf(name string) float64 {
	all := j.variants()
	for i := range all {
		if all[i].Name == name {
			return all[i].Accuracy
		}
	}
	return 0
}
