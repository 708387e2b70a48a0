// SPDX-License-Identifier: Apache-2.0

package quantize

import (
	"fmt"
	"math"
)

// half is the number of bins on either side of 0. The widest value lies in the outer half of
// them, so that each of 255 steps has 8 bins at least.
const half = 4096

// histogram counts the values of a tensor over all samples. Its width doubles as it has to.
type histogram struct {
	width    float64 // of a bin; 0 before the first value that is not 0
	bins     [2 * half]uint64
	zeros    uint64
	low      float32
	high     float32
	observed bool
}

// add counts values. Zeros are counted by themselves: integers give them exactly.
func (h *histogram) add(list []float32) error {
	low, high := h.low, h.high
	if !h.observed {
		low, high = math.MaxFloat32, -math.MaxFloat32
	}
	for _, v := range list {
		if !finite(v) {
			return fmt.Errorf("a value of %v", v)
		}
		low, high = min(low, v), max(high, v)
	}
	if len(list) == 0 {
		return nil
	}
	h.low, h.high, h.observed = low, high, true
	most := max(math.Abs(float64(low)), math.Abs(float64(high)))
	if most == 0 {
		h.zeros += uint64(len(list))
		return nil
	}
	h.widen(most)
	per := 1 / h.width
	for _, v := range list {
		if v == 0 {
			h.zeros++
			continue
		}
		at := int(math.Floor(float64(v)*per)) + half
		h.bins[min(max(at, 0), 2*half-1)]++
	}
	return nil
}

// widen makes the bins reach a value.
func (h *histogram) widen(most float64) {
	if h.width == 0 {
		h.width = most / half
	}
	for h.width*half < most {
		h.width *= 2
		var merged [2 * half]uint64
		for i := range h.bins {
			merged[half/2+i/2] += h.bins[i]
		}
		h.bins = merged
	}
}

// each calls f with each bin's middle and count.
func (h *histogram) each(f func(middle float64, count uint64)) {
	for i, count := range h.bins {
		if count > 0 {
			f((float64(i-half)+.5)*h.width, count)
		}
	}
}
