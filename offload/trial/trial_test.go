// SPDX-License-Identifier: Apache-2.0

package trial

import (
	"encoding/json"
	"math"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"edgex-offload/offload"
)

var start = time.Unix(1_000_000, 0)

// record ended at a time after the start, in time or not.
func record(policy string, at time.Duration, missed bool) offload.Record {
	r := offload.Record{
		Policy: policy, Settled: offload.Settled{Term: offload.ByPolicy}, Decided: offload.Local, Route: offload.Local,
		Created: start.Add(at), LatencyMs: 20, DeadlineMet: !missed, DeadlineMs: 100,
	}
	if missed {
		r.Route, r.Reason = "", offload.Shed
	}
	return r
}

func TestTableOfRoles(t *testing.T) {
	table := New()
	acts, tried, late, stopped, invalid := record("quantile", 0, false), record("cost", 0, true), record("quantile", 0, false), record("quantile", 0, true), record("quantile", 0, true)
	acts.Shadows = []offload.ShadowView{
		{Policy: "local", Decided: offload.Local, InTime: .4}, // agrees: what happened counts
		{Policy: "cloud", Decided: "cloud", InTime: .75, ExpectedMs: 60},
		{Policy: "threshold"}, // no path
	}
	tried.Trial = true
	late.DeadlineMet, late.LatencyMs = false, 300
	stopped.Reason, invalid.Settled = offload.Stopped, offload.Settled{}
	for _, r := range []offload.Record{acts, tried, late, stopped, invalid} {
		table.Add(&r)
	}
	rows := table.Rows()
	var names []string
	for _, r := range rows {
		names = append(names, r.Role+" "+r.Policy)
	}
	require.Equal(t, []string{"acting quantile", "trial cost", "shadow cloud", "shadow local", "shadow threshold"}, names)
	require.Equal(t, []float64{.5, 1, .25, 0, 1}, []float64{rows[0].Missed.Value, rows[1].Missed.Value, rows[2].Missed.Value, rows[3].Missed.Value, rows[4].Missed.Value})
	require.EqualValues(t, 2, rows[0].Tasks, "neither the stopped nor the invalid one")
	require.Equal(t, []float64{0, 1, 0}, []float64{*rows[2].Agreed, *rows[3].Agreed, *rows[4].Agreed})
	require.Nil(t, rows[0].Agreed)
	require.InEpsilon(t, 300, rows[0].P99Ms.Value, .01)
	require.InEpsilon(t, 60, rows[2].P99Ms.Value, .01)
	text, err := json.Marshal(rows[4])
	require.NoError(t, err)
	require.Contains(t, string(text), `"p99Ms":{"value":null,"low":null,"high":null}`)
	var back Row
	require.NoError(t, json.Unmarshal(text, &back))
	require.True(t, math.IsInf(back.P99Ms.High, 1))
}

func TestTableIsBounded(t *testing.T) {
	table := New()
	for i := range 1000 {
		r := record(string(rune('a'+i)), 0, false)
		table.Add(&r)
	}
	require.Len(t, table.Rows(), mostRows)
}

func TestWilsonOnKnownCases(t *testing.T) {
	for _, c := range []struct{ missed, n, low, high float64 }{
		{0, 10, 0, .2775}, {10, 10, .7225, 1}, {1, 100, .0018, .0545}, {50, 100, .4038, .5962}, {0, 0, 0, 1},
	} {
		i := Wilson(c.missed, c.n)
		require.InDelta(t, c.low, i.Low, 1e-4)
		require.InDelta(t, c.high, i.High, 1e-4)
	}
}

func TestStudent(t *testing.T) {
	for freedom, want := range map[float64]float64{4: 2.7764, 9: 2.2622, 30: 2.0423, 1000: 1.9623} {
		require.InEpsilon(t, want, student95(freedom), .01)
	}
}

func TestRanksOfTheBinomial(t *testing.T) {
	for n, want := range map[uint64][2]uint64{ // by the binomial distribution with .01
		1: {0, 1}, 100: {0, 4}, 367: {0, 9}, 368: {1, 9}, 500: {1, 11}, 1000: {4, 18},
	} {
		high, low := ranks99(n)
		require.Equal(t, want, [2]uint64{high, low}, n)
	}
	h, l := ranks99(5000)
	bigH, bigL := ranks99(5001)
	require.InDelta(t, float64(h), float64(bigH), 1, "the approximation continues the exact ranks")
	require.InDelta(t, float64(l), float64(bigL), 1)
}

// The intervals hold what they promise on independent times and misses.
func TestIntervalsCover(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	const runs, n, missing = 400, 2000, .03
	heldMiss, heldP99 := 0, 0
	for range runs {
		table := New()
		for i := range n {
			r := record("cost", time.Duration(i)*100*time.Millisecond, random.Float64() < missing)
			if r.Route != "" {
				r.LatencyMs = 20 + 10*random.ExpFloat64()
			}
			table.Add(&r)
		}
		row := table.Rows()[0]
		if row.Missed.Low <= missing && missing <= row.Missed.High {
			heldMiss++
		}
		h := histogram{}
		for range n {
			h.add(10 * random.ExpFloat64())
		}
		if q := h.quantile99(); q.Low <= 10*math.Log(100)*1.01 && q.High >= 10*math.Log(100)/1.01 {
			heldP99++
		}
	}
	require.GreaterOrEqual(t, heldMiss, runs*94/100)
	require.GreaterOrEqual(t, heldP99, runs*94/100)
}

// A stall that hits all tasks of some seconds makes misses follow each other: Wilson's
// interval alone is far too narrow then.
func TestIntervalOfMissesThatComeTogether(t *testing.T) {
	random := rand.New(rand.NewPCG(3, 4))
	const runs, seconds, perSecond, share = 300, 600, 10, .05
	held, wilson := 0, 0
	for range runs {
		table := New()
		missed, stall := 0., 0
		for second := range seconds {
			if stall == 0 && random.Float64() < share/3/(1-share) {
				stall = 3
			}
			for i := range perSecond {
				r := record("cost", time.Duration(second)*time.Second+time.Duration(i)*100*time.Millisecond, stall > 0)
				table.Add(&r)
				if stall > 0 {
					missed++
				}
			}
			stall = max(0, stall-1)
		}
		row := table.Rows()[0]
		if row.Missed.Low <= share && share <= row.Missed.High {
			held++
		}
		if w := Wilson(missed, seconds*perSecond); w.Low <= share && share <= w.High {
			wilson++
		}
	}
	t.Logf("held in %d of %d runs, Wilson's alone in %d", held, runs, wilson)
	require.GreaterOrEqual(t, held, runs*88/100)
	require.Less(t, wilson, runs/2)
}

func TestQuantileIsThatOfTheTimes(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		all := rapid.SliceOfN(rapid.Float64Range(0, 1e6), 1, 300).Draw(rt, "times")
		h := histogram{}
		for _, ms := range all {
			h.add(ms)
		}
		slices.Sort(all)
		want := max(all[len(all)-1-int(.01*float64(len(all)))], least)
		q := h.quantile99()
		if math.Abs(q.Value/want-1) > .011 || q.Low > q.Value || q.High < q.Value {
			rt.Fatalf("%+v of %v", q, want)
		}
	})
}
