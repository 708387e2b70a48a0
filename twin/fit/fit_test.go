// SPDX-License-Identifier: Apache-2.0

package fit

import (
	"context"
	"math"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"edgex-offload/offload"
	"edgex-offload/twin"
)

// aPlan is a small search: a box and links of some seconds.
func aPlan(t *testing.T) Plan {
	t.Helper()
	s := twin.Benchmark()
	class, err := s.Class("nano")
	require.NoError(t, err)
	objective, err := ObjectiveByName("balanced")
	require.NoError(t, err)
	p := Plan{
		Scenario: &s, Classes: []twin.Class{class}, Seeds: 1, Settings: offload.DefaultSettings(),
		Objective: objective, Parameters: ParametersFor("quantile", "balanced", &s), Budget: 8, Seed: 1, Parallel: 1,
	}
	for i, mbit := range []float64{2, 10, 50} {
		trace := twin.Trace{Name: string(rune('a' + i)), Slots: make([]twin.Slot, 120)}
		for k := range trace.Slots {
			trace.Slots[k] = twin.Slot{RTT: 30 * time.Millisecond, Up: mbit * 1e6 / 8, Down: mbit * 1e6 / 8, Lost: k%40 < 4}
		}
		p.Traces = append(p.Traces, trace)
	}
	return p
}

func TestRunJudgesEachTraceOnceBySettingsThatHaveNotSeenIt(t *testing.T) {
	p := aPlan(t)
	cells, done := 0, 0.
	p.Done = func(size float64) { cells++; done += size }
	r, err := Run(t.Context(), p)
	require.NoError(t, err)
	require.Len(t, r.Folds, 3)
	left := map[string]int{}
	for _, f := range r.Folds {
		for _, name := range f.LeftOut {
			left[name]++
		}
		assert.LessOrEqual(t, f.Training.Mean, 0., "the search began with the settings before")
		require.NoError(t, f.Settings.Validate())
	}
	assert.Equal(t, map[string]int{"a": 1, "b": 1, "c": 1}, left)
	assert.Equal(t, 3, r.LeftOut.Traces)
	assert.LessOrEqual(t, cells, p.Cells())
	assert.LessOrEqual(t, done, p.Size()*1.0001)
}

func TestSamePlanFindsTheSameHoweverManyCellsAtOnce(t *testing.T) {
	p := aPlan(t)
	first, err := Run(t.Context(), p)
	require.NoError(t, err)
	p.Parallel = 4
	second, err := Run(t.Context(), p)
	require.NoError(t, err)
	for i := range first.Folds { // NaN is not equal to itself
		assert.True(t, math.IsNaN(first.Folds[i].Unseen.SE))
		first.Folds[i].Unseen.SE, second.Folds[i].Unseen.SE = 0, 0
	}
	assert.Equal(t, first, second)
}

func TestRunEndsWhenItIsTold(t *testing.T) {
	ctx, stop := context.WithCancel(t.Context())
	stop()
	_, err := Run(ctx, aPlan(t))
	assert.ErrorIs(t, err, context.Canceled)
}

func TestBadPlans(t *testing.T) {
	for says, change := range map[string]func(*Plan){
		"traces 1: at least 2 are needed":         func(p *Plan) { p.Traces = p.Traces[:1] },
		"leave-out 3: allowed is 1 to 2":          func(p *Plan) { p.LeaveOut = 3 },
		"leave-out -1: allowed is 1 to 2":         func(p *Plan) { p.LeaveOut = -1 },
		"seeds 0: allowed is 1 to 100":            func(p *Plan) { p.Seeds = 0 },
		"budget 1: allowed is 2 to 10000":         func(p *Plan) { p.Budget = 1 },
		"parallel 0: allowed is 1 and more":       func(p *Plan) { p.Parallel = 0 },
		"classes: at least one is needed":         func(p *Plan) { p.Classes = nil },
		"parameters: none of them matters":        func(p *Plan) { p.Parameters = nil },
		"JitterFactor -1: allowed is 0 to 100":    func(p *Plan) { p.Settings.JitterFactor = -1 },
		"class .service 0s: allowed is":           func(p *Plan) { p.Classes = make([]twin.Class, 1) },
		"Policy \"best\": allowed is quantile, c": func(p *Plan) { p.Settings.Policy = "best" },
	} {
		p := aPlan(t)
		change(&p)
		_, err := Run(t.Context(), p)
		assert.ErrorContains(t, err, says)
	}
}

func TestParametersAreWithinWhatTheEngineTakes(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := offload.DefaultSettings()
		for _, p := range Parameters() {
			at := rapid.Float64Range(0, 1).Draw(t, p.Name)
			if back := p.place(p.at(at)); math.Abs(back-at) > 1e-9 {
				t.Fatalf("%s: %v comes back as %v", p.Name, at, back)
			}
			p.set(&s, p.at(at))
			if v := p.of(&s); math.Abs(v-p.at(at)) > .006*math.Abs(v)+.0005 {
				t.Fatalf("%s: %v was set, it is %v", p.Name, p.at(at), v)
			}
		}
		if err := s.Validate(); err != nil {
			t.Fatal(err)
		}
	})
}

