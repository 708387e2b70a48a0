// SPDX-License-Identifier: Apache-2.0

package console

import (
	"fmt"
	"io"
	"maps"
	"math"
	"slices"
	"strings"

	"edgex-offload/offload/trial"
	"edgex-offload/standalone/report"
)

// Summary writes a report for people.
func Summary(w io.Writer, r report.Report) error {
	var b strings.Builder
	row := func(name, format string, args ...any) {
		fmt.Fprintf(&b, "  %-12s "+format+"\n", append([]any{name}, args...)...)
	}
	fmt.Fprintf(&b, "\n%.1f s, policy %s, link %s\n", r.DurationS, r.Policy, r.Profile)
	row("frames", "%d frames and windows on the bus, %d tasks, %d outcome events", r.Frames, r.Tasks, r.EventsPublished)
	if passed := counts(lacking(r.PassedOver)); passed != "" {
		row("", "passed over: %s", passed)
	}
	row("answered by", "local %d, cloud %d%s%s", r.Outcomes.Local, r.Outcomes.Cloud, asFeatures(r.Outcomes.Features), drops(r.Outcomes.Dropped))
	row("on time", "%.1f%% of all tasks; %d answers were late", 100*r.OnTime, r.Outcomes.Late)
	row("latency", "p50 %.0f ms, p95 %.0f ms, p99 %.0f ms from capture to result", r.LatencyMs.P50, r.LatencyMs.P95, r.LatencyMs.P99)
	row("accuracy", "%s%s", percent(r.Accuracy), promised(r.PromisedAccuracy))
	row("link", "%.0f ms round trip, %.0f ms jitter, %.0f kbit/s up, %.1f%% loss, as measured by the box", r.Link.RTTMs, r.Link.JitterMs, r.Link.UpKbps, 100*r.Link.Loss)
	for i := range r.Policies {
		row(r.Policies[i].Role, "%s", compared(&r.Policies[i]))
	}
	for _, name := range r.SourceNames() {
		s := r.BySource[name]
		row("", "%-24s %5d tasks  local %-5d cloud %-5d dropped %-4d on time %5.1f%%  p50 %3.0f ms  right %s",
			cut(name, 24), s.Tasks, s.Local, s.Cloud, s.Dropped, 100*s.OnTime, s.P50Ms, percent(s.Accuracy))
	}
	_, err := io.WriteString(w, b.String())
	return err
}

// lacking leaves out what devices say of themselves, as that they run: there was no task in it.
func lacking(passed map[string]int) map[string]int {
	rest := maps.Clone(passed)
	delete(rest, "device_state")
	return rest
}

// compared is what a policy came to, between what it lies with 95%.
func compared(p *trial.Row) string {
	m, t := p.Missed, p.P99Ms
	said := fmt.Sprintf("%-9s %5d tasks, missed %.2f%% (%.2f to %.2f), p99 %s ms (%s to %s)", p.Policy, p.Tasks,
		100*m.Value, 100*m.Low, 100*m.High, finite(t.Value), finite(t.Low), finite(t.High))
	if p.Agreed != nil {
		said += fmt.Sprintf(", agreed with what was done in %.0f%%", 100**p.Agreed)
	}
	return said
}

func finite(ms float64) string {
	if math.IsInf(ms, 0) {
		return "∞"
	}
	return fmt.Sprintf("%.0f", ms)
}

// asFeatures says how many of the cloud's were split.
func asFeatures(n int) string {
	if n == 0 {
		return ""
	}
	return fmt.Sprintf(" (%d of them as features)", n)
}

func drops(byReason map[string]int) string {
	if len(byReason) == 0 {
		return ", none dropped"
	}
	return ", dropped: " + counts(byReason)
}

// counts lists what there is any of: "shed 3, superseded 1".
func counts(byReason map[string]int) string {
	var parts []string
	for _, reason := range slices.Sorted(maps.Keys(byReason)) {
		if n := byReason[reason]; n > 0 {
			parts = append(parts, fmt.Sprintf("%s %d", reason, n))
		}
	}
	return strings.Join(parts, ", ")
}

func percent(share *float64) string {
	if share == nil {
		return "unknown (no ground truth)"
	}
	return fmt.Sprintf("%.1f%%", 100**share)
}

func promised(share *float64) string {
	if share == nil {
		return ""
	}
	return fmt.Sprintf(" right; the models' files promise %.1f%% for these answers", 100**share)
}
