// SPDX-License-Identifier: Apache-2.0

package quantize

import (
	"fmt"
	"math"
	"slices"
)

// Method is how a tensor's range follows from what the samples showed.
type Method string

// The methods.
const (
	// Auto has Search take the one that changes the layers' outputs least.
	Auto Method = "auto"
	// MinMax takes all of it: nothing is cut off, and one outlier makes every step wide.
	MinMax Method = "minmax"
	// Percentile cuts off what is beyond the outermost 0.01 % on either side.
	Percentile Method = "percentile"
	// MSE cuts off as much as makes the mean squared error least (Nagel et al. 2021, 3.2): an
	// outlier is worth wide steps only as far as it weighs.
	MSE Method = "mse"
)

// Methods lists them, the default first.
func Methods() []Method { return []Method{Auto, MSE, MinMax, Percentile} }

func (m Method) check() error {
	if slices.Contains(Methods(), m) {
		return nil
	}
	return fmt.Errorf("method %q: allowed are %q", m, Methods())
}

// percentile is the share of values that Percentile covers on each side.
const percentile = .9999

// Range is that of a tensor's values, 0 included.
type Range struct{ Low, High float32 }

// ranges are those that each method finds for a tensor.
type ranges map[Method]Range

func (h *histogram) ranges() ranges {
	all := ranges{}
	for _, m := range Methods()[1:] {
		all[m] = h.rangeOf(m)
	}
	return all
}

// steps is how many there are from one end of uint8 to the other.
const steps = 255

// rangeOf gives the range that a method finds for a tensor.
func (h *histogram) rangeOf(method Method) Range {
	all := Range{min(h.low, 0), max(h.high, 0)}
	if !h.observed || h.width == 0 {
		return Range{}
	}
	switch method {
	case Percentile:
		return h.percentile(all)
	case MSE:
		return h.leastError(all)
	}
	return all
}

func (h *histogram) percentile(all Range) Range {
	total := h.zeros
	h.each(func(_ float64, count uint64) { total += count })
	spare := uint64(float64(total) * (1 - percentile))
	low, high := 0., 0.
	seen := uint64(0)
	for i := 0; i < half && seen <= spare; i++ {
		seen += h.bins[i]
		low = float64(i-half) * h.width
	}
	seen = 0
	for i := 2*half - 1; i >= half && seen <= spare; i-- {
		seen += h.bins[i]
		high = float64(i-half+1) * h.width
	}
	return Range{max(all.Low, float32(low)), min(all.High, float32(high))}
}

// leastError tries ranges from all of the values down to a fifth of that.
func (h *histogram) leastError(all Range) Range {
	const tries = 80
	best, least := all, math.Inf(1)
	for i := range tries {
		f := 1 - float32(i)/(tries+20)
		candidate := Range{all.Low * f, all.High * f}
		if e := h.errorOf(candidate); e < least {
			best, least = candidate, e
		}
	}
	return best
}

// errorOf is the squared error of a range: within it that of rounding, a uniform one (a
// twelfth of a step's square), outside of it the distance to its end.
func (h *histogram) errorOf(r Range) float64 {
	step := (float64(r.High) - float64(r.Low)) / steps
	rounding := step * step / 12
	sum := 0.
	h.each(func(middle float64, count uint64) {
		switch {
		case middle > float64(r.High):
			sum += float64(count) * (middle - float64(r.High)) * (middle - float64(r.High))
		case middle < float64(r.Low):
			sum += float64(count) * (middle - float64(r.Low)) * (middle - float64(r.Low))
		default:
			sum += float64(count) * rounding
		}
	})
	return sum
}

// scale is how a tensor of uint8 is read: (q - zero) * step.
type scale struct {
	step float32
	zero uint8
}

// scale of a range: its ends become 0 and 255, and 0 is exact (Jacob et al. 2018, 2.1).
func (r Range) scale() scale {
	low, high := min(float64(r.Low), 0), max(float64(r.High), 0)
	step := float32((high - low) / steps)
	if step < smallestStep {
		return scale{step: 1. / steps} // nothing but zeros: any step does
	}
	return scale{step: step, zero: uint8(min(max(math.Round(-low/float64(step)), 0), steps))}
}

// smallestStep keeps products of two steps from becoming denormal.
const smallestStep = 1e-18