func TestParametersThatMatter(t *testing.T) {
	s := twin.Benchmark()
	assert.NotContains(t, Names(ParametersFor("quantile", "cost", &s)), "Weights.Money", "nothing has a price")
	s.Targets[0].PricePerMB = .01
	assert.Contains(t, Names(ParametersFor("quantile", "cost", &s)), "Weights.Money")
	assert.NotContains(t, Names(ParametersFor("quantile", "accuracy", &s)), "Weights.Money")
	assert.Contains(t, Names(ParametersFor("cost", "accuracy", &s)), "JitterFactor")
	assert.NotContains(t, Names(ParametersFor("cost", "accuracy", &s)), "Tuning.Margin")

	chosen, err := Choose(Parameters(), []string{"guard", "Tuning.Margin"})
	require.NoError(t, err)
	assert.Equal(t, []string{"Tuning.Margin", "Guard"}, Names(chosen))
	_, err = Choose(Parameters(), []string{"Luck"})
	assert.ErrorContains(t, err, `parameters "Luck": allowed are JitterFactor, `)
}

func TestDescendFindsTheBottom(t *testing.T) {
	bottom := point{.3, .9, 0}
	looked := 0
	look := func(p point) (float64, error) {
		looked++
		sum := 0.
		for i := range p {
			assert.True(t, p[i] >= 0 && p[i] <= 1)
			sum += (p[i] - bottom[i]) * (p[i] - bottom[i])
		}
		return sum, nil
	}
	start := point{.5, .5, .5}
	value, _ := look(start)
	looked = 0
	found, _, err := descend(start, value, 200, rand.New(rand.NewPCG(1, 1)), look)
	require.NoError(t, err)
	assert.InDeltaSlice(t, []float64(bottom), []float64(found), .02)
	assert.LessOrEqual(t, looked, 200)
	assert.Equal(t, point{.5, .5, .5}, start, "it is not changed")
}

func TestSamplesAreSpread(t *testing.T) {
	points := sample(point{.1, .9}, 40, rand.New(rand.NewPCG(1, 1)))
	require.Len(t, points, 40)
	low, high := 1., 0.
	for _, p := range points {
		assert.True(t, p[0] >= 0 && p[0] <= 1 && p[1] >= 0 && p[1] <= 1)
		low, high = min(low, p[0]), max(high, p[0])
	}
	assert.Less(t, low, .1)
	assert.Greater(t, high, .8)
}

func TestObjectives(t *testing.T) {
	s := twin.Score{Tasks: 1000, Utility: .8, Miss: .02, MissCritical: .04, EnergyJ: 500, SentMB: 10}
	for range 999 {
		s.Latencies.Add(100)
	}
	s.Latencies.Add(math.Inf(1))
	for name, want := range map[string]float64{
		"accuracy": .2, "energy": .5 + .2, "cost": .02 + .2, "latency": .1009 + .02,
		"balanced": .2 + .02 + .02 + .025 + .005,
	} {
		o, err := ObjectiveByName(name)
		require.NoError(t, err)
		assert.InDelta(t, want, o.of(&s), .005, name)
	}
	s.Paid = .3
	o, _ := ObjectiveByName("cost")
	assert.InDelta(t, .3+.2, o.of(&s), 1e-9, "a price counts where there is one")
	_, err := ObjectiveByName("luck")
	assert.ErrorContains(t, err, `objective "luck": allowed are balanced, accuracy`)
}

func TestVerdicts(t *testing.T) {
	for _, c := range []struct {
		d    Difference
		says string
	}{
		{difference([]float64{.1, .2, .3}, []float64{.12, .22, .321}), "better by 0.0203 (9.2%), more than two"},
		{difference([]float64{.1, .2}, []float64{.19, .2}), "may be chance. The settings before are recommended"},
		{difference([]float64{.2, .3}, []float64{.2, .3}), "not better than the settings before (+0.0000)"},
		{difference([]float64{.4, .3}, []float64{.2, .3}), "not better than the settings before (+0.1000)"},
	} {
		assert.Contains(t, (&Result{LeftOut: c.d}).Verdict(), c.says)
	}
}

func TestConfigurationIsNested(t *testing.T) {
	s := offload.DefaultSettings()
	s.Tuning.Margin = .004
	chosen, err := Choose(Parameters(), []string{"JitterFactor", "Tuning.Margin", "Tuning.Promise", "Guard"})
	require.NoError(t, err)
	assert.Equal(t, `Offload:
  Writable:
    Policy: quantile
    Objective: balanced
    JitterFactor: 2
    Tuning:
      Margin: 0.004
      Promise: 0.97
    Guard: 5ms
`, Configuration(&s, chosen))

	s, err = Begin(s, "energy")
	require.NoError(t, err)
	assert.Contains(t, Configuration(&s, nil), "Objective: energy")
	s.Weights.Energy = 123.5
	require.NoError(t, s.Validate())
	assert.Equal(t, `Offload:
  Writable:
    Policy: quantile
    Objective: custom
    Weights:
      Latency: 1
      Accuracy: 50
      Energy: 123.5
      Money: 0
      Battery: 12000
`, Configuration(&s, Parameters()[1:3]))
}
