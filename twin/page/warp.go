// SPDX-License-Identifier: Apache-2.0

package page

import (
	"math"
	"slices"
)

// axis is the scale that shows a metric's values apart, however far one policy is off: a
// logarithm of misses and of what utility falls short of 1, a root of megabytes.
func (m metric) axis(values []float64) (scale, []tick) {
	least, most := limits(values)
	switch {
	case m.unit == "%":
		return shares(least, most)
	case m.key == "utility":
		least, most = min(max(least, 0), .999), min(max(most, 0), .999)
		parts := 6
		if (1-least)/(1-most) > 1.5 { // where they stand close there must be some to choose from
			parts = 16
		}
		s, ticks := rounded(least, most, parts, plain)
		s.warp = func(v float64) float64 { return -math.Log(1 - min(v, .999)) }
		return s, ticks
	case m.key == "sent_mb":
		s, ticks := rounded(max(least, 0), most, 12, plain)
		s.low, s.warp = max(s.low, 0), math.Sqrt
		return s, ticks
	}
	return rounded(least, most, 5, plain)
}

// axisName says how an axis is warped.
func (m metric) axisName() string {
	switch {
	case m.unit == "%":
		return "logarithmic axis"
	case m.key == "utility":
		return "logarithmic axis of 1 − utility"
	case m.key == "sent_mb":
		return "square-root axis"
	}
	return ""
}

// leastShare is where an axis of shares ends; what is less, none included, stands there.
const leastShare = .001

// shares is a logarithmic scale of shares.
func shares(least, most float64) (scale, []tick) {
	ends := []float64{leastShare, .0015, .002, .003, .004, .005, .007, .01, .015, .02, .03, .05, .07, .1, .15, .2, .3, .5, .7, 1}
	low, high := leastShare, 1.
	for i, end := range ends {
		if end <= least && end < 1 {
			low = end
		}
		if last := ends[len(ends)-1-i]; last >= most && last > low {
			high = last
		}
	}
	label := func(v float64) string { return plain(100*v) + "%" }
	ticks := decades(low, high, label)
	if high < 8*low { // few of them
		ticks = nil
		for _, v := range ends {
			ticks = append(ticks, tick{v, label(v)})
		}
	}
	if least < leastShare && len(ticks) > 0 {
		ticks[0].label = "≤ " + ticks[0].label
	}
	return scale{low: low, high: high, warp: math.Log10}, ticks
}

// around is a scale of differences around 0, logarithmic on both sides where they span decades.
func around(values []float64, reach float64, label func(float64) string) (scale, []tick) {
	s, ticks := rounded(-reach, reach, 3, label)
	var sizes []float64
	for _, v := range values {
		if finite(v) && v != 0 {
			sizes = append(sizes, math.Abs(v))
		}
	}
	if len(sizes) == 0 {
		return s, ticks
	}
	slices.Sort(sizes)
	unit := sizes[len(sizes)/2] / 2
	if unit == 0 || !finite(reach) || sizes[len(sizes)-1] < 10*unit {
		return s, ticks
	}
	s.warp = func(v float64) float64 { return math.Asinh(v / unit) }
	ticks = []tick{{0, "0"}}
	for _, t := range decades(3*unit, s.high, label) {
		if s.high > 50*unit && math.Abs(math.Remainder(math.Log10(t.at), 1)) > .01 {
			continue // powers of ten are enough
		}
		ticks = append(ticks, t)
		ticks = slices.Insert(ticks, 0, tick{-t.at, label(-t.at)})
	}
	return s, ticks
}
