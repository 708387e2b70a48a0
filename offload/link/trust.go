// SPDX-License-Identifier: Apache-2.0

package link

import "math"

// Trust corrects promised probabilities by how often such promises were kept: what is
// promised leans on the residuals of all attempts, and those that are really sent are no fair
// sample of them. On the scale of log odds a correction lies at each of some knots, linear
// between them (Platt's scaling, 1999, in pieces), and is learned by gradient steps on the
// log loss. The zero value corrects nothing.
type Trust struct{ corrections [trustKnots]float64 }

const (
	trustKnots = 9 // at log odds of -4 to 4
	trustReach = (trustKnots - 1) / 2
	// trustStep is how far one kept or broken promise moves a correction, at the most. A smaller
	// step follows a change later and swings less.
	trustStep = .1
	mostTrust = 2.
)

// place is the log odds of a probability, the knot below it and its distance from that.
func place(p float64) (odds float64, knot int, part float64) {
	const least = 1e-6
	p = min(max(p, least), 1-least)
	odds = math.Log(p / (1 - p))
	at := min(max(odds+trustReach, 0), trustKnots-1)
	knot = min(int(at), trustKnots-2)
	return odds, knot, at - float64(knot)
}

// Correct gives the probability as it should have been promised.
func (t *Trust) Correct(p float64) float64 {
	if p <= 0 || p >= 1 {
		return p
	}
	odds, k, part := place(p)
	return logistic(odds + (1-part)*t.corrections[k] + part*t.corrections[k+1])
}

// Learn takes a probability as it was before it was corrected, and whether it came true: 1
// or 0, or how likely it would have.
func (t *Trust) Learn(p, came float64) {
	if p <= 0 || p >= 1 {
		return
	}
	_, k, part := place(p)
	step := trustStep * (came - t.Correct(p))
	t.corrections[k] = min(max(t.corrections[k]+(1-part)*step, -mostTrust), mostTrust)
	t.corrections[k+1] = min(max(t.corrections[k+1]+part*step, -mostTrust), mostTrust)
}

func logistic(x float64) float64 { return 1 / (1 + math.Exp(-x)) }
