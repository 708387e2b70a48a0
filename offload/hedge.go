// SPDX-License-Identifier: Apache-2.0

package offload

import (
	"slices"
	"time"
)

// backupAt is the latest useful start of a local run: its expected time with some slack, the
// guard and the work ahead of it before the deadline.
func (e *Engine) backupAt(j *job) time.Duration {
	v, _ := e.box.fitting(j, e.now)
	takes := e.box.expect(v, j.task, e.now)
	slack := time.Duration(e.settings.Tuning.BackupSlack * float64(takes))
	return j.deadline - slack - e.settings.Guard - e.box.workAhead(j, e.now)
}

// softAt is when a box that has nothing else to do runs the backup of what is sent: when the
// probability of being in time, given that no answer has come yet, falls below
// Tuning.Promise. For F the distribution of the time to the answer and D the time left it is
// (F(D) - F(t)) / (1 - F(t)), which gives t.
func (e *Engine) softAt(p *prediction, inTime float64) time.Duration {
	promise := e.settings.Tuning.Promise
	if inTime <= promise {
		return e.now
	}
	return p.At + p.Quantile((inTime-promise)/(1-promise))
}

// likely is the probability that an attempt elsewhere brings a job's answer in time, given
// that it has not come yet; 0 without one.
func (e *Engine) likely(j *job) float64 {
	a := j.flying()
	if a == nil {
		return 0
	}
	if j.deadline == forever {
		return 1
	}
	t := e.targets[a.target]
	left := max(0, j.deadline-e.now)
	in := conditional(&a.prediction, e.now, j.deadline)
	if a.started == 0 || len(t.flying) == 0 || t.flying[0] == a {
		return in
	}
	oldest := t.flying[0]
	// Payloads arrive in order: what is behind an overdue one waits as well.
	if age := e.now - oldest.prediction.At; age > oldest.prediction.Flight().Late {
		in = min(in, conditional(&oldest.prediction, e.now, e.now+left))
	}
	return in
}

// conditional is the probability of being done by a time, given that it is not done now.
func conditional(p *prediction, now, by time.Duration) float64 {
	gone := p.By(now - p.At)
	if gone >= 1 {
		return 0
	}
	return max(0, p.By(by-p.At)-gone) / (1 - gone)
}

// wakeBackups queues the backups whose latest useful start has come. When a link stands still
// all that is under way there needs the box at once: so each must leave room for those that
// are due after it, and for what waits already.
func (e *Engine) wakeBackups() {
	e.nextBackup = forever
	chain := e.chain[:0]
	for i := 0; i < len(e.jobs); i++ {
		j := e.jobs[i]
		if !j.backup || j.waiting {
			continue
		}
		if j.careful {
			chain = append(chain, j)
			continue
		}
		if at := e.backupAt(j); e.now < at && !e.standsStill(j) {
			e.nextBackup = min(e.nextBackup, at)
			continue
		}
		j.backup = false
		e.queueLocal(j)
		if i < len(e.jobs) && e.jobs[i] != j { // queueing it ended another
			i--
		}
	}
	if len(chain) == 0 {
		return
	}
	pending := len(chain)
	chain = append(chain, e.box.queue...)
	slices.SortFunc(chain, (*job).sooner)
	e.chain = chain
	var first *job                             // the soonest backup
	latest, ahead := forever, time.Duration(0) // of what waits and is sooner still
	for i := len(chain) - 1; i >= 0; i-- {
		j := chain[i]
		v, _ := e.box.fitting(j, e.now)
		takes := e.box.expect(v, j.task, e.now) / time.Duration(e.box.workers)
		if pending == 0 {
			ahead += takes
			continue
		}
		latest = min(latest, j.due-e.settings.Guard) - time.Duration(e.settings.Tuning.BackupSlack*float64(takes))
		if !j.waiting {
			first, pending = j, pending-1
		}
	}
	if at := latest - ahead - (e.box.freeAt(e.now) - e.now); e.now < at {
		e.nextBackup = min(e.nextBackup, at)
		return
	}
	first.backup = false
	e.queueLocal(first)
	e.wakeBackups() // the next one may be due as well
}

