// SPDX-License-Identifier: Apache-2.0

package emulator

import (
	"math"
	"slices"
	"time"
)

// Figures sum a link up over time. Round trips are in ms and rates in kbit/s, both of the
// slots that are not out; a figure of which there is nothing is 0.
type Figures struct {
	Slots         int
	RTT, Up, Down Spread
	Jitter        Jitter
	// Alike says how much round trips resemble each other: the autocorrelation of their
	// logarithm (a few long ones would be all that is seen otherwise) after 50 ms and 1 s.
	Alike50, Alike1000 float64
	// Loss is the mean of the slots that are not out.
	Loss float64
	// Slow and Still are shares of time: not out, but a round trip takes more than a
	// second; not out, but nothing goes up.
	Slow, Still float64
	// Outage is the share of time that is out, Outages its unbroken runs by length.
	Outage  float64
	Outages []time.Duration
}

// Spread is a distribution.
type Spread struct{ Mean, P5, P50, P95, P99, Most float64 }

// Jitter is the variation of the round trip in ms, in its usual definitions.
type Jitter struct {
	// StdDev is the standard deviation.
	StdDev float64
	// MAD is the mean absolute difference of neighbouring slots.
	MAD float64
	// RFC3550 is the mean over time of the running J += (|D|-J)/16 of RFC 3550, section
	// 6.4.1, with the difference of neighbouring round trips as D; over a long time that is
	// MAD. RFC3550Most is the highest that it was.
	RFC3550, RFC3550Most float64
	// Quantile is p95 - p50.
	Quantile float64
}

// Figures of the trace.
func (t Trace) Figures() Figures {
	f := Figures{Slots: len(t.Slots)}
	if f.Slots == 0 {
		return f
	}
	var rtt, up, down []float64
	run, slow, still := 0, 0, 0
	for i, c := range t.Slots {
		if c.Out() {
			if run++; i == len(t.Slots)-1 || !t.Slots[i+1].Out() {
				f.Outages = append(f.Outages, time.Duration(run)*Slot)
				run = 0
			}
			continue
		}
		rtt, up, down = append(rtt, milliseconds(c.RTT)), append(up, c.UpBps*8/1000), append(down, c.DownBps*8/1000)
		f.Loss += c.Loss
		if c.RTT > time.Second {
			slow++
		}
		if c.UpBps == 0 {
			still++
		}
	}
	slices.Sort(f.Outages)
	slots := float64(f.Slots)
	f.Slow, f.Still, f.Outage = float64(slow)/slots, float64(still)/slots, 1-float64(len(rtt))/slots
	if len(rtt) == 0 {
		return f
	}
	f.Loss /= float64(len(rtt))
	f.RTT, f.Up, f.Down = spread(rtt), spread(up), spread(down)
	f.Jitter = t.jitter(f.RTT)
	f.Alike50, f.Alike1000 = t.alike(1), t.alike(int(time.Second/Slot))
	return f
}

// jitter of neighbours is of those that are both not out.
func (t Trace) jitter(rtt Spread) Jitter {
	j := Jitter{Quantile: rtt.P95 - rtt.P50}
	running, differences, in := 0., 0, 0
	for i, c := range t.Slots {
		if c.Out() {
			continue
		}
		in++
		d := milliseconds(c.RTT) - rtt.Mean
		j.StdDev += d * d
		if i > 0 && !t.Slots[i-1].Out() {
			d := math.Abs(milliseconds(c.RTT - t.Slots[i-1].RTT))
			differences++
			j.MAD += d
			running += (d - running) / 16
			j.RFC3550 += running
			j.RFC3550Most = max(j.RFC3550Most, running)
		}
	}
	j.StdDev = math.Sqrt(j.StdDev / float64(in))
	if differences > 0 {
		j.MAD /= float64(differences)
		j.RFC3550 /= float64(differences)
	}
	return j
}

// alike is the correlation of the logarithms of round trips that lie this far apart.
func (t Trace) alike(slots int) float64 {
	var n, x, y, xx, yy, xy float64
	for i := slots; i < len(t.Slots); i++ {
		if t.Slots[i-slots].Out() || t.Slots[i].Out() {
			continue
		}
		a, b := logRTT(t.Slots[i-slots]), logRTT(t.Slots[i])
		n, x, y, xx, yy, xy = n+1, x+a, y+b, xx+a*a, yy+b*b, xy+a*b
	}
	variances := (n*xx - x*x) * (n*yy - y*y)
	if n < 2 || variances <= 1e-12*n*n*xx*yy { // a constant, but for rounding
		return 0
	}
	return (n*xy - x*y) / math.Sqrt(variances)
}

// logRTT counts from 1 us, so that a round trip of 0 has a logarithm.
func logRTT(c Conditions) float64 { return math.Log1p(float64(c.RTT) / float64(time.Microsecond)) }

func milliseconds(d time.Duration) float64 { return float64(d) / float64(time.Millisecond) }

// spread sorts the values, of which there is at least one.
func spread(values []float64) Spread {
	slices.Sort(values)
	sum := 0.
	for _, v := range values {
		sum += v
	}
	return Spread{
		Mean: sum / float64(len(values)),
		P5:   Rank(values, .05), P50: Rank(values, .5), P95: Rank(values, .95), P99: Rank(values, .99),
		Most: values[len(values)-1],
	}
}

// Rank is the value that a share of a sorted, non-empty list does not exceed (nearest rank).
func Rank(sorted []float64, share float64) float64 {
	return sorted[max(int(math.Ceil(share*float64(len(sorted)))), 1)-1]
}
