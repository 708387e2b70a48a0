// SPDX-License-Identifier: Apache-2.0

package link

import (
	"math"
	"time"
)

// The bins of a residual histogram: log2-spaced, eight to the octave, from 1/4 to 64 times
// the predicted time; what lies outside counts in the first or the last one.
const (
	perOctave   = 8
	firstOctave = -2
	octaves     = 8
	bins        = perOctave * octaves
)

// cumulative is a distribution function at the bins' edges.
type cumulative [bins + 1]float64

// residuals is a histogram of z = measured / predicted time that forgets: its samples fade
// by half in every halfLife, a prior of priorWeight samples never does.
type residuals struct {
	halfLife time.Duration
	weights  [bins]float64
	total    float64
	// scale is what a sample weighs that is added now: instead of fading all bins at each
	// sample the new ones grow, and all is brought back when the numbers get large.
	scale float64
	at    time.Duration
}

// The prior of a link that nothing is known of: P(z > x) = (priorKnee/x)^priorTail beyond
// the knee, weighing as much as three samples.
const (
	priorWeight = 3
	priorKnee   = .7
	priorTail   = 1.6
)

// prior is that at a bin's edge; the last bin has all that lies beyond.
func prior(edge int) float64 {
	x := float64(edge)/perOctave + firstOctave // log2 of z
	knee := math.Log2(priorKnee)
	switch {
	case x <= knee:
		return 0
	case edge == bins:
		return 1
	}
	return 1 - math.Exp2(priorTail*(knee-x))
}

func binOf(z float64) int {
	return min(max(int((math.Log2(max(z, 1e-9))-firstOctave)*perOctave), 0), bins-1)
}

// learn takes a sample, or one that is only known to be beyond z. That one counts where what
// is known beyond z lies, the prior included (Efron's redistribution to the right, 1967), so
// that no time gets more likely to be enough.
func (r *residuals) learn(at time.Duration, z float64, done bool, priors *cumulative) {
	r.fade(at)
	if r.total += r.scale; done {
		r.weights[binOf(z)] += r.scale
		return
	}
	first, beyond := binOf(z), 0.
	known := func(bin int) float64 {
		return r.weights[bin] + priorWeight*r.scale*(priors[bin+1]-priors[bin])
	}
	for bin := first; bin < bins; bin++ {
		beyond += known(bin)
	}
	for bin := first; bin < bins; bin++ {
		r.weights[bin] += r.scale * known(bin) / beyond
	}
}

// fade lets time pass.
func (r *residuals) fade(at time.Duration) {
	if r.scale == 0 {
		r.scale, r.at = 1, at
	}
	const most = 1e12
	if passed := at - r.at; passed > 0 {
		r.at = at
		r.scale *= exp2(passed.Seconds() / r.halfLife.Seconds()) // infinite after a long silence
	}
	if r.scale < most {
		return
	}
	for i := range r.weights {
		r.weights[i] /= r.scale
	}
	r.total /= r.scale
	r.scale = 1
}

// weight is how many samples it holds, faded to a time.
func (r *residuals) weight(at time.Duration) float64 {
	if r.scale == 0 {
		return 0
	}
	return r.total / (r.scale * exp2(max(0, at-r.at).Seconds()/r.halfLife.Seconds()))
}

// exp2 is 2 to the power of x; math.Exp2 has no assembly where math.Exp has.
func exp2(x float64) float64 { return math.Exp(x * math.Ln2) }

// mixture is the distribution of a mixture of residuals, their priors included.
type mixture struct {
	parts  [3]part
	n      int
	prior  float64 // its share
	priors *cumulative
}

// part is one of them: what a unit of its weights is worth in the mixture, and what of its
// weights was passed.
type part struct {
	weights       *[bins]float64
	worth, passed float64
}

// add takes a share of some residuals, faded to a time.
func (m *mixture) add(r *residuals, at time.Duration, share float64) {
	ofPrior := share * priorWeight / (r.weight(at) + priorWeight)
	m.prior += ofPrior
	if r.total > 0 {
		m.parts[m.n] = part{weights: &r.weights, worth: (share - ofPrior) / r.total}
		m.n++
	}
}

// upTo is the probability of a z up to the end of a bin; to be asked for one bin after the
// other, from the first.
func (m *mixture) upTo(bin int) float64 {
	sum := m.prior * m.priors[bin+1]
	for i := range m.parts[:m.n] {
		p := &m.parts[i]
		p.passed += p.weights[bin]
		sum += p.passed * p.worth
	}
	return sum
}
