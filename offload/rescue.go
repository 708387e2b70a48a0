// SPDX-License-Identifier: Apache-2.0

package offload

import "time"

// rescuePause is how often another place is looked for.
const rescuePause = 5 * time.Millisecond

// lastChance is the least probability of being in time for which something is sent that has no
// other way.
const lastChance = .03

// rescue sends a job that the box cannot make in time to a target that may.
func (e *Engine) rescue(j *job) bool {
	if j.record.Policy == PolicyLocal || len(e.targets) == 0 || (j.rescuedAt > 0 && e.now-j.rescuedAt < rescuePause) {
		return false
	}
	j.rescuedAt = max(e.now, 1)
	d := e.look(j, e.views[:1+len(e.targets)])
	best, net := -1, 0.
	needed := 1 - e.likely(j)
	for i := 1; i < len(d.paths); i++ {
		p := &d.paths[i]
		if !p.view.Usable || p.view.InTime < lastChance {
			continue
		}
		n := needed*p.view.InTime*e.settings.Tuning.value(j.task.Priority, p.view.Accuracy) - d.toll(p)
		if n > 0 && (best < 0 || n > net) {
			best, net = i, n
		}
	}
	if best < 0 {
		return false
	}
	e.send(j, &d.paths[best], "rescue")
	return true
}

// rescueDropped sends what a plan has no room for, while there is time to.
func (e *Engine) rescueDropped() {
	for i := range e.box.plan.entries {
		en := &e.box.plan.entries[i]
		if j := en.job; en.dropped && j.careful && j.flying() == nil {
			e.rescue(j)
		}
	}
}
