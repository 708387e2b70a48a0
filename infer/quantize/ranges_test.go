// SPDX-License-Identifier: Apache-2.0

package quantize

import (
	"math"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

func TestRanges(t *testing.T) {
	uniform := make([]float32, 0, 100_000)
	for i := range cap(uniform) {
		uniform = append(uniform, float32(i)/float32(cap(uniform)))
	}
	outlier := append(append([]float32(nil), uniform...), 100)
	for name, c := range map[string]struct {
		values []float32
		want   map[Method]Range
		within float64
	}{
		"uniform":     {uniform, map[Method]Range{MinMax: {0, 1}, Percentile: {0, 1}, MSE: {0, 1}}, .03},
		"one outlier": {outlier, map[Method]Range{MinMax: {0, 100}, Percentile: {0, 1}}, .05},
		"zeros":       {make([]float32, 5), map[Method]Range{MinMax: {}, Percentile: {}, MSE: {}}, 0},
		"below alone": {[]float32{-3, -2}, map[Method]Range{MinMax: {-3, 0}, MSE: {-3, 0}}, 0},
		"nothing":     {nil, map[Method]Range{MinMax: {}, Percentile: {}, MSE: {}}, 0},
	} {
		var h histogram
		require.NoError(t, h.add(c.values))
		for m, want := range c.want {
			got := h.rangeOf(m)
			assert.InDelta(t, want.Low, got.Low, c.within, "%s %s", name, m)
			assert.InDelta(t, want.High, got.High, c.within, "%s %s", name, m)
		}
	}
	var h histogram
	require.NoError(t, h.add(outlier))
	mse := h.rangeOf(MSE)
	assert.Less(t, mse.High, float32(100), "an outlier in 100 000 is not worth steps as wide as all the rest")
	assert.Less(t, h.errorOf(mse), h.errorOf(Range{0, 100}))
	assert.ErrorContains(t, h.add([]float32{float32(math.NaN())}), "NaN")
}

// Whatever comes in whatever order, no value is lost and the range is that of the values.
func TestHistogramGrows(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var h histogram
		low, high, many := float32(0), float32(0), uint64(0)
		for _, list := range rapid.SliceOfN(rapid.SliceOf(rapid.Float32Range(-1e6, 1e6)), 1, 5).Draw(t, "values") {
			require.NoError(t, h.add(list))
			for _, v := range list {
				low, high = min(low, v), max(high, v)
				many++
			}
		}
		counted := h.zeros
		h.each(func(_ float64, count uint64) { counted += count })
		assert.Equal(t, many, counted)
		assert.Equal(t, Range{low, high}, h.rangeOf(MinMax))
		for _, m := range Methods()[1:] {
			r := h.rangeOf(m)
			assert.LessOrEqual(t, low, r.Low)
			assert.GreaterOrEqual(t, high, r.High)
		}
	})
}

// Zero is exact, the ends are 0 and 255, and nothing within is off by more than half a step.
func TestScale(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		r := Range{rapid.Float32Range(-1e3, 0).Draw(t, "low"), rapid.Float32Range(0, 1e3).Draw(t, "high")}
		s := r.scale()
		value := func(q uint8) float64 { return (float64(q) - float64(s.zero)) * float64(s.step) }
		assert.Zero(t, value(s.quantize(0)))
		x := float32(rapid.Float64Range(float64(r.Low), float64(r.High)).Draw(t, "x"))
		assert.InDelta(t, x, value(s.quantize(x)), 1.001*float64(s.step))
		assert.Equal(t, uint8(255), s.quantize(r.High+10*s.step+1))
		assert.Equal(t, uint8(0), s.quantize(r.Low-10*s.step-1))
	})
}
