// SPDX-License-Identifier: Apache-2.0

package link

import "time"

// Estimate is what is known of a link now, for an operator and for the simple policies.
// Times of measurement are engine times; 0 is never.
type Estimate struct {
	// RTT is the round trip without service time, a low quantile of the last seven; RTTVar
	// its smoothed mean deviation (RFC 6298); MinRTT the least of the last half to full minute.
	RTT, RTTVar, MinRTT time.Duration
	// RTTAt is when a round trip was measured last, Samples how many were.
	RTTAt   time.Duration
	Samples int

	Jitter Jitter

	// Loss is the share of probes and payloads that did not get through, 0 to 1, LossAt
	// when one of either was last seen.
	Loss   float64
	LossAt time.Duration

	// Up and Down are the link's delivery rates.
	Up, Down Rate
	// UpByClass are the delivery rates of payloads under 16 KB, under 64 KB and above, which
	// TCP's slow start sets apart; 0 is unknown.
	UpByClass [3]float64

	// QueueUp is the queueing delay towards the target now: the one-way delay of the last
	// message above the least of the last minute, by the target's clock.
	QueueUp time.Duration

	// Heard is when the target gave its last sign of life.
	Heard time.Duration

	Calibration Calibration
	// Socket is what the kernel says.
	Socket Socket
	// Rejected counts measurements that cannot be, by reason; see Reasons.
	Rejected [NumReasons]uint64
}

// Jitter is the variation of the round trip in its usual definitions.
type Jitter struct {
	// StdDev is the standard deviation of the last 60 round trips.
	StdDev time.Duration
	// MAD is the mean absolute difference of neighbouring round trips (the packet delay
	// variation of ITU-T Y.1540 between neighbours, as ping's mdev is commonly read).
	MAD time.Duration
	// RFC3550 is the running J += (|D|-J)/16 of RFC 3550 section 6.4.1, with the difference
	// of round trips as D, since the two clocks need not agree.
	RFC3550 time.Duration
	// Spread is the quantile spread p95 - p50 (RFC 5481's packet delay variation, by quantile).
	Spread time.Duration
}

// Rate is a delivery rate.
type Rate struct {
	// BytesPerSecond is 0 while unknown.
	BytesPerSecond float64
	// At is when it was measured last.
	At time.Duration
	// AtLeast says that what was sent since then was too small to show more: the link
	// carries at least this.
	AtLeast bool
}

// Calibration is how the predictions held, measured while they were made.
type Calibration struct {
	// Attempts is how many predictions were compared with what happened.
	Attempts uint64
	// Held95 is the share of attempts that were done within the predicted 95% bound.
	Held95 float64
	// Error is the expected calibration error of P(done by the deadline), 0 to 1, over ten
	// bins of equal width; Brier the Brier score.
	Error, Brier float64
}

// Reason is why a measurement was not believed.
type Reason int

// The reasons.
const (
	NegativeInterval Reason = iota
	ServiceTooLong
	ClockStep
	AbsurdTimestamp
	NumReasons
)

// String names the reason for a log and a metric's label.
func (r Reason) String() string {
	return [...]string{"negative_interval", "service_longer_than_call", "clock_step", "absurd_timestamp"}[r]
}

// Estimate is what is known at a time.
func (l *Link) Estimate() Estimate {
	e := Estimate{
		RTTVar: seconds(l.rttVar.Or(0)), RTTAt: l.rttAt, Samples: l.rttSeen,
		Jitter: Jitter{
			StdDev: seconds(l.rtts.stddev()), MAD: seconds(l.rtts.meanAbsoluteDifference()),
			RFC3550: seconds(l.rfc3550), Spread: seconds(l.rtts.spread()),
		},
		Loss: l.loss.value, LossAt: l.lossAt,
		QueueUp: seconds(l.clock.queueUp), Heard: l.heard,
		Calibration: l.score.calibration(), Socket: l.socket, Rejected: l.rejected,
	}
	if l.trips.n > 0 {
		e.RTT, e.MinRTT = seconds(l.rtt()), seconds(l.minRTT.value())
	}
	if l.perBytes.n > 0 {
		e.Up = Rate{BytesPerSecond: l.UpRate(), At: l.upAt, AtLeast: l.upAtLeast}
	}
	for i := range l.byClass {
		if l.byClass[i].n > 0 {
			e.UpByClass[i] = 1 / max(l.byClass[i].quantile(rateQuantile), leastPerByte)
		}
	}
	if l.perBytesDown.n > 0 {
		e.Down = Rate{BytesPerSecond: 1 / max(l.perBytesDown.quantile(rateQuantile), leastPerByte), At: l.downAt}
	}
	return e
}
