// SPDX-License-Identifier: Apache-2.0

package offload

import (
	"math"
	"time"
)

// StateSize is how many figures a state has.
const StateSize = 20

// The figures of a state, in their order. A trained network knows them by their places: a
// new one goes to the end, and networks are trained again.
const (
	atBias = iota
	atPriority
	atTimeLeft
	atPayload
	atLocalWait
	atLocalService
	atLocalInTime
	atRemoteInTime
	atRemoteExpected
	atRemoteTransfer
	atRemoteWait
	atJitter
	atLoss
	atAccuracyGain
	atJoules
	atPrice
	atLinkKnown
	atLinkAge
	atEitherInTime
	atExpectedGain
)

// state is a decision in figures of about 0 to 1, for the policies that learn. Those of a
// target are of the one with the highest probability of being in time.
type state [StateSize]float32

// StateNames names the figures of a state, in their order. x : y stands for x/(x + y), which
// is 0 for nothing, a half where both are alike and never more than 1.
func StateNames() []string {
	return []string{
		"bias",            // 1
		"priority",        // worth of the priority, of the highest one's
		"time_left",       // time left : 100 ms
		"payload",         // bytes : 64 KiB
		"local_wait",      // work ahead on the box : time left
		"local_service",   // run on the box : time left
		"local_in_time",   // probability
		"remote_in_time",  // probability
		"remote_expected", // expected time : time left
		"remote_transfer", // payload on the uplink : time left
		"remote_wait",     // bytes ahead of it : time left
		"jitter",          // steady jitter : time left
		"loss",            // share of probes, 0 to 1
		"accuracy_gain",   // of the target over the box, in quarters; -1 to 1
		"joules",          // of sending : 1 J
		"price",           // of sending : a thousandth of the currency
		"link_known",      // 1 once it was measured
		"link_age",        // since the last sign of life : 1 s
		"either_in_time",  // probability that one of both is, if they are independent
		"expected_gain",   // remote_in_time times accuracy_gain
	}
}

// What a figure without a bound of its own is set against.
const (
	usualLeft    = 100 * time.Millisecond
	usualPayload = 64 << 10
	usualJoules  = 1.
	usualPrice   = .001
	usualAge     = time.Second
	// usualGain of accuracy is much: most models are closer.
	usualGain = .25
	// withoutDeadline is what a task that has none is taken to have left.
	withoutDeadline = time.Second
)

// observe writes the state of a decision and gives the index of the target's path in it; -1
// where no target can be used.
func (d *decision) observe(s *state) (remote int) {
	*s = state{atBias: 1}
	local := &d.paths[0]
	left := min(local.left, withoutDeadline)
	s[atPriority] = float32(d.job.task.Priority.worth() / Critical.worth())
	s[atTimeLeft] = portion(float64(left), float64(usualLeft))
	s[atPayload] = portion(float64(len(d.job.task.Payload)), usualPayload)
	if local.view.Usable {
		s[atLocalWait] = portion(local.view.WaitMs, ms(left))
		s[atLocalService] = portion(local.view.ServiceMs, ms(left))
		s[atLocalInTime] = bounded(local.view.InTime, 0)
	}
	if remote = d.mostInTime(); remote >= 0 {
		d.observeRemote(s, &d.paths[remote], left)
	}
	in, out := s[atRemoteInTime], 1-s[atLocalInTime]
	s[atEitherInTime] = 1 - (1-in)*out
	s[atExpectedGain] = in * s[atAccuracyGain]
	return remote
}

func (d *decision) observeRemote(s *state, p *path, left time.Duration) {
	s[atRemoteInTime] = bounded(p.view.InTime, 0)
	s[atRemoteExpected] = portion(float64(p.expected), float64(left))
	s[atRemoteTransfer] = portion(float64(p.transfer), float64(left))
	s[atRemoteWait] = portion(float64(p.wait), float64(left))
	s[atJitter] = portion(float64(p.link.SteadyJitter()), float64(left))
	s[atLoss] = bounded(p.link.Loss(), 0)
	s[atAccuracyGain] = bounded((p.view.Accuracy-d.paths[0].view.Accuracy)/usualGain, -1)
	s[atJoules] = portion(p.joules, usualJoules)
	s[atPrice] = portion(p.price, usualPrice)
	if p.link.Known() {
		s[atLinkKnown] = 1
	}
	s[atLinkAge] = portion(float64(d.now-p.link.Heard()), float64(usualAge))
}

// mostInTime is the usable remote path with the highest probability of being in time, the
// quicker of equal ones; -1 for none.
func (d *decision) mostInTime() int {
	best := -1
	for i := range d.paths {
		p := &d.paths[i]
		if p.target == onBox || !p.view.Usable {
			continue
		}
		if best < 0 || p.view.InTime > d.paths[best].view.InTime ||
			(p.view.InTime == d.paths[best].view.InTime && p.expected < d.paths[best].expected) {
			best = i
		}
	}
	return best
}

// portion is x/(x + y), 1 where nothing is known of x.
func portion(x, y float64) float32 {
	x, y = max(x, 0), max(y, 0)
	if math.IsNaN(x) || x+y == 0 || math.IsInf(x, 1) {
		return 1
	}
	return float32(x / (x + y))
}

// bounded is v within low and 1.
func bounded(v, low float64) float32 {
	if math.IsNaN(v) {
		return float32(low)
	}
	return float32(min(max(v, low), 1))
}
