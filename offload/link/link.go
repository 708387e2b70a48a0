// SPDX-License-Identifier: Apache-2.0

package link

import (
	"math"
	"time"
)

// What is assumed of a link that nothing is known of yet.
const (
	priorRate = 5e6 / 8 // bytes per second
	priorRTT  = .05     // seconds
)

// Link is what is known of the path to one target. Use New.
type Link struct {
	// trips are the last round trips and perBytes the last times per byte on the way up;
	// their low quantiles are the link without what stood in its way by chance.
	trips, perBytes, perBytesDown ranks
	byClass                       [classes]ranks

	rttVar   Average
	minRTT   least
	rttAt    time.Duration
	rttSeen  int
	lastTrip float64
	rtts     window
	steady   window // the same, each cut to what is no stall
	rfc3550  float64

	upAt, downAt time.Duration
	upAtLeast    bool

	clock clock

	loss   Average
	lossAt time.Duration
	heard  time.Duration
	socket Socket

	recent, lasting residuals
	ofClass         [classes]residuals
	stalled         [states]residuals
	correction      [states]correction
	usual           [classes]Average // of the logarithm of seconds
	usualBytes      [classes]Average
	usualStalled    [states]Average
	longest         least // of negative seconds
	priors          cumulative
	score           score

	rejected [NumReasons]uint64
}

// New is the estimate of a link that nothing is known of.
func New() *Link {
	l := &Link{}
	l.recent.halfLife, l.lasting.halfLife = 3*time.Second, time.Minute
	for i := range l.ofClass {
		l.ofClass[i].halfLife = 30 * time.Second
	}
	for i := range l.stalled {
		l.stalled[i].halfLife = 10 * time.Minute
		for k := range levels {
			l.correction[i][k] = 1
		}
	}
	for i := range l.priors {
		l.priors[i] = prior(i)
	}
	return l
}

// classes of payload sizes: TCP's slow start and the queues of modems set them apart.
const classes = 3

func classOf(bytes int) int {
	switch {
	case bytes < 16<<10:
		return 0
	case bytes < 64<<10:
		return 1
	}
	return 2
}

// How many samples an estimate is a quantile of, and which: a fair quantile would hold what
// stood in the way, and the least of them what luck there was.
const (
	tripRanks, rateRanks = 7, 9
	tripQuantile         = .3
	rateQuantile         = .5
)

// rtt is in seconds.
func (l *Link) rtt() float64 {
	if l.trips.n == 0 {
		return priorRTT
	}
	return l.trips.quantile(tripQuantile)
}

// leastPerByte is that of 20 MB/s: beyond it the time of a payload cannot be told from the
// round trip's variation.
const leastPerByte = 5e-8

// perByte is the time that a byte takes on the way up, in seconds.
func (l *Link) perByte() float64 {
	if l.perBytes.n == 0 {
		return 1 / priorRate
	}
	return max(l.perBytes.quantile(rateQuantile), leastPerByte)
}

// Probe is a small message that came back.
type Probe struct {
	Sent, Back time.Duration
	// Behind: bytes of our own were waiting to leave when it was sent, so that its time says
	// nothing of the link without them.
	Behind bool
	// Late: it came after it had been counted as lost. That was a stall, not jitter.
	Late bool
	// Held says how long the target had it, by the target's clock; see Stamps.
	Held Stamps
	// Socket is what the kernel said when it was back.
	Socket Socket
}

// AddProbe learns from a probe that came back.
func (l *Link) AddProbe(p Probe) {
	l.heard = max(l.heard, p.Back)
	l.addLoss(p.Back, 0, 1)
	l.addSocket(p.Back, p.Socket)
	whole := p.Back - p.Sent
	if whole <= 0 {
		l.reject(NegativeInterval)
		return
	}
	if p.Behind {
		return
	}
	trip := (whole - l.held(&p.Held, whole, 0)).Seconds()
	l.clock.message(l, p.Sent, p.Held, whole, 0)
	l.addTrip(p.Back, trip, p.Late)
}

// addTrip takes a round trip; late says that it was a stall.
func (l *Link) addTrip(at time.Duration, trip float64, late bool) {
	const weight = .25 // RFC 6298's beta
	if l.trips.n > 0 {
		l.rttVar.Add(math.Abs(trip-l.rtt()), weight)
	} else {
		l.rttVar.Add(trip/2, 1)
	}
	if l.rtts.n > 0 { // RFC 3550, section 6.4.1
		l.rfc3550 += (math.Abs(trip-l.lastTrip) - l.rfc3550) / 16
	}
	l.rtts.add(trip)
	l.trips.add(at, trip, 1, tripRanks)
	if !late {
		l.steady.add(min(trip, l.rtt()+l.Patience().Seconds()))
	}
	l.minRTT.add(at, trip)
	l.rttAt, l.rttSeen, l.lastTrip = at, l.rttSeen+1, trip
}

