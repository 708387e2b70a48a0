// SPDX-License-Identifier: Apache-2.0

package link

import "time"

// Attempt is a real task that was sent, as it ended.
type Attempt struct {
	// Sent is when it was handed to the transport, End when the answer was there.
	Sent, End time.Duration
	// Bytes went up, the answer had AnswerBytes.
	Bytes, AnswerBytes int
	// Behind is how many bytes of our own had not left yet when it was sent.
	Behind float64
	// Service is the time at the target, its queue included, as the target says; 0 is unknown.
	Service time.Duration
	// Held is the same by the target's clock; see Stamps.
	Held Stamps
	// Implausible: the target reported a service time that cannot be, and it was left out.
	Implausible bool
	// Prediction is the one that it was sent by; it counts from Prediction.At.
	Prediction Prediction
	// Deadline is the time from Prediction.At that was promised; 0 is none.
	Deadline time.Duration
	Socket   Socket
}

// AddAnswer learns from an attempt that was answered, whatever the answer was.
func (l *Link) AddAnswer(a *Attempt) {
	l.heard = max(l.heard, a.End)
	l.addSocket(a.End, a.Socket)
	whole := a.End - a.Sent
	if whole <= 0 || a.End < a.Prediction.At {
		l.reject(NegativeInterval)
		return
	}
	l.addLoss(a.End, 0, 1)
	took := a.End - a.Prediction.At
	l.learn(a.End, &a.Prediction, took.Seconds(), true)
	l.keepScore(a, took, true)
	counted := l.rejected
	network := (whole - l.held(&a.Held, whole, a.Service)).Seconds()
	if a.Implausible && l.rejected == counted {
		l.reject(ServiceTooLong)
	}
	l.clock.message(l, a.Sent, a.Held, whole, a.Bytes)
	tooSoon := l.disproveDown(a, network)
	up, down := (float64(a.Bytes)+a.Behind)*l.perByte(), l.TransferDown(float64(a.AnswerBytes)).Seconds()
	// A large payload says little of the round trip, but more than one that is old.
	old := a.End-l.rttAt > tripAge && a.Behind == 0 && a.AnswerBytes < rateBytes && network > up
	switch {
	case l.disproved(a, network, up):
		l.disprove(a, network, up)
	case tooSoon: // how much of it was which way is not known
	case a.Bytes >= rateBytes:
		l.addTransfer(a.End, a.Bytes, network-l.rtt()-down, a.Behind > 0)
		if old {
			l.addTrip(a.End, network-up, false)
		}
	case a.Behind == 0 && a.AnswerBytes < rateBytes && network > up:
		l.addTrip(a.End, network-up, false)
	}
	// Both ways share one time: it is the larger one's.
	if a.AnswerBytes >= max(rateBytes, a.Bytes) {
		l.perBytesDown.add(a.End, max(network-l.rtt()-up, 0)/float64(a.AnswerBytes), float64(a.AnswerBytes), rateRanks)
		l.downAt = a.End
	}
}

// AddGivenUp learns from an attempt that nobody waits for any more: it takes longer than
// until now.
func (l *Link) AddGivenUp(a *Attempt) {
	if a.End <= a.Prediction.At {
		return
	}
	took := a.End - a.Prediction.At
	l.learn(a.End, &a.Prediction, took.Seconds(), false)
	l.keepScore(a, took, false)
}

// keepScore notes how the prediction held, where that is known.
func (l *Link) keepScore(a *Attempt, took time.Duration, done bool) {
	p := &a.Prediction
	if p.scale == 0 {
		return
	}
	if held := took.Seconds() <= p.bounds[p95]; done || !held {
		l.score.bound(done && held)
	}
	if in := took <= a.Deadline; a.Deadline > 0 && (done || !in) {
		l.score.promise(p.By(a.Deadline), done && in)
	}
}

// tripAge is the age from which on a round trip is old.
const tripAge = time.Second

// shorter is the share of what the round trip, or the transfer, was taken for below which a
// whole attempt proves it wrong.
const shorter = .8

// disproved tells whether an attempt was done before it could be by what is known. What came
// back long before anything ever did proves nothing but that somebody lies.
func (l *Link) disproved(a *Attempt, network, up float64) bool {
	if l.trips.n == 0 || network < l.minRTT.value()/2 {
		return false
	}
	return network < shorter*l.rtt() || a.Behind > 0 && l.perBytes.n > 0 && network < shorter*up
}

