// SPDX-License-Identifier: Apache-2.0

package picture

import (
	"image"
	"image/color"
	"math"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/image/draw"
	"pgregory.net/rapid"
)

// plain is a tensor whose values are the picture's, 0 to 255.
func plain(w, h int) Options {
	return Options{Width: w, Height: h, Scale: 1, Mean: []float64{0}, Std: []float64{1}}
}

// quarters is a picture of four colours: red, green / blue, white.
func quarters(w, h int) *image.NRGBA {
	img := image.NewNRGBA(image.Rect(0, 0, w, h))
	for y := range h {
		for x := range w {
			c := [4]color.NRGBA{{255, 0, 0, 255}, {0, 255, 0, 255}, {0, 0, 255, 255}, {255, 255, 255, 255}}
			img.SetNRGBA(x, y, c[2*(2*y/h)+2*x/w])
		}
	}
	return img
}

func fill(tb testing.TB, o Options, img image.Image) ([]float32, Placement) {
	tb.Helper()
	p := NewPlan(o)
	dst := make([]float32, o.Width*o.Height*p.channels)
	for i := range dst {
		dst[i] = float32(math.NaN()) // each has to be written
	}
	at, err := p.Fill(dst, img)
	require.NoError(tb, err)
	for i, v := range dst {
		require.False(tb, math.IsNaN(float64(v)), "value %d was not written", i)
	}
	return dst, at
}

func TestLayoutsAndOrders(t *testing.T) {
	img := quarters(8, 8)
	rgb := []float32{255, 0, 0, 255 /**/, 0, 255, 0, 255 /**/, 0, 0, 255, 255}
	cases := []struct {
		name string
		with func(*Options)
		want []float32
	}{
		{"NCHW RGB", func(*Options) {}, rgb},
		{"NCHW BGR", func(o *Options) { o.Order = BGR }, []float32{0, 0, 255, 255, 0, 255, 0, 255, 255, 0, 0, 255}},
		{"NHWC RGB", func(o *Options) { o.ChannelsLast = true }, []float32{255, 0, 0, 0, 255, 0, 0, 0, 255, 255, 255, 255}},
		{"NHWC BGR", func(o *Options) { o.ChannelsLast, o.Order = true, BGR }, []float32{0, 0, 255, 0, 255, 0, 255, 0, 0, 255, 255, 255}},
		{"grey", func(o *Options) { o.Order = Gray }, []float32{76.245, 149.685, 29.07, 255}},
		{"inverted grey", func(o *Options) { o.Order, o.Invert = Gray, true }, []float32{178.755, 105.315, 225.93, 0}},
		{"normalised per channel", func(o *Options) {
			o.Scale, o.Mean, o.Std = 1./255, []float64{.5, 0, 1}, []float64{.5, 2, 1}
		}, []float32{1, -1, -1, 1, 0, .5, 0, .5, -1, -1, 0, 0}},
		{
			"means follow the tensor's order", func(o *Options) { o.Order, o.Mean = BGR, []float64{255, 0, 0} },
			[]float32{-255, -255, 0, 0, 0, 255, 0, 255, 255, 0, 0, 255},
		},
		{"fast", func(o *Options) { o.Fast = true }, rgb},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			o := plain(2, 2)
			c.with(&o)
			got, _ := fill(t, o, img)
			assert.InDeltaSlice(t, c.want, got, 1e-3)
		})
	}
}

func TestEveryPictureTypeGivesTheSame(t *testing.T) {
	src := quarters(8, 8)
	want, _ := fill(t, plain(2, 2), src)
	types := map[string]draw.Image{
		"RGBA":     image.NewRGBA(src.Rect),
		"RGBA64":   image.NewRGBA64(src.Rect),
		"NRGBA64":  image.NewNRGBA64(src.Rect),
		"CMYK":     image.NewCMYK(src.Rect),
		"Paletted": image.NewPaletted(src.Rect, color.Palette{src.At(0, 0), src.At(7, 0), src.At(0, 7), src.At(7, 7)}),
	}
	for name, img := range types {
		draw.Draw(img, img.Bounds(), src, image.Point{}, draw.Src)
		got, _ := fill(t, plain(2, 2), img)
		assert.InDeltaSlice(t, want, got, 1.01, name)
	}
	for _, img := range []draw.Image{image.NewGray(src.Rect), image.NewGray16(src.Rect)} {
		draw.Draw(img, img.Bounds(), src, image.Point{}, draw.Src)
		got, _ := fill(t, plain(2, 2), img)
		grey := []float32{76, 150, 29, 255}
		assert.InDeltaSlice(t, append(append(append([]float32{}, grey...), grey...), grey...), got, 1, "%T", img)
	}
}

func TestTransparencyIsDropped(t *testing.T) {
	img := image.NewNRGBA(image.Rect(0, 0, 1, 1))
	img.SetNRGBA(0, 0, color.NRGBA{200, 100, 50, 0})
	got, _ := fill(t, plain(1, 1), img)
	assert.Equal(t, []float32{200, 100, 50}, got)
}

func TestEverySubsamplingGivesTheSame(t *testing.T) {
	for ratio := image.YCbCrSubsampleRatio444; ratio <= image.YCbCrSubsampleRatio410; ratio++ {
		for _, size := range []image.Point{{64, 64}, {63, 61}, {1, 1}, {5, 64}} {
			img := image.NewYCbCr(image.Rectangle{Max: size}, ratio)
			for i := range img.Y {
				img.Y[i] = 150
			}
			for i := range img.Cb {
				img.Cb[i], img.Cr[i] = 100, 180
			}
			r, g, b := color.YCbCrToRGB(150, 100, 180)
			got, _ := fill(t, plain(16, 16), img)
			for i, v := range got {
				assert.InDelta(t, []byte{r, g, b}[i/256], v, 1, "%v %v", ratio, size)
			}
		}
	}
}

