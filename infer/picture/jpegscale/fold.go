// SPDX-License-Identifier: Apache-2.0

package jpegscale

import "math"

// fold says where each coefficient of a block goes, so that the inverse DCT of the result
// is the block's pixels already averaged. The mean of 2 neighbours of a cosine is a cosine
// of half as many samples, a little smaller:
//
//	cos(u(2x+1)π/2n) for x = 2k and 2k+1 has the mean cos(uπ/2n) cos(u(2k+1)π/n)
//
// and that of a frequency u > n/2 is that of n-u with the sign changed, that of n/2 is 0.
// So coefficients beyond the new size fold back onto those below.
type fold struct {
	shift int
	quant [64]uint16
	terms [64]term // in zigzag order
	valid bool
}

// term adds gain times a coefficient to number at of the small block.
type term struct {
	gain float32
	at   uint32
}

// fit makes the table for a reduction to 8>>shift and these divisors, unless it is that.
func (f *fold) fit(shift int, quant *[64]uint16) {
	if f.valid && f.shift == shift && f.quant == *quant {
		return
	}
	f.shift, f.quant, f.valid = shift, *quant, true
	side, order := 8>>shift, zigzag()
	for z := range 64 {
		u, v := int(order[z]&7), int(order[z]>>3)
		atX, gainX := foldAxis(u, side)
		atY, gainY := foldAxis(v, side)
		f.terms[z] = term{float32(gainX * gainY * float64(quant[z])), uint32(atY*side + atX)}
	}
}

// foldAxis is where frequency u of 8 goes in one dimension, and its factor: that of the
// means, that of T.81 A.3.3, and that which the inverse DCT of this size leaves out.
func foldAxis(u, side int) (at int, gain float64) {
	gain = .5
	if u == 0 {
		gain /= math.Sqrt2
	}
	at = u
	for n := 8; n > side; n /= 2 {
		gain *= math.Cos(float64(at) * math.Pi / float64(2*n))
		switch {
		case at == n/2:
			return 0, 0
		case at > n/2:
			at, gain = n-at, -gain
		}
	}
	return at, gain * inverseScale(at, side)
}

// inverseScale is what the inverse DCT of side samples expects frequency u to be
// multiplied with.
func inverseScale(u, side int) float64 {
	if side == 8 || side == 4 && u == 2 || side == 2 {
		return math.Cos(float64(u) * math.Pi / float64(2*side))
	}
	return 1
}

// zigzag is T.81 figure A.6: the place, 8*v + u, of each coefficient in their order.
func zigzag() [64]uint8 {
	return [64]uint8{
		0, 1, 8, 16, 9, 2, 3, 10,
		17, 24, 32, 25, 18, 11, 4, 5,
		12, 19, 26, 33, 40, 48, 41, 34,
		27, 20, 13, 6, 7, 14, 21, 28,
		35, 42, 49, 56, 57, 50, 43, 36,
		29, 22, 15, 23, 30, 37, 44, 51,
		58, 59, 52, 45, 38, 31, 39, 46,
		53, 60, 61, 54, 47, 55, 62, 63,
	}
}
