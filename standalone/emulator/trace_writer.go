// SPDX-License-Identifier: Apache-2.0

package emulator

import (
	"bytes"
	"fmt"
	"io"
	"strconv"
	"time"
)

// flushAt is how many bytes of rows are gathered before they are written.
const flushAt = 64 << 10

// TraceWriter writes a trace slot by slot. Each write ends with a whole row, so that a
// file whose writer died is a trace all the same. It is not safe for concurrent use.
type TraceWriter struct {
	w    io.Writer
	rows int
	text bytes.Buffer
	err  error
}

// NewTraceWriter begins with the header.
func NewTraceWriter(w io.Writer) *TraceWriter {
	t := &TraceWriter{w: w}
	t.text.WriteString(traceHeader + "\n")
	return t
}

// Add adds a slot. An error of writing is kept for Flush.
func (t *TraceWriter) Add(c Conditions) {
	fmt.Fprintf(&t.text, "%d,%s,%.0f,%.0f,%s\n", t.rows*slotMs, short(float64(c.RTT.Round(time.Microsecond).Microseconds())/1000),
		c.rate(Up)*8/1000, c.rate(Down)*8/1000, short(c.Loss))
	t.rows++
	if t.text.Len() >= flushAt {
		_ = t.Flush() // it is kept
	}
}

// Rows is how many were added.
func (t *TraceWriter) Rows() int { return t.rows }

// Flush writes what was gathered. It gives the first error of all writes; nothing is
// written after one.
func (t *TraceWriter) Flush() error {
	if t.err == nil && t.text.Len() > 0 {
		_, t.err = t.w.Write(t.text.Bytes())
	}
	t.text.Reset()
	return t.err
}

func short(v float64) string { return strconv.FormatFloat(v, 'f', -1, 64) }
