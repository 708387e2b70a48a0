// SPDX-License-Identifier: Apache-2.0

package runner

import (
	"math"
	"testing"

	"edgex-offload/offload"
	"edgex-offload/offload/trial"
)

func TestPoliciesAreComparedSinceTheSettingsWereChanged(t *testing.T) {
	b := start(t, func(o *Options) {
		o.Settings.Policy, o.Settings.Shadows = offload.PolicyLocal, offload.PolicyCloud
	})
	for range 3 {
		b.Do(t.Context(), newTask("a"))
	}
	since, rows := b.Policies()
	if len(rows) != 2 || rows[0].Role != trial.Acting || rows[0].Tasks != 3 || rows[0].Missed.Value != 0 || rows[1].Policy != offload.PolicyCloud {
		t.Fatalf("%+v", rows)
	}
	s := b.engine.Settings()
	if err := b.Configure(s); err != nil { // no change
		t.Fatal(err)
	}
	if again, rows := b.Policies(); again != since || len(rows) != 2 {
		t.Errorf("started anew although nothing changed")
	}
	s.Trial = offload.Trial{Policy: offload.PolicyCost, Share: 1}
	if err := b.Configure(s); err != nil {
		t.Fatal(err)
	}
	b.Do(t.Context(), newTask("a"))
	if again, rows := b.Policies(); !again.After(since) || rows[0].Role != trial.Trial || rows[0].Tasks != 1 {
		t.Errorf("since %v, %+v", again, rows)
	}
	if got := b.Status(); got.Trial != offload.PolicyCost || got.Objective != offload.ObjectiveCustom {
		t.Errorf("trial %q, objective %q", got.Trial, got.Objective)
	}
}

func TestRecordsOfATaskAreFoundNewestFirst(t *testing.T) {
	b := start(t, func(o *Options) { o.DecisionLog = 4; o.Settings.Policy = offload.PolicyLocal })
	for _, id := range []string{"a", "b", "a", "c", "a"} {
		b.Do(t.Context(), newTask(id))
	}
	found := b.Find("a", 10)
	if len(found) != 2 || found[0].Seq != 5 || found[1].Seq != 3 {
		t.Errorf("found %+v, want 5 and 3: the first is no longer kept", found)
	}
	if len(b.Find("a", 1)) != 1 || len(b.Find("z", 1)) != 0 {
		t.Error("limit or name is not heeded")
	}
	if kept, limit := b.Kept(); kept != 4 || limit != 4 {
		t.Errorf("%d of %d are kept", kept, limit)
	}
}

func TestBoxIsShownAndCounts(t *testing.T) {
	b := start(t, func(o *Options) {
		o.Settings.Policy, o.Settings.Objective = offload.PolicyLocal, offload.ObjectiveEnergy
		o.Settings.Weights = offload.DefaultSettings().Weights
	})
	if got := b.Status().Box; got != (Box{Battery: 1, Charging: true}) {
		t.Errorf("%+v before anything is known", got)
	}
	b.SetBox(Box{Battery: .5})
	b.SetBox(Box{Battery: math.NaN(), Charging: true})
	b.SetBox(Box{Battery: 7})
	b.SetBox(Box{Speed: 1.5})
	b.SetBox(Box{Speed: math.NaN()})
	if got := b.Status().Box; got != (Box{Battery: .5}) {
		t.Errorf("%+v", got)
	}
	b.SetBox(Box{Battery: .5, Speed: .4})
	weights, _ := offload.ObjectiveWeights(offload.ObjectiveEnergy)
	if r := b.Do(t.Context(), newTask("a")).Record; r.EnergyWeight != weights.Energy+weights.Battery/4 {
		t.Errorf("a joule was worth %v ms", r.EnergyWeight)
	} else if r.Speed != .4 {
		t.Errorf("the box ran at %v of its full speed", r.Speed)
	}
}
