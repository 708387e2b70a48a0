// SPDX-License-Identifier: Apache-2.0

package main

import (
	"fmt"
	"io"
	"math"
	"slices"
	"strings"
	"time"

	"edgex-offload/standalone/emulator"
)

const (
	chartRows = 6
	// axisWidth is what stands left of the columns: a number and a line.
	axisWidth = 8
	// clipAbove is the share of columns that a chart's scale covers; the few that are
	// higher are marked, so that one of them does not flatten all others.
	clipAbove = .98
)

// drawTrace draws round trip, uplink and outages over time.
func drawTrace(w io.Writer, slots []emulator.Conditions, from time.Duration, width int) {
	columns := split(slots, width-axisWidth)
	per := lasting(len(slots)) / time.Duration(len(columns))
	_, _ = fmt.Fprintf(w, "\nround trip, ms: the longest in each %s\n", per.Round(time.Millisecond))
	drawBars(w, values(columns, longestRTT))
	_, _ = fmt.Fprintf(w, "\nuplink, Mbit/s: the mean of each %s\n", per.Round(time.Millisecond))
	drawBars(w, values(columns, meanUp))
	_, _ = fmt.Fprintf(w, "\n%*s│%s\n", axisWidth-1, "outages", shades(columns))
	drawTime(w, from, lasting(len(slots)), len(columns))
}

// split deals slots to at most n columns, as evenly as whole slots can be.
func split(slots []emulator.Conditions, n int) [][]emulator.Conditions {
	n = min(n, len(slots))
	columns := make([][]emulator.Conditions, n)
	for i := range columns {
		columns[i] = slots[i*len(slots)/n : (i+1)*len(slots)/n]
	}
	return columns
}

func values(columns [][]emulator.Conditions, of func([]emulator.Conditions) float64) []float64 {
	list := make([]float64, len(columns))
	for i, c := range columns {
		list[i] = of(c)
	}
	return list
}

// longestRTT is 0 where all is out.
func longestRTT(column []emulator.Conditions) float64 {
	longest := 0.
	for _, c := range column {
		if !c.Out() {
			longest = max(longest, rttMs(c))
		}
	}
	return longest
}

// meanUp counts outages as 0: it is what gets through.
func meanUp(column []emulator.Conditions) float64 {
	sum := 0.
	for _, c := range column {
		if !c.Out() {
			sum += upKbps(c) / 1000
		}
	}
	return sum / float64(len(column))
}

// drawBars draws a bar a value, scaled so that nearly all fit.
func drawBars(w io.Writer, list []float64) {
	sorted := slices.Sorted(slices.Values(list))
	top := niceAbove(rank(sorted, clipAbove))
	for row := chartRows - 1; row >= 0; row-- {
		label := ""
		if at := row + 1; at%2 == 0 {
			label = number(top * float64(at) / chartRows)
		}
		var line strings.Builder
		for _, v := range list {
			line.WriteRune(cell(v/top*chartRows, row))
		}
		_, _ = fmt.Fprintf(w, "%*s│%s\n", axisWidth-1, label, strings.TrimRight(line.String(), " "))
	}
}

// cell is the part of a bar of this height, in rows, that lies in a row.
func cell(height float64, row int) rune {
	if height > chartRows && row == chartRows-1 {
		return '▲'
	}
	full := int(math.Ceil((height - float64(row)) * 8))
	return []rune(" ▁▂▃▄▅▆▇█")[min(max(full, 0), 8)]
}

// niceAbove is a short number not below v whose third and two thirds are short as well.
func niceAbove(v float64) float64 {
	if v <= 0 {
		return 3
	}
	unit := math.Pow(10, math.Floor(math.Log10(v)))
	for _, f := range []float64{1.2, 1.5, 1.8, 2.4, 3, 4.5, 6, 9} {
		if v <= f*unit {
			return f * unit
		}
	}
	return 12 * unit
}

func number(v float64) string {
	switch {
	case v < 1:
		return fmt.Sprintf("%.3g", v)
	case v < 10:
		return fmt.Sprintf("%.1f", v)
	}
	return fmt.Sprintf("%.0f", v)
}

// shades show how much of each column is out.
func shades(columns [][]emulator.Conditions) string {
	var line strings.Builder
	for _, column := range columns {
		out := 0
		for _, c := range column {
			if c.Out() {
				out++
			}
		}
		line.WriteRune([]rune(" ░▒▓█")[int(math.Ceil(4*float64(out)/float64(len(column))))])
	}
	return strings.TrimRight(line.String(), " ")
}

// drawTime draws the axis with a time at each quarter.
func drawTime(w io.Writer, from, length time.Duration, columns int) {
	const marks = 4
	ticks := []rune(strings.Repeat("─", columns))
	labels := []rune(strings.Repeat(" ", columns+axisWidth))
	for i := range marks {
		at := i * columns / marks
		text := []rune((from + length*time.Duration(at)/time.Duration(columns)).Round(100 * time.Millisecond).String())
		if at+len(text) > columns || (i > 0 && columns/marks < len(text)+1) {
			continue
		}
		ticks[at] = '┴'
		copy(labels[axisWidth+at:], text)
	}
	_, _ = fmt.Fprintf(w, "%*s└%s\n%s\n", axisWidth-1, "", string(ticks), strings.TrimRight(string(labels), " "))
}
