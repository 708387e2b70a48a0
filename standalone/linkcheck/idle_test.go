// SPDX-License-Identifier: Apache-2.0

package linkcheck

import (
	"context"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"edgex-offload/offload"
	"edgex-offload/twin"
)

func TestWhatMeasuringCosts(t *testing.T) {
	needLink(t)
	costs, err := Idle(t.Context(), IdleOptions{For: 2 * time.Second})
	require.NoError(t, err)
	require.Len(t, costs, 4)
	for _, c := range costs {
		t.Run(string(c.Traffic), func(t *testing.T) {
			assert.Equal(t, c.Traffic == Asked || c.Traffic == Busy, c.Tasks > 0)
			assert.Equal(t, c.Traffic == Busy, c.Answered > 0)
			assert.GreaterOrEqual(t, c.WireBytes, c.ProbeBytes, "what the box counts went over the link")
			assert.Positive(t, c.FirstBytes)
			if c.Traffic == Unasked || c.Traffic == Metered {
				assert.LessOrEqual(t, c.Probes, uint64(4), "one a second and, on the edge, one more")
			}
		})
	}
}

// Where answers flow nothing is sent to measure the link. A machine that stands still for a
// while holds them up: only then there may be a probe.
func TestAnswersThatFlowLeaveNoProbe(t *testing.T) {
	needLink(t)
	b, err := startSteady(t.Context(), Busy, steadyRate, 1, "", steadyService)
	require.NoError(t, err)
	defer func() { require.NoError(t, b.Close()) }()
	ctx, cancel := context.WithCancel(t.Context())
	var sending sync.WaitGroup
	sending.Go(func() { b.send(ctx, Busy.tasks(1)) })
	defer func() { cancel(); sending.Wait() }()
	answers := func() int { return int(b.meter().tasks.Routes["cloud"]) }
	require.Eventually(t, func() bool { return answers() >= 20 }, twin.Watched, twin.WatchEvery)
	before := b.meter()
	require.Eventually(t, func() bool { return answers() >= 60 }, twin.Watched, twin.WatchEvery)
	after := b.meter()

	records := b.Runner.Decisions(1000, before.tasks.Finished-1)
	if pause := longestPause(records); pause >= offload.DefaultProbing().IntervalMin/2 {
		t.Skipf("the machine stood still for %v", pause)
	}
	assert.Equal(t, before.link.Probes, after.link.Probes)
}

// longestPause is the longest time without an answer.
func longestPause(records []offload.Record) (longest time.Duration) {
	var ends []time.Time
	for _, r := range records {
		ends = append(ends, r.Created.Add(time.Duration(r.LatencyMs*float64(time.Millisecond))))
	}
	slices.SortFunc(ends, time.Time.Compare)
	for i := 1; i < len(ends); i++ {
		longest = max(longest, ends[i].Sub(ends[i-1]))
	}
	return longest
}
