// SPDX-License-Identifier: Apache-2.0

package train

import (
	"math"
	"math/rand/v2"

	"edgex-offload/infer/mlp"
	"edgex-offload/offload"
)

// agent is the network while it learns: an offload.Trainee.
type agent struct {
	*mlp.Network // the one that acts
	options      *Options
	target       *mlp.Network // the one that says what comes next is worth; follows it in steps
	average      *mlp.Network // of the last steps' weights: what comes of the training
	optimizer    *optimizer
	replay       *replay
	rng          *rand.Rand
	// explore is the share of actions that are drawn.
	explore float64
	// waiting are decisions without a reward or a next one; before is the last.
	waiting map[uint64]*transition
	before  *transition
	free    []*transition
	seen    int
	loss    float64
	losses  int
}

func newAgent(o *Options, rng *rand.Rand) (*agent, error) {
	widths := append([]int{offload.StateSize}, o.Hidden...)
	n, err := mlp.New(rng, append(widths, offload.Actions)...)
	if err != nil {
		return nil, err
	}
	return &agent{
		Network: n, options: o, target: n.Clone(), average: n.Clone(), optimizer: newOptimizer(n, o.Rate), replay: newReplay(o.Replay),
		rng: rng, waiting: map[uint64]*transition{},
	}, nil
}

// Choose implements offload.Trainee: the best action, and now and then any.
func (a *agent) Choose(ref uint64, state, values []float32) int {
	t := a.transition()
	copy(t.state[:], state)
	for i, v := range values {
		t.open[i] = !math.IsInf(float64(v), -1)
	}
	if a.before != nil {
		a.before.next, a.before.open, a.before.done = t.state, t.open, true
		a.keep(a.before)
	}
	action := greedy(values)
	if a.rng.Float64() < a.explore {
		action = a.any(t.open)
	}
	t.action = int8(action)
	a.waiting[ref], a.before = t, t
	return action
}

func greedy(values []float32) int {
	best := 0
	for i, v := range values {
		if v > values[best] {
			best = i
		}
	}
	return best
}

func (a *agent) any(open [offload.Actions]bool) int {
	for {
		if i := a.rng.IntN(offload.Actions); open[i] {
			return i
		}
	}
}

// Rewarded implements offload.Trainee.
func (a *agent) Rewarded(ref uint64, reward float64) {
	t := a.waiting[ref]
	if t == nil {
		return
	}
	delete(a.waiting, ref)
	t.reward, t.rewarded = float32(reward), true
	a.keep(t)
}

// keep takes a transition that is complete, and learns.
func (a *agent) keep(t *transition) {
	if !t.rewarded || !t.done {
		return
	}
	a.replay.add(t)
	a.free = append(a.free, t)
	a.seen++
	if len(a.replay.kept) >= a.options.Warmup && a.seen%a.options.Every == 0 {
		a.learn()
	}
}

func (a *agent) transition() *transition {
	if n := len(a.free); n > 0 {
		t := a.free[n-1]
		a.free = a.free[:n-1]
		*t = transition{}
		return t
	}
	return &transition{}
}

// endEpisode closes what is open: the last decision has none after it.
func (a *agent) endEpisode() {
	if t := a.before; t != nil && t.rewarded {
		t.last, t.done = true, true
		a.keep(t)
	}
	a.before = nil
	clear(a.waiting)
}

// learn takes one step on a batch: towards reward + γ Q'(next, argmax Q(next)), with Q' the
// target network.
func (a *agent) learn() {
	for range a.options.Batch {
		t := a.replay.draw(a.rng)
		wanted := float64(t.reward) + a.options.Gamma*a.ahead(t)
		predicted := float64(a.optimizer.forward(t.state[:])[t.action])
		a.loss += math.Abs(predicted - wanted)
		a.losses++
		a.optimizer.backward(t.state[:], int(t.action), huber(predicted, wanted))
	}
	a.optimizer.step(a.options.Batch)
	const soon = 10. // times as much at first, so that where it began is forgotten
	follow(a.average, a.Network, max(averaged, soon/(soon-1+float32(a.optimizer.steps))))
	if a.optimizer.steps%a.options.Renew == 0 {
		follow(a.target, a.Network, 1)
	}
}

// averaged is the share of a step in the average: some two thousand steps count, so that a
// batch that happened to come last does not (Polyak, Juditsky: Acceleration of stochastic
// approximation by averaging, 1992).
const averaged = .0005

// follow moves a network's weights a share of the way to another's.
func follow(n, other *mlp.Network, share float32) {
	for i := range n.Layers {
		blend(n.Layers[i].Weights, other.Layers[i].Weights, share)
		blend(n.Layers[i].Bias, other.Layers[i].Bias, share)
	}
}

func blend(to, from []float32, share float32) {
	if share == 1 {
		copy(to, from)
		return
	}
	for i, v := range from {
		to[i] += share * (v - to[i])
	}
}

// ahead is what the next decision is worth.
func (a *agent) ahead(t *transition) float64 {
	if t.last || a.options.Gamma == 0 {
		return 0
	}
	var values, target [offload.Actions]float32
	_ = a.Values(t.next[:], values[:]) // its sizes are right: newAgent
	_ = a.target.Values(t.next[:], target[:])
	next, most := 0., float32(math.Inf(-1))
	for i, v := range values {
		if t.open[i] && v > most {
			next, most = float64(target[i]), v
		}
	}
	return next
}
