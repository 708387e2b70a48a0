// SPDX-License-Identifier: Apache-2.0

package link

import (
	"math"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"pgregory.net/rapid"
)

// fading is a histogram as it is defined: each sample with its own age.
type fading struct {
	halfLife time.Duration
	samples  []sample
}

func (f *fading) weightOf(i int, now time.Duration) float64 {
	return math.Exp2(-(now - f.samples[i].at).Seconds() / f.halfLife.Seconds())
}

// below is the distribution at a bin's edge, with the prior.
func (f *fading) below(edge int, now time.Duration) float64 {
	sum, total := priorWeight*prior(edge), float64(priorWeight)
	for i, s := range f.samples {
		w := f.weightOf(i, now)
		total += w
		if math.Floor((math.Log2(s.value)-firstOctave)*perOctave) < float64(edge) || edge == bins {
			sum += w
		}
	}
	return sum / total
}

func TestResidualsForgetByHalfLife(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		halfLife := rapid.SampledFrom([]time.Duration{3 * time.Second, time.Minute, 10 * time.Minute}).Draw(rt, "half-life")
		r, want := residuals{halfLife: halfLife}, fading{halfLife: halfLife}
		now := time.Duration(0)
		for range rapid.IntRange(0, 80).Draw(rt, "samples") {
			// Up to thirty half-lives: what scales the samples is brought back on the way.
			now += time.Duration(rapid.Float64Range(0, 30).Draw(rt, "pause") * float64(halfLife) * float64(rapid.IntRange(0, 1).Draw(rt, "pauses")))
			z := rapid.Float64Range(.26, 60).Draw(rt, "z")
			r.learn(now, z, true, nil)
			want.samples = append(want.samples, sample{at: now, value: z})
		}
		now += time.Duration(rapid.Float64Range(0, 5).Draw(rt, "later") * float64(halfLife))
		var priors, got cumulative
		for i := range priors {
			priors[i] = prior(i)
		}
		r.mix(now, 1, &got, &priors)
		for edge := range got {
			assert.InDelta(rt, want.below(edge, now), got[edge], 1e-6, "edge %d", edge)
		}
	})
}

func TestResidualsOutsideTheBinsCountAtTheEnds(t *testing.T) {
	r := residuals{halfLife: time.Minute}
	for _, z := range []float64{0, -1, 1e-300, .2, 64, 1e300, math.MaxFloat64} {
		r.learn(time.Second, z, true, nil)
	}
	assert.Equal(t, 4., r.weights[0])
	assert.Equal(t, 3., r.weights[bins-1])
}

func TestALongSilenceLeavesThePrior(t *testing.T) {
	var priors cumulative
	for i := range priors {
		priors[i] = prior(i)
	}
	for _, silence := range []time.Duration{time.Hour, 24 * time.Hour, 365 * 24 * time.Hour, math.MaxInt64 - time.Hour} {
		r := residuals{halfLife: 3 * time.Second}
		for i := range 100 {
			r.learn(time.Duration(i)*time.Second, 2, true, nil)
		}
		var got cumulative
		r.mix(silence, 1, &got, &priors)
		for edge := range got {
			assert.InDelta(t, priors[edge], got[edge], 1e-9, "edge %d after %v", edge, silence)
		}
		r.learn(silence, 2, true, nil)
		assert.InDelta(t, 1, r.weight(silence), 1e-9, "the first sample after it")
	}
}

// P(z > x) = (0.7/x)^1.6 beyond the knee.
func TestPriorAtTheEdges(t *testing.T) {
	for edge := range bins + 1 {
		x := math.Exp2(float64(edge)/perOctave + firstOctave)
		want := 0.
		switch {
		case edge == bins: // what lies beyond counts in the last bin
			want = 1
		case x > priorKnee:
			want = 1 - math.Pow(priorKnee/x, priorTail)
		}
		assert.InDelta(t, want, prior(edge), 1e-12, "at %v", x)
	}
}
