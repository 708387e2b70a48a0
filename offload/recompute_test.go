// SPDX-License-Identifier: Apache-2.0

package offload

import (
	"encoding/json"
	"reflect"
	"slices"
	"testing"

	"pgregory.net/rapid"
)

// sameDecision recomputes a record under the settings of its time, and after a way through
// JSON, and compares.
func sameDecision(t fataler, r *Record, s Settings) {
	t.Helper()
	text, err := json.Marshal(r)
	if err != nil {
		t.Fatal(err)
	}
	var read Record
	if err := json.Unmarshal(text, &read); err != nil {
		t.Fatal(err)
	}
	again, err := Recompute(&read, r.Policy, s)
	switch {
	case err != nil:
		t.Fatal(err)
	case again.Decided != r.Decided || again.Settled != r.Settled:
		t.Fatalf("%s decided %q by %+v, and again %q by %+v: %s", r.Policy, r.Decided, r.Settled, again.Decided, again.Settled, text)
	case !reflect.DeepEqual(again.Paths, r.Paths):
		t.Fatalf("%s: the paths are\n%+v, again\n%+v", r.Policy, r.Paths, again.Paths)
	}
}

func TestDecisionsFollowFromTheirRecords(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		p := randomPlant(rt)
		s := p.engine.Settings()
		s.Objective = rapid.SampledFrom(append(Objectives(), "")).Draw(rt, "objective")
		s.Shadows = rapid.SampledFrom([]string{"", "local", "local, cost,quantile", "threshold,cloud"}).Draw(rt, "shadows")
		s.Trial = Trial{PolicyCost, rapid.Float64Range(0, 1).Draw(rt, "share")}
		p.do(Event{Kind: SettingsChanged, Settings: &s})
		p.do(Event{Kind: BoxChanged, Battery: rapid.Float64Range(0, 1).Draw(rt, "charge"), Charging: rapid.Bool().Draw(rt, "charging")})
		live(rt, p)
		p.until(p.now + 1e10)
		decided := 0
		for _, outcomes := range p.outcomes {
			r := &outcomes[0].Record
			if r.Settled.Term == "" {
				continue
			}
			if !slices.Contains(recomputable(), r.Policy) {
				continue // what it had learned is not in the record
			}
			decided++
			sameDecision(rt, r, s) // live changes the policy alone, which the record names
			for _, shadow := range r.Shadows {
				again, err := Recompute(r, shadow.Policy, s)
				if err != nil || again.Decided != shadow.Decided {
					rt.Fatalf("the shadow %+v, again %q (%v)", shadow, again.Decided, err)
				}
			}
		}
		if decided == 0 && p.refs > 20 {
			rt.Skip("nothing was decided")
		}
	})
}

func TestRecomputeSaysWhatItCannot(t *testing.T) {
	p := newPlant(t, testConfig())
	p.until(1e9)
	ref := p.arrive(nil)
	p.until(2e9)
	r := p.outcome(ref).Record
	for name, spoil := range map[string]func(*Record) string{
		`policy "linucb": a record decides`:    func(*Record) string { return "linucb" },
		`ended undecided (invalid)`:            func(r *Record) string { r.Settled, r.Reason = Settled{}, Invalid; return PolicyCost },
		`priority "SOON": allowed are LOW, ME`: func(r *Record) string { r.Priority = "SOON"; return PolicyCost },
	} {
		spoiled := r
		policy := spoil(&spoiled)
		if _, err := Recompute(&spoiled, policy, p.engine.Settings()); err == nil || !contains(err.Error(), name) {
			t.Errorf("error %v, want %q", err, name)
		}
	}
}
