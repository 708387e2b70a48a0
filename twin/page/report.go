// SPDX-License-Identifier: Apache-2.0

package page

import (
	"fmt"
	"slices"

	"edgex-offload/twin"
)

// policy is a line of the legend.
type policy struct {
	name, Label string
	Index       int
	Reference   bool
}

// colours are how many the style sheet has; there are as many symbols.
const colours = 8

// Class marks what belongs to the policy, so that it can be brought out.
func (p policy) Class() string { return fmt.Sprintf("p%d q%d", p.Index%colours, p.Index) }

// fill is for areas, stroke for lines. A reference is hollow, and its line is dashed.
func (p policy) fill() string {
	if p.Reference {
		return "hollow " + p.Class()
	}
	return "fill " + p.Class()
}

func (p policy) stroke() string {
	if p.Reference || p.Index >= colours {
		return "curve dashed " + p.Class()
	}
	return "curve " + p.Class()
}

func (p policy) symbol(at point, r float64) string {
	shape := symbols()[p.Index%colours]
	points := make([]point, len(shape))
	for i, s := range shape {
		points[i] = point{at.x + r*s.x, at.y + r*s.y}
	}
	return polygon(points, true)
}

// Symbol is for the legend, around (8, 8).
func (p policy) Symbol() string { return p.symbol(point{8, 8}, 5) }

// Fill is for the template.
func (p policy) Fill() string { return p.fill() }

// report is Data with what several pictures need.
type report struct {
	Data
	policies []policy
	classes  []string
	traces   []string
}

func newReport(d Data) report {
	r := report{Data: d}
	for _, c := range d.Cells {
		r.know(c.Policy, c.Class)
		if !slices.Contains(r.traces, c.Trace) {
			r.traces = append(r.traces, c.Trace)
		}
	}
	for _, l := range d.Latency {
		r.know(l.Policy, l.Class)
	}
	for _, s := range d.Sweeps {
		for _, p := range s.Points {
			r.know(p.Policy, "")
		}
	}
	slices.SortStableFunc(r.policies, func(a, b policy) int { return order(a.Reference) - order(b.Reference) })
	for i := range r.policies {
		r.policies[i].Index = i
	}
	return r
}

// order has references last.
func order(reference bool) int {
	if reference {
		return 1
	}
	return 0
}

func (r *report) know(name, class string) {
	if !slices.ContainsFunc(r.policies, func(p policy) bool { return p.name == name }) {
		r.policies = append(r.policies, policy{name: name, Label: clean(name), Reference: slices.Contains(r.References, name)})
	}
	if class != "" && !slices.Contains(r.classes, class) {
		r.classes = append(r.classes, class)
	}
}

// cells are those of a policy; an empty class or trace is any.
func (r *report) cells(policy, class, trace string) []twin.Score {
	var of []twin.Score
	for _, c := range r.Cells {
		if c.Policy == policy && (class == "" || c.Class == class) && (trace == "" || c.Trace == trace) {
			of = append(of, c)
		}
	}
	return of
}

// choice is a class that can be chosen: Index 0 is all of them, and shown at first.
type choice struct {
	Index int
	Label string
	class string
}

func (r *report) choices() []choice {
	all := []choice{{0, "all classes", ""}}
	if len(r.classes) < 2 {
		return all
	}
	for i, class := range r.classes {
		all = append(all, choice{i + 1, clean(class), class})
	}
	return all
}

// plural counts things.
func plural(n int, one string) string {
	if n == 1 {
		return "1 " + one
	}
	if one == "class" {
		return count(n) + " classes"
	}
	if one == "policy" {
		return count(n) + " policies"
	}
	return count(n) + " " + one + "s"
}
