// SPDX-License-Identifier: Apache-2.0

package twin_test

import (
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"edgex-offload/models/policy"
	"edgex-offload/offload"
	"edgex-offload/twin"
)

// A split may never cost more than having no network either: its head takes the box's time from
// others, and where the link comes and goes also in vain. The links are those on which it did.
func TestNoSplitMissesMoreThanTheBoxAlone(t *testing.T) {
	if testing.Short() {
		t.Skip("plays links with every class and policy")
	}
	scenario := twin.Benchmark()
	scenario.Models[0].Splits = []twin.Split{{Name: "frame-head", Accuracy: .95, HeadShare: .5, TailShare: .5, Bytes: 3000}}
	links := append(generatedLinks(), sharedTraces(t)...)
	for _, link := range links {
		if !slices.Contains([]string{"lte", "d02_lte_verizon_short", "d03_lte_att_2016"}, link.Name) {
			continue
		}
		alone := missedIn(t, &scenario, offload.PolicyLocal, link)
		for _, name := range []string{offload.PolicyQuantile, offload.PolicyCost, offload.PolicyThreshold, offload.PolicyLinUCB} {
			m := missedIn(t, &scenario, name, link)
			t.Logf("%s over %s: %.2f%% with a split, the box alone %.2f%%", name, link.Name, 100*m, 100*alone)
			if m > alone+.001 {
				t.Errorf("%s over %s missed %.2f%% with a split, the box alone %.2f%%", name, link.Name, 100*m, 100*alone)
			}
		}
	}
}

// missedIn is the mean over the classes of a scenario.
func missedIn(t *testing.T, scenario *twin.Scenario, name string, link twin.Trace) float64 {
	t.Helper()
	network, err := policy.Read(policy.Shipped())
	require.NoError(t, err)
	var scores []twin.Score
	for _, class := range scenario.Classes {
		settings := offload.DefaultSettings()
		settings.Policy, settings.Grace = name, 0
		s, err := twin.Run(twin.Cell{Settings: settings, Scenario: scenario, Class: class, Trace: link, Seed: 1, Network: network})
		require.NoError(t, err)
		scores = append(scores, s)
	}
	return twin.Mean(scores).Miss
}
