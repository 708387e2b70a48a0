// SPDX-License-Identifier: Apache-2.0

package jpegscale

// The inverse DCTs of 2 x 2, 4 x 4 and 8 x 8. What inverseScale says is already in the
// coefficients.

// inverse2 writes a block of 2 x 2.
func inverse2(f *[64]float32, to []byte, stride int) {
	left, right := f[0]+f[2], f[0]-f[2] // upper and lower row's mean
	up, down := f[1]+f[3], f[1]-f[3]
	low := to[stride : stride+2]
	to = to[:2]
	to[0], to[1] = pixel(left+up), pixel(left-up)
	low[0], low[1] = pixel(right+down), pixel(right-down)
}

// The cosines of π/8 and 3π/8.
const (
	cos1of8 = 0.9238795325112867
	cos3of8 = 0.3826834323650898
)

// inverse4 writes a block of 4 x 4.
func inverse4(f *[64]float32, to []byte, stride int) {
	for x := range 4 {
		f[x], f[4+x], f[8+x], f[12+x] = cosines4(f[x], f[4+x], f[8+x], f[12+x])
	}
	for y := range 4 {
		row := to[y*stride:][:4]
		a, b, c, d := cosines4(f[4*y], f[4*y+1], f[4*y+2], f[4*y+3])
		row[0], row[1], row[2], row[3] = pixel(a), pixel(b), pixel(c), pixel(d)
	}
}

func cosines4(f0, f1, f2, f3 float32) (a, b, c, d float32) {
	outer, inner := f0+f2, f0-f2
	o, i := cos1of8*f1+cos3of8*f3, cos3of8*f1-cos1of8*f3
	return outer + o, inner + i, inner - i, outer - o
}

// inverse8 writes a block of 8 x 8.
func inverse8(f *[64]float32, to []byte, stride int) {
	for x := range 8 {
		if f[8+x] == 0 && f[16+x] == 0 && f[24+x] == 0 && f[32+x] == 0 && f[40+x] == 0 && f[48+x] == 0 && f[56+x] == 0 {
			for y := 8 + x; y < 64; y += 8 { // as it is in most columns of a smooth block
				f[y] = f[x]
			}
			continue
		}
		f[x], f[8+x], f[16+x], f[24+x], f[32+x], f[40+x], f[48+x], f[56+x] = cosines8(
			f[x], f[8+x], f[16+x], f[24+x], f[32+x], f[40+x], f[48+x], f[56+x])
	}
	for y := range 8 {
		row, in := to[y*stride:][:8], f[8*y:8*y+8]
		a, b, c, d, e, g, h, i := cosines8(in[0], in[1], in[2], in[3], in[4], in[5], in[6], in[7])
		row[0], row[1], row[2], row[3] = pixel(a), pixel(b), pixel(c), pixel(d)
		row[4], row[5], row[6], row[7] = pixel(e), pixel(g), pixel(h), pixel(i)
	}
}

// cosines8 is the inverse of the DCT of Y. Arai, T. Agui and M. Nakajima, "A fast DCT-SQ
// scheme for images", Trans. IEICE E71(11), 1988: five multiplications.
func cosines8(f0, f1, f2, f3, f4, f5, f6, f7 float32) (a, b, c, d, e, f, g, h float32) {
	even0, even1 := f0+f4, f0-f4
	even2 := f2 + f6
	even3 := (f2-f6)*1.4142135623730951 - even2
	e0, e3, e1, e2 := even0+even2, even0-even2, even1+even3, even1-even3

	z13, z10, z11, z12 := f5+f3, f5-f3, f1+f7, f1-f7
	o7 := z11 + z13
	z5 := (z10 + z12) * 1.8477590650225735
	o6 := z5 - z10*2.613125929752753 - o7
	o5 := (z11-z13)*1.4142135623730951 - o6
	o4 := z5 - z12*1.0823922002923938 - o5

	return e0 + o7, e1 + o6, e2 + o5, e3 + o4, e3 - o4, e2 - o5, e1 - o6, e0 - o7
}

// flat writes a block of one value.
func flat(v float32, to []byte, stride, side int) {
	p := pixel(v)
	for y := range side {
		row := to[y*stride:][:side]
		for x := range row {
			row[x] = p
		}
	}
}

// pixel rounds a value and keeps it within 0 to 255.
func pixel(v float32) byte {
	if v < 0 {
		return 0
	}
	if v > 255 {
		return 255
	}
	return byte(int32(v + .5))
}
