// SPDX-License-Identifier: Apache-2.0

package offload

import (
	"errors"
	"fmt"
	"time"

	"edgex-offload/offload/link"
)

// Probing says what may be sent to measure a link beside the tasks themselves. While real
// answers flow nothing is.
type Probing struct {
	// IntervalMin is the pause between two probes of a link that tasks are decided by just
	// now, IntervalMax that of one that nobody asks for, or that is metered.
	IntervalMin, IntervalMax time.Duration
	// Timeout is when a probe counts as lost; it may still come and is then only late.
	Timeout time.Duration
	// RateBytesPerMinute bounds what packet trains take, both ways together; 0 turns them
	// off. Metered targets get none.
	RateBytesPerMinute int
}

// DefaultProbing costs some 50 KB a minute while tasks are decided and no answers come,
// and a quarter of that while nothing happens.
func DefaultProbing() Probing {
	return Probing{
		IntervalMin: 250 * time.Millisecond, IntervalMax: time.Second, Timeout: time.Second,
		RateBytesPerMinute: 256 << 10,
	}
}

// Validate names each field that is wrong, its value and what is allowed.
func (p Probing) Validate() error {
	var errs []error
	between := func(key string, value, low, high time.Duration) {
		if value < low || value > high {
			errs = append(errs, fmt.Errorf("%s %v: allowed is %v to %v", key, value, low, high))
		}
	}
	between("Probing.IntervalMin", p.IntervalMin, 10*time.Millisecond, time.Minute)
	between("Probing.IntervalMax", p.IntervalMax, p.IntervalMin, 10*time.Minute)
	between("Probing.Timeout", p.Timeout, 10*time.Millisecond, time.Minute)
	if p.RateBytesPerMinute < 0 || p.RateBytesPerMinute > mostRateBytes {
		errs = append(errs, fmt.Errorf("Probing.RateBytesPerMinute %d: allowed is 0 to %d", p.RateBytesPerMinute, mostRateBytes))
	}
	return errors.Join(errs...)
}

const (
	mostRateBytes = 100 << 20
	// trainBytes is a packet train each way: it fits the initial window of TCP (RFC 6928), so
	// that all of it leaves at once.
	trainBytes = 11_700
	// upAge and downAge are the ages at which a rate is measured again: payloads go up.
	upAge, downAge = 5 * time.Second, 30 * time.Second
	// askedFor is how long a link counts as asked for after the last decision.
	askedFor = 10 * time.Second
	// flowing is how long answers count as flowing after the last one.
	flowing = time.Second
	// leastMetered is the shortest pause between probes that are paid by the byte.
	leastMetered = time.Second
	// impatient is how long a silent target is asked at the short interval.
	impatient = 10 * time.Second
	// mostProbes bounds those without an answer.
	mostProbes = 64
	// trainTimeout still lets a link of 50 kbit/s through.
	trainTimeout = 5 * time.Second
	// probeMemory is how long one that is lost may at least still come back as late.
	probeMemory = 10 * time.Second
)

// probe is one without an answer yet.
type probe struct {
	id     uint64
	sent   time.Duration
	flight link.Flight
	// lostAt is when it counts as lost; train is what a packet train, itself or the one before
	// it, may make it take longer.
	lostAt, train time.Duration
	// behind: bytes of our own had not left when it was sent. lost: it is overdue for good.
	behind, lost bool
}

// nextProbe is when a target wants to be measured next, without an event before.
func (e *Engine) nextProbe(t *target) time.Duration {
	if len(t.probes) >= mostProbes || e.stopped {
		return forever
	}
	if t.probedAt == 0 {
		return e.now
	}
	interval := e.probing.IntervalMin
	if t.metered {
		interval = max(e.probing.IntervalMax, leastMetered)
	} else if !t.asked(e.now) || e.now-t.link.Heard() > impatient {
		interval = e.probing.IntervalMax
	}
	due := max(t.probedAt, t.link.Heard()) + interval
	if len(t.flying) > 0 { // its answer will tell, unless it is overdue
		oldest := t.flying[0]
		due = max(due, oldest.started+oldest.prediction.Expected()+t.link.Patience())
	}
	return due
}

