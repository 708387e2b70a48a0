// SPDX-License-Identifier: Apache-2.0

package picture

import (
	"bytes"
	"image"
	"image/color"
	"image/draw"
	"image/jpeg"
	"image/png"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"edgex-offload/infer/picture/picturetest"
)

func encodePNG(tb testing.TB, img image.Image) []byte {
	tb.Helper()
	var b bytes.Buffer
	require.NoError(tb, png.Encode(&b, img))
	return b.Bytes()
}

func encodeJPEG(tb testing.TB, img image.Image) []byte {
	tb.Helper()
	var b bytes.Buffer
	require.NoError(tb, jpeg.Encode(&b, img, nil))
	return b.Bytes()
}

// tensorOf is payload's 2 x 2 tensor, once by a scaled decode if there is one for its
// kind, once by a full one.
func tensorOf(t *testing.T, payload []byte) (scaled, whole []float32) {
	t.Helper()
	p := NewPlan(plain(2, 2))
	scaled, whole = make([]float32, 12), make([]float32, 12)
	img, err := p.Decode(payload)
	require.NoError(t, err)
	at, err := p.Fill(scaled, img)
	require.NoError(t, err)
	full, err := Decode(payload)
	require.NoError(t, err)
	assert.Equal(t, full.Bounds(), img.Bounds())
	want, err := p.Fill(whole, full)
	require.NoError(t, err)
	assert.Equal(t, want, at)
	return scaled, whole
}

// Red, green, blue and white, in each kind of picture that there is.
func TestEveryKindOfPictureGivesItsPixels(t *testing.T) {
	src := quarters(32, 32)
	rgb := []float32{255, 0, 0, 255 /**/, 0, 255, 0, 255 /**/, 0, 0, 255, 255}
	grey := []float32{76, 150, 29, 255 /**/, 76, 150, 29, 255 /**/, 76, 150, 29, 255}
	palette := color.Palette{src.At(0, 0), src.At(31, 0), src.At(0, 31), src.At(31, 31)}
	for name, c := range map[string]struct {
		payload []byte
		want    []float32
	}{
		"PNG":                 {encodePNG(t, src), rgb},
		"PNG, 16 bits":        {encodePNG(t, drawn(image.NewRGBA64(src.Rect), src)), rgb},
		"PNG, palette":        {encodePNG(t, drawn(image.NewPaletted(src.Rect, palette), src)), rgb},
		"PNG, grey":           {encodePNG(t, drawn(image.NewGray(src.Rect), src)), grey},
		"PNG, 16 bits grey":   {encodePNG(t, drawn(image.NewGray16(src.Rect), src)), grey},
		"PNG, grey and alpha": {picturetest.PNG{Width: 32, Height: 32, Depth: 8, Colour: 4}.Encode(greyAlpha(src)), grey},
		"PNG, 16 bits and alpha": {picturetest.PNG{Width: 32, Height: 32, Depth: 16, Colour: 6}.Encode(
			func(x, y int) []byte { return deep(src.NRGBAAt(x, y)) }), rgb},
		"PNG, interlaced": {picturetest.PNG{Width: 32, Height: 32, Depth: 8, Colour: 4, Interlaced: true}.Encode(greyAlpha(src)), grey},
		"JPEG":            {encodeJPEG(t, src), rgb},
		"JPEG, grey":      {encodeJPEG(t, drawn(image.NewGray(src.Rect), src)), grey},
	} {
		scaled, whole := tensorOf(t, c.payload)
		assert.InDeltaSlice(t, c.want, whole, 6, name) // a JPEG's colours bleed
		assert.InDeltaSlice(t, whole, scaled, 1, name)
	}
	for name, v := range jpegKinds() {
		payload := v.variant.Encode(sampleOf(src, v.variant, v.convert))
		scaled, whole := tensorOf(t, payload)
		want := rgb
		if len(v.variant.Factors) == 1 {
			want = grey
		}
		assert.InDeltaSlice(t, want, whole, 3, name)
		assert.InDeltaSlice(t, whole, scaled, 1, name)
	}
}

func drawn(to draw.Image, from image.Image) image.Image {
	draw.Draw(to, to.Bounds(), from, from.Bounds().Min, draw.Src)
	return to
}

func greyAlpha(img *image.NRGBA) func(x, y int) []byte {
	return func(x, y int) []byte {
		g, _ := color.GrayModel.Convert(img.At(x, y)).(color.Gray)
		return []byte{g.Y, 255}
	}
}

func deep(c color.NRGBA) []byte { return []byte{c.R, 0, c.G, 0, c.B, 0, 255, 255} }

type jpegKind struct {
	variant picturetest.Variant
	convert func(color.NRGBA) [4]byte
}

func jpegKinds() map[string]jpegKind {
	none, ycc, ycck := byte(0), byte(1), byte(2)
	one, kinds := [2]int{1, 1}, map[string]jpegKind{}
	for name, luma := range map[string][2]int{"444": one, "422": {2, 1}, "420": {2, 2}, "440": {1, 2}, "411": {4, 1}, "410": {4, 2}} {
		v := picturetest.Variant{Width: 32, Height: 32, Factors: [][2]int{luma, one, one}}
		kinds[name] = jpegKind{v, toYCC}
		v.Restart = 1
		kinds[name+", restarts"] = jpegKind{v, toYCC}
		v.Restart, v.Progressive = 0, true
		kinds[name+", progressive"] = jpegKind{v, toYCC}
	}
	v := picturetest.Variant{Width: 32, Height: 32, Factors: [][2]int{one}}
	kinds["one plane"] = jpegKind{v, toYCC}
	v.Progressive = true
	kinds["one plane, progressive"] = jpegKind{v, toYCC}
	v = picturetest.Variant{Width: 32, Height: 32, Factors: [][2]int{one, one, one}, Adobe: &ycc}
	kinds["Adobe's YCbCr"] = jpegKind{v, toYCC}
	v.Adobe = &none
	kinds["RGB"] = jpegKind{v, func(c color.NRGBA) [4]byte { return [4]byte{c.R, c.G, c.B} }}
	v.Adobe, v.IDs = nil, "RGB"
	kinds["RGB by name"] = jpegKind{v, func(c color.NRGBA) [4]byte { return [4]byte{c.R, c.G, c.B} }}
	// Adobe writes ink the other way round, 255 is none, and turns that once more for YCCK.
	v = picturetest.Variant{Width: 32, Height: 32, Factors: [][2]int{one, one, one, one}, Adobe: &none}
	kinds["CMYK"] = jpegKind{v, func(c color.NRGBA) [4]byte { return [4]byte{c.R, c.G, c.B, 255} }}
	v.Adobe = &ycck
	kinds["YCCK"] = jpegKind{v, func(c color.NRGBA) [4]byte {
		y := toYCC(color.NRGBA{255 - c.R, 255 - c.G, 255 - c.B, 255})
		y[3] = 255
		return y
	}}
	return kinds
}

func toYCC(c color.NRGBA) [4]byte {
	y, cb, cr := color.RGBToYCbCr(c.R, c.G, c.B)
	return [4]byte{y, cb, cr}
}

// sampleOf takes a component's samples from img, whose edges go on for ever.
func sampleOf(img *image.NRGBA, v picturetest.Variant, convert func(color.NRGBA) [4]byte) func(component, x, y int) byte {
	luma := v.Factors[0]
	return func(component, x, y int) byte {
		f := v.Factors[component]
		x, y = min(x*luma[0]/f[0], v.Width-1), min(y*luma[1]/f[1], v.Height-1)
		return convert(img.NRGBAAt(x, y))[component]
	}
}
