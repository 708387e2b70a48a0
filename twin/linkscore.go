// SPDX-License-Identifier: Apache-2.0

package twin

import (
	"math"
	"slices"
	"time"
)

// LinkScore is how well a link was known, against the truth of whoever emulated it.
type LinkScore struct {
	Trace string `json:"trace"`
	Seed  uint64 `json:"seed,omitempty"`
	// Attempts were predicted and answered; Held95 of them were done within the predicted
	// 95% bound, which is BoundMs in the mean.
	Attempts int     `json:"attempts"`
	Held95   float64 `json:"held95"`
	BoundMs  float64 `json:"bound_ms"`
	// PingHeld and PingBoundMs are the same of the bound that is usual: mean and two standard
	// deviations of the last sixty round trips, one a second, beside the same queue, transfer
	// and service time. PingEqualMs is what it takes to hold as often as ours.
	PingHeld    float64 `json:"ping_held"`
	PingBoundMs float64 `json:"ping_bound_ms"`
	PingEqualMs float64 `json:"ping_equal_ms"`
	// ECE is the expected calibration error of P(done by the deadline) over ten bins, Brier
	// its Brier score.
	ECE   float64 `json:"ece"`
	Brier float64 `json:"brier"`
	// RTTError and UpError are median relative errors against the truth of the last second,
	// LossError is the mean difference to the share that was lost in the last 15 s.
	RTTError  float64 `json:"rtt_error"`
	UpError   float64 `json:"up_error"`
	LossError float64 `json:"loss_error"`
	// ProbeBytes is what measuring took, in bytes a minute.
	ProbeBytes float64 `json:"probe_bytes_per_minute"`
}

// LinkAttempt is one prediction and what came of it, in seconds.
type LinkAttempt struct {
	Took, Bound float64
	// InTime is the probability that was promised for Deadline.
	InTime, Deadline float64
	// Rest is the expected time beside the round trip; PingMean and PingDeviation are of the
	// last sixty round trips.
	Rest, PingMean, PingDeviation float64
}

func (a *LinkAttempt) ping(k float64) float64 { return a.Rest + a.PingMean + k*a.PingDeviation }

// LinkTally collects what a LinkScore is computed from. Its zero value is ready to use.
type LinkTally struct {
	attempts         []LinkAttempt
	rtt, up          []float64 // relative errors
	loss             []float64 // absolute ones
	probeBytes, mins float64
}

// Attempt adds one that was answered.
func (t *LinkTally) Attempt(a LinkAttempt) { t.attempts = append(t.attempts, a) }

// Known is what an estimate says: round trip in seconds, rate in bytes per second (0 for
// unknown), share of loss.
type Known struct{ RTT, Up, Loss float64 }

// Look compares an estimate with the truth. A link that is out has neither round trip nor
// rate: what the truth has as 0 is not compared.
func (t *LinkTally) Look(known, truth Known) {
	if known.RTT > 0 && truth.RTT > 0 {
		t.rtt = append(t.rtt, math.Abs(known.RTT-truth.RTT)/truth.RTT)
	}
	if known.Up > 0 && truth.Up > 0 {
		t.up = append(t.up, math.Abs(known.Up-truth.Up)/truth.Up)
	}
	t.loss = append(t.loss, math.Abs(known.Loss-truth.Loss))
}

// Spent adds what measuring took in a time.
func (t *LinkTally) Spent(bytes float64, in time.Duration) {
	t.probeBytes += bytes
	t.mins += in.Minutes()
}

// Merge adds all of another.
func (t *LinkTally) Merge(o *LinkTally) {
	t.attempts = append(t.attempts, o.attempts...)
	t.rtt, t.up, t.loss = append(t.rtt, o.rtt...), append(t.up, o.up...), append(t.loss, o.loss...)
	t.probeBytes, t.mins = t.probeBytes+o.probeBytes, t.mins+o.mins
}

// Score sums up; figures of nothing are 0.
func (t *LinkTally) Score(trace string) LinkScore {
	s := LinkScore{
		Trace: trace, Attempts: len(t.attempts),
		RTTError: middle(t.rtt), UpError: middle(t.up), LossError: mean(t.loss),
	}
	if t.mins > 0 {
		s.ProbeBytes = t.probeBytes / t.mins
	}
	if len(t.attempts) == 0 {
		return s
	}
	n := float64(len(t.attempts))
	var count, promised, came [10]float64
	for i := range t.attempts {
		a := &t.attempts[i]
		s.Held95 += one(a.Took <= a.Bound) / n
		s.BoundMs += 1000 * a.Bound / n
		s.PingHeld += one(a.Took <= a.ping(2)) / n
		s.PingBoundMs += 1000 * a.ping(2) / n
		bin := min(int(a.InTime*10), 9)
		in := one(a.Took <= a.Deadline)
		count[bin]++
		promised[bin] += a.InTime
		came[bin] += in
		s.Brier += (a.InTime - in) * (a.InTime - in) / n
	}
	for bin := range count {
		s.ECE += math.Abs(promised[bin]-came[bin]) / n
	}
	s.PingEqualMs = t.pingAt(s.Held95)
	return s
}

// pingAt is the mean bound, in milliseconds, of the usual form with as many deviations as it
// takes to hold for a share of all attempts.
func (t *LinkTally) pingAt(share float64) float64 {
	needed := make([]float64, len(t.attempts)) // deviations that each attempt takes
	for i := range t.attempts {
		a := &t.attempts[i]
		needed[i] = max(0, (a.Took-a.ping(0))/max(a.PingDeviation, 1e-6))
	}
	slices.Sort(needed)
	k := needed[min(max(int(math.Ceil(share*float64(len(needed))-1e-6)), 1), len(needed))-1]
	sum := 0.
	for i := range t.attempts {
		sum += t.attempts[i].ping(k)
	}
	return 1000 * sum / float64(len(needed))
}

func one(yes bool) float64 {
	if yes {
		return 1
	}
	return 0
}

func mean(of []float64) float64 {
	sum := 0.
	for _, v := range of {
		sum += v
	}
	return sum / float64(max(len(of), 1))
}

// middle is the median; 0 of nothing.
func middle(of []float64) float64 {
	if len(of) == 0 {
		return 0
	}
	sorted := slices.Sorted(slices.Values(of))
	return sorted[len(sorted)/2]
}

// Pings are the last sixty round trips, one a second: what systems of today know of a link.
type Pings struct {
	last [60]float64
	n    int
}

// Add takes one, in seconds.
func (p *Pings) Add(rtt float64) {
	p.last[p.n%len(p.last)] = rtt
	p.n++
}

// MeanAndDeviation are in seconds; an unknown link is taken to have 50 ms and no deviation.
func (p *Pings) MeanAndDeviation() (mean, deviation float64) {
	n := min(p.n, len(p.last))
	if n < 2 {
		return .05, 0
	}
	for _, v := range p.last[:n] {
		mean += v / float64(n)
	}
	for _, v := range p.last[:n] {
		deviation += (v - mean) * (v - mean)
	}
	return mean, math.Sqrt(deviation / float64(n-1))
}