// lookAgain is how long a backup that was looked at and not run is left alone.
const lookAgain = 5 * time.Millisecond

// secondTargets look for another target for what the box cannot run, where the first one is
// likely not to be in time: two of them at once.
func (e *Engine) secondTargets() {
	for _, j := range e.jobs {
		if !j.second() || e.now < j.softAt {
			continue
		}
		j.softAt = e.now + lookAgain
		if e.settings.Hedge && e.likely(j) < e.settings.Tuning.Doubt {
			e.rescue(j)
		}
	}
}

// idleBackup is the backup that a box with nothing else to do runs: of those that are less
// certain to be answered than Tuning.Promise the one with the most to lose.
func (e *Engine) idleBackup() (*job, *variant) {
	var best *job
	most := 0.
	for _, j := range e.jobs {
		if !j.backup || j.waiting || !j.careful {
			continue
		}
		likely := 1.
		if e.now >= j.softAt {
			likely = e.likely(j)
			j.softAt = e.now + lookAgain
		} else if a := j.flying(); a != nil && e.targets[a.target].isLate(e.now) {
			likely = e.likely(j)
		}
		if likely >= e.settings.Tuning.Promise {
			continue
		}
		if risk := (1 - likely) * j.task.Priority.worth(); risk > most && e.worthNow(j, likely) {
			best, most = j, risk
		}
	}
	if best == nil {
		return nil, nil
	}
	p := &e.box.plan
	if e.plan(p, nil, nil); len(p.entries) > 1 {
		if en := p.find(best); en != nil && !en.dropped {
			return best, en.variant
		}
	}
	return e.alone(best)
}

// lateRisk is how much likelier a backup fails that is started at its latest useful time than
// one that is started at once: other work comes, and the run itself may take longer.
const lateRisk = .05

// worthNow tells whether a backup is started before its latest useful time, for the risk that
// this spares. Where energy counts, a run that may turn out to be in vain had better wait.
func (e *Engine) worthNow(j *job, likely float64) bool {
	w := &e.settings.Weights
	price := e.battery.energyPrice(w)
	if price == 0 {
		return true
	}
	v := bestOf(j.variants())
	joules := e.box.joules(e.power.Busy, e.box.expect(v, j.task, e.now))
	return (1-likely)*lateRisk*e.settings.Tuning.value(j.task.Priority, v.Accuracy) > likely*joulesWorth(joules, price, w)
}

// stillAfter is how many times the bound that 98 in 100 keep the oldest attempt has been away
// until the link counts as one that stands still, for backups that wait for their latest start.
const stillAfter = 3

// standsStill tells whether the link to the target that has a job does.
func (e *Engine) standsStill(j *job) bool {
	a := j.flying()
	if a == nil || len(e.targets[a.target].flying) == 0 {
		return a == nil
	}
	p := &e.targets[a.target].flying[0].prediction
	return e.now-p.At > stillAfter*p.Flight().Overdue
}

// isLate tells whether the oldest attempt under way should have been done.
func (t *target) isLate(now time.Duration) bool {
	if len(t.flying) == 0 {
		return false
	}
	p := &t.flying[0].prediction
	return now-p.At > p.Flight().Late
}

// worthHolding tells whether a better answer than the box's of an accuracy is worth the wait
// for it.
func (e *Engine) worthHolding(j *job, accuracy float64) bool {
	a, w := j.flying(), &e.settings.Weights
	if a == nil || !j.careful || !e.settings.Hedge || j.deadline == forever || w.Accuracy == 0 {
		return false
	}
	better := 100 * w.Accuracy * (j.accuracyThere() - accuracy) * e.likely(j)
	until := j.deadline - e.settings.Guard
	if until <= e.now {
		return false
	}
	expected := a.prediction.At + a.prediction.Expected() - e.now
	wait := min(max(expected, (until-e.now)/4), until-e.now)
	return better > w.Latency*ms(wait)
}
