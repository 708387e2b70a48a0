// SPDX-License-Identifier: Apache-2.0

package linkcheck

import (
	"context"
	"math/rand/v2"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"edgex-offload/twin"
)

func TestOutageAndRecoveryBecomeKnown(t *testing.T) {
	needLink(t)
	for _, traffic := range []Traffic{Busy, Asked} {
		t.Run(string(traffic), func(t *testing.T) {
			b, err := startSteady(t.Context(), traffic, steadyRate, 1, "", steadyService)
			require.NoError(t, err)
			defer func() { require.NoError(t, b.Close()) }()
			ctx, cancel := context.WithCancel(t.Context())
			var sending sync.WaitGroup
			sending.Go(func() { b.send(ctx, traffic.tasks(1)) })
			defer func() { cancel(); sending.Wait() }()

			report := &changeReport{}
			s := &script{bench: b, traffic: traffic, chance: rand.New(rand.NewPCG(1, 1)), report: report}
			// While nothing is known of the rate, the first packet train may take its time.
			measured := func() bool { now := b.link(); return now.Up && now.RTTAgeMs >= 0 && now.UpKbps > 0 }
			require.Eventually(t, measured, twin.Watched, twin.WatchEvery)
			s.outage(ctx, 3*time.Second)
			changes := report.changes()
			require.Len(t, changes, 2, "an outage of three seconds is known while it lasts")
			for _, c := range changes {
				assert.Zero(t, c.Unknown, c.Change)
			}
			assert.Equal(t, "recovery after 3s", changes[1].Change)
		})
	}
}

func TestChangesAreInTheOrderOfTheScript(t *testing.T) {
	r := &changeReport{}
	r.add("rate halved", Asked, 30*time.Millisecond, true)
	r.add("outage", Asked, 0, false)
	r.add("outage", Busy, 10*time.Millisecond, true)
	r.add("rate halved", Busy, 20*time.Millisecond, true)
	r.add("rate halved", Asked, 10*time.Millisecond, true)
	r.add("rate halved", Asked, 20*time.Millisecond, true)
	want := []twin.LinkChange{
		{Change: "rate halved", Traffic: "asked", Runs: 3, MedianMs: 20, P90Ms: 30},
		{Change: "rate halved", Traffic: "busy", Runs: 1, MedianMs: 20, P90Ms: 20},
		{Change: "outage", Traffic: "asked", Runs: 1, MedianMs: 10000, P90Ms: 10000, Unknown: 1},
		{Change: "outage", Traffic: "busy", Runs: 1, MedianMs: 10, P90Ms: 10},
	}
	assert.Equal(t, want, r.changes())
}