// AddProbeLost notes a probe that did not come back in time.
func (l *Link) AddProbeLost(at time.Duration) { l.addLoss(at, 1, 1) }

// ProbeReturned takes back a loss: the probe was only late.
func (l *Link) ProbeReturned() { l.loss.value = max(0, l.loss.value-lossWeight) }

// lossWeight is that of one packet in the share of those that are lost: it remembers some
// sixty.
const lossWeight = 1. / 60

// addLoss takes a share that was lost of so many packets.
func (l *Link) addLoss(at time.Duration, lost float64, packets uint64) {
	if l.loss.n == 0 {
		l.loss = Average{value: 0, n: 1} // a first loss is no certain one
	}
	l.loss.Add(lost, 1-math.Pow(1-lossWeight, float64(min(packets, 600))))
	l.lossAt = at
}

// addSocket counts the segments that TCP had to send again since the last time.
func (l *Link) addSocket(at time.Duration, s Socket) {
	if !s.Known() {
		return
	}
	last := l.socket
	l.socket = s
	if s.Connection != last.Connection || s.SegmentsOut <= last.SegmentsOut || s.Retransmits < last.Retransmits {
		return
	}
	out := s.SegmentsOut - last.SegmentsOut
	lost := min(float64(s.Retransmits-last.Retransmits)/float64(out), 1)
	l.addLoss(at, lost, out)
}

// Patience is how much longer than its round trip a small message may take before the link
// counts as stalled: four times the deviation, as in TCP's retransmission timer (RFC 6298).
func (l *Link) Patience() time.Duration {
	const least, most = 100 * time.Millisecond, 2 * time.Second
	return min(max(4*l.SteadyJitter(), least), most)
}

// SteadyJitter is the standard deviation of the link while it works, the lesser of two
// views: of the last sixty round trips, each cut to what is no stall, and 1.25 times the
// smoothed mean deviation of RFC 6298 (which for a normal distribution is the same), which
// forgets a stall within seconds. Else one outage of a second would keep a link from use for
// as long as it is remembered.
func (l *Link) SteadyJitter() time.Duration {
	return seconds(min(l.steady.stddev(), 1.25*l.rttVar.Or(0)))
}

// RTT is the round trip without service time, or what is assumed of an unknown link.
func (l *Link) RTT() time.Duration { return seconds(l.rtt()) }

// Transfer is the time that so many bytes take on the way up.
func (l *Link) Transfer(bytes float64) time.Duration { return seconds(bytes * l.perByte()) }

// UpRate is bytes per second, or what is assumed of an unknown link.
func (l *Link) UpRate() float64 { return 1 / l.perByte() }

// TransferDown is zero while the rate is unknown: answers are small.
func (l *Link) TransferDown(bytes float64) time.Duration {
	if l.perBytesDown.n == 0 {
		return 0
	}
	return seconds(bytes * max(l.perBytesDown.quantile(rateQuantile), leastPerByte))
}

// Loss is the share of packets that are lost, 0 to 1.
func (l *Link) Loss() float64 { return l.loss.value }

// Heard is when the target gave its last sign of life.
func (l *Link) Heard() time.Duration { return l.heard }

// SignOfLife notes a refusal: it measures nothing, but the link works.
func (l *Link) SignOfLife(at time.Duration) { l.heard = max(l.heard, at) }

// Known tells whether a round trip was measured.
func (l *Link) Known() bool { return l.trips.n > 0 }

func (l *Link) reject(r Reason) { l.rejected[r]++ }

// RatesAt is when the rates up and down were measured last; 0 is never.
func (l *Link) RatesAt() (up, down time.Duration) { return l.upAt, l.downAt }

// Jitter is the standard deviation of the last 60 round trips.
func (l *Link) Jitter() time.Duration { return seconds(l.rtts.stddev()) }

// LastTrip is the last round trip, as it was measured, and when.
func (l *Link) LastTrip() (at, trip time.Duration) { return l.rttAt, seconds(l.lastTrip) }

// Rejected counts measurements that could not be, by reason.
func (l *Link) Rejected() [NumReasons]uint64 { return l.rejected }
