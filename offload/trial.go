// SPDX-License-Identifier: Apache-2.0

package offload

import (
	"errors"
	"fmt"
	"slices"
	"strings"
)

// Trial lets another policy decide for a share of the sources.
type Trial struct {
	// Policy is one of Policies; "" is no trial.
	Policy string
	// Share of the sources, 0 to 1, of which it decides: always the same ones, by InTrial.
	Share float64
}

// mostShadows bounds the policies that choose beside the one that acts.
const mostShadows = 8

// trialBuckets is how finely a trial's share is told.
const trialBuckets = 10_000

// InTrial tells whether a trial of a share takes a source: the FNV-1a hash of its name (32
// bits; Fowler, Noll and Vo) modulo 10000 is below 10000 times the share. A source therefore
// stays on its side as long as the share does, and raising the share only adds sources.
func InTrial(source string, share float64) bool {
	const offset, prime = 2166136261, 16777619
	hash := uint32(offset)
	for i := range len(source) {
		hash = (hash ^ uint32(source[i])) * prime
	}
	return float64(hash%trialBuckets) < share*trialBuckets
}

func (t Trial) validate() error {
	var errs []error
	if t.Policy != "" && !slices.Contains(Policies(), t.Policy) {
		errs = append(errs, fmt.Errorf("Trial.Policy %q: allowed is empty, %s", t.Policy, strings.Join(Policies(), ", ")))
	}
	if !within(t.Share, 0, 1) {
		errs = append(errs, fmt.Errorf("Trial.Share %v: allowed is 0 to 1", t.Share))
	}
	if t.Policy == "" && t.Share > 0 {
		errs = append(errs, fmt.Errorf("Trial.Share %v: allowed is 0 without a Trial.Policy", t.Share))
	}
	return errors.Join(errs...)
}

// shadowNames are the policies of Settings.Shadows. The error lists what is allowed.
func shadowNames(list string) ([]string, error) {
	var names []string
	for name := range strings.SplitSeq(list, ",") {
		name = strings.TrimSpace(name)
		switch {
		case name == "":
		case !slices.Contains(Policies(), name):
			return nil, fmt.Errorf("Shadows %q: allowed are %s, separated by commas", name, strings.Join(Policies(), ", "))
		case slices.Contains(names, name):
			return nil, fmt.Errorf("Shadows %q: it is there twice", name)
		default:
			names = append(names, name)
		}
	}
	if len(names) > mostShadows {
		return nil, fmt.Errorf("Shadows %q: allowed are at most %d", list, mostShadows)
	}
	return names, nil
}

// shadow is a policy that chooses and does not act.
type shadow struct {
	name   string
	policy policy
}

// named is the policy of a name. Each is made once and stays, so that what one has learned
// outlives a change of the settings.
func (e *Engine) named(name string) policy {
	p := e.policies[name]
	if p != nil {
		return p
	}
	p = policyFor(name, &e.settings.Learning, e.network)
	if b, learns := p.(*linUCB); learns {
		e.bandit = b
	}
	e.policies[name] = p
	return p
}

// apply takes settings over that were validated.
func (e *Engine) apply(s Settings) {
	e.given, e.settings, e.box.changed = s, s.resolved(), true
	e.policy = e.named(s.Policy)
	e.shadows = e.shadows[:0]
	names, _ := shadowNames(s.Shadows)
	for _, name := range names {
		e.shadows = append(e.shadows, shadow{name, e.named(name)})
	}
}

// decider is the policy that decides a job.
func (e *Engine) decider(j *job) policy {
	s, r := &e.settings, &j.record
	r.Policy, r.Trial = s.Policy, false
	if s.Trial.Policy == "" || s.Trial.Policy == s.Policy || !InTrial(j.task.Source, s.Trial.Share) {
		return e.policy
	}
	r.Policy, r.Trial = s.Trial.Policy, true
	return e.named(s.Trial.Policy)
}

// castShadows lets the policies that do not act choose on what the one that acts has seen,
// and leaves its figures as they are.
func (e *Engine) castShadows(d *decision, chosen int) {
	if len(e.shadows) == 0 {
		return
	}
	var figures [1 + maxTargets]struct{ cost, gain float64 }
	for i := range d.paths {
		figures[i].cost, figures[i].gain = d.paths[i].view.Cost, d.paths[i].view.Gain
	}
	r := &d.job.record
	for _, s := range e.shadows {
		would := chosen
		if s.name != r.Policy {
			would, _ = s.policy.choose(d)
		}
		r.Shadows = append(r.Shadows, d.shadowView(s.name, would))
	}
	for i := range d.paths {
		d.paths[i].view.Cost, d.paths[i].view.Gain = figures[i].cost, figures[i].gain
	}
}

func (d *decision) shadowView(name string, chosen int) ShadowView {
	s := ShadowView{Policy: name}
	if chosen >= 0 {
		v := d.paths[chosen].view
		s.Decided, s.InTime, s.ExpectedMs = v.Target, v.InTime, v.ExpectedMs
		if local := d.paths[0].view; chosen > 0 && local.Usable && d.settings.Hedge && d.job.deadline != forever {
			s.InTime = 1 - (1-v.InTime)*(1-local.InTime) // the backup that it would have
		}
	}
	return s
}
