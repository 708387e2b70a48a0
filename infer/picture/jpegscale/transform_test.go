// SPDX-License-Identifier: Apache-2.0

package jpegscale

import (
	"math"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

// inverseAt is the formula of T.81 A.3.3 for the pixel at x, y.
func inverseAt(coefficients *[64]float64, x, y int) float64 {
	sum := 0.
	for at, value := range coefficients {
		u, v := at&7, at>>3
		term := value / 4 * math.Cos(float64((2*x+1)*u)*math.Pi/16) * math.Cos(float64((2*y+1)*v)*math.Pi/16)
		if u == 0 {
			term /= math.Sqrt2
		}
		if v == 0 {
			term /= math.Sqrt2
		}
		sum += term
	}
	return sum + 128
}

// Folding and a small transform are the large transform and the mean.
func TestFoldedTransform(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		shift := rapid.IntRange(0, maxShift).Draw(t, "shift")
		quant := rapid.Uint16Range(1, 20).Draw(t, "quant")
		var f fold
		f.fit(shift, repeat(quant))
		var whole [64]float64
		small := [64]float32{128}
		order := zigzag()
		for range rapid.IntRange(0, 20).Draw(t, "coefficients") {
			z := rapid.IntRange(0, 63).Draw(t, "z")
			v := rapid.IntRange(-15, 15).Draw(t, "v")
			whole[order[z]] += float64(v) * float64(quant)
			small[f.terms[z].at] += f.terms[z].gain * float32(v)
		}
		side, scale := 8>>shift, 1<<shift
		out := make([]byte, 64)
		inverse(&small, out, side)
		for y := range side {
			for x := range side {
				mean := 0.
				for i := range scale * scale {
					mean += inverseAt(&whole, x*scale+i%scale, y*scale+i/scale) / float64(scale*scale)
				}
				want := min(max(mean, 0), 255)
				if got := out[y*8+x]; math.Abs(float64(got)-want) > .51 {
					t.Fatalf("at %d, %d of %d: %d, want %.2f", x, y, side, got, want)
				}
			}
		}
	})
}

func repeat(v uint16) (q *[64]uint16) {
	q = &[64]uint16{}
	for i := range q {
		q[i] = v
	}
	return q
}

func inverse(small *[64]float32, out []byte, side int) {
	switch side {
	case 1:
		out[0] = pixel(small[0])
	case 2:
		inverse2(small, out, 8)
	case 4:
		inverse4(small, out, 8)
	default:
		inverse8(small, out, 8)
	}
}

// T.81 tables F.1 and F.2.
func TestNumbers(t *testing.T) {
	cases := []struct {
		bits uint64
		size uint
		want int32
	}{
		{0b0, 0, 0},
		{0b0, 1, -1},
		{0b1, 1, 1},
		{0b00, 2, -3},
		{0b01, 2, -2},
		{0b10, 2, 2},
		{0b11, 2, 3},
		{0b0111, 4, -8},
		{0b1000, 4, 8},
		{0, 11, -2047},
		{2047, 11, 2047},
		{0, 15, -32767},
		{32767, 15, 32767},
	}
	for _, c := range cases {
		rest := uint64(0x5555555555555555) >> c.size
		assert.Equal(t, c.want, number(c.bits<<((64-c.size)&63)|rest, c.size), "%b", c.bits)
	}
}

// Codes of every length, found at once and by their length.
func TestCodes(t *testing.T) {
	table := make([]byte, 16, 32)
	for i := range 16 {
		table[i] = 1 // 0, 10, 110...
		table = append(table, byte(i%15+1))
	}
	var h huffman
	n, err := h.fit(table, false)
	require.NoError(t, err)
	assert.Equal(t, 32, n)
	for i := range 16 {
		code := ^uint64(0) << (64 - i) // i ones
		s := h.symbol(code)
		assert.Equal(t, []uint{uint(i + 1), uint(i%15 + 1), 0}, []uint{s.code(), s.size(), s.run()})
		assert.Equal(t, s.code()+s.size(), s.bits())
	}
	assert.Zero(t, h.symbol(^uint64(0)))

	_, err = h.fit(table, true)
	require.ErrorContains(t, err, "DC value of 12 bits: allowed are up to 11")
	n, err = h.fit(table, false)
	require.NoError(t, err)
	assert.Equal(t, 32, n)
	assert.NotZero(t, h.symbol(0), "it is made again after the failed one")
}
