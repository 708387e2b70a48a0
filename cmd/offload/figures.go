// SPDX-License-Identifier: Apache-2.0

package main

import (
	"fmt"
	"io"
	"time"

	"edgex-offload/standalone/emulator"
)

// writeFigures prints what a trace sums up to.
func writeFigures(w io.Writer, f emulator.Figures) {
	row := func(name, format string, args ...any) {
		_, _ = fmt.Fprintf(w, "  %-12s "+format+"\n", append([]any{name}, args...)...)
	}
	if f.Outage < 1 {
		row("round trip", "mean %.1f ms, p50 %.1f ms, p95 %.1f ms, p99 %.1f ms, longest %.1f ms", f.RTT.Mean, f.RTT.P50, f.RTT.P95, f.RTT.P99, f.RTT.Most)
		row("", "over 1 s in %s of the time", percent(f.Slow))
		row("jitter", "standard deviation        %8.1f ms", f.Jitter.StdDev)
		row("", "mean absolute difference  %8.1f ms", f.Jitter.MAD)
		row("", "RFC 3550                  %8.1f ms, at most %.1f ms", f.Jitter.RFC3550, f.Jitter.RFC3550Most)
		row("", "p95 - p50                 %8.1f ms", f.Jitter.Quantile)
		row("alike", "%.2f after 50 ms, %.2f after 1 s (autocorrelation of the round trip's logarithm)", f.Alike50, f.Alike1000)
		row("uplink", "mean %s, p5 %s, nothing in %s of the time", rate(f.Up.Mean), rate(f.Up.P5), percent(f.Still))
		row("downlink", "mean %s, p5 %s", rate(f.Down.Mean), rate(f.Down.P5))
		row("loss", "%.2f%% outside outages", 100*f.Loss)
	}
	n := len(f.Outages)
	if n == 0 {
		row("outages", "none")
		return
	}
	usual := ""
	if n > 1 {
		usual = fmt.Sprintf("half of them up to %s, ", f.Outages[(n-1)/2])
	}
	row("outages", "%s of the time: %d of them, %sthe longest %s", percent(f.Outage), n, usual, f.Outages[n-1])
}

// inShort is a line for a picture's head.
func inShort(f emulator.Figures) string {
	outages := "no outage"
	if n := len(f.Outages); n > 0 {
		outages = fmt.Sprintf("out %s of the time, at most %s", percent(f.Outage), f.Outages[n-1])
	}
	if f.Outage == 1 {
		return outages
	}
	return fmt.Sprintf("round trip p50 %.0f, p95 %.0f, p99 %.0f ms · jitter: deviation %.1f, difference %.1f, RFC 3550 %.1f, p95-p50 %.1f ms\nup %s (p5 %s) · down %s (p5 %s) · loss %.2f%% · %s",
		f.RTT.P50, f.RTT.P95, f.RTT.P99, f.Jitter.StdDev, f.Jitter.MAD, f.Jitter.RFC3550, f.Jitter.Quantile,
		rate(f.Up.Mean), rate(f.Up.P5), rate(f.Down.Mean), rate(f.Down.P5), 100*f.Loss, outages)
}

func percent(share float64) string { return fmt.Sprintf("%.1f%%", 100*share) }

func rate(kbps float64) string {
	if kbps < 1000 {
		return fmt.Sprintf("%.0f kbit/s", kbps)
	}
	return fmt.Sprintf("%.1f Mbit/s", kbps/1000)
}

// clock is a time of a trace as minutes and seconds, hours before them where there are any.
func clock(d time.Duration) string {
	s := d / time.Second
	if s < 3600 {
		return fmt.Sprintf("%d:%02d", s/60, s%60)
	}
	return fmt.Sprintf("%d:%02d:%02d", s/3600, s/60%60, s%60)
}
