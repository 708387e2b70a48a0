// SPDX-License-Identifier: Apache-2.0

package train

import (
	"context"
	"math"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"edgex-offload/infer/mlp"
	"edgex-offload/offload"
	"edgex-offload/twin"
)

// silent watches nothing.
type silent struct{}

func (silent) Step(_, _ int) {}
func (silent) Round(Round)   {}

// steady is a link that never changes.
func steady(name string, length time.Duration, slot twin.Slot) twin.Trace {
	t := twin.Trace{Name: name, Slots: make([]twin.Slot, length/twin.SlotLength)}
	for i := range t.Slots {
		t.Slots[i] = slot
	}
	return t
}

// small is a training that takes a second.
func small(link twin.Trace) Options {
	s := twin.Benchmark()
	s.Classes = s.Classes[:2]
	o := DefaultOptions()
	o.Scenario, o.Training, o.Validation, o.HeldOut = &s, []twin.Trace{link}, []twin.Trace{link}, []twin.Trace{link}
	o.Rounds, o.Episodes, o.Every, o.Warmup, o.Renew, o.Hidden = 2, 10, 4, 200, 50, []int{16}
	return o
}

func good(length time.Duration) twin.Trace {
	return steady("good", length, twin.Slot{RTT: 5 * time.Millisecond, Up: 50e6, Down: 50e6})
}

func TestTheGradientIsThatOfTheLoss(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		rng := rand.New(rand.NewPCG(rapid.Uint64().Draw(rt, "seed"), 0))
		n, err := mlp.New(rng, 4, 6, 5, 3)
		require.NoError(rt, err)
		x := make([]float32, 4)
		for i := range x {
			x[i] = float32(rng.NormFloat64())
		}
		o := newOptimizer(n, .001)
		output := rng.IntN(3)
		before := float64(o.forward(x)[output])
		o.backward(x, output, 1)
		layer := rng.IntN(3)
		at := rng.IntN(len(n.Layers[layer].Weights))
		const step = 1e-3
		n.Layers[layer].Weights[at] += step
		after := float64(o.forward(x)[output])
		got := o.layers[layer].weights[at]
		if slope := (after - before) / step; math.Abs(slope-got) > .02*math.Max(1, math.Abs(slope)) {
			// A unit that is just cut by ReLU has another slope on each side.
			n.Layers[layer].Weights[at] -= 2 * step
			if other := (before - float64(o.forward(x)[output])) / step; math.Abs(other-got) > .02*math.Max(1, math.Abs(other)) {
				rt.Fatalf("the gradient is %v, the slope %v and %v", got, slope, other)
			}
		}
	})
}

func TestAnAgentLearnsWhichActionPays(t *testing.T) {
	o := DefaultOptions()
	o.Warmup, o.Every, o.Hidden = 200, 2, []int{16}
	rng := rand.New(rand.NewPCG(1, 0))
	a, err := newAgent(&o, rng)
	require.NoError(t, err)
	a.explore = .3
	// What pays depends on one figure of the state.
	pays := func(s *[offload.StateSize]float32) int { return int(s[3] * offload.Actions * .999) }
	right := 0
	const tasks, last = 12_000, 1000
	for i := range tasks {
		var s [offload.StateSize]float32
		for k := range s {
			s[k] = rng.Float32()
		}
		var values [offload.Actions]float32
		require.NoError(t, a.Values(s[:], values[:]))
		if i >= tasks-last && greedy(values[:]) == pays(&s) {
			right++
		}
		reward := -.5
		if a.Choose(uint64(i), s[:], values[:]) == pays(&s) {
			reward = .5
		}
		a.Rewarded(uint64(i), reward)
	}
	assert.Greater(t, right, last*85/100)
	assert.LessOrEqual(t, len(a.waiting), 1, "decisions that were rewarded are let go")
}

func TestActionsThatAreNotAllowedAreNeverDrawn(t *testing.T) {
	o := DefaultOptions()
	a, err := newAgent(&o, rand.New(rand.NewPCG(1, 0)))
	require.NoError(t, err)
	a.explore = 1
	never := float32(math.Inf(-1))
	state := make([]float32, offload.StateSize)
	for ref := range uint64(200) {
		assert.NotEqual(t, offload.ActBoth, a.Choose(ref, state, []float32{0, 0, never}))
	}
}

func TestTheSameSeedGivesTheSameNetwork(t *testing.T) {
	train := func(seed uint64) []byte {
		o := small(good(5 * time.Second))
		o.Seed = seed
		r, err := Train(context.Background(), o, silent{})
		require.NoError(t, err)
		file, err := r.Network.ONNX(nil)
		require.NoError(t, err)
		return file
	}
	first := train(1)
	assert.Equal(t, first, train(1))
	assert.NotEqual(t, first, train(2))
}

func TestItLearnsWhetherALinkIsOfUse(t *testing.T) {
	for name, c := range map[string]struct {
		link twin.Trace
		ok   func(sent float64) bool
	}{
		"always good": {good(10 * time.Second), func(sent float64) bool { return sent > .7 }},
		// Probes come back, payloads take a second.
		"always slow": {
			steady("slow", 10*time.Second, twin.Slot{RTT: 5 * time.Millisecond, Up: 20e3, Down: 20e3}),
			func(sent float64) bool { return sent < .3 },
		},
	} {
		t.Run(name, func(t *testing.T) {
			r, err := Train(context.Background(), small(c.link), silent{})
			require.NoError(t, err)
			assert.True(t, c.ok(r.HeldOut[0].SentShare), "%.0f%% were sent", 100*r.HeldOut[0].SentShare)
			assert.Len(t, r.Curve, 2)
			assert.Positive(t, r.Curve[1].Decisions)
		})
	}
}

func TestTrainingEndsWithItsContext(t *testing.T) {
	ctx, stop := context.WithCancel(context.Background())
	stop()
	_, err := Train(ctx, small(good(5*time.Second)), silent{})
	assert.ErrorIs(t, err, context.Canceled)
}

func TestMistakes(t *testing.T) {
	for want, spoil := range map[string]func(*Options){
		"rounds 0: allowed is 1 to":                func(o *Options) { o.Rounds = 0 },
		"gamma 1: allowed is 0 to 0.99":            func(o *Options) { o.Gamma = 1 },
		"hidden 1000: allowed is 1 to 256":         func(o *Options) { o.Hidden = []int{1000} },
		"training links: at least one":             func(o *Options) { o.Training = nil },
		"validation link \"\" lasts 0s":            func(o *Options) { o.Validation = []twin.Trace{{}} },
		"scenario: one with a class is needed":     func(o *Options) { o.Scenario = nil },
		"Learning.Reward.Miss -1: allowed is 0 to": func(o *Options) { o.Settings.Learning.Reward.Miss = -1 },
	} {
		o := small(good(5 * time.Second))
		spoil(&o)
		_, err := Train(context.Background(), o, silent{})
		assert.ErrorContains(t, err, want)
	}
}