// disprove learns from such an attempt. A link that stood still leaves figures behind by
// which everything seems to wait for what has long left: nothing else would be learned from
// until they are forgotten.
func (l *Link) disprove(a *Attempt, network, up float64) {
	least := l.minRTT.value()
	if network < shorter*l.rtt() {
		trip := network
		if up < network {
			trip = max(network-up, least/2)
		}
		l.addTrip(a.End, trip, false)
	}
	perByte := max(network-min(least, l.rtt()), network/2) / float64(a.Bytes)
	if a.Bytes >= rateBytes && perByte < l.perByte() {
		l.addPerByte(a.End, a.Bytes, perByte, true)
	}
}

// disproveDown learns from an answer that was here before it could be by what is known of the
// way down, and tells whether it was. Small answers measure no rate, and while they flow no
// train does: a rate that a train met while the link stood still would stay for as long, and
// every payload would look as if it had taken no time. Of the time that is left for both ways
// it gets what the payload does not take, and half of it at least.
func (l *Link) disproveDown(a *Attempt, network float64) bool {
	least := l.minRTT.value()
	if l.trips.n == 0 || network < least/2 {
		return false
	}
	left := max(network-min(least, l.rtt()), network/10)
	if left >= shorter*l.TransferDown(float64(a.AnswerBytes)).Seconds() {
		return false
	}
	took := max(left-float64(a.Bytes)*l.perByte(), left/2)
	l.perBytesDown.add(a.End, took/float64(a.AnswerBytes), float64(a.AnswerBytes), rateRanks)
	return true
}

// addPerByte takes the time per byte that a payload showed, or that it takes at the most.
func (l *Link) addPerByte(at time.Duration, bytes int, perByte float64, atLeast bool) {
	l.perBytes.add(at, perByte, float64(bytes), rateRanks)
	l.byClass[classOf(bytes)].add(at, perByte, float64(bytes), rateRanks)
	l.upAt, l.upAtLeast = at, atLeast
}

// rateBytes is the smallest payload whose time says something of the link's rate: below it
// the round trip's own variation is all there is to see.
const rateBytes = 4096

// addTransfer takes the time of one payload on the way up. Many such times are little but
// the round trip's variation, which may make one negative: what counts is the middle of
// several, weighed by their bytes.
func (l *Link) addTransfer(at time.Duration, bytes int, took float64, behind bool) {
	perByte, variation := took/float64(bytes), l.rttVar.Or(0)
	// One that waited for others before it shows a rate only where even so it was quicker
	// than the link was taken to be.
	if behind && (l.perBytes.n == 0 || took+variation >= float64(bytes)*l.perByte()) {
		return
	}
	// A payload that left faster than the variation can show says only that the link is at
	// least that fast: no sample of it may make the link look slower.
	atLeast := behind || took < variation
	if atLeast && l.perBytes.n > 0 {
		perByte = min(perByte, l.perByte())
	}
	l.addPerByte(at, bytes, perByte, atLeast)
}

// Train is a row of packets that were sent back to back: the bytes after the first and the
// time between the first and the last at the far end. It needs no common clock.
type Train struct {
	At         time.Duration
	Up         int
	UpSpread   time.Duration
	Down       int
	DownSpread time.Duration
	// UpAtLeast, DownAtLeast: something else than the link spread it; it carries at least that.
	UpAtLeast, DownAtLeast bool
	// Implausible: the target's clock readings of it cannot be, and were left out.
	Implausible bool
	Socket      Socket
}

// AddTrain learns the rates from a packet train.
func (l *Link) AddTrain(t Train) {
	l.heard = max(l.heard, t.At)
	l.addSocket(t.At, t.Socket)
	if t.Implausible {
		l.reject(AbsurdTimestamp)
	}
	if t.UpSpread < 0 || t.DownSpread < 0 {
		l.reject(NegativeInterval)
		return
	}
	if t.Up > 0 {
		l.perBytes.train(t.At, t.Up, t.UpSpread, t.UpAtLeast)
		l.byClass[0].train(t.At, t.Up, t.UpSpread, t.UpAtLeast)
		l.upAt, l.upAtLeast = t.At, t.UpAtLeast
	}
	if t.Down > 0 {
		l.perBytesDown.train(t.At, t.Down, t.DownSpread, t.DownAtLeast)
		l.downAt = t.At
	}
}

// train takes one; where it shows only the least that the link carries, it makes it look
// no slower.
func (r *ranks) train(at time.Duration, bytes int, spread time.Duration, atLeast bool) {
	const shortest = 20 * time.Microsecond // of what clocks and schedulers can tell
	perByte := max(spread, shortest).Seconds() / float64(bytes)
	if atLeast && r.n > 0 {
		perByte = min(perByte, r.quantile(rateQuantile))
	}
	r.add(at, perByte, float64(bytes), rateRanks)
}
