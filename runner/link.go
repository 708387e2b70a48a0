// SPDX-License-Identifier: Apache-2.0

package runner

import (
	"time"

	"edgex-offload/offload/link"
)

// LinkStatus is one target's link, for an operator.
type LinkStatus struct {
	Target string `json:"target"`
	// Up is false while nothing is sent there; Reason says why.
	Up     bool   `json:"up"`
	Reason string `json:"reason,omitempty"`
	// Metered: paid by the byte; no rate probes, fewer others.
	Metered bool `json:"metered"`
	// Probing is how the round trip is measured: "rpc", "icmp", "tcp", or "" before the first.
	Probing string `json:"probing"`

	RTTMs    float64 `json:"rttMs"`
	RTTVarMs float64 `json:"rttVarMs"`
	MinRTTMs float64 `json:"minRttMs"`
	RTTAgeMs float64 `json:"rttAgeMs"` // -1: never measured, as with each age

	JitterMs JitterMs `json:"jitterMs"`

	Loss      float64 `json:"loss"`
	LossAgeMs float64 `json:"lossAgeMs"`

	UpKbps        float64    `json:"upKbps"` // 0 is unknown
	UpAgeMs       float64    `json:"upAgeMs"`
	UpAtLeast     bool       `json:"upAtLeast"`
	UpKbpsBySize  [3]float64 `json:"upKbpsBySize"` // payloads under 16 KB, under 64 KB, larger
	DownKbps      float64    `json:"downKbps"`
	DownAgeMs     float64    `json:"downAgeMs"`
	QueueUpMs     float64    `json:"queueUpMs"`
	StalledForMs  float64    `json:"stalledForMs"` // 0: not stalled
	HeardAgoMs    float64    `json:"heardAgoMs"`
	Waiting       int        `json:"waiting"`  // the send queue
	InFlight      int        `json:"inFlight"` // handed over
	P50Ms2KB      float64    `json:"p50Ms2KB"` // predicted time to the answer of 2 KB, of 60 KB
	P95Ms2KB      float64    `json:"p95Ms2KB"`
	P50Ms60KB     float64    `json:"p50Ms60KB"`
	P95Ms60KB     float64    `json:"p95Ms60KB"`
	Predictions   uint64     `json:"predictions"` // that were compared with what happened
	Held95        float64    `json:"held95"`      // share of answers within the predicted p95
	CalibrationE  float64    `json:"calibrationError"`
	Probes        uint64     `json:"probes"`
	ProbesLost    uint64     `json:"probesLost"`
	ProbeBytes    uint64     `json:"probeBytes"`          // since the start, both ways
	ProbeBytesMin float64    `json:"probeBytesPerMinute"` // over the last minute
	Reconnects    uint64     `json:"reconnects"`
	TCP           *TCPStatus `json:"tcp,omitempty"` // absent where the platform does not tell
	// Rejected counts measurements that could not be, by reason.
	Rejected map[string]uint64 `json:"rejected"`
	// History is the last ten minutes, oldest first, one point a second.
	History []LinkPoint `json:"history,omitempty"`
}

// JitterMs is the variation of the round trip by definition.
type JitterMs struct {
	StdDev  float64 `json:"stddev"`
	MAD     float64 `json:"mad"`
	RFC3550 float64 `json:"rfc3550"`
	Spread  float64 `json:"spread"` // p95 - p50
}

// TCPStatus is what the kernel says of the connection.
type TCPStatus struct {
	RTTMs        float64 `json:"rttMs"`
	RTTVarMs     float64 `json:"rttVarMs"`
	MinRTTMs     float64 `json:"minRttMs"`
	DeliveryKbps float64 `json:"deliveryKbps"`
	// ApplicationLimited: DeliveryKbps is what was written, not what the link can carry.
	ApplicationLimited bool   `json:"applicationLimited"`
	Retransmits        uint64 `json:"retransmits"`
	UnsentBytes        int    `json:"unsentBytes"`
	UnackedBytes       int    `json:"unackedBytes"`
}

// LinkPoint is one second of a link.
type LinkPoint struct {
	AtMs     int64   `json:"atMs"` // Unix time
	RTTMs    float64 `json:"rttMs"`
	JitterMs float64 `json:"jitterMs"` // standard deviation
	UpKbps   float64 `json:"upKbps"`
	DownKbps float64 `json:"downKbps"`
	Loss     float64 `json:"loss"`
	Up       bool    `json:"up"`
}

