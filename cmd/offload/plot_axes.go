// SPDX-License-Identifier: Apache-2.0

package main

import (
	"math"
	"slices"
	"strconv"
	"time"

	"gonum.org/v1/plot"
)

// logAxis shows a decade at least.
func logAxis(p *plot.Plot, least, most float64) {
	p.Y.Scale = plot.LogScale{}
	p.Y.Min, p.Y.Max = least/1.1, max(most*1.1, 10*least)
	p.Y.Tick.Marker = logTicks{}
}

// linearAxis ends at a short number, and has a number at each third.
func linearAxis(p *plot.Plot) {
	top := niceAbove(p.Y.Max)
	p.Y.Min, p.Y.Max = 0, top
	var ticks plot.ConstantTicks
	for i := range 4 {
		v := top * float64(i) / 3
		ticks = append(ticks, plot.Tick{Value: v, Label: number(v)})
	}
	p.Y.Tick.Marker = ticks
}

// logTicks mark each decade, and what lies between where there are few.
type logTicks struct{}

// Ticks implements plot.Ticker.
func (logTicks) Ticks(least, most float64) []plot.Tick {
	var ticks []plot.Tick
	few := most/least < 200
	for unit := math.Pow(10, math.Floor(math.Log10(least))); unit <= most; unit *= 10 {
		for f := 1.; f < 10; f++ {
			v := f * unit
			if v < least || v > most {
				continue
			}
			label := ""
			if f == 1 || few && (f == 2 || f == 5) {
				label = strconv.FormatFloat(v, 'f', -1, 64)
			} else if !few {
				continue
			}
			ticks = append(ticks, plot.Tick{Value: v, Label: label})
		}
	}
	return ticks
}

// timeTicks mark round times, twelve at the most.
func timeTicks(from, length time.Duration) plot.ConstantTicks {
	step := 50 * time.Millisecond
	for _, s := range []time.Duration{
		100 * time.Millisecond, 500 * time.Millisecond, time.Second, 2 * time.Second, 5 * time.Second, 10 * time.Second, 15 * time.Second, 30 * time.Second,
		time.Minute, 2 * time.Minute, 5 * time.Minute, 10 * time.Minute, 30 * time.Minute, time.Hour, 2 * time.Hour,
	} {
		if length/step > 12 {
			step = s
		}
	}
	var ticks plot.ConstantTicks
	for at := (from + step - 1).Truncate(step); at <= from+length; at += step {
		label := clock(at)
		if step < time.Second {
			label = strconv.FormatFloat(at.Seconds(), 'f', -1, 64) + " s"
		}
		ticks = append(ticks, plot.Tick{Value: at.Seconds(), Label: label})
	}
	return ticks
}

// unlabelled are ticks for a grid alone.
type unlabelled struct{ of plot.ConstantTicks }

// Ticks implements plot.Ticker.
func (u unlabelled) Ticks(least, most float64) []plot.Tick {
	ticks := slices.Clone(u.of)
	for i := range ticks {
		ticks[i].Label = " " // a tick without any is a minor one, which has no line
	}
	return ticks
}