// asked tells whether tasks are being decided by it.
func (t *target) asked(now time.Duration) bool {
	return t.askedAt > 0 && now-t.askedAt < askedFor
}

// probeTargets asks for the probes that are due and counts those that are lost.
func (e *Engine) probeTargets() {
	for i, t := range e.targets {
		e.loseProbes(t)
		if e.now < e.nextProbe(t) {
			continue
		}
		e.ids++
		held := max(0, t.trainUntil-e.now)
		p := probe{id: e.ids, sent: e.now, lostAt: e.now + e.probing.Timeout + held, train: held}
		p.behind = held > 0 || t.bytesAhead(e.now) > 0
		a := Action{Kind: SendProbe, Target: i, Probe: p.id, Until: e.epoch.Add(e.now + held + e.worthWaiting(t))}
		if a.Bytes, a.BytesDown = e.trainDue(t); a.Bytes+a.BytesDown > 0 {
			p.train, p.lostAt = t.trainTime(a.Bytes, a.BytesDown), e.now+max(trainTimeout, e.probing.Timeout)
			t.trainUntil = e.now + p.train
			a.Until = e.epoch.Add(p.lostAt)
			t.trainAt, t.trainSize = e.now, a.Bytes+a.BytesDown
			t.trainBytes += uint64(t.trainSize)
		}
		guess := t.link.Predict(e.now, a.Bytes+a.BytesDown, link.Ahead{}, 0)
		p.flight = guess.Flight()
		t.probes = append(t.probes, p)
		t.probedAt, t.sentProbes = max(e.now, 1), t.sentProbes+1
		e.out = append(e.out, a)
	}
}

// worthWaiting is how long a probe may be away before it is given up: longer than it takes
// to count as lost where the link is that slow, or may have become so.
func (e *Engine) worthWaiting(t *target) time.Duration {
	usual := max(e.probing.Timeout, 4*(t.link.RTT()+t.link.Patience()))
	return min(usual<<min(t.lostInRow, 3), e.probeMemory())
}

// probeMemory is how long a probe is known.
func (e *Engine) probeMemory() time.Duration { return max(probeMemory, 2*e.probing.Timeout) }

// trainDue is how many bytes up and down the next probe should have as a packet train: 0
// unless nothing has shown a rate for long, somebody wants to know, the link is idle and
// works, and it costs no more than what may be spent.
func (e *Engine) trainDue(t *target) (up, down int) {
	if t.metered || len(t.flying) > 0 || len(t.probes) > 0 || !t.link.Known() ||
		(t.answeredAt > 0 && e.now-t.answeredAt < flowing) {
		return 0, 0
	}
	upAt, downAt := t.link.RatesAt()
	due := func(at, age time.Duration) bool {
		return at == 0 || (t.asked(e.now) && e.now-at >= age)
	}
	if due(upAt, upAge) {
		up = trainBytes
	}
	if due(downAt, downAge) {
		down = trainBytes
	}
	// A train that brought no figure is not tried again at once.
	pause := time.Duration(float64(t.trainSize) / float64(max(e.probing.RateBytesPerMinute, 1)) * float64(time.Minute))
	if up+down > e.probing.RateBytesPerMinute {
		down = 0
	}
	if up+down > e.probing.RateBytesPerMinute || (t.trainAt > 0 && e.now-t.trainAt < max(pause, upAge)) {
		return 0, 0
	}
	return up, down
}

// trainTime is how long a packet train may hold up what comes behind it.
func (t *target) trainTime(up, down int) time.Duration {
	upAt, downAt := t.link.RatesAt()
	if (up > 0 && upAt == 0) || (down > 0 && downAt == 0) {
		return trainTimeout // no rate is known
	}
	return 2 * (t.link.Transfer(float64(up)) + t.link.TransferDown(float64(down)))
}

