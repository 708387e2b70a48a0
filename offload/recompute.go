// SPDX-License-Identifier: Apache-2.0

package offload

import (
	"fmt"
	"math"
	"slices"
	"strings"
	"time"
)

// Recomputed is a decision that was made again from its record.
type Recomputed struct {
	// Decided is the path that was chosen, "" for none, and Settled what settled it.
	Decided string
	Settled Settled
	// Paths are the record's, with the Cost and the Gain that the policy gave them.
	Paths []PathView
}

// recomputable are the policies whose choice follows from a record alone: they learn nothing.
func recomputable() []string {
	return []string{PolicyQuantile, PolicyCost, PolicyThreshold, PolicyLocal, PolicyCloud}
}

// Recompute is what a policy chooses on the inputs that a record keeps, under settings. With
// the record's own policy and the settings of its time it is the decision once more; with
// another policy it is what that one would have chosen. The record is not changed.
func Recompute(r *Record, policy string, s Settings) (Recomputed, error) {
	switch {
	case !slices.Contains(recomputable(), policy):
		return Recomputed{}, fmt.Errorf("policy %q: a record decides %s alone", policy, strings.Join(recomputable(), ", "))
	case r.Settled.Term == "" || len(r.Paths) == 0:
		return Recomputed{}, fmt.Errorf("record %d: it ended undecided (%s)", r.Seq, r.Reason)
	}
	priority, err := ParsePriority(r.Priority)
	if err != nil {
		return Recomputed{}, fmt.Errorf("record %d: %w", r.Seq, err)
	}
	s = s.resolved()
	out := Recomputed{Paths: slices.Clone(r.Paths)}
	d := decision{
		job: &job{task: &Task{Priority: priority}}, now: duration(r.ArrivedMs), settings: &s, energyPrice: r.EnergyWeight,
	}
	for i := range out.Paths {
		out.Paths[i].Cost, out.Paths[i].Gain = 0, 0
		d.paths = append(d.paths, r.recorded(i, &out.Paths[i]))
	}
	chosen, settled := policyFor(policy, &s.Learning, nil).choose(&d)
	out.Settled = settled
	if chosen >= 0 {
		out.Decided = out.Paths[chosen].Target
	}
	return out, nil
}

// recorded is a path as a policy saw it.
func (r *Record) recorded(i int, v *PathView) path {
	p := path{
		target: i - 1, expected: duration(v.ExpectedMs), left: forever, joules: v.Joules, price: v.Price,
		transfer: duration(v.UpMs), wait: duration(v.WaitMs), link: recordedLink{v}, view: v, silent: v.Silent, headToll: v.HeadToll,
	}
	if r.DeadlineMs > 0 {
		p.left = duration(r.DeadlineMs) - duration(r.ArrivedMs)
	}
	if v.Target == Local && v.Block.What == NoModel {
		p.expected = forever
	}
	return p
}

// recordedLink is what a record keeps of a link.
type recordedLink struct{ v *PathView }

func (l recordedLink) Known() bool                 { return l.v.Measured }
func (l recordedLink) RTT() time.Duration          { return duration(l.v.RTTMs) }
func (l recordedLink) SteadyJitter() time.Duration { return duration(l.v.JitterMs) }
func (l recordedLink) Loss() float64               { return l.v.LossRatio }
func (l recordedLink) Heard() time.Duration        { return 0 }

// duration is the inverse of ms: exact below 104 days.
func duration(ms float64) time.Duration {
	return time.Duration(math.Round(ms * float64(time.Millisecond)))
}
