// SPDX-License-Identifier: Apache-2.0

package runner

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
	Held95        float64    `json:"held95"` // share of answers within the predicted p95
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
func (r *Runner) Links(history bool) []LinkStatus { return nil }

// LinkSamples are the measurements of a target after a sequence number, oldest first,
// limit at the most, of the last 16384 that are kept; false for a target that is not there.
func (r *Runner) LinkSamples(target string, limit int, after uint64) ([]LinkSample, bool) {
	return nil, false
}
