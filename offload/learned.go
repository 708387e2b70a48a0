// SPDX-License-Identifier: Apache-2.0

package offload

// The actions of the policies that learn, in the order of a Network's values.
const (
	// ActLocal runs on the box.
	ActLocal = iota
	// ActSend sends to the target with the highest probability of being in time, with a
	// backup on the box at the latest useful time (Settings.Hedge).
	ActSend
	// ActBoth sends there and runs the backup at once.
	ActBoth
	// Actions is how many there are.
	Actions
)

// ActionNames names the actions, in their order.
func ActionNames() []string { return []string{"local", "send", "both"} }

// lesson is a decision that is learned from when its task ends.
type lesson struct {
	given  bool
	action int8
	state  state
}

// open tells which actions a decision has, for the remote path of its state.
func (d *decision) open(remote int) (allowed [Actions]bool) {
	allowed[ActLocal] = d.paths[0].view.Usable
	allowed[ActSend] = remote >= 0
	allowed[ActBoth] = allowed[ActLocal] && allowed[ActSend] && d.settings.Hedge && !d.settings.FIFO && d.job.deadline != forever
	return allowed
}

// forced is for a decision with no two actions; ok is false for one that has them.
func (d *decision) forced(remote int) (chosen int, settled Settled, ok bool) {
	local := d.paths[0].view.Usable
	switch {
	case !local && remote < 0:
		return -1, Settled{Term: NoUsablePath}, true
	case !local:
		return remote, Settled{Term: OnlyUsable}, true
	case remote < 0:
		return 0, Settled{Term: NoneInTime}, true
	}
	return 0, Settled{}, false
}

// best is the allowed action with the highest value, the first of equal ones.
func best(values *[Actions]float32, allowed [Actions]bool) int {
	chosen := -1
	for a, v := range values {
		if allowed[a] && (chosen < 0 || v > values[chosen]) {
			chosen = a
		}
	}
	return chosen
}

// act turns an action into a path. The paths' costs become their scores with the other sign.
func (d *decision) act(action, remote int, values *[Actions]float32, allowed [Actions]bool) (int, Settled) {
	d.lesson.given, d.lesson.action = true, int8(action)
	local, away := d.paths[0].view, d.paths[remote].view
	local.Cost = -float64(values[ActLocal])
	sent := ActSend
	if action == ActBoth || (action == ActLocal && allowed[ActBoth] && values[ActBoth] > values[ActSend]) {
		sent = ActBoth
	}
	away.Cost = -float64(values[sent])
	if action == ActLocal {
		return 0, Settled{Term: ByScore, Against: away.Target}
	}
	d.both = action == ActBoth
	return remote, Settled{Term: ByScore, Against: Local}
}

// note keeps what is learned from a decision. While linucb is a shadow it learns from what
// others decide: the reward is the same, whoever chose the action.
func (e *Engine) note(d *decision, chosen int) {
	j := d.job
	if d.lesson.given {
		j.lesson = d.lesson
		return
	}
	if e.bandit == nil || chosen < 0 {
		return
	}
	remote := d.observe(&d.lesson.state)
	if _, _, forced := d.forced(remote); forced || (chosen > 0 && chosen != remote) {
		return
	}
	j.lesson = d.lesson
	j.lesson.given, j.lesson.action = true, int8(min(chosen, ActSend))
}

// learn takes the lesson of a job whose record is complete. What ended because the service
// stops, or since a newer task took its place, says nothing of the decision.
func (e *Engine) learn(j *job) {
	l, r := &j.lesson, &j.record
	if !l.given || r.Reason == Stopped || r.Reason == Superseded {
		return
	}
	r.Reward = e.settings.Learning.Reward.of(r, e.spent(j))
	if e.bandit != nil {
		e.bandit.learn(&e.settings.Learning, int(l.action), &l.state, r.Reward)
	}
	if t, is := e.network.(Trainee); is && r.Policy == PolicyDQN {
		t.Rewarded(j.ref, r.Reward)
	}
}
