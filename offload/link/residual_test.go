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

// distribution is that of one histogram at each bin's edge.
func distribution(at time.Duration, r *residuals) (c cumulative) {
	var priors cumulative
	for i := range priors {
		priors[i] = prior(i)
	}
	m := mixture{priors: &priors}
	m.add(r, at, 1)
	for bin := range bins {
		c[bin+1] = m.upTo(bin)
	}
	return c
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
		got := distribution(now, &r)
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
	for _, silence := range []time.Duration{time.Hour, 24 * time.Hour, 365 * 24 * time.Hour, math.MaxInt64 - time.Hour} {
		r := residuals{halfLife: 3 * time.Second}
		for i := range 100 {
			r.learn(time.Duration(i)*time.Second, 2, true, nil)
		}
		got := distribution(silence, &r)
		for edge := range got {
			assert.InDelta(t, prior(edge), got[edge], 1e-9, "edge %d after %v", edge, silence)
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

// Before it is corrected, a bound is a quantile of the mixture of what is known: of the last
// seconds, of the last minute and of the payload's class, each with the prior.
func TestBoundsAreQuantilesOfTheMixture(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		l := New()
		recent, lasting := fading{halfLife: 3 * time.Second}, fading{halfLife: time.Minute}
		ofClass := fading{halfLife: 30 * time.Second}
		now := time.Duration(0)
		for range rapid.IntRange(0, 15).Draw(rt, "samples") { // too few for a longest bound
			now += time.Duration(rapid.IntRange(0, 20_000).Draw(rt, "pause")) * time.Millisecond
			z, bytes := rapid.Float64Range(.26, 60).Draw(rt, "z"), rapid.SampledFrom([]int{1000, 60_000}).Draw(rt, "bytes")
			l.learn(now, &Prediction{scale: 1, class: classOf(bytes)}, z, true)
			s := sample{at: now, value: z}
			recent.samples, lasting.samples = append(recent.samples, s), append(lasting.samples, s)
			if bytes == 1000 {
				ofClass.samples = append(ofClass.samples, s)
			}
		}
		p := l.Predict(now, 1000, Ahead{}, 0)
		mixture := func(edge int) float64 {
			return .1*recent.below(edge, now) + .3*lasting.below(edge, now) + .6*ofClass.below(edge, now)
		}
		for i, level := range levelOf {
			at := (math.Log2(p.bounds[i]/p.scale/l.correction[running][i]) - firstOctave) * perOctave
			low, high := int(math.Floor(at+1e-6)), int(math.Ceil(at-1e-6))
			if i > 0 && p.bounds[i] < p.bounds[i-1]*(1+2e-6) {
				continue // corrected, it would be below the one before it
			}
			if mixture(max(low, 0)) > level+1e-6 || mixture(min(high, bins)) < level-1e-6 {
				rt.Errorf("level %v is in bin %v, where the distribution goes from %v to %v", level, at, mixture(max(low, 0)), mixture(min(high, bins)))
			}
		}
	})
}

// A sample of which is only known that it is beyond z counts as it would be distributed if
// it were known: as those beyond z are (Efron 1967).
func TestWhatIsBeyondIsRedistributedToTheRight(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		r := residuals{halfLife: time.Minute}
		for range rapid.IntRange(0, 20).Draw(rt, "samples") {
			r.learn(time.Second, rapid.Float64Range(.26, 60).Draw(rt, "z"), true, nil)
		}
		before := distribution(time.Second, &r)
		weight := r.weight(time.Second) + priorWeight
		bin := rapid.IntRange(0, bins-1).Draw(rt, "bin")
		var priors cumulative
		for i := range priors {
			priors[i] = prior(i)
		}
		r.learn(time.Second, math.Exp2((float64(bin)+.5)/perOctave+firstOctave), false, &priors)
		after := distribution(time.Second, &r)
		for edge := range after {
			beyond := max(0, before[edge]-before[bin]) / (1 - before[bin])
			assert.InDelta(rt, (weight*before[edge]+beyond)/(weight+1), after[edge], 1e-9, "edge %d", edge)
		}
	})
}
