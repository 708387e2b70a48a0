// SPDX-License-Identifier: Apache-2.0

package offload

import "math"

// linUCB is a contextual bandit: LinUCB with disjoint arms (Li, Chu, Langford, Schapire: A
// contextual-bandit approach to personalized news article recommendation, WWW 2010). For each
// action a it keeps A = λI + Σ x xᵀ of the states x in which it was taken and the ridge
// regression θ of the rewards, and takes the action with the highest
//
//	θᵀx + α √(xᵀ A⁻¹ x)
//
// A⁻¹ is kept by the formula of Sherman and Morrison, and θ with the same gain, so that a
// lesson costs O(n²). Older lessons count less (Learning.Forgetting), as in recursive least
// squares with exponential forgetting. The regression is drawn to what the promises say if
// they hold, and not to zero: it needs no hundred missed deadlines to learn that an answer
// in time is good. It has no chance in it.
type linUCB struct{ arms [Actions]arm }

// arm is what is known of one action.
type arm struct {
	inverse [StateSize][StateSize]float64 // A⁻¹, symmetric
	theta   [StateSize]float64
	gain    [StateSize]float64 // of the lesson that is taken just now
	// unknown is the trace of A⁻¹, most the one at the start.
	unknown, most float64
}

func newLinUCB(l *Learning) *linUCB {
	b := &linUCB{}
	for i := range b.arms {
		b.arms[i].start(1/l.Ridge, assumed(i))
	}
	return b
}

// assumed is the reward of an action by the state's own promises, for Reward.Accuracy and
// Reward.Miss of 1 and in the mean over the priorities: the probability that the box, or one
// of both, is in time, and what the target's accuracy adds.
func assumed(action int) (theta [StateSize]float64) {
	theta[atBias], theta[atPriority] = -.4, .3
	switch action {
	case ActLocal:
		theta[atLocalInTime] = .9
	case ActSend:
		theta[atEitherInTime], theta[atExpectedGain] = .9, .15
	case ActBoth: // another may need the box
		theta[atEitherInTime], theta[atExpectedGain], theta[atLocalService] = .9, .15, -.05
	}
	return theta
}

func (a *arm) start(variance float64, theta [StateSize]float64) {
	*a = arm{theta: theta, unknown: StateSize * variance, most: StateSize * variance}
	for i := range a.inverse {
		a.inverse[i][i] = variance
	}
}

func (b *linUCB) choose(d *decision) (int, Settled) {
	remote := d.observe(&d.lesson.state)
	if chosen, settled, ok := d.forced(remote); ok {
		return chosen, settled
	}
	allowed := d.open(remote)
	for i := range b.arms {
		d.values[i] = float32(b.arms[i].score(&d.lesson.state, d.settings.Learning.Alpha))
	}
	return d.act(best(&d.values, allowed), remote, &d.values, allowed)
}

// score is the upper confidence bound of the action's reward.
func (a *arm) score(x *state, alpha float64) float64 {
	mean, variance := 0., 0.
	for i, v := range x {
		if v == 0 {
			continue
		}
		row, sum := &a.inverse[i], 0.
		for k, w := range x {
			sum += row[k] * float64(w)
		}
		mean += a.theta[i] * float64(v)
		variance += sum * float64(v)
	}
	return mean + alpha*math.Sqrt(max(0, variance))
}

// learn takes a lesson: the state in which an action was taken and the reward that came of it.
func (b *linUCB) learn(l *Learning, action int, x *state, reward float64) {
	b.arms[action].learn(x, reward, l.Forgetting)
}

func (a *arm) learn(x *state, reward, forgetting float64) {
	// Where little varies A⁻¹ would grow for ever; it is never less known than at the start.
	if a.unknown/forgetting > a.most {
		forgetting = 1
	}
	residual, denominator := reward, forgetting
	for i := range a.inverse {
		sum := 0.
		for k, v := range x {
			sum += a.inverse[i][k] * float64(v)
		}
		a.gain[i] = sum // A⁻¹ x
		denominator += sum * float64(x[i])
		residual -= a.theta[i] * float64(x[i])
	}
	a.unknown = 0
	for i := range a.inverse {
		a.theta[i] += residual * a.gain[i] / denominator
		for k := i; k < StateSize; k++ { // one half: rounding keeps it symmetric
			v := (a.inverse[i][k] - a.gain[i]*a.gain[k]/denominator) / forgetting
			a.inverse[i][k], a.inverse[k][i] = v, v
		}
		a.unknown += a.inverse[i][i]
	}
}
