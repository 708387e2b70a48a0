// SPDX-License-Identifier: Apache-2.0

package twin

import (
	"fmt"
	"math"
	"reflect"
	"slices"
	"testing"
	"time"

	"edgex-offload/offload"
	"edgex-offload/offload/trial"
)

// faltering is a link that stops for a while every ten seconds.
func faltering(length time.Duration) Trace {
	t := steady(40*time.Millisecond, 20, length)
	for i := range t.Slots {
		if at := time.Duration(i) * SlotLength % (10 * time.Second); at > 8*time.Second {
			t.Slots[i].Up, t.Slots[i].RTT = 2e3, 400*time.Millisecond
		}
	}
	t.Name = "faltering"
	return t
}

// compared plays a cell and compares policies by its records.
func compared(t *testing.T, class string, settings offload.Settings) (map[string]trial.Row, []offload.Record) {
	t.Helper()
	c, err := benchmarkClass(class)
	if err != nil {
		t.Fatal(err)
	}
	settings.Grace = 0
	table, records := trial.New(), []offload.Record(nil)
	_, err = Run(Cell{Settings: settings, Class: c, Trace: faltering(2 * time.Minute), Seed: 1, Observe: func(_ time.Duration, o *offload.Outcome) {
		table.Add(&o.Record)
		records = append(records, o.Record.Detach())
	}})
	if err != nil {
		t.Fatal(err)
	}
	rows := map[string]trial.Row{}
	for _, r := range table.Rows() {
		rows[r.Role+" "+r.Policy] = r
	}
	return rows, records
}

func overlap(a, b trial.Interval) bool { return a.Low <= b.High && b.Low <= a.High }

// TestShadowAgainstTheRealThing says how far the estimate of a policy that does not act is to
// be believed: against what the same policy comes to, on the same tasks, when it does. Where
// another acts, what the box promises stands for what would have happened; it promises less
// than the scheduler then keeps, by up to two points here.
func TestShadowAgainstTheRealThing(t *testing.T) {
	const farthest = .03
	const small = .005 // what the box's promise keeps back for a run that stalls
	for _, class := range []string{"nano", "xavier", "orin", "xavier-overloaded"} {
		s := offload.DefaultSettings()
		s.Policy = offload.PolicyLocal
		rows, _ := compared(t, class, s)
		really := rows["acting local"]
		for _, acting := range []string{offload.PolicyCost, offload.PolicyQuantile, offload.PolicyLocal} {
			s.Policy, s.Shadows = acting, offload.PolicyLocal
			rows, _ := compared(t, class, s)
			shadow := rows["shadow local"]
			t.Logf("%s, %s acts: the shadow local misses %v with %.0f%% in agreement; really %v", class, acting,
				inPercent(shadow.Missed), 100**shadow.Agreed, inPercent(really.Missed))
			switch {
			case shadow.Tasks != really.Tasks:
				t.Errorf("%d tasks, and %d when it acts", shadow.Tasks, really.Tasks)
			case math.Abs(shadow.Missed.Value-really.Missed.Value) > farthest:
				t.Errorf("farther off than %v", farthest)
			case acting == offload.PolicyLocal && shadow.Missed != really.Missed:
				t.Errorf("the shadow of what acts is not what happened")
			case acting == offload.PolicyCost && !overlap(shadow.Missed, really.Missed) && shadow.Missed.Value-really.Missed.Value > small:
				t.Errorf("the intervals are apart")
			}
		}
	}
}

func inPercent(i trial.Interval) string {
	return fmt.Sprintf("%.2f%% (%.2f to %.2f)", 100*i.Value, 100*i.Low, 100*i.High)
}

// What the objective cost is for: at most a third of the bytes.
func TestObjectiveCostSendsLittle(t *testing.T) {
	scenario := Benchmark()
	for _, policy := range []string{offload.PolicyQuantile, offload.PolicyCost} {
		sent := map[string]float64{}
		for _, objective := range []string{offload.ObjectiveBalanced, offload.ObjectiveCost} {
			s := offload.DefaultSettings()
			s.Policy, s.Objective, s.Grace = policy, objective, 0
			for _, class := range scenario.Classes {
				score, err := Run(Cell{Settings: s, Scenario: &scenario, Class: class, Trace: faltering(time.Minute), Seed: 1})
				if err != nil {
					t.Fatal(err)
				}
				sent[objective] += score.SentMB
			}
		}
		if cost, balanced := sent[offload.ObjectiveCost], sent[offload.ObjectiveBalanced]; cost > balanced/3 {
			t.Errorf("%s: %.1f MB for the objective cost, %.1f balanced", policy, cost, balanced)
		}
	}
}

func TestDecisionsOfTheTwinFollowFromTheirRecords(t *testing.T) {
	for _, policy := range []string{offload.PolicyQuantile, offload.PolicyCost, offload.PolicyThreshold, offload.PolicyLocal, offload.PolicyCloud} {
		s := offload.DefaultSettings()
		s.Policy, s.Objective = policy, offload.ObjectiveCost
		s.Trial = offload.Trial{Policy: offload.PolicyCost, Share: .3}
		_, records := compared(t, "nano", s)
		decided := map[string]int{}
		for i := range records {
			r := &records[i]
			if r.Settled.Term == "" {
				continue
			}
			again, err := offload.Recompute(r, r.Policy, s)
			if err != nil || again.Decided != r.Decided || again.Settled != r.Settled || !samePaths(again.Paths, r.Paths) {
				t.Fatalf("%s decided %q by %+v, and again %q by %+v (%v)", r.Policy, r.Decided, r.Settled, again.Decided, again.Settled, err)
			}
			decided[r.Policy]++
		}
		if decided[policy] < 500 || decided[offload.PolicyCost] < 300 {
			t.Errorf("%s: too few decisions %v", policy, decided)
		}
	}
}

func samePaths(a, b []offload.PathView) bool {
	return slices.EqualFunc(a, b, func(x, y offload.PathView) bool { return reflect.DeepEqual(x, y) })
}
