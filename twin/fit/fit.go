// SPDX-License-Identifier: Apache-2.0

package fit

import (
	"context"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"

	"edgex-offload/offload"
	"edgex-offload/twin"
)

// Plan is what is searched, and on what.
type Plan struct {
	Scenario *twin.Scenario
	Classes  []twin.Class
	// Traces are two or more.
	Traces []twin.Trace
	// Seeds are the workloads of each class and trace in the search, and as many others are
	// played where its outcome is judged. 1 to 100.
	Seeds int
	// Settings are where the search begins, and what it is compared with.
	Settings   offload.Settings
	Objective  Objective
	Parameters []Parameter
	// Budget is how many points a search looks at, 2 to 10000; half of them are drawn, the
	// rest are steps from the best.
	Budget int
	// LeaveOut is how many traces a fold leaves out, 1 to one less than there are; 0: a fifth.
	LeaveOut int
	Seed     uint64
	// Parallel cells are played at once, 1 or more.
	Parallel int
	// Done, which may be nil, hears of cells that have ended, by their size; see Size.
	Done func(size float64)
}

// Result is what was found, and what it is worth.
type Result struct {
	Folds []Fold
	// Training is the difference to the settings before on the traces that each fold's search
	// saw, LeftOut that on those that it did not.
	Training, LeftOut Difference
	// Settings are what was found on all traces, OnAll the difference there.
	Settings offload.Settings
	OnAll    Difference
}

// Fold is a search without some of the traces.
type Fold struct {
	LeftOut          []string
	Settings         offload.Settings
	Training, Unseen Difference
}

// Difference is how the objective differs between settings that were found and those before,
// over traces. Less than 0 is better.
type Difference struct {
	Found, Before float64
	Mean          float64
	// SE is the standard error of Mean; NaN of a single trace.
	SE     float64
	Traces int
}

// Better tells whether the difference is an improvement that is more than chance: by more
// than two standard errors.
func (d Difference) Better() bool { return d.Mean < 0 && d.Mean+2*d.SE < 0 }

// Verdict says what was found out, and what is recommended.
func (r *Result) Verdict() string {
	d := r.LeftOut
	switch {
	case d.Better():
		return fmt.Sprintf("On traces left out, what was found is better by %.4f (%.1f%%), more than two standard errors (%.4f). It is recommended:",
			-d.Mean, -100*d.Mean/d.Before, d.SE)
	case d.Mean < 0:
		return fmt.Sprintf("On traces left out, what was found is better by %.4f, but the standard error is %.4f: that may be chance. The settings before are recommended:",
			-d.Mean, d.SE)
	default:
		return fmt.Sprintf("On traces left out, what was found is not better than the settings before (%+.4f). These are recommended:", d.Mean)
	}
}

// Validate names the first thing that is wrong, its value and what is allowed.
func (p *Plan) Validate() error {
	switch n := len(p.Traces); {
	case n < 2:
		return fmt.Errorf("traces %d: at least 2 are needed, one to search on and one to judge by", n)
	case p.leaveOut() < 1 || p.leaveOut() >= n:
		return fmt.Errorf("leave-out %d: allowed is 1 to %d of %d traces", p.LeaveOut, n-1, n)
	case p.Seeds < 1 || p.Seeds > 100:
		return fmt.Errorf("seeds %d: allowed is 1 to 100", p.Seeds)
	case p.Budget < 2 || p.Budget > 10_000:
		return fmt.Errorf("budget %d: allowed is 2 to 10000", p.Budget)
	case p.Parallel < 1:
		return fmt.Errorf("parallel %d: allowed is 1 and more", p.Parallel)
	case len(p.Classes) == 0:
		return errors.New("classes: at least one is needed")
	case len(p.Parameters) == 0:
		return errors.New("parameters: none of them matters to this policy and objective")
	}
	return p.Settings.Validate()
}

func (p *Plan) leaveOut() int {
	if p.LeaveOut != 0 {
		return p.LeaveOut
	}
	return (len(p.Traces) + 4) / 5
}

// Run searches and judges. The error names what is wrong with the plan.
func Run(ctx context.Context, p Plan) (*Result, error) {
	if err := p.Validate(); err != nil {
		return nil, err
	}
	j := newJudge(&p)
	r := rand.New(rand.NewPCG(p.Seed, 0xf17))
	drawn := sample(j.begin, p.drawn(), r)
	all := make([]int, len(p.Traces))
	for i := range all {
		all[i] = i
	}
	result, seen, unseen := &Result{}, newTotals(len(all)), newTotals(len(all))
	for _, left := range split(r.Perm(len(all)), p.leaveOut()) {
		f, err := j.fold(ctx, left, drawn, r, seen, unseen)
		if err != nil {
			return nil, err
		}
		result.Folds = append(result.Folds, f)
	}
	result.Training, result.LeftOut = seen.difference(), unseen.difference()
	best, err := j.search(ctx, all, drawn, r)
	if err != nil {
		return nil, err
	}
	result.Settings = j.settings(best)
	result.OnAll, err = j.differ(ctx, best, all, 0, newTotals(len(all)))
	return result, err
}

