// SPDX-License-Identifier: Apache-2.0

package picture

import (
	"image"
	"image/color"
	"image/draw"
)

// plane is one channel of 8 bits: the value at x, y is pix[y*stride+x*step].
type plane struct {
	pix          []byte
	stride, step int
	// width and height are how many values the picture takes. The last one may reach
	// beyond its edge: then there is a fraction.
	width, height float64
}

// planesOf adds a picture's channels to planes without copying where it can: Y, Cb, Cr (ycc
// is true), R, G, B, or grey alone. Transparency is dropped, as most training code does.
func planesOf(planes []plane, img image.Image) (all []plane, ycc bool) {
	b := img.Bounds()
	w, h := float64(b.Dx()), float64(b.Dy())
	switch p := img.(type) {
	case *scaled:
		for _, c := range p.planes {
			planes = append(planes, plane{c.Pix, c.Stride, 1, c.Width, c.Height})
		}
		return planes, len(planes) == 3
	case *image.YCbCr:
		cw, ch := chromaSize(p)
		y, c := p.YOffset(b.Min.X, b.Min.Y), p.COffset(b.Min.X, b.Min.Y)
		return append(planes,
			plane{p.Y[y:], p.YStride, 1, w, h},
			plane{p.Cb[c:], p.CStride, 1, cw, ch},
			plane{p.Cr[c:], p.CStride, 1, cw, ch},
		), true
	case *image.Gray:
		return append(planes, plane{p.Pix[p.PixOffset(b.Min.X, b.Min.Y):], p.Stride, 1, w, h}), false
	case *image.Gray16:
		return append(planes, plane{p.Pix[p.PixOffset(b.Min.X, b.Min.Y):], p.Stride, 2, w, h}), false
	}
	pix, stride, step := packedOf(img)
	next := step / 4 // of values of 16 bits the high byte, which comes first, is enough
	for c := range 3 {
		planes = append(planes, plane{pix[c*next:], stride, step, w, h})
	}
	return planes, false
}

// packedOf is a picture with four values in each step bytes, of which the last does not
// matter.
func packedOf(img image.Image) (pix []byte, stride, step int) {
	b := img.Bounds()
	switch p := img.(type) {
	case *image.RGBA:
		return p.Pix[p.PixOffset(b.Min.X, b.Min.Y):], p.Stride, 4
	case *image.NRGBA:
		return p.Pix[p.PixOffset(b.Min.X, b.Min.Y):], p.Stride, 4
	case *image.NRGBA64:
		return p.Pix[p.PixOffset(b.Min.X, b.Min.Y):], p.Stride, 8
	case *image.RGBA64:
		if p.Opaque() { // as image/png's are
			return p.Pix[p.PixOffset(b.Min.X, b.Min.Y):], p.Stride, 8
		}
	}
	return flatten(img), 4 * b.Dx(), 4
}

// flatten copies a picture to four bytes a pixel.
func flatten(img image.Image) []byte {
	b := img.Bounds()
	size := image.Rect(0, 0, b.Dx(), b.Dy())
	switch p := img.(type) {
	case *image.Paletted:
		return flattenPalette(p)
	case *image.CMYK: // package draw is quick at this one
		flat := image.NewRGBA(size)
		draw.Draw(flat, size, img, b.Min, draw.Src)
		return flat.Pix
	}
	flat := image.NewNRGBA(size)
	draw.Draw(flat, size, img, b.Min, draw.Src)
	return flat.Pix
}

func flattenPalette(p *image.Paletted) []byte {
	var colours [256][4]byte
	for i, c := range p.Palette[:min(len(p.Palette), 256)] {
		n, _ := color.NRGBAModel.Convert(c).(color.NRGBA)
		colours[i] = [4]byte{n.R, n.G, n.B}
	}
	pix := make([]byte, 0, 4*p.Rect.Dx()*p.Rect.Dy())
	for y := p.Rect.Min.Y; y < p.Rect.Max.Y; y++ {
		row := p.Pix[p.PixOffset(p.Rect.Min.X, y):]
		for _, v := range row[:p.Rect.Dx()] {
			pix = append(pix, colours[v][:]...)
		}
	}
	return pix
}

// chromaSize is how many chroma samples the picture takes.
func chromaSize(p *image.YCbCr) (w, h float64) {
	b := p.Rect
	last := p.COffset(b.Max.X-1, b.Max.Y-1) - p.COffset(b.Min.X, b.Min.Y)
	x, y := perChroma(p.SubsampleRatio)
	w, h = float64(last%p.CStride+1), float64(last/p.CStride+1)
	return min(w, float64(b.Dx())/x), min(h, float64(b.Dy())/y)
}

// perChroma is how many pixels share a chroma sample in each direction.
func perChroma(r image.YCbCrSubsampleRatio) (x, y float64) {
	switch r {
	case image.YCbCrSubsampleRatio422:
		return 2, 1
	case image.YCbCrSubsampleRatio420:
		return 2, 2
	case image.YCbCrSubsampleRatio440:
		return 1, 2
	case image.YCbCrSubsampleRatio411:
		return 4, 1
	case image.YCbCrSubsampleRatio410:
		return 4, 2
	}
	return 1, 1
}
