// SPDX-License-Identifier: Apache-2.0

package linkcheck

import (
	"context"
	"math"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"edgex-offload/offload"
	"edgex-offload/standalone/emulator"
	"edgex-offload/standalone/emulator/tun"
	"edgex-offload/twin"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func needLink(t *testing.T) {
	t.Helper()
	if err := tun.Available(); err != nil {
		t.Skip(err)
	}
}

// always is a trace of one slot.
func always(c emulator.Conditions) emulator.Trace {
	return emulator.Trace{Slots: []emulator.Conditions{c}}
}

func TestEveryTaskOfACheckIsAccountedFor(t *testing.T) {
	needLink(t)
	conditions := emulator.Conditions(link(steadyRate))
	o := Options{Trace: always(conditions), For: 3 * time.Second, Seed: 5}
	outcomes := make(chan offload.Outcome, 1000)
	o.Observe = func(out offload.Outcome) { outcomes <- out }
	tally, d, err := Run(t.Context(), o)
	require.NoError(t, err)

	work := twin.LinkCheckWork(o.For, twin.LinkCheckEvery(steadyRate), 5)
	assert.Len(t, work.Tasks, d.Tasks)
	assert.Len(t, outcomes, d.Tasks)
	assert.Equal(t, d.Tasks, tally.Score("").Attempts+d.NotSent+d.Unknown)
	assert.Positive(t, d.Link.Probes)
	assert.Positive(t, tally.Score("").ProbeBytes)
	require.NotEmpty(t, d.Looks)
	last := d.Looks[len(d.Looks)-1]
	assert.InDelta(t, steadyRTT.Seconds(), last.Truth.RTT, 1e-9)
	assert.InDelta(t, steadyRate, last.Truth.Up, 1)
	assert.GreaterOrEqual(t, d.Link.MinRTTMs, 1000*steadyRTT.Seconds(), "no round trip is shorter than the link's")
	assert.GreaterOrEqual(t, d.Counters[emulator.Up].CameBytes, sentBytes(work, tally.Score("").Attempts), "what was answered went over the link")
}

// sentBytes is the least that so many of the tasks take.
func sentBytes(work *twin.LinkWork, attempts int) (sum uint64) {
	least := math.MaxInt
	for _, task := range work.Tasks {
		least = min(least, task.Bytes)
	}
	return uint64(least * attempts)
}

func TestCheckEndsWithItsContext(t *testing.T) {
	needLink(t)
	ctx, cancel := context.WithCancel(t.Context())
	o := Options{Trace: always(emulator.Conditions(link(steadyRate))), For: time.Hour}
	o.Progress = func(Look) { cancel() }
	_, d, err := Run(ctx, o)
	require.ErrorIs(t, err, context.Canceled)
	assert.NotEmpty(t, d.Looks)
}

func TestLinkThatIsOutFromTheStartIsNoHang(t *testing.T) {
	needLink(t)
	ctx, cancel := context.WithTimeout(t.Context(), time.Second)
	defer cancel()
	_, _, err := Run(ctx, Options{Trace: always(emulator.Conditions{Loss: 1}), For: time.Minute})
	require.ErrorContains(t, err, "no connection over the link")
}

func TestOptionsThatMakeNoSense(t *testing.T) {
	trace := always(emulator.Conditions(link(steadyRate)))
	for _, c := range []struct {
		options Options
		says    string
	}{
		{Options{}, "Trace: 0 slots: allowed is one or more"},
		{Options{Trace: trace, For: time.Millisecond}, "For: 1ms: allowed is 0 or 1s to"},
		{Options{Trace: trace, For: -time.Second}, "For: -1s: allowed is 0 or 1s to"},
	} {
		_, _, err := Run(t.Context(), c.options)
		require.ErrorContains(t, err, c.says)
	}
	_, err := Changes(t.Context(), ChangesOptions{Repetitions: -1})
	require.ErrorContains(t, err, "Repetitions: -1: allowed is 0 to 1000")
	_, err = Idle(t.Context(), IdleOptions{For: time.Millisecond})
	require.ErrorContains(t, err, "For: 1ms: allowed is 0 or 1s to 1h")
	needLink(t)
	_, _, err = Run(t.Context(), Options{Trace: trace, For: time.Second, CongestionControl: "nosuch"})
	require.ErrorContains(t, err, `CongestionControl: "nosuch": allowed is`)
}

// What counts as an attempt that held its bound, and what is not counted.
func TestHowAnOutcomeIsScored(t *testing.T) {
	for name, c := range map[string]struct {
		answered bool
		reason   offload.Reason
		attempts int
		tookMs   float64
		counted  int
		held     float64
		details  Details
	}{
		"within its bound":              {true, "", 1, 99, 1, 1, Details{Tasks: 1}},
		"beyond it":                     {true, "", 1, 101, 1, 0, Details{Tasks: 1}},
		"never answered":                {false, offload.Failed, 1, 10, 1, 0, Details{Tasks: 1, Unanswered: 1}},
		"stopped while it could hold":   {false, offload.Stopped, 1, 99, 0, 0, Details{Tasks: 1, Unanswered: 1, Unknown: 1}},
		"stopped when it could no more": {false, offload.Stopped, 1, 301, 1, 0, Details{Tasks: 1, Unanswered: 1}},
		"not sent":                      {false, offload.NoPath, 0, 0, 0, 0, Details{Tasks: 1, NotSent: 1}},
	} {
		t.Run(name, func(t *testing.T) {
			o := offload.Outcome{Reason: c.reason, Record: offload.Record{
				Paths: []offload.PathView{{}, {P95Ms: 100, InTime: .9}}, Attempts: make([]offload.AttemptView, c.attempts),
				ArrivedMs: 2, LatencyMs: 2 + c.tookMs, DeadlineMs: 300,
			}}
			if c.answered {
				o.Answer = &offload.Answer{}
			}
			var check check
			check.finished(&twin.LinkAttempt{}, &o)
			score := check.tally.Score("")
			assert.Equal(t, c.counted, score.Attempts)
			assert.InDelta(t, c.held, score.Held95, 0)
			assert.Equal(t, c.details, check.details)
		})
	}
}
