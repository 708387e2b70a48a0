// SPDX-License-Identifier: Apache-2.0

package fit

import (
	"context"
	"fmt"
	"strings"

	"edgex-offload/offload"
	"edgex-offload/twin/compare"
)

// judge plays points and remembers what came.
type judge struct {
	*Plan
	begin point
	// seen are the values by settings and trace.
	seen map[string]float64
}

func newJudge(p *Plan) *judge {
	j := &judge{Plan: p, seen: map[string]float64{}}
	for i := range p.Parameters {
		j.begin = append(j.begin, p.Parameters[i].place(p.Parameters[i].of(&p.Settings)))
	}
	return j
}

// settings are those at a point. What has not moved stays as it was, even out of range.
func (j *judge) settings(at point) offload.Settings {
	s := j.Settings
	for k := range at {
		if at[k] != j.begin[k] {
			j.Parameters[k].set(&s, j.Parameters[k].at(at[k]))
		}
	}
	return s
}

// mean is the objective over some traces, each counting alike.
func (j *judge) mean(ctx context.Context, at point, traces []int) (float64, error) {
	values, err := j.values(ctx, at, traces, 0)
	return mean(values), err
}

// values are the objective on each of some traces: the mean over classes and seeds. The seeds
// follow on those that a number of groups before has.
func (j *judge) values(ctx context.Context, at point, traces []int, group int) ([]float64, error) {
	s := j.settings(at)
	var runs []compare.Run
	for _, t := range traces {
		of := j.runs(&s, t, group)
		if _, known := j.seen[j.key(&s, t, group)]; !known {
			runs = append(runs, of...)
			continue
		}
		for i := range of {
			j.done(&of[i])
		}
	}
	scores, err := compare.Play(ctx, runs, j.Parallel, j.done)
	if err != nil {
		return nil, err
	}
	each := len(j.Classes) * j.Seeds
	values := make([]float64, len(traces))
	for i, t := range traces {
		key := j.key(&s, t, group)
		if _, known := j.seen[key]; !known {
			sum := 0.
			for k := range scores[:each] {
				sum += j.Objective.of(&scores[k])
			}
			j.seen[key] = sum / float64(each)
			scores = scores[each:]
		}
		values[i] = j.seen[key]
	}
	return values, nil
}

func (j *judge) runs(s *offload.Settings, trace, group int) []compare.Run {
	var runs []compare.Run
	for _, class := range j.Classes {
		for seed := range j.Seeds {
			r := compare.Run{}
			r.Settings, r.Scenario, r.Class, r.Trace = *s, j.Scenario, class, j.Traces[trace]
			r.Name, r.Seed = s.Policy, uint64(group*j.Seeds+seed+1)
			runs = append(runs, r)
		}
	}
	return runs
}

func (j *judge) key(s *offload.Settings, trace, group int) string {
	var b strings.Builder
	for i := range j.Parameters {
		_, _ = fmt.Fprintf(&b, "%s ", j.Parameters[i].Text(s))
	}
	_, _ = fmt.Fprintf(&b, "%d %d", trace, group)
	return b.String()
}

func (j *judge) done(r *compare.Run) {
	if j.Done != nil {
		j.Done(r.Size())
	}
}

func mean(of []float64) float64 {
	sum := 0.
	for _, v := range of {
		sum += v / float64(len(of))
	}
	return sum
}