// Cells are how many a Run plays or knows already, at most.
func (p *Plan) Cells() int {
	n := len(p.Traces)
	folds := (n + p.leaveOut() - 1) / p.leaveOut()
	seen := folds*n - n // traces that the folds' searches see, together
	searches := (seen + n) * (p.Budget + 1)
	judging := 2 * (seen + n + n)
	return (searches + judging) * len(p.Classes) * p.Seeds
}

// Size is about how much these are, in the unit of Done.
func (p *Plan) Size() float64 {
	j, all := newJudge(p), 0.
	for t := range p.Traces {
		for _, r := range j.runs(&p.Settings, t, 0) {
			all += r.Size()
		}
	}
	return all / float64(len(p.Traces)*len(p.Classes)*p.Seeds) * float64(p.Cells())
}

// drawn is how much of the budget is drawn before the descent.
func (p *Plan) drawn() int { return p.Budget / 2 }

// split gives parts of a size; the last one may be smaller.
func split(of []int, size int) [][]int {
	var parts [][]int
	for len(of) > 0 {
		n := min(size, len(of))
		parts, of = append(parts, of[:n]), of[n:]
	}
	return parts
}

// totals are the objective by trace, summed over the folds that it was played in.
type totals struct{ found, before, folds []float64 }

func newTotals(traces int) *totals {
	return &totals{make([]float64, traces), make([]float64, traces), make([]float64, traces)}
}

func (t *totals) add(traces []int, found, before []float64) {
	for i, trace := range traces {
		t.found[trace] += found[i]
		t.before[trace] += before[i]
		t.folds[trace]++
	}
}

// difference counts each trace once, in however many folds it was: they say much the same.
func (t *totals) difference() Difference {
	for i, n := range t.folds {
		t.found[i] /= n
		t.before[i] /= n
	}
	return difference(t.found, t.before)
}

func (j *judge) fold(ctx context.Context, left []int, drawn []point, r *rand.Rand, seen, unseen *totals) (Fold, error) {
	var f Fold
	var training []int
	for t := range j.Traces {
		if !slices.Contains(left, t) {
			training = append(training, t)
		}
	}
	best, err := j.search(ctx, training, drawn, r)
	if err != nil {
		return f, err
	}
	f.Settings = j.settings(best)
	for _, t := range left {
		f.LeftOut = append(f.LeftOut, j.Traces[t].Name)
	}
	if f.Training, err = j.differ(ctx, best, training, 0, seen); err != nil {
		return f, err
	}
	f.Unseen, err = j.differ(ctx, best, left, 1, unseen)
	return f, err
}

// differ is how a point differs from where the search began.
func (j *judge) differ(ctx context.Context, at point, traces []int, group int, sum *totals) (Difference, error) {
	before, err := j.values(ctx, j.begin, traces, group)
	if err != nil {
		return Difference{}, err
	}
	found, err := j.values(ctx, at, traces, group)
	if err != nil {
		return Difference{}, err
	}
	sum.add(traces, found, before)
	return difference(found, before), nil
}

// search is one on some traces. The points drawn are the same in each, and are played once.
func (j *judge) search(ctx context.Context, traces []int, drawn []point, r *rand.Rand) (point, error) {
	best, least := j.begin, math.Inf(1)
	for _, at := range append([]point{j.begin}, drawn...) {
		v, err := j.mean(ctx, at, traces)
		if err != nil {
			return nil, err
		}
		if v < least {
			best, least = at, v
		}
	}
	best, _, err := descend(best, least, j.Budget-len(drawn), r, func(at point) (float64, error) {
		return j.mean(ctx, at, traces)
	})
	return best, err
}

func difference(found, before []float64) Difference {
	d := Difference{Found: mean(found), Before: mean(before), SE: math.NaN(), Traces: len(found)}
	d.Mean = d.Found - d.Before
	if n := float64(len(found)); n > 1 {
		squares := 0.
		for i := range found {
			squares += (found[i] - before[i] - d.Mean) * (found[i] - before[i] - d.Mean)
		}
		d.SE = math.Sqrt(squares / (n - 1) / n)
	}
	return d
}