// loseProbes counts those that have been away for too long.
func (e *Engine) loseProbes(t *target) {
	for i := range t.probes {
		p := &t.probes[i]
		if p.lost || e.now < p.lostAt {
			continue
		}
		p.lost = true
		e.lose(t, p, "no answer")
	}
	for len(t.probes) > 0 && e.now-t.probes[0].sent >= e.probeMemory() {
		t.probes = append(t.probes[:0], t.probes[1:]...)
	}
}

// lose counts a probe that did not come back.
func (e *Engine) lose(t *target, p *probe, err string) {
	t.lostProbes++
	t.link.AddProbeLost(e.now)
	if t.link.Heard() > p.sent {
		return // something else came: the link works
	}
	if t.lostInRow++; t.lostInRow >= 2 {
		t.failed(e.now, e.settings.RetryTarget, "probes lost: "+err)
	}
}

// probeTimes is when the probes of a target want attention next.
func (e *Engine) probeTimes(t *target) time.Duration {
	due := e.nextProbe(t)
	for i := range t.probes {
		if p := &t.probes[i]; !p.lost {
			due = min(due, p.lostAt)
		}
	}
	if len(t.probes) > 0 {
		due = min(due, t.probes[0].sent+e.probeMemory())
	}
	return due
}

// take removes a probe that reported; ok is false for one that is not known any more.
func (t *target) take(id uint64) (p probe, ok bool) {
	for i := range t.probes {
		if t.probes[i].id == id {
			p = t.probes[i]
			t.probes = append(t.probes[:i], t.probes[i+1:]...)
			return p, true
		}
	}
	return probe{}, false
}

// measured takes what the probes say.
func (e *Engine) measured(ev *Event) {
	if ev.Target < 0 || ev.Target >= len(e.targets) {
		return
	}
	t := e.targets[ev.Target]
	p, known := t.take(ev.Probe)
	switch ev.Kind {
	case ProbeDone:
		t.heard(e.now)
		if p.lost {
			t.link.ProbeReturned()
		}
		sent := e.now - ev.RTT
		if ev.RTT == 0 && known {
			sent = p.sent
		}
		t.link.AddProbe(link.Probe{Sent: sent, Back: e.now, Behind: p.behind, Late: p.lost, Held: ev.Held, Socket: ev.Socket})
	case TrainDone:
		t.trainUntil = 0
		if ev.Bytes+ev.BytesDown == 0 {
			break // a target that knows no trains: nothing was sent
		}
		t.heard(e.now)
		t.link.AddTrain(link.Train{
			At: e.now, Up: ev.Bytes, UpSpread: ev.Spread, UpAtLeast: ev.AtLeast,
			Down: ev.BytesDown, DownSpread: ev.SpreadDown, DownAtLeast: ev.AtLeastDown, Implausible: ev.Implausible, Socket: ev.Socket,
		})
	case ProbeLost: // the driver gave it up: it is lost once
		if known && !p.lost {
			e.lose(t, &p, ev.Error)
		}
	case ProbeFailed:
		if known && !p.lost && t.link.Heard() > 0 { // before that there is no link to lose it
			t.lostProbes++
		}
		t.failed(e.now, e.settings.RetryTarget, ev.Error)
	}
}

// oldest is the message that has been without an answer for longest. It may be the target
// and not the link that is slow with it: the next one is then slow as well.
func (t *target) oldest() (f link.Flight) {
	for i := range t.probes {
		if p := &t.probes[i]; f.Overdue == 0 || p.sent < f.Left {
			f = p.flight
		}
	}
	if len(t.flying) > 0 {
		if a := t.flying[0]; f.Overdue == 0 || a.started < f.Left {
			f = a.prediction.Flight()
		}
	}
	return f
}
