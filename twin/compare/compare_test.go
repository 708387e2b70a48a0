// SPDX-License-Identifier: Apache-2.0

package compare

import (
	"context"
	"encoding/json"
	"math"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"edgex-offload/offload"
	"edgex-offload/twin"
)

// scored are runs that nobody plays, with scores made up: utility and misses by policy.
func scored(names []string, cells int, score func(name string, cell int) twin.Score) ([]Run, []twin.Score) {
	var runs []Run
	var scores []twin.Score
	for _, name := range names {
		for cell := range cells {
			s := score(name, cell)
			s.Policy, s.Class, s.Trace, s.Seed = name, "nano", "t", uint64(cell+1)
			if cell == 0 {
				s.Class = overloaded
			}
			runs, scores = append(runs, Run{Cell: twin.Cell{Name: name}}), append(scores, s)
		}
	}
	return runs, scores
}

func TestReportOfKnownScores(t *testing.T) {
	names := []string{"a", "b", KnownNetwork}
	r := NewReport(scored(names, 3, func(name string, cell int) twin.Score {
		s := twin.Score{Tasks: 100, Miss: .1 * float64(cell+1), Utility: .6, P99Ms: 50, ECE: twin.None, Brier: twin.None}
		switch name {
		case "b":
			s.Miss, s.Utility, s.P99Ms = .2, .5, twin.None
			if cell == 2 {
				s.P99Ms = 80
			}
		case KnownNetwork:
			s.Utility = .8
		}
		return s
	}))
	assert.Equal(t, names, r.Names)
	a, b := r.Summary["a"], r.Summary["b"]
	assert.InDelta(t, .2, a.Miss, 1e-12)
	assert.InDelta(t, .25, *a.MissWithoutOverloaded, 1e-12)
	assert.InDelta(t, .25, *a.RegretKnownNetwork, 1e-12)
	assert.InDelta(t, .375, *b.RegretKnownNetwork, 1e-12)
	assert.Nil(t, a.RegretEverythingKnown, "it was not played")
	assert.InDelta(t, 80, *b.P99Ms, 1e-12, "over the cells that have one")
	assert.Nil(t, a.ECE)
	assert.InDelta(t, 100, a.Tasks, 1e-12)

	of := map[string]Pair{}
	for _, p := range r.Pairs {
		of[p.A+" "+p.B+" "+p.Metric] = p
	}
	require.Len(t, r.Pairs, 3*6)
	miss := of["a b miss"] // -.1, 0, +.1
	assert.InDelta(t, 0, *miss.Mean, 1e-12)
	assert.InDelta(t, .1/math.Sqrt(3), *miss.SE, 1e-12)
	assert.Equal(t, []int{1, 3}, []int{miss.Wins, miss.Cells}, "a tie is nobody's")
	assert.Equal(t, 3, of["a b utility"].Wins, "more is better")
	assert.Equal(t, 1, of["a b p99_ms"].Cells, "where both have one")
	assert.Nil(t, of["a b p99_ms"].SE, "one cell has no error")
}

func TestReportsKeys(t *testing.T) {
	r := NewReport(scored([]string{"a", "b"}, 1, func(string, int) twin.Score { return twin.Score{Tasks: 1} }))
	text, err := json.Marshal(r)
	require.NoError(t, err)
	var got struct {
		Cells   []map[string]any
		Summary map[string]map[string]any
		Pairs   []map[string]any
	}
	require.NoError(t, json.Unmarshal(text, &got))
	const figures = "tasks miss miss_p0 utility p50_ms p95_ms p99_ms p999_ms sent_mb energy_j sent_share hedge_won hedge_wasted ece brier miss_first_10s"
	for of, keys := range map[string]map[string]any{
		figures + " policy class trace seed":                                              got.Cells[0],
		figures + " regret_known_network regret_everything_known miss_without_overloaded": got.Summary["a"],
		"a b metric mean se wins cells":                                                   got.Pairs[0],
	} {
		var have []string
		for key := range keys {
			have = append(have, key)
		}
		assert.ElementsMatch(t, strings.Fields(of), have)
	}
}

