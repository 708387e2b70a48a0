// SPDX-License-Identifier: Apache-2.0

package offload

import "time"

// quantile weighs what a target adds to the box against what it takes, by the probability
// of being in time from the whole estimated distribution of each. All is in shares of
// accuracy of a result of the lowest priority:
//
//	gain = P_R (A_R - A_L P_L) w + P_R (1 - P_L) m + P_R (energy J_L)/(100 a)
//	cost = 1/(100 a) (energy J + money price) + air s/T (base + min(1, backlog/T))
//
// with P the probability of being in time, A the accuracy, w the priority's worth, m that of
// a deadline met, a Weights.Accuracy (ms a point), s the payload's time on the uplink, T the
// time left. A backup on the box is kept behind what is sent (hedge.go), so that P_L is
// not lost: that is why the gain of the target counts and not its loss.
type quantile struct{}

func (quantile) choose(d *decision) (int, Settled) {
	local := &d.paths[0]
	pl, al := local.view.InTime, local.view.Accuracy
	if !local.view.Usable {
		pl = 0
	}
	worth, t := d.job.task.Priority.worth(), &d.settings.Tuning
	best, net := -1, 0.
	for i := 1; i < len(d.paths); i++ {
		p := &d.paths[i]
		if !p.view.Usable {
			continue
		}
		pr := p.view.InTime
		p.view.Gain = pr*d.energy(local.joules) + pr*(worth*(p.view.Accuracy-al*pl)+t.Miss*(1-pl))
		p.view.Cost = d.toll(p) + t.Margin
		if n := p.view.Gain - p.view.Cost; best < 0 || n > net {
			best, net = i, n
		}
	}
	switch {
	case best < 0 && !local.view.Usable:
		return -1, Settled{Term: NoUsablePath}
	case best < 0:
		return 0, Settled{Term: NoneInTime}
	case !local.view.Usable:
		return best, Settled{Term: OnlyUsable}
	case net <= 0 && d.explores(best):
		return best, Settled{Term: Explores, Against: Local}
	case net <= 0:
		return 0, Settled{Term: NoGain, Against: d.paths[best].view.Target}
	case pl < .5:
		return best, Settled{Term: BoxCannot, Against: Local}
	}
	return best, Settled{Term: ByGain, Against: Local}
}

// explores tells whether a task may show if a target works that was not heard of for long: one
// that the box makes in time beside it.
func (d *decision) explores(i int) bool {
	p, local := &d.paths[i], &d.paths[0]
	const safe = .9
	return p.silent && d.settings.Hedge && p.left != forever && local.view.InTime >= safe && p.view.Accuracy > local.view.Accuracy
}

// energy is what joules are worth, in shares of accuracy.
func (d *decision) energy(joules float64) float64 {
	return joulesWorth(joules, d.energyPrice, &d.settings.Weights)
}

func joulesWorth(joules, price float64, w *Weights) float64 {
	if w.Accuracy == 0 {
		return 0
	}
	return price * joules / (100 * w.Accuracy)
}

// toll is what a path takes beside time: energy, money, the uplink and, of a split, the box from
// others.
func (d *decision) toll(p *path) float64 {
	w, t := &d.settings.Weights, &d.settings.Tuning
	toll := d.energy(p.joules) + p.headToll
	if w.Accuracy > 0 {
		toll += w.Money * p.price / (100 * w.Accuracy)
	}
	const perhaps = time.Second // for a task without a deadline
	left := min(p.left, perhaps).Seconds()
	return toll + t.Airtime*p.transfer.Seconds()/left*(t.AirtimeIdle+min(1, p.wait.Seconds()/left))
}
