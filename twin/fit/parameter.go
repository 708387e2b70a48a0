// SPDX-License-Identifier: Apache-2.0

package fit

import (
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"

	"edgex-offload/offload"
	"edgex-offload/twin"
)

// Parameter is a setting that is searched.
type Parameter struct {
	// Name is its key under Offload.Writable.
	Name string
	// It is searched from Low to High: in even steps where Knee is 0, else in steps that grow
	// with the distance from Low, Knee being about where they begin to.
	Low, High, Knee float64
	// Policies and Objectives are those that it matters to; all where there are none.
	Policies, Objectives []string
	// Priced: it matters only where a target has a price.
	Priced bool

	field func(*offload.Settings) *float64
	time  func(*offload.Settings) *time.Duration // in milliseconds
}

// Parameters are all that can be searched. One more is one more line here.
func Parameters() []Parameter {
	quantile, cost, linucb := []string{offload.PolicyQuantile}, []string{offload.PolicyCost}, []string{offload.PolicyLinUCB}
	return []Parameter{
		{Name: "JitterFactor", High: 10, Knee: 1, Policies: cost, field: func(s *offload.Settings) *float64 { return &s.JitterFactor }},
		{Name: "Weights.Accuracy", Low: 1, High: 1000, Knee: 5, field: func(s *offload.Settings) *float64 { return &s.Weights.Accuracy }},
		{Name: "Weights.Energy", High: 10_000, Knee: 10, Objectives: []string{offload.ObjectiveEnergy, offload.ObjectiveBalanced}, field: func(s *offload.Settings) *float64 { return &s.Weights.Energy }},
		{Name: "Weights.Money", High: 1e6, Knee: 100, Objectives: []string{offload.ObjectiveCost, offload.ObjectiveBalanced}, Priced: true, field: func(s *offload.Settings) *float64 { return &s.Weights.Money }},
		{Name: "Tuning.Margin", High: .2, Knee: .002, Policies: quantile, field: func(s *offload.Settings) *float64 { return &s.Tuning.Margin }},
		{Name: "Tuning.Airtime", High: 5, Knee: .05, Policies: quantile, field: func(s *offload.Settings) *float64 { return &s.Tuning.Airtime }},
		{Name: "Tuning.AirtimeIdle", High: 1, Policies: quantile, field: func(s *offload.Settings) *float64 { return &s.Tuning.AirtimeIdle }},
		{Name: "Tuning.Promise", Low: .5, High: .999, field: func(s *offload.Settings) *float64 { return &s.Tuning.Promise }},
		{Name: "Tuning.Doubt", High: 1, field: func(s *offload.Settings) *float64 { return &s.Tuning.Doubt }},
		{Name: "Tuning.Stale", High: .8, field: func(s *offload.Settings) *float64 { return &s.Tuning.Stale }},
		{Name: "Tuning.BackupSlack", Low: 1, High: 5, Knee: .5, field: func(s *offload.Settings) *float64 { return &s.Tuning.BackupSlack }},
		{Name: "Tuning.PlanSlack", High: 2, Knee: .1, field: func(s *offload.Settings) *float64 { return &s.Tuning.PlanSlack }},
		{Name: "Tuning.Reserve", High: .6, field: func(s *offload.Settings) *float64 { return &s.Tuning.Reserve }},
		{Name: "Tuning.Miss", High: 10, Knee: .2, field: func(s *offload.Settings) *float64 { return &s.Tuning.Miss }},
		{Name: "Tuning.Preempt", High: 5, Knee: .1, field: func(s *offload.Settings) *float64 { return &s.Tuning.Preempt }},
		{Name: "Learning.Alpha", High: 10, Knee: .1, Policies: linucb, field: func(s *offload.Settings) *float64 { return &s.Learning.Alpha }},
		{Name: "Learning.Forgetting", Low: .9, High: 1, Policies: linucb, field: func(s *offload.Settings) *float64 { return &s.Learning.Forgetting }},
		// A virtual clock is never late: below some milliseconds a guard costs there what it saves
		// on a real box.
		{Name: "Guard", Low: 3, High: 40, Knee: 2, time: func(s *offload.Settings) *time.Duration { return &s.Guard }},
	}
}

// ParametersFor are those that matter to a policy, an objective and a scenario.
func ParametersFor(policy, objective string, s *twin.Scenario) []Parameter {
	matters := func(of []string, name string) bool { return len(of) == 0 || slices.Contains(of, name) }
	priced := slices.ContainsFunc(s.Targets, func(t twin.Target) bool { return t.PricePerMB > 0 || t.PricePerCall > 0 })
	return slices.DeleteFunc(Parameters(), func(p Parameter) bool {
		return !matters(p.Policies, policy) || !matters(p.Objectives, objective) || (p.Priced && !priced)
	})
}

// Choose gives those of some parameters that are named, in their own order, or all where none
// is; the error lists them.
func Choose(all []Parameter, names []string) ([]Parameter, error) {
	if len(names) == 0 {
		return all, nil
	}
	wanted := make([]bool, len(all))
	for _, name := range names {
		i := slices.IndexFunc(all, func(p Parameter) bool { return strings.EqualFold(p.Name, name) })
		if i < 0 {
			return nil, fmt.Errorf("parameters %q: allowed are %s", name, strings.Join(Names(all), ", "))
		}
		wanted[i] = true
	}
	var chosen []Parameter
	for i := range all {
		if wanted[i] {
			chosen = append(chosen, all[i])
		}
	}
	return chosen, nil
}

// Names are those of some parameters.
func Names(of []Parameter) []string {
	var names []string
	for i := range of {
		names = append(names, of[i].Name)
	}
	return names
}

// of is the parameter's value in some settings, in its own unit.
func (p *Parameter) of(s *offload.Settings) float64 {
	if p.time != nil {
		return float64(*p.time(s)) / float64(time.Millisecond)
	}
	return *p.field(s)
}

// Text is the parameter's value in some settings, as a configuration writes it.
func (p *Parameter) Text(s *offload.Settings) string {
	if p.time != nil {
		return p.time(s).String()
	}
	return strconv.FormatFloat(*p.field(s), 'f', -1, 64)
}

// set takes a value to three digits, so that what was played is what is written.
func (p *Parameter) set(s *offload.Settings, value float64) {
	rounded, _ := strconv.ParseFloat(strconv.FormatFloat(value, 'g', 3, 64), 64)
	rounded = min(max(rounded, p.Low), p.High)
	if p.time != nil {
		*p.time(s) = time.Duration(rounded * float64(time.Millisecond)).Round(time.Microsecond)
		return
	}
	*p.field(s) = rounded
}

// at is the value at a place between Low, 0, and High, 1; place is its inverse.
func (p *Parameter) at(place float64) float64 {
	if p.Knee == 0 {
		return p.Low + place*(p.High-p.Low)
	}
	return p.Low + p.Knee*math.Expm1(place*math.Log1p((p.High-p.Low)/p.Knee))
}

func (p *Parameter) place(value float64) float64 {
	above := min(max(value, p.Low), p.High) - p.Low
	if p.Knee == 0 {
		return above / (p.High - p.Low)
	}
	return math.Log1p(above/p.Knee) / math.Log1p((p.High-p.Low)/p.Knee)
}
