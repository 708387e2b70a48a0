// SPDX-License-Identifier: Apache-2.0

package page

import "math"

// scale puts values into a picture.
type scale struct {
	low, high float64 // of the values
	from, to  float64 // in the picture
	warp      func(float64) float64
}

func straight(v float64) float64 { return v }

// at is where a value stands; what is outside stands at the edge.
func (s scale) at(v float64) float64 {
	a, b := s.warp(s.low), s.warp(s.high)
	if a == b || math.IsNaN(v) {
		return (s.from + s.to) / 2
	}
	return s.from + (s.to-s.from)*(s.warp(min(max(v, s.low), s.high))-a)/(b-a)
}

// tick is a value with a line and a label.
type tick struct {
	at    float64
	label string
}

// spaced leaves out ticks that stand nearer than a distance to the one before.
func (s scale) spaced(ticks []tick, distance float64) []tick {
	var kept []tick
	for _, t := range ticks {
		if t.at < s.low-1e-9 || t.at > s.high+1e-9 {
			continue
		}
		if n := len(kept); n == 0 || math.Abs(s.at(t.at)-s.at(kept[n-1].at)) >= distance {
			kept = append(kept, t)
		}
	}
	return kept
}

// step is the round number next to a span's share: 1, 2 or 5 times a power of ten.
func step(span float64, parts int) float64 {
	raw := span / float64(parts)
	unit := math.Pow(10, math.Floor(math.Log10(raw)))
	for _, f := range []float64{1, 2, 5} {
		if raw <= f*unit*1.0001 {
			return f * unit
		}
	}
	return 10 * unit
}

// rounded is a linear scale with round ends around values, and its ticks.
func rounded(least, most float64, parts int, label func(float64) string) (scale, []tick) {
	if !(most-least > 1e-9*math.Abs(least)) { // or so near that no step lies between them
		margin := max(math.Abs(least)*.1, 1e-3)
		least, most = least-margin, most+margin
	}
	by := step(most-least, parts)
	first, last := math.Floor(least/by+1e-12), math.Ceil(most/by-1e-12)
	var ticks []tick
	for i := first; i <= last; i++ {
		ticks = append(ticks, tick{i * by, label(i * by)})
	}
	return scale{low: first * by, high: last * by, warp: straight}, ticks
}

// decades are the ticks of a logarithmic scale, of twelve decades at the most.
func decades(low, high float64, label func(float64) string) []tick {
	var ticks []tick
	if !(low > 0) || !finite(high) {
		return nil
	}
	low = max(low, high*1e-12)
	for unit := math.Pow(10, math.Floor(math.Log10(low))); unit <= high*1.0001; unit *= 10 {
		for _, f := range []float64{1, 2, 5} {
			if v := f * unit; v >= low*.9999 && v <= high*1.0001 {
				ticks = append(ticks, tick{v, label(v)})
			}
		}
	}
	return ticks
}