// LinkSample is one measurement as it was taken, for a recording. Exactly one of the
// figures is set, by Kind.
type LinkSample struct {
	Seq uint64 `json:"seq"`
	// AtNs is Unix time in nanoseconds: when the measured round trip or transfer began.
	AtNs int64 `json:"atNs"`
	// Kind is "rtt", "up", "down", or "lost" for a probe that did not come back in RTTMs.
	Kind  string  `json:"kind"`
	RTTMs float64 `json:"rttMs,omitempty"`
	Kbps  float64 `json:"kbps,omitempty"`
}

// Links tells how each target's link stands now, with its last ten minutes if history is
// wanted.
func (r *Runner) Links(history bool) []LinkStatus {
	r.mu.Lock()
	defer r.mu.Unlock()
	now := time.Since(r.epoch)
	all := make([]LinkStatus, len(r.links))
	for i := range all {
		all[i] = r.linkStatus(i, now)
		if history {
			all[i].History = r.links[i].history.all()
		}
	}
	return all
}

func (r *Runner) linkStatus(i int, now time.Duration) LinkStatus {
	known, _ := r.engine.Estimate(i)
	state, log, target := r.engine.Target(i), &r.links[i], &r.options.Targets[i]
	s := LinkStatus{
		Target: target.Name, Up: state.Unusable == "", Reason: state.Unusable, Metered: target.Metered, Probing: log.method,
		RTTMs: ms(known.RTT), RTTVarMs: ms(known.RTTVar), MinRTTMs: ms(known.MinRTT), RTTAgeMs: age(now, known.RTTAt),
		JitterMs: JitterMs{
			StdDev: ms(known.Jitter.StdDev), MAD: ms(known.Jitter.MAD),
			RFC3550: ms(known.Jitter.RFC3550), Spread: ms(known.Jitter.Spread),
		},
		Loss: known.Loss, LossAgeMs: age(now, known.LossAt),
		UpKbps: kbps(known.Up.BytesPerSecond), UpAgeMs: age(now, known.Up.At), UpAtLeast: known.Up.AtLeast,
		DownKbps: kbps(known.Down.BytesPerSecond), DownAgeMs: age(now, known.Down.At),
		QueueUpMs: ms(known.QueueUp), StalledForMs: ms(state.Stalled), HeardAgoMs: age(now, known.Heard),
		Waiting: state.Waiting, InFlight: state.InFlight,
		Predictions: known.Calibration.Attempts, Held95: known.Calibration.Held95, CalibrationE: known.Calibration.Error,
		Probes: state.Probes, ProbesLost: state.ProbesLost,
		ProbeBytes: log.probeBytes, ProbeBytesMin: log.perMinute(),
		Rejected: map[string]uint64{},
	}
	for class, rate := range known.UpByClass {
		s.UpKbpsBySize[class] = kbps(rate)
	}
	small, large := r.engine.Predict(i, 2<<10, now), r.engine.Predict(i, 60<<10, now)
	s.P50Ms2KB, s.P95Ms2KB = ms(small.Expected()), ms(small.Quantile(.95))
	s.P50Ms60KB, s.P95Ms60KB = ms(large.Expected()), ms(large.Quantile(.95))
	for reason, n := range known.Rejected {
		s.Rejected[link.Reason(reason).String()] = n
	}
	if k := known.Socket; k.Known() {
		s.Reconnects = k.Connection - 1
		s.TCP = &TCPStatus{
			RTTMs: ms(k.RTT), RTTVarMs: ms(k.RTTVar), MinRTTMs: ms(k.MinRTT), DeliveryKbps: kbps(k.DeliveryRate),
			ApplicationLimited: k.ApplicationLimited, Retransmits: k.Retransmits,
			UnsentBytes: k.Unsent, UnackedBytes: k.Unacked,
		}
	}
	return s
}

// age is in milliseconds; -1 of what never was.
func age(now, at time.Duration) float64 {
	if at == 0 {
		return -1
	}
	return ms(max(0, now-at))
}

func kbps(bytesPerSecond float64) float64 { return bytesPerSecond * 8 / 1000 }
