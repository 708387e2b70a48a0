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
	// tallRows is for the round trip, lowRows for what stands below it.
	tallRows, lowRows = 6, 3
	// axisWidth is what stands left of the columns: a number and a line.
	axisWidth = 8
	// clipAbove is the share of columns that a chart's scale covers; the few that are
	// higher are marked, so that one of them does not flatten all others.
	clipAbove = .98
	// jitterOver is the least time that a deviation is taken of, in slots.
	jitterOver = int(time.Second / emulator.Slot)
)

// drawTrace draws round trip, jitter, rates, loss and outages over time.
func drawTrace(w io.Writer, slots []emulator.Conditions, from time.Duration, width int) {
	columns := deal(slots, width-axisWidth)
	per := (lasting(len(slots)) / time.Duration(len(columns))).Round(time.Millisecond)
	chart := func(rows int, list []float64, format string, args ...any) {
		_, _ = fmt.Fprintf(w, "\n"+format+"\n", args...)
		drawBars(w, rows, list)
	}
	chart(tallRows, values(columns, longestRTT), "round trip, ms: the longest in each %s", per)
	chart(lowRows, jitters(slots, len(columns)), "jitter, ms: standard deviation over %s", max(per, time.Second))
	chart(lowRows, values(columns, meanOf(upMbps)), "uplink, Mbit/s: the mean of each %s", per)
	chart(lowRows, values(columns, meanOf(downMbps)), "downlink, Mbit/s: the mean of each %s", per)
	if loss := values(columns, meanLoss); slices.Max(loss) > 0 {
		chart(lowRows, loss, "loss outside outages, %%: the mean of each %s", per)
	}
	_, _ = fmt.Fprintf(w, "\n%*s│%s\n", axisWidth-1, "outages", shades(columns))
	drawTime(w, from, lasting(len(slots)), len(columns))
}

// deal gives slots to at most n columns, as evenly as whole slots can be.
func deal(slots []emulator.Conditions, n int) [][]emulator.Conditions {
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

// meanOf counts outages as 0: it is what gets through.
func meanOf(rate func(emulator.Conditions) float64) func([]emulator.Conditions) float64 {
	return func(column []emulator.Conditions) float64 {
		sum := 0.
		for _, c := range column {
			if !c.Out() {
				sum += rate(c)
			}
		}
		return sum / float64(len(column))
	}
}

// meanLoss is in percent, of what is not out.
func meanLoss(column []emulator.Conditions) float64 {
	sum, n := 0., 0
	for _, c := range column {
		if !c.Out() {
			sum += 100 * c.Loss
			n++
		}
	}
	return sum / float64(max(n, 1))
}

// jitters are the standard deviations of round trips in as many columns, each over its own
// slots, and over a second around its middle where these are fewer.
func jitters(slots []emulator.Conditions, columns int) []float64 {
	list := make([]float64, columns)
	for i := range list {
		first, end := i*len(slots)/columns, (i+1)*len(slots)/columns
		if short := jitterOver - (end - first); short > 0 {
			first = max(first-short/2, 0)
			end = min(first+jitterOver, len(slots))
		}
		list[i] = deviation(slots[first:end])
	}
	return list
}

// deviation is the standard deviation of the round trips that came back.
func deviation(slots []emulator.Conditions) float64 {
	n, mean, squares := 0., 0., 0. // Welford's method
	for _, c := range slots {
		if c.Out() {
			continue
		}
		n++
		d := rttMs(c) - mean
		mean += d / n
		squares += d * (rttMs(c) - mean)
	}
	return math.Sqrt(squares / max(n, 1))
}

// drawBars draws a bar a value, scaled so that nearly all fit. The axis has a number at
// each third.
func drawBars(w io.Writer, rows int, list []float64) {
	sorted := slices.Sorted(slices.Values(list))
	top := niceAbove(emulator.Rank(sorted, clipAbove))
	for row := rows - 1; row >= 0; row-- {
		label := ""
		if at := row + 1; 3*at%rows == 0 {
			label = number(top * float64(at) / float64(rows))
		}
		var line strings.Builder
		for _, v := range list {
			line.WriteRune(cell(v/top*float64(rows), row, rows))
		}
		_, _ = fmt.Fprintf(w, "%*s│%s\n", axisWidth-1, label, strings.TrimRight(line.String(), " "))
	}
}

// cell is the part of a bar of this height, in rows, that lies in a row.
func cell(height float64, row, rows int) rune {
	if height > float64(rows) && row == rows-1 {
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