func TestSettingsByName(t *testing.T) {
	s := offload.DefaultSettings()
	for key, value := range map[string]string{
		"JitterFactor": "3.5", "Hedge": "false", "Weights.Accuracy": "7", "Threshold.RTT": "80ms", "queuelimit": "9",
	} {
		require.NoError(t, Set(&s, key, value), key)
	}
	assert.InDelta(t, 3.5, s.JitterFactor, 0)
	assert.False(t, s.Hedge)
	assert.InDelta(t, 7, s.Weights.Accuracy, 0)
	assert.Equal(t, 80*time.Millisecond, s.Threshold.RTT)
	assert.Equal(t, 9, s.QueueLimit)
	for says, pair := range map[string][2]string{
		`JitterFactor "much": allowed is a number`:      {"JitterFactor", "much"},
		`Hedge "perhaps": allowed is true or false`:     {"Hedge", "perhaps"},
		`Guard "5": allowed is a time with its unit`:    {"Guard", "5"},
		`QueueLimit "1.5": allowed is a whole number`:   {"QueueLimit", "1.5"},
		"Policy: no such setting; allowed are ":         {"Policy", "cost"},
		"Weights: no such setting; allowed are ":        {"Weights", "1"},
		"Weights.: no such setting; allowed are Jitter": {"Weights.", "1"},
	} {
		assert.ErrorContains(t, Set(&s, pair[0], pair[1]), says)
	}
	for _, key := range Keys() {
		assert.Error(t, Set(&s, key+"x", "1"))
	}
	assert.Contains(t, Keys(), "Threshold.Loss")
}

// small is a grid of two steady links.
func small(t *testing.T, names ...string) *Grid {
	t.Helper()
	s := twin.Benchmark()
	g := &Grid{Scenario: &s, Classes: s.Classes[:1], Seeds: 2}
	for _, name := range []string{"near", "far"} {
		trace := twin.Trace{Name: name, Slots: make([]twin.Slot, 100)}
		for i := range trace.Slots {
			trace.Slots[i] = twin.Slot{RTT: 5 * time.Millisecond, Up: 5e6, Down: 5e6}
		}
		g.Traces = append(g.Traces, trace)
	}
	for _, name := range names {
		e, err := NewEntry(name, offload.DefaultSettings())
		require.NoError(t, err)
		g.Entries = append(g.Entries, e)
	}
	return g
}

func TestRunsAreInOrderAndOnNoClock(t *testing.T) {
	g := small(t, "local", "cost")
	g.Sweeps = []Sweep{{Key: "Guard", Values: []string{"0s", "20ms"}}}
	runs, err := g.Runs()
	require.NoError(t, err)
	require.Len(t, runs, 2*2*2*3)
	heard := 0
	serial, err := Play(t.Context(), runs, 1, func(*Run) { heard++ })
	require.NoError(t, err)
	assert.Equal(t, len(runs), heard)
	side, err := Play(t.Context(), runs, 7, nil)
	require.NoError(t, err)
	assert.Equal(t, serial, side)
	r := NewReport(runs, serial)
	assert.Len(t, r.Cells, 8)
	require.Len(t, r.Sweeps, 4)
	assert.Equal(t, []string{"Guard", "20ms", "cost"}, []string{r.Sweeps[3].Key, r.Sweeps[3].Value, r.Sweeps[3].Policy})
}

func TestPlayNamesTheCellThatFails(t *testing.T) {
	g := small(t, "local")
	g.Traces[1].Slots = nil
	runs, err := g.Runs()
	require.NoError(t, err)
	_, err = Play(t.Context(), runs, 2, nil)
	assert.ErrorContains(t, err, "policy local, class nano, trace far, seed ")

	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err = Play(ctx, runs[:1], 2, nil)
	assert.ErrorIs(t, err, context.Canceled)
}

func TestEntries(t *testing.T) {
	known, err := NewEntry(EverythingKnown, offload.DefaultSettings())
	require.NoError(t, err)
	assert.True(t, known.Searched)
	_, err = NewEntry("best", offload.DefaultSettings())
	for _, name := range Names() {
		assert.ErrorContains(t, err, name)
	}
	wrong := offload.DefaultSettings()
	wrong.QueueLimit = 0
	_, err = NewEntry("local", wrong)
	assert.ErrorContains(t, err, `policies "local": QueueLimit 0`)
	if slices.Contains(offload.Policies(), "quantile") {
		e, err := NewEntry(KnownNetwork, offload.DefaultSettings())
		require.NoError(t, err)
		assert.True(t, e.Foresight)
		assert.Equal(t, "quantile", e.Settings.Policy)
	}
}
