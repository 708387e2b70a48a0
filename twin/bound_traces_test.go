// SPDX-License-Identifier: Apache-2.0

package twin_test

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"edgex-offload/offload"
	"edgex-offload/twin"
)

func TestBoundIsAboveThePoliciesOnMeasuredLinks(t *testing.T) {
	if testing.Short() {
		t.Skip("plays every measured link with every class")
	}
	scores := map[string][]twin.Score{}
	for _, trace := range sharedTraces(t) {
		for _, class := range twin.Benchmark().Classes {
			cell := twin.Cell{Settings: offload.DefaultSettings(), Class: class, Trace: trace, Seed: 1}
			bound, err := twin.UpperBound(cell)
			require.NoError(t, err)
			scores[bound.Policy] = append(scores[bound.Policy], bound)
			for _, policy := range []string{offload.PolicyLocal, offload.PolicyCost, offload.PolicyQuantile} {
				cell.Settings.Policy, cell.Settings.Grace = policy, 0
				s, err := twin.Run(cell)
				require.NoError(t, err)
				scores[policy] = append(scores[policy], s)
				assert.Greater(t, bound.Utility, s.Utility, "%s on %s, %s", policy, class.Name, trace.Name)
			}
		}
	}
	missed := twin.Mean(scores[twin.EverythingKnown]).Miss
	for policy, of := range scores {
		m := twin.Mean(of)
		t.Logf("%-16s U %.4f, missed %.3f%%, critical %.3f%%, sent %.0f%%", policy, m.Utility, 100*m.Miss, 100*m.MissCritical, 100*m.SentShare)
		if policy != twin.EverythingKnown {
			assert.Less(t, missed, m.Miss/2, policy)
		}
	}
}