func TestPartOfAPicture(t *testing.T) {
	img := quarters(8, 8).SubImage(image.Rect(4, 4, 8, 8)) // the white one
	got, at := fill(t, plain(2, 2), img)
	for _, v := range got {
		assert.Equal(t, float32(255), v)
	}
	assert.Equal(t, 4, at.PictureWidth)

	full := image.NewYCbCr(image.Rect(0, 0, 8, 8), image.YCbCrSubsampleRatio420)
	for i := range full.Cb {
		full.Cb[i], full.Cr[i] = 128, 128
	}
	for i := range full.Y {
		full.Y[i] = byte(i % 8)
	}
	got, _ = fill(t, plain(4, 4), full.SubImage(image.Rect(4, 4, 8, 8)))
	assert.InDeltaSlice(t, []float32{4, 5, 6, 7}, got[:4], 1e-3)
}

func TestFits(t *testing.T) {
	cases := []struct {
		name string
		fit  Fit
		w, h int
		want Placement
	}{
		{"stretch", Stretch, 20, 10, Placement{20, 10, 0, 0, 8, 8}},
		{"wide", Letterbox, 20, 10, Placement{20, 10, 0, 2, 8, 4}},
		{"high", Letterbox, 10, 20, Placement{10, 20, 2, 0, 4, 8}},
		{"corner", Corner, 20, 10, Placement{20, 10, 0, 0, 8, 4}},
		{"a line", Letterbox, 10000, 1, Placement{10000, 1, 0, 3, 8, 1}},
		{"smaller", Letterbox, 2, 2, Placement{2, 2, 0, 0, 8, 8}},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			o := plain(8, 8)
			o.Fit, o.Pad = c.fit, 114
			img := image.NewGray(image.Rect(0, 0, c.w, c.h)) // black
			got, at := fill(t, o, img)
			assert.Equal(t, c.want, at)
			for i, v := range got {
				x, y := i%8, i/8%8
				inside := x >= at.Left && x < at.Left+at.Width && y >= at.Top && y < at.Top+at.Height
				assert.Equal(t, map[bool]float32{true: 0, false: 114}[inside], v, "%d, %d", x, y)
			}
		})
	}
}

func TestPlacementGoesBack(t *testing.T) {
	at := Placement{PictureWidth: 200, PictureHeight: 100, Left: 0, Top: 2, Width: 8, Height: 4}
	x, y := at.ToPicture(4, 4)
	assert.Equal(t, [2]float32{100, 50}, [2]float32{x, y})
	x, y = at.ToPicture(-1, 100)
	assert.Equal(t, [2]float32{0, 100}, [2]float32{x, y}, "kept inside")
}

// A fine pattern has to become its mean, not one of its lines.
func TestReductionDoesNotAlias(t *testing.T) {
	img := image.NewGray(image.Rect(0, 0, 640, 480))
	for i := range img.Pix {
		img.Pix[i] = byte(i % 640 % 10 / 9 * 250) // each tenth column is bright
	}
	got, _ := fill(t, plain(64, 48), img)
	for _, v := range got {
		assert.InDelta(t, 25, v, .01)
	}
}

// An enlargement is what x/image makes of it, which is bilinear as well.
func TestEnlargementIsBilinear(t *testing.T) {
	src := image.NewNRGBA(image.Rect(0, 0, 5, 4))
	for i := range src.Pix {
		src.Pix[i] = byte(i * 37)
		if i%4 == 3 {
			src.Pix[i] = 255
		}
	}
	want := image.NewRGBA(image.Rect(0, 0, 17, 13))
	draw.BiLinear.Scale(want, want.Rect, src, src.Rect, draw.Src, nil)
	o := plain(17, 13)
	o.ChannelsLast = true
	got, _ := fill(t, o, src)
	for i, v := range got {
		assert.InDelta(t, want.Pix[i/3*4+i%3], v, 1)
	}
}

func TestAxesAreMeans(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		in, out := float64(rapid.IntRange(1, 8*300).Draw(t, "eighths"))/8, rapid.IntRange(1, 300).Draw(t, "out")
		a := newAxis(in, out, rapid.Bool().Draw(t, "fast"))
		for i, first := range a.start {
			sum := float32(0)
			for _, w := range a.weights[i*a.taps : (i+1)*a.taps] {
				if w < -1e-6 {
					t.Fatalf("weight %v", w)
				}
				sum += w
			}
			if math.Abs(float64(sum-1)) > 1e-4 || first < 0 || first+a.taps > int(math.Ceil(in)) {
				t.Fatalf("%d of %d: from %d, %d taps of %v, sum %v", i, out, first, a.taps, in, sum)
			}
		}
	})
}

func TestFillRefusesTheWrongTensor(t *testing.T) {
	p := NewPlan(plain(4, 4))
	_, err := p.Fill(make([]float32, 16), image.NewGray(image.Rect(0, 0, 1, 1)))
	assert.ErrorContains(t, err, "16 values: needed are 48")
	_, err = p.Fill(make([]float32, 48), image.NewGray(image.Rectangle{}))
	assert.ErrorContains(t, err, "no pixels")
}
