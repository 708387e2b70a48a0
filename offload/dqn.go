// SPDX-License-Identifier: Apache-2.0

package offload

import "math"

// Network is a trained function from a decision's state to the value of each action.
type Network interface {
	// Values reads a state (StateNames) and writes one value for each action (ActionNames):
	// the reward to expect, and a share of the rewards after it. It is called once for each
	// decision, keeps neither slice, and should take microseconds: the engine waits for it.
	Values(state, values []float32) error
}

// Trainee is a Network under training: it chooses, and hears what came of it.
type Trainee interface {
	Network
	// Choose gives the action for the task that arrived as ref; the value of one that is not
	// allowed is -Inf. Any other answer than an allowed action is taken as the best one.
	Choose(ref uint64, state, values []float32) int
	// Rewarded tells the reward of the task (Reward), once at its end.
	Rewarded(ref uint64, reward float64)
}

// dqn takes the action with the highest value of a deep Q-network (Mnih et al.: Human-level
// control through deep reinforcement learning, Nature 518, 2015), one forward pass for each
// decision. `offload twin train` trains one. Without a network, or with one that fails, it
// decides as cost does and says so.
type dqn struct{ network Network }

func (q dqn) choose(d *decision) (int, Settled) {
	remote := d.observe(&d.lesson.state)
	if chosen, settled, ok := d.forced(remote); ok {
		return chosen, settled
	}
	if !q.values(d) {
		chosen, settled := cost{}.choose(d)
		if chosen >= 0 {
			settled.Term = NoNetwork
		}
		return chosen, settled
	}
	allowed := d.open(remote)
	action := best(&d.values, allowed)
	if t, is := q.network.(Trainee); is {
		for i := range d.values {
			if !allowed[i] {
				d.values[i] = float32(math.Inf(-1))
			}
		}
		if a := t.Choose(d.job.ref, d.lesson.state[:], d.values[:]); a >= 0 && a < Actions && allowed[a] {
			action = a
		}
	}
	return d.act(action, remote, &d.values, allowed)
}

// values asks the network; false where there is none, or no finite answer.
func (q dqn) values(d *decision) bool {
	if q.network == nil || q.network.Values(d.lesson.state[:], d.values[:]) != nil {
		return false
	}
	for _, v := range d.values {
		if v-v != 0 { // not finite
			return false
		}
	}
	return true
}
