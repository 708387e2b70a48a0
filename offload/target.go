// SPDX-License-Identifier: Apache-2.0

package offload

import (
	"slices"
	"time"

	"edgex-offload/offload/link"
)

// target is a place elsewhere that runs tasks: its link, its send queue and what is
// under way there.
type target struct {
	name string
	link *link.Link
	// metered: it is paid by the byte.
	metered bool
	// What sending costs, per byte and per task.
	pricePerByte, pricePerCall float64
	// models are what is known of each model there, by its index.
	models []*remoteModel
	other  remoteModel // of models that are not known here
	// atDecision and atHandover correct the probabilities of being in time of either moment, by
	// the class of the payload.
	atDecision, atHandover [sizeClasses]link.Trust
	// answerBytes is the size of its answers.
	answerBytes link.Average

	// queue waits to be sent, most urgent first; sending was handed over and is not yet
	// with the transport; flying is everything handed over, oldest first.
	queue   []*attempt
	sending *attempt
	flying  []*attempt

	// pausedUntil is when a target that failed is tried again.
	pausedUntil time.Duration
	failing     bool
	lastError   string
	// probes are those without an answer, oldest first; lostInRow counts lost ones since the
	// last sign of life.
	probes                 []probe
	sentProbes, lostProbes uint64
	trainBytes             uint64
	trainSize              int           // of the last one
	trainUntil             time.Duration // it may hold up others
	lostInRow              int
	// exploredAt is when a task was last sent to see whether it works.
	exploredAt time.Duration
	// When it was probed, measured with a train, asked for by a decision, and answered last.
	probedAt, trainAt, askedAt, answeredAt time.Duration
}

// heard notes a sign of life: whatever was wrong is over.
func (t *target) heard(at time.Duration) {
	t.link.SignOfLife(at)
	t.failing, t.lostInRow, t.lastError = false, 0, ""
}

func (t *target) failed(at, pause time.Duration, err string) {
	t.failing, t.pausedUntil, t.lastError = true, at+pause, err
}

// sizeClasses of payloads have promises of their own.
const sizeClasses = 2

func sizeClass(bytes int) int {
	const small = 16 << 10
	if bytes < small {
		return 0
	}
	return 1
}

// remoteModel is what is known of a model on a target.
type remoteModel struct {
	service serviceTime
	// refusedUntil is when one that was refused for good is asked for again.
	refusedUntil time.Duration
}

// underWay counts the attempts that a task waits for.
func (t *target) underWay() int {
	n := len(t.queue)
	for _, a := range t.flying {
		if !a.orphan {
			n++
		}
	}
	return n
}

// block says why nothing new should be sent there now.
func (t *target) block(now time.Duration, inFlightLimit int) Block {
	switch {
	case t.failing && now < t.pausedUntil:
		return Block{What: Unreachable, Text: t.lastError}
	case t.underWay() >= inFlightLimit:
		return Block{What: Crowded, N: t.underWay()}
	case t.lostInRow > 0:
		return Block{What: ProbesGone, N: t.lostInRow}
	}
	if what, age := t.stalled(now); age > 0 {
		return Block{What: Stalled, Text: what, Ms: ms(age)}
	}
	return Block{}
}

// stalled tells what has been overdue for how long with no sign of life since; 0 when
// nothing is.
func (t *target) stalled(now time.Duration) (what string, age time.Duration) {
	if len(t.probes) > 0 {
		p := &t.probes[0]
		if age := now - p.sent; t.link.Heard() < p.sent && age > t.link.RTT()+t.link.Patience()+p.train {
			return "probe", age
		}
	}
	if len(t.flying) > 0 {
		oldest := t.flying[0]
		if age := now - oldest.started; t.link.Heard() < oldest.started && age > oldest.expected+t.link.Patience() {
			return "task", age
		}
	}
	return "", 0
}

// bytesAhead is what a new payload would wait for on the uplink: what is queued, and the
// part of what is flying that at the known rate has not left yet.
func (t *target) bytesAhead(now time.Duration) float64 {
	ahead := t.flyingAhead(now)
	for _, a := range t.queue {
		ahead += float64(a.bytes())
	}
	return ahead
}

// bytesBefore is what a payload of a job would wait for on the uplink: what is flying and
// has not left, and what is queued and more urgent.
func (t *target) bytesBefore(j *job, now time.Duration) float64 {
	return t.flyingAhead(now) + t.queuedBefore(j)
}

// queuedBefore is what is queued and more urgent than a job.
func (t *target) queuedBefore(j *job) float64 {
	ahead := 0
	for _, a := range t.queue {
		if a.job != j && a.job.moreUrgent(j) < 0 {
			ahead += a.bytes()
		}
	}
	return float64(ahead)
}

// flyingAhead is the part of what was handed over that at the known rate has not left yet.
func (t *target) flyingAhead(now time.Duration) float64 {
	ahead := 0.
	rate := t.link.UpRate()
	for _, a := range t.flying {
		// Payloads leave one after the other; each earlier one's remainder counts too.
		ahead += float64(a.bytes())
	}
	if len(t.flying) > 0 {
		ahead = max(0, ahead-rate*(now-t.flying[0].started).Seconds())
	}
	return ahead
}

// of is what is known of a model there; m may be one that nothing is known of here.
func (t *target) of(m *model) *remoteModel {
	if m == nil {
		return &t.other
	}
	for len(t.models) <= m.index {
		t.models = append(t.models, &remoteModel{})
	}
	return t.models[m.index]
}

// expect is the execution time of a job there.
func (t *target) expect(j *job, now time.Duration) time.Duration {
	if j.onward != nil {
		return t.of(j.split.rest).service.expect(now, priorService, j.split.TailService)
	}
	return t.of(j.model).service.expect(now, priorService, j.task.ExpectedRemote, j.model.remoteService())
}

// enqueue keeps the send queue ordered by priority, then deadline, then arrival.
func (t *target) enqueue(a *attempt, fifo bool) {
	if fifo {
		t.queue = append(t.queue, a)
		return
	}
	i, _ := slices.BinarySearchFunc(t.queue, a, func(x, y *attempt) int { return x.job.moreUrgent(y.job) })
	t.queue = slices.Insert(t.queue, i, a)
}

// drop takes an attempt off every list it is on.
func (t *target) drop(a *attempt) {
	t.queue, t.flying = without(t.queue, a), without(t.flying, a)
	if t.sending == a {
		t.sending = nil
	}
}

// without takes one out of a list.
func without[T comparable](list []T, x T) []T {
	if i := slices.Index(list, x); i >= 0 {
		return slices.Delete(list, i, i+1)
	}
	return list
}
