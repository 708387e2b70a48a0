// SPDX-License-Identifier: Apache-2.0

package offload

import (
	"math"
	"time"
)

// What is assumed of a link that nothing is known of yet.
const (
	priorRate    = 5e6 / 8 // bytes per second
	priorRTT     = 50 * time.Millisecond
	priorService = 20 * time.Millisecond
)

// rateBytes is the smallest payload whose time says something about the link's rate:
// below it the round trip's own variation is all there is to see.
const rateBytes = 4096

// LinkEstimate is what is known of the path to a target now.
type LinkEstimate struct {
	// RTT is the smoothed round trip without service time, MinRTT the window's least.
	RTT, MinRTT time.Duration
	// Jitter is the standard deviation of the last 60 round trips.
	Jitter time.Duration
	// JitterMAD is the mean absolute difference of neighbouring round trips.
	JitterMAD time.Duration
	// JitterRFC3550 is the running J += (|D| - J)/16 of RFC 3550 section 6.4.1, with the
	// difference of round trips as D, since the two clocks need not agree.
	JitterRFC3550 time.Duration
	// Loss is the share of the last 60 probes that did not come back, 0 to 1.
	Loss float64
	// UpRate and DownRate are bytes per second; 0 is unknown.
	UpRate, DownRate float64
	// UpRateAt and DownRateAt are the engine times at which they were last measured; 0 is never.
	UpRateAt, DownRateAt time.Duration
	// Samples counts the round trips behind it; Heard is the engine time of the last sign of life.
	Samples int
	Heard   time.Duration
}

// link learns one path from probes (round trip, loss) and from real answers (rates).
type link struct {
	smoothed average // of the round trip, seconds
	rtts     window  // seconds
	steady   window  // the same, each cut to what is not a stall
	losses   window  // 1 lost, 0 came back
	rfc3550  float64
	last     float64
	up, down rate
	heard    time.Duration
	// uplinkFree is when the last answered payload had left the uplink.
	uplinkFree time.Duration
}

// rate is a measured rate in bytes per second.
type rate struct {
	average
	at time.Duration // of the last sample
}

// Weights of a sample of round trip: a probe is a clean sample, an answer's is a
// remainder of other figures.
const (
	probeWeight  = .25
	answerWeight = .1
	rateWeight   = .3
)

// addRTT takes a probe's round trip.
func (l *link) addRTT(rtt time.Duration) {
	s := rtt.Seconds()
	l.steady.add(min(s, (l.rtt() + l.patience()).Seconds()))
	l.smoothed.add(s, probeWeight)
	if l.rtts.n > 0 {
		l.rfc3550 += (math.Abs(s-l.last) - l.rfc3550) / 16
	}
	l.last = s
	l.rtts.add(s)
}

// addAnswer learns from a real answer. sent is when the payload was handed to the
// transport's queue, at when the answer was there; the server reports what it spent.
func (l *link) addAnswer(at, sent time.Duration, bytesUp, bytesDown int, spent time.Duration) {
	network := at - sent - spent
	if network <= 0 || spent < 0 { // a server that reports more than passed is not believed
		return
	}
	rtt := l.rtt()
	start := max(sent, l.uplinkFree)
	end := at - spent - rtt/2 // when the last byte reached the server
	if bytesUp >= rateBytes {
		l.up.measure(at, bytesUp, end-start-rtt/2, network)
	} else if l.smoothed.n > 0 {
		l.smoothed.add((network - seconds(float64(bytesUp)/l.upRate())).Seconds(), answerWeight)
		l.smoothed.value = max(l.smoothed.value, 0)
	}
	if bytesDown >= rateBytes {
		l.down.measure(at, bytesDown, network-rtt-seconds(float64(bytesUp)/l.upRate()), network)
	}
	l.uplinkFree = max(l.uplinkFree, end-rtt/2)
}

// measure takes one transfer of bytes. A transfer cannot be told from the round trip's
// variation when it is a small part of the whole, so it counts as a tenth of it at least;
// one stall must not make a link look dead, so a sample counts as a quarter of the known
// rate at least.
func (r *rate) measure(at time.Duration, bytes int, transfer, whole time.Duration) {
	transfer = max(transfer, whole/10, 50*time.Microsecond)
	sample := float64(bytes) / transfer.Seconds()
	if r.n > 0 {
		sample = max(sample, r.value/4)
	}
	r.add(sample, rateWeight)
	r.at = at
}

func (l *link) addProbeLost() { l.losses.add(1) }
func (l *link) addProbeBack() { l.losses.add(0) }

func (l *link) rtt() time.Duration    { return seconds(l.smoothed.or(priorRTT.Seconds())) }
func (l *link) upRate() float64       { return l.up.or(priorRate) }
func (l *link) jitter() time.Duration { return seconds(l.rtts.stddev()) }

// steadyJitter is the jitter of the link while it works: a round trip beyond its patience
// was a stall, which is seen as one and backed up, and counts as no more than that bound.
// Else one outage of a second would keep a link from use for as long as it is remembered.
func (l *link) steadyJitter() time.Duration { return seconds(l.steady.stddev()) }

// patience is how much longer than its round trip an answer may take before the link
// counts as stalled: four times the deviation, as in TCP's retransmission timer (RFC 6298).
func (l *link) patience() time.Duration {
	const least, most = 100 * time.Millisecond, 2 * time.Second
	return min(max(4*l.steadyJitter(), least), most)
}

// downTime is zero while the rate is unknown: answers are small.
func (l *link) downTime(bytes float64) time.Duration {
	if l.down.n == 0 {
		return 0
	}
	return seconds(bytes / l.down.value)
}

func (l *link) estimate() LinkEstimate {
	e := LinkEstimate{
		RTT: l.rtt(), Jitter: l.jitter(),
		JitterMAD:     seconds(l.rtts.meanAbsoluteDifference()),
		JitterRFC3550: seconds(l.rfc3550),
		Loss:          l.losses.mean(),
		UpRate:        l.up.or(0), DownRate: l.down.or(0),
		Samples: l.rtts.n, Heard: l.heard,
	}
	if l.rtts.n > 0 {
		e.MinRTT = seconds(l.rtts.min())
	} else {
		e.RTT = 0
	}
	return e
}
