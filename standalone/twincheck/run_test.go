// SPDX-License-Identifier: Apache-2.0

package twincheck

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"edgex-offload/standalone/emulator"
	"edgex-offload/standalone/emulator/tun"
)

// conditions are those of someCell.
var conditions = emulator.Conditions{RTT: 20 * time.Millisecond, UpBps: 2.5e6, DownBps: 2.5e6}

func steady() emulator.Trace { return emulator.Trace{Slots: []emulator.Conditions{conditions}} }

func TestEveryTaskIsPlayedOnBothSides(t *testing.T) {
	for _, level := range []Level{OverTCP, OverIP} {
		t.Run(string(level), func(t *testing.T) {
			if level == OverIP {
				if err := tun.Available(); err != nil {
					t.Skip(err)
				}
			}
			cell := someCell(t, 2*time.Second)
			c, err := Run(t.Context(), Options{Cell: cell, Trace: steady(), Level: level, Seed: 1})
			require.NoError(t, err)
			tasks := len(draw(t, cell).Tasks)
			assert.Equal(t, tasks, c.Live.Tasks)
			assert.Equal(t, tasks, c.Twin.Tasks)
			assert.GreaterOrEqual(t, c.Wakes.All, tasks, "each arrival is waited for")
			assert.Len(t, c.Different, c.OnlyLive+c.OnlyTwin)
		})
	}
}

func TestCheckEndsWithItsContext(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	_, err := Run(ctx, Options{
		Cell: someCell(t, 400*time.Second), Trace: steady(), Level: OverTCP, Progress: func(time.Duration) { cancel() },
	})
	require.ErrorIs(t, err, context.Canceled)
}

func TestOptionsThatMakeNoSense(t *testing.T) {
	_, err := Run(t.Context(), Options{Cell: someCell(t, time.Second)})
	require.ErrorContains(t, err, "Trace: 0 slots: allowed is one or more")
	_, err = Run(t.Context(), Options{Cell: someCell(t, time.Second), Trace: steady(), Level: "udp"})
	require.ErrorContains(t, err, `Level "udp": allowed are ip, tcp`)
	two := someCell(t, time.Second)
	two.Scenario.Targets = append(two.Scenario.Targets, two.Scenario.Targets[0])
	two.Scenario.Targets[1].Name = "edge"
	_, err = Run(t.Context(), Options{Cell: two, Trace: steady(), Level: OverTCP})
	require.ErrorContains(t, err, "Scenario: 2 targets: allowed is one")
}

func TestTraceBeginsAfterTheLeadIn(t *testing.T) {
	out := emulator.Conditions{Loss: 1}
	trace := emulator.Trace{Slots: []emulator.Conditions{out, out, conditions, {RTT: time.Second, UpBps: 1, DownBps: 1}}}
	first := firstWorking(trace)
	require.Equal(t, conditions, first)
	require.Equal(t, 2*time.Second, leadIn(first))
	require.Equal(t, 15*time.Second, leadIn(emulator.Conditions{RTT: time.Second}))
	source := &delayed{first: first, left: 2, trace: trace.Start()}
	for i, want := range []emulator.Conditions{first, first, out, out, conditions, trace.Slots[3], out} {
		assert.Equal(t, want, source.Next(), "slot %d", i)
	}
}
