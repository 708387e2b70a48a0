// SPDX-License-Identifier: Apache-2.0

package main

import (
	"fmt"
	"io"
	"math"
	"slices"
	"time"

	"edgex-offload/standalone/emulator"
)

// figures sum a trace up. Round trips are in ms, rates in kbit/s, both of the slots
// without an outage, sorted.
type figures struct {
	rtt, up, down []float64
	loss          float64 // mean of the slots without an outage
	slots, out    int
	outages       int // unbroken runs of slots that are out
	longest       int // of them, in slots
	still         int // slots that are not out, but let nothing up
}

func figuresOf(slots []emulator.Conditions) figures {
	f := figures{slots: len(slots)}
	run := 0
	for _, c := range slots {
		if c.Out() {
			if run == 0 {
				f.outages++
			}
			run++
			f.out++
			f.longest = max(f.longest, run)
			continue
		}
		run = 0
		f.rtt = append(f.rtt, rttMs(c))
		f.up = append(f.up, upKbps(c))
		f.down = append(f.down, c.DownBps*8/1000)
		f.loss += c.Loss
		if c.UpBps == 0 {
			f.still++
		}
	}
	for _, list := range [][]float64{f.rtt, f.up, f.down} {
		slices.Sort(list)
	}
	if n := len(f.rtt); n > 0 {
		f.loss /= float64(n)
	}
	return f
}

func rttMs(c emulator.Conditions) float64  { return float64(c.RTT) / float64(time.Millisecond) }
func upKbps(c emulator.Conditions) float64 { return c.UpBps * 8 / 1000 }

func (f figures) write(w io.Writer) {
	row := func(name, format string, args ...any) {
		_, _ = fmt.Fprintf(w, "  %-12s "+format+"\n", append([]any{name}, args...)...)
	}
	if len(f.rtt) > 0 {
		row("round trip", "mean %.1f ms, p50 %.1f ms, p95 %.1f ms, p99 %.1f ms, longest %.1f ms",
			mean(f.rtt), rank(f.rtt, .5), rank(f.rtt, .95), rank(f.rtt, .99), rank(f.rtt, 1))
		row("uplink", "mean %s, p5 %s, nothing in %.1f%% of the time", rate(mean(f.up)), rate(rank(f.up, .05)), 100*float64(f.still)/float64(f.slots))
		row("downlink", "mean %s, p5 %s", rate(mean(f.down)), rate(rank(f.down, .05)))
		row("loss", "%.2f%% outside outages", 100*f.loss)
	}
	if f.out == 0 {
		row("outages", "none")
		return
	}
	row("outages", "%.1f%% of the time: %d of them, the longest %s", 100*float64(f.out)/float64(f.slots), f.outages, lasting(f.longest))
}

func mean(list []float64) float64 {
	sum := 0.
	for _, v := range list {
		sum += v
	}
	return sum / float64(len(list))
}

// rank is the value that a share of a sorted, non-empty list does not exceed (nearest rank).
func rank(sorted []float64, share float64) float64 {
	return sorted[max(int(math.Ceil(share*float64(len(sorted)))), 1)-1]
}

func rate(kbps float64) string {
	if kbps < 1000 {
		return fmt.Sprintf("%.0f kbit/s", kbps)
	}
	return fmt.Sprintf("%.1f Mbit/s", kbps/1000)
}
