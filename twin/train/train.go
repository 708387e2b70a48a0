// SPDX-License-Identifier: Apache-2.0

package train

import (
	"context"
	"fmt"
	"math/rand/v2"
	"time"

	"edgex-offload/infer/mlp"
	"edgex-offload/offload"
	"edgex-offload/twin"
)

// Round is a point of the learning curve.
type Round struct {
	Number int
	// Decisions were learned from so far; Loss is the mean error of a value in this round.
	Decisions int
	Loss      float64
	// Reward is the mean of the decisions on the validation links, each cell counting alike,
	// Miss and Utility what it comes to there.
	Reward, Miss, Utility float64
	// Best: none before had a higher reward.
	Best bool
}

// Result is what a training came to.
type Result struct {
	// Network is that of the best round.
	Network *mlp.Network
	Curve   []Round
	// HeldOut are the means of each policy on the held-out links, the network's first.
	HeldOut []twin.Score
}

// Watcher hears how a training goes.
type Watcher interface {
	// Step hears of each cell that was played, of how many in all.
	Step(done, of int)
	// Round hears of each point of the learning curve.
	Round(Round)
}

// training is one under way.
type training struct {
	*Options
	watcher Watcher
	agent   *agent
	rng     *rand.Rand
	played  int
}

// Train trains a network. It ends with the context's error soon after that ends.
func Train(ctx context.Context, o Options, w Watcher) (Result, error) {
	if err := o.validate(); err != nil {
		return Result{}, err
	}
	t := &training{Options: &o, watcher: w, rng: rand.New(rand.NewPCG(o.Seed, 1))}
	var err error
	if t.agent, err = newAgent(&o, rand.New(rand.NewPCG(o.Seed, 2))); err != nil {
		return Result{}, err
	}
	var r Result
	for n := 1; n <= o.Rounds; n++ {
		round, err := t.round(ctx, n)
		if err != nil {
			return Result{}, err
		}
		if r.Network == nil || round.Reward > best(r.Curve) {
			round.Best, r.Network = true, t.agent.average.Clone()
		}
		r.Curve = append(r.Curve, round)
		w.Round(round)
	}
	r.HeldOut, err = t.compare(ctx, r.Network)
	return r, err
}

func best(curve []Round) float64 {
	b := curve[0].Reward
	for _, r := range curve {
		b = max(b, r.Reward)
	}
	return b
}

// cells is how many there are in all.
func (t *training) cells() int {
	classes := len(t.Scenario.Classes)
	return t.Rounds*(t.Episodes+classes*len(t.Validation)) + len(compared())*classes*len(t.HeldOut)
}

// play plays one cell.
func (t *training) play(ctx context.Context, c twin.Cell) (twin.Score, error) {
	if err := ctx.Err(); err != nil {
		return twin.Score{}, err
	}
	c.Scenario = t.Scenario
	s, err := twin.Run(c)
	if err != nil {
		return s, fmt.Errorf("class %s, link %s: %w", c.Class.Name, c.Trace.Name, err)
	}
	t.played++
	t.watcher.Step(t.played, t.cells())
	return s, nil
}

// round learns on its episodes and tries the network.
func (t *training) round(ctx context.Context, n int) (Round, error) {
	a := t.agent
	a.loss, a.losses = 0, 0
	for i := range t.Episodes {
		at := float64((n-1)*t.Episodes+i) / float64(t.Rounds*t.Episodes)
		a.explore = t.ExploreFirst + at*(t.ExploreLast-t.ExploreFirst)
		a.optimizer.rate = t.Rate * (1 - .95*at) // the last steps are small: they settle
		class := t.Scenario.Classes[t.rng.IntN(len(t.Scenario.Classes))]
		link := t.Training[t.rng.IntN(len(t.Training))]
		if _, err := t.play(ctx, t.cell(offload.PolicyDQN, a, class, link, t.rng.Uint64())); err != nil {
			return Round{}, err
		}
		a.endEpisode()
	}
	r := Round{Number: n, Decisions: a.seen, Loss: a.loss / float64(max(a.losses, 1))}
	err := t.validate(ctx, &r)
	return r, err
}

// cell is one of a policy.
func (t *training) cell(policy string, n offload.Network, class twin.Class, link twin.Trace, seed uint64) twin.Cell {
	s := t.Settings
	s.Policy = policy
	return twin.Cell{Settings: s, Class: class, Trace: link, Seed: seed, Network: n}
}

// validate tries the network without exploring.
func (t *training) validate(ctx context.Context, r *Round) error {
	var scores []twin.Score
	rewards := 0.
	for _, class := range t.Scenario.Classes {
		for i, link := range t.Validation {
			c := t.cell(offload.PolicyDQN, t.agent.average, class, link, uint64(i+1))
			sum, n := 0., 0
			c.Observe = func(_ time.Duration, o *offload.Outcome) {
				if o.Record.Reward != 0 {
					sum += o.Record.Reward
					n++
				}
			}
			s, err := t.play(ctx, c)
			if err != nil {
				return err
			}
			scores = append(scores, s)
			rewards += sum / float64(max(n, 1))
		}
	}
	m := twin.Mean(scores)
	r.Reward, r.Miss, r.Utility = rewards/float64(len(scores)), m.Miss, m.Utility
	return nil
}

// compared are the policies that the network is set beside, itself first.
func compared() []string {
	return []string{offload.PolicyDQN, offload.PolicyQuantile, offload.PolicyCost, offload.PolicyLinUCB}
}

// compare plays the held-out links.
func (t *training) compare(ctx context.Context, n *mlp.Network) ([]twin.Score, error) {
	var means []twin.Score
	for _, policy := range compared() {
		var scores []twin.Score
		for _, class := range t.Scenario.Classes {
			for i, link := range t.HeldOut {
				s, err := t.play(ctx, t.cell(policy, n, class, link, uint64(1000+i)))
				if err != nil {
					return nil, err
				}
				scores = append(scores, s)
			}
		}
		means = append(means, twin.Mean(scores))
	}
	return means, nil
}
