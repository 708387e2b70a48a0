// SPDX-License-Identifier: Apache-2.0

package main

import (
	"encoding/json"
	"fmt"
	"io"
	"math"
	"strconv"
	"strings"
)

// row is one figure of the table.
type row struct {
	Part string `json:"part"`
	What string `json:"what"`
	figure
	// Unit of the figure; "x" is a ratio.
	Unit   string  `json:"unit"`
	Target *target `json:"target,omitempty"`
	Met    *bool   `json:"met,omitempty"` // of the median; nil without a target
	// Of says what a ratio is of, or how it came about.
	Of string `json:"of,omitempty"`
}

// figure is the median over the rounds, and how far they went apart.
type figure struct {
	Median float64 `json:"median"`
	Least  float64 `json:"least"`
	Most   float64 `json:"most"`
}

// one is a figure that is not of rounds.
func one(v float64) figure { return figure{v, v, v} }

// target bounds a median.
type target struct {
	AtMost  *float64 `json:"at_most,omitempty"`
	AtLeast *float64 `json:"at_least,omitempty"`
}

func atMost(v float64) *target  { return &target{AtMost: &v} }
func atLeast(v float64) *target { return &target{AtLeast: &v} }

func (t target) met(v float64) bool {
	return (t.AtMost == nil || v <= *t.AtMost) && (t.AtLeast == nil || v >= *t.AtLeast)
}

func (t target) text(unit string) string {
	if t.AtMost != nil {
		return "≤ " + quantity(*t.AtMost, unit)
	}
	return "≥ " + quantity(*t.AtLeast, unit)
}

// judged fills in whether the target is met.
func judged(rows []row) []row {
	for i, r := range rows {
		if r.Target != nil {
			met := r.Target.met(r.Median)
			rows[i].Met = &met
		}
	}
	return rows
}

// report is the whole of a run.
type report struct {
	Machine machine `json:"machine"`
	Rounds  int     `json:"rounds"`
	Rows    []row   `json:"rows"`
}

// print writes the table as Markdown, as docs/inference.md has it.
func (r report) print(out io.Writer) error {
	var b strings.Builder
	fmt.Fprintf(&b, "%s; medians of %d rounds\n\n", r.Machine, r.Rounds)
	b.WriteString("| | | median | least to most | target | of |\n|-|-|-|-|-|-|\n")
	part := ""
	for _, line := range r.Rows {
		name := line.Part
		if name == part {
			name = ""
		}
		part = line.Part
		fmt.Fprintf(&b, "| %s | %s | %s | %s | %s | %s |\n", name, line.What, quantity(line.Median, line.Unit), line.spread(), line.verdict(), line.Of)
	}
	_, err := io.WriteString(out, b.String())
	return err
}

func (r row) spread() string {
	if r.Least == r.Most {
		return ""
	}
	return number(r.Least) + " to " + number(r.Most)
}

func (r row) verdict() string {
	switch {
	case r.Target == nil:
		return ""
	case *r.Met:
		return r.Target.text(r.Unit)
	}
	return r.Target.text(r.Unit) + " **missed**"
}

// writeJSON writes the same for a program.
func (r report) writeJSON(out io.Writer) error {
	e := json.NewEncoder(out)
	e.SetIndent("", "  ")
	return e.Encode(r)
}

func quantity(v float64, unit string) string {
	if unit == "x" {
		return number(v) + " ×"
	}
	return strings.TrimSpace(number(v) + " " + unit)
}

// number has three digits that count.
func number(v float64) string {
	switch a := math.Abs(v); {
	case a == math.Trunc(a):
		return strconv.FormatFloat(v, 'f', 0, 64)
	case a >= 100:
		return strconv.FormatFloat(v, 'f', 0, 64)
	case a >= 10:
		return strconv.FormatFloat(v, 'f', 1, 64)
	case a >= 1:
		return strconv.FormatFloat(v, 'f', 2, 64)
	case a >= .01:
		return strconv.FormatFloat(v, 'f', 3, 64)
	}
	return strconv.FormatFloat(v, 'g', 2, 64)
}
