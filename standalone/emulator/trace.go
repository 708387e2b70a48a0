// SPDX-License-Identifier: Apache-2.0

package emulator

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"math"
	"strconv"
	"strings"
	"time"
)

// MaxTrace is how long a trace may be, more than half a day.
const MaxTrace = maxTraceRows * Slot

const (
	maxTraceRows  = 1 << 20
	maxTraceLine  = 512
	traceHeader   = "t_ms,rtt_ms,up_kbps,down_kbps,loss"
	maxTraceRTT   = 600e3 // ms
	maxTraceKbps  = 1e9
	slotMs        = int(Slot / time.Millisecond)
	minTraceRates = "above 0 in at least one slot without loss 1"
)

// Trace is a recorded link, one slot a row.
type Trace struct{ Slots []Conditions }

// TraceError says where a trace is wrong, and what is allowed there.
type TraceError struct {
	Line    int // from 1
	Column  string
	Value   string
	Allowed string
}

func (e *TraceError) Error() string {
	return fmt.Sprintf("line %d, column %s: %q: allowed is %s", e.Line, e.Column, e.Value, e.Allowed)
}

// ReadTrace parses CSV with the columns t_ms, rtt_ms, up_kbps, down_kbps and loss on a
// grid of 50 ms from 0. A value that is wrong gives a *TraceError.
func ReadTrace(r io.Reader) (Trace, error) {
	lines := bufio.NewScanner(r)
	lines.Buffer(make([]byte, 0, maxTraceLine), maxTraceLine)
	var trace Trace
	number := 0
	for lines.Scan() {
		number++
		line := strings.TrimSpace(lines.Text())
		switch {
		case number == 1:
			if header := strings.TrimPrefix(line, "\ufeff"); header != traceHeader {
				return Trace{}, &TraceError{Line: 1, Column: "header", Value: header, Allowed: traceHeader}
			}
		case line == "":
		case len(trace.Slots) == maxTraceRows:
			return Trace{}, &TraceError{Line: number, Column: "t_ms", Value: line, Allowed: fmt.Sprintf("at most %d rows", maxTraceRows)}
		default:
			slot, err := parseRow(line, number, len(trace.Slots))
			if err != nil {
				return Trace{}, err
			}
			trace.Slots = append(trace.Slots, slot)
		}
	}
	if errors.Is(lines.Err(), bufio.ErrTooLong) {
		return Trace{}, &TraceError{Line: number + 1, Column: "t_ms", Value: "a line without end", Allowed: fmt.Sprintf("at most %d bytes a line", maxTraceLine)}
	}
	if err := lines.Err(); err != nil {
		return Trace{}, fmt.Errorf("read trace: %w", err)
	}
	return trace, trace.check(number)
}

func parseRow(line string, number, row int) (Conditions, error) {
	names := strings.Split(traceHeader, ",")
	fields := strings.Split(line, ",")
	if len(fields) != len(names) {
		return Conditions{}, &TraceError{Line: number, Column: "count", Value: strconv.Itoa(len(fields)), Allowed: fmt.Sprintf("%d columns (%s)", len(names), traceHeader)}
	}
	highest := []float64{float64(row * slotMs), maxTraceRTT, maxTraceKbps, maxTraceKbps, 1}
	var v [5]float64
	for i, field := range fields {
		value, err := strconv.ParseFloat(strings.TrimSpace(field), 64)
		if err != nil || math.IsNaN(value) || value < 0 || value > highest[i] {
			return Conditions{}, &TraceError{Line: number, Column: names[i], Value: field, Allowed: fmt.Sprintf("a number from 0 to %g", highest[i])}
		}
		v[i] = value
	}
	if v[0] != highest[0] {
		return Conditions{}, &TraceError{Line: number, Column: names[0], Value: fields[0], Allowed: fmt.Sprintf("%g (a grid of %d ms from 0)", highest[0], slotMs)}
	}
	return Conditions{RTT: time.Duration(v[1] * float64(time.Millisecond)), UpBps: kbps(v[2]), DownBps: kbps(v[3]), Loss: v[4]}, nil
}

// check refuses a trace that never lets anything through.
func (t Trace) check(lines int) error {
	var up, down bool
	for _, slot := range t.Slots {
		up = up || slot.rate(Up) > 0
		down = down || slot.rate(Down) > 0
	}
	switch {
	case len(t.Slots) == 0:
		return &TraceError{Line: lines + 1, Column: "t_ms", Value: "", Allowed: "at least one row under the header " + traceHeader}
	case !up:
		return &TraceError{Line: lines, Column: "up_kbps", Value: "0 in all rows", Allowed: minTraceRates}
	case !down:
		return &TraceError{Line: lines, Column: "down_kbps", Value: "0 in all rows", Allowed: minTraceRates}
	}
	return nil
}

// Record keeps what a source yields in its first slots.
func Record(source Source, slots int) Trace {
	t := Trace{Slots: make([]Conditions, slots)}
	for i := range t.Slots {
		t.Slots[i] = source.Next()
	}
	return t
}

// Write writes the trace as ReadTrace reads it, rounded to 1 us and 1 kbit/s.
func (t Trace) Write(w io.Writer) error {
	rows := NewTraceWriter(w)
	for _, c := range t.Slots {
		rows.Add(c)
	}
	return rows.Flush()
}

// Start plays the trace from its first slot and repeats it at its end.
func (t Trace) Start() Source { return &player{slots: t.Slots} }

type player struct {
	slots []Conditions
	next  int
}

func (p *player) Next() Conditions {
	c := p.slots[p.next]
	p.next = (p.next + 1) % len(p.slots)
	return c
}
