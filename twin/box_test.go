// SPDX-License-Identifier: Apache-2.0

package twin

import (
	"testing"
	"time"

	"edgex-offload/offload"
)

// A box that is hot for long at a time misses fewer deadlines when that is known.
func TestABoxThatIsKnownToThrottleMissesLess(t *testing.T) {
	missed := map[time.Duration]float64{}
	for _, told := range []time.Duration{0, 2 * time.Second} {
		for _, class := range []string{"nano", "orin"} {
			c := cell(t, class, steady(60*time.Millisecond, 4, 200*time.Second))
			c.Settings.Policy = offload.PolicyLocal
			c.Scenario.Throttling = Episodes{Every: 30 * time.Second, Least: 10 * time.Second, Tail: 5 * time.Second, Factor: 2}
			c.Scenario.ThrottlingTold = told
			score, err := Run(c)
			if err != nil {
				t.Fatal(err)
			}
			missed[told] += score.Miss
		}
	}
	if missed[2*time.Second] > .9*missed[0] {
		t.Errorf("missed %.4f when it is told every 2 s, %.4f when it is not", missed[2*time.Second], missed[0])
	}
}
