// SPDX-License-Identifier: Apache-2.0

package console

import (
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"time"

	"edgex-offload/offload"
	"edgex-offload/standalone/emulator"
)

// Pace is how often Tick should be called: each call shows one decision at most, and
// what changed.
const Pace = 300 * time.Millisecond

// rateChange is the factor from which on a rate is told again.
const rateChange = 2.5

// View writes the lines of a run.
type View struct {
	w     io.Writer
	style style

	lines    int // since the header
	unshown  map[string]int
	routes   map[string]string // last shown route by source
	known    bool              // whether the link's state was told
	down     bool
	downAt   time.Duration
	toldRate float64
}

// New writes to w, with colour where the reader is a terminal.
func New(w io.Writer, colour bool) *View {
	return &View{w: w, style: style{colour}, unshown: map[string]int{}, routes: map[string]string{}}
}

// headerEvery is after how many lines the columns are named again.
const headerEvery = 30

// Tick shows what happened since the last: the link as it is now and the new records.
func (v *View) Tick(now time.Duration, l emulator.Conditions, records []offload.Record) {
	v.link(now, l)
	v.drops(now, records)
	shown := v.choose(records)
	for i := range records {
		if r := &records[i]; r.Route != "" && i != shown {
			v.unshown[r.Route]++
		}
	}
	if shown >= 0 {
		v.decision(now, &records[shown])
	}
}

// choose prefers an answer from elsewhere than the source's last shown one, then a wrong
// one, then the source that was not shown last; -1 for none.
func (v *View) choose(records []offload.Record) int {
	best, bestScore := -1, -1
	for i := range records {
		r := &records[i]
		if r.Route == "" {
			continue
		}
		score := 0
		if v.routes[r.Source] != r.Route {
			score += 4
		}
		if r.Correct != nil && !*r.Correct {
			score += 2
		}
		if !r.DeadlineMet {
			score++
		}
		if score > bestScore {
			best, bestScore = i, score
		}
	}
	return best
}

func (v *View) decision(now time.Duration, r *offload.Record) {
	if v.lines%headerEvery == 0 {
		v.header()
	}
	v.lines++
	v.routes[r.Source] = r.Route
	line := fmt.Sprintf("%7.1fs  %-20s  %s  %s  %-15s %s  %s",
		now.Seconds(), cut(r.Source, 20), v.style.route(r.Route, fmt.Sprintf("%-7s", cut(r.Route, 7))),
		v.latency(r), cut(answer(r), 15), v.verdict(r), cut(why(r), 70))
	if rest := v.rest(); rest != "" {
		line += v.style.dim("  " + rest)
	}
	v.print(line)
}

func (v *View) header() {
	v.print(v.style.dim(fmt.Sprintf("%8s  %-20s  %-7s  %-15s  %-15s %-5s  %s", "TIME", "SOURCE", "BY", "TOOK", "ANSWER", "RIGHT", "WHY")))
}

// latency is "   23 of 250 ms", marked where it is late.
// answer is the label; a detector's that found nothing has none.
func answer(r *offload.Record) string {
	if r.Label == "" {
		return "(nothing)"
	}
	return r.Label
}

func (v *View) latency(r *offload.Record) string {
	if r.DeadlineMs == 0 {
		return fmt.Sprintf("%5.0f ms       ", r.LatencyMs)
	}
	text := fmt.Sprintf("%5.0f of %3.0f ms", r.LatencyMs, r.DeadlineMs)
	if !r.DeadlineMet {
		return v.style.bad(text)
	}
	return text
}

func (v *View) verdict(r *offload.Record) string {
	switch {
	case r.Correct == nil:
		return "  -  "
	case *r.Correct:
		return v.style.good("right")
	default:
		return v.style.bad("WRONG")
	}
}

// why is the decision's own reason, and who answered where that was not who was chosen.
func why(r *offload.Record) string {
	if r.Decided == r.Route {
		return r.Why
	}
	for _, a := range slices.Backward(r.Attempts) {
		if a.Target == r.Route {
			return fmt.Sprintf("%s; %s answered (%s)", r.Why, r.Route, a.Why)
		}
	}
	return r.Why
}

// rest counts what was not shown since the last line.
func (v *View) rest() string {
	var parts []string
	for _, route := range slices.Sorted(maps.Keys(v.unshown)) {
		parts = append(parts, fmt.Sprintf("%d %s", v.unshown[route], route))
	}
	clear(v.unshown)
	if len(parts) == 0 {
		return ""
	}
	return "(+" + strings.Join(parts, ", ") + ")"
}

// drops tells each source's and reason's drops of this tick in one line.
func (v *View) drops(now time.Duration, records []offload.Record) {
	count := map[string]int{}
	example := map[string]*offload.Record{}
	for i := range records {
		if r := &records[i]; r.Route == "" {
			key := r.Source + "\x00" + string(r.Reason)
			count[key]++
			example[key] = r
		}
	}
	for _, key := range slices.Sorted(maps.Keys(count)) {
		r := example[key]
		text := fmt.Sprintf("%7.1fs  %-20s  dropped %d: %s", now.Seconds(), cut(r.Source, 20), count[key], r.Reason)
		if r.Error != "" {
			text += " (" + cut(r.Error, 80) + ")"
		}
		v.print(v.style.bad(text))
	}
}

// link tells when it goes down, comes up, or changes its rate by far.
func (v *View) link(now time.Duration, l emulator.Conditions) {
	switch {
	case l.Out() && !v.down:
		v.down, v.downAt = true, now
		v.print(v.style.bad(fmt.Sprintf("%7.1fs  -- link down --", now.Seconds())))
	case l.Out():
	case v.down:
		v.print(v.style.good(fmt.Sprintf("%7.1fs  -- link up after %.1f s: %s --", now.Seconds(), (now - v.downAt).Seconds(), describe(l))))
		v.down, v.toldRate, v.known = false, l.UpBps, true
	case !v.known || l.UpBps > v.toldRate*rateChange || l.UpBps < v.toldRate/rateChange:
		v.known, v.toldRate = true, l.UpBps
		v.print(v.style.dim(fmt.Sprintf("%7.1fs  -- link: %s --", now.Seconds(), describe(l))))
	}
}

func describe(l emulator.Conditions) string {
	return fmt.Sprintf("%.0f ms, %s up, %s down", l.RTT.Seconds()*1000, rate(l.UpBps), rate(l.DownBps))
}

func rate(bytesPerSecond float64) string {
	if kbit := bytesPerSecond * 8 / 1000; kbit < 1000 {
		return fmt.Sprintf("%.0f kbit/s", kbit)
	}
	return fmt.Sprintf("%.1f Mbit/s", bytesPerSecond*8/1e6)
}

func (v *View) print(line string) { _, _ = fmt.Fprintln(v.w, strings.TrimRight(line, " ")) }

// cut shortens a text that is too long for its column, and keeps control characters,
// which a model's label might have, from the terminal.
func cut(text string, length int) string {
	runes := []rune(strings.Map(func(r rune) rune {
		if r < ' ' || r == 0x7f || (r >= 0x80 && r < 0xa0) {
			return '?'
		}
		return r
	}, text))
	if len(runes) <= length {
		return string(runes)
	}
	return string(runes[:length-1]) + "…"
}
