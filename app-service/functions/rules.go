// SPDX-License-Identifier: Apache-2.0

package functions

import (
	"errors"
	"fmt"
	"slices"
	"time"

	"edgex-offload/offload"
)

// Rule says which readings become tasks, and what is asked of them.
type Rule struct {
	// Name is for messages alone.
	Name string
	// Resource is the device resource; Device and Profile narrow the rule, "" is any.
	Resource, Device, Profile string

	Kind  offload.Kind
	Model string
	// Cascade is what a picture goes through, in place of a Kind and a Model; "" for none.
	Cascade  string
	Priority offload.Priority
	// Deadline counts from the capture time; 0 means none.
	Deadline time.Duration
	// ExpectedLocal and ExpectedRemote are execution times to go by until they were
	// measured; 0 means unknown.
	ExpectedLocal, ExpectedRemote time.Duration
	// Private: what is read never leaves the box.
	Private bool
	// FeaturesOnly: what is read leaves the box only as features that a model's head made of it.
	FeaturesOnly bool
}

// Rules finds the rule for a reading. It is not changed after NewRules, so it may be
// shared. The zero value knows no resource.
type Rules struct {
	bySelector map[selector]Rule
}

type selector struct{ device, profile, resource string }

// NewRules refuses a rule without a resource, one that would catch outcome events, and
// two that say the same of the same readings.
func NewRules(rules ...Rule) (Rules, error) {
	bySelector := make(map[selector]Rule, len(rules))
	var errs []error
	for _, rule := range rules {
		key := selector{rule.Device, rule.Profile, rule.Resource}
		other, taken := bySelector[key]
		switch {
		case rule.Resource == "":
			errs = append(errs, fmt.Errorf("%s.Resource %q: allowed is the name of a device resource", rule.Name, rule.Resource))
		case slices.Contains(outcomeResources(), rule.Resource):
			errs = append(errs, fmt.Errorf("%s.Resource %q: allowed is any resource but those of outcomes (%v)", rule.Name, rule.Resource, outcomeResources()))
		case taken:
			errs = append(errs, fmt.Errorf("%s.Resource %q: allowed is one rule for the same Device, Profile and Resource, %s has them too", rule.Name, rule.Resource, other.Name))
		default:
			bySelector[key] = rule
		}
	}
	return Rules{bySelector}, errors.Join(errs...)
}

// Cascades are the names of the rules that ask for a cascade, by its name, each list in order.
func (r Rules) Cascades() map[string][]string {
	all := map[string][]string{}
	for _, rule := range r.bySelector {
		if rule.Cascade != "" {
			all[rule.Cascade] = append(all[rule.Cascade], rule.Name)
		}
	}
	for _, names := range all {
		slices.Sort(names)
	}
	return all
}

// Find returns the rule that names the reading most closely: its device before its
// profile before its resource alone.
func (r Rules) Find(profile, device, resource string) (Rule, bool) {
	for _, key := range [...]selector{
		{device, profile, resource}, {device, "", resource}, {"", profile, resource}, {"", "", resource},
	} {
		if rule, ok := r.bySelector[key]; ok {
			return rule, true
		}
	}
	return Rule{}, false
}
