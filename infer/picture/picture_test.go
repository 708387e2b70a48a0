// SPDX-License-Identifier: Apache-2.0

package picture

import (
	"bytes"
	"encoding/binary"
	"hash/crc32"
	"image"
	"image/color"
	"image/jpeg"
	"image/png"
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

func fill(t testing.TB, o Options, img image.Image) ([]float32, Placement) {
	t.Helper()
	p := NewPlan(o)
	dst := make([]float32, o.Width*o.Height*p.channels)
	for i := range dst {
		dst[i] = float32(math.NaN()) // each has to be written
	}
	at, err := p.Fill(dst, img)
	require.NoError(t, err)
	for i, v := range dst {
		require.False(t, math.IsNaN(float64(v)), "value %d was not written", i)
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
		{"means follow the tensor's order", func(o *Options) { o.Order, o.Mean = BGR, []float64{255, 0, 0} },
			[]float32{-255, -255, 0, 0, 0, 255, 0, 255, 255, 0, 0, 255}},
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
		in, out := rapid.IntRange(1, 300).Draw(t, "in"), rapid.IntRange(1, 300).Draw(t, "out")
		a := newAxis(in, out, rapid.Bool().Draw(t, "fast"))
		for i, first := range a.start {
			sum := float32(0)
			for _, w := range a.weights[i*a.taps : (i+1)*a.taps] {
				if w < -1e-6 {
					t.Fatalf("weight %v", w)
				}
				sum += w
			}
			if math.Abs(float64(sum-1)) > 1e-4 || first < 0 || first+a.taps > in {
				t.Fatalf("%d of %d: from %d, %d taps of %d, sum %v", i, out, first, a.taps, in, sum)
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

func encodePNG(t testing.TB, img image.Image) []byte {
	t.Helper()
	var b bytes.Buffer
	require.NoError(t, png.Encode(&b, img))
	return b.Bytes()
}

func encodeJPEG(t testing.TB, img image.Image) []byte {
	t.Helper()
	var b bytes.Buffer
	require.NoError(t, jpeg.Encode(&b, img, nil))
	return b.Bytes()
}

// pngOf is a PNG that says it has this size and holds no pixels.
func pngOf(w, h uint32) []byte {
	head := append([]byte("IHDR"), binary.BigEndian.AppendUint32(binary.BigEndian.AppendUint32(nil, w), h)...)
	head = append(head, 8, 2, 0, 0, 0)
	b := append([]byte("\x89PNG\r\n\x1a\n"), 0, 0, 0, 13)
	b = append(b, head...)
	return binary.BigEndian.AppendUint32(b, crc32.ChecksumIEEE(head))
}

func TestDecode(t *testing.T) {
	img := quarters(16, 12)
	for _, payload := range [][]byte{encodePNG(t, img), encodeJPEG(t, img)} {
		got, err := Decode(payload)
		require.NoError(t, err)
		assert.Equal(t, image.Rect(0, 0, 16, 12), got.Bounds())
	}
	deep := image.NewRGBA64(image.Rect(0, 0, 3, 3))
	got, err := Decode(encodePNG(t, deep))
	require.NoError(t, err)
	assert.Equal(t, deep.Rect, got.Bounds())

	whole := encodeJPEG(t, img)
	cases := []struct {
		name    string
		payload []byte
		want    string
	}{
		{"nothing", nil, "empty payload"},
		{"text", []byte("hello"), "begins with 68 65 6c 6c: allowed is a JPEG"},
		{"short", []byte{0xff}, "begins with ff: allowed"},
		{"half a JPEG", whole[:len(whole)/2], "JPEG of"},
		{"JPEG's beginning", whole[:4], "JPEG of 4 bytes"},
		{"half a PNG", encodePNG(t, img)[:60], "PNG of 60 bytes"},
		{"bomb", pngOf(100_000, 100_000), "PNG of 100000 x 100000 pixels: allowed are 1 to"},
		{"wide bomb", pngOf(math.MaxInt32, math.MaxInt32), "PNG of"},
		{"no pixels", pngOf(0, 10), "PNG of"},
		{"endless passes", append(whole[:len(whole):len(whole)], bytes.Repeat([]byte("\xff\xda"), 100)...), "101 scans: allowed are up to 64"},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			_, err := Decode(c.payload)
			assert.ErrorContains(t, err, c.want)
		})
	}
}

func FuzzDecodeAndFill(f *testing.F) {
	f.Add(encodePNG(f, quarters(5, 7)))
	f.Add(encodeJPEG(f, quarters(17, 9)))
	f.Add(encodePNG(f, image.NewGray16(image.Rect(0, 0, 3, 3))))
	f.Add(pngOf(1, 1))
	f.Fuzz(func(t *testing.T, payload []byte) {
		img, err := Decode(payload)
		if err != nil {
			return
		}
		o := plain(9, 5)
		o.Fit = Letterbox
		got, _ := fill(t, o, img)
		for _, v := range got {
			if v < -.01 || v > 255.01 {
				t.Fatalf("%v", v)
			}
		}
	})
}

// photo is a noisy JPEG as a camera gives it.
func photo(b *testing.B, w, h int) []byte {
	img := image.NewRGBA(image.Rect(0, 0, w, h))
	seed := uint32(1)
	for i := range img.Pix {
		seed = seed*1664525 + 1013904223
		img.Pix[i] = byte(i/4%w*255/w) + byte(seed>>28)
	}
	return encodeJPEG(b, img)
}

func BenchmarkJPEGToTensor(b *testing.B) {
	for _, c := range []struct {
		name       string
		w, h, side int
		fast       bool
	}{
		{"640x480to224", 640, 480, 224, false},
		{"640x480to224fast", 640, 480, 224, true},
		{"1920x1080to224", 1920, 1080, 224, false},
		{"1920x1080to224fast", 1920, 1080, 224, true},
		{"1920x1080to640", 1920, 1080, 640, false},
	} {
		payload := photo(b, c.w, c.h)
		o := plain(c.side, c.side)
		o.Fast = c.fast
		p := NewPlan(o)
		dst := make([]float32, 3*c.side*c.side)
		img, err := Decode(payload)
		require.NoError(b, err)
		b.Run("fill/"+c.name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if _, err := p.Fill(dst, img); err != nil {
					b.Fatal(err)
				}
			}
		})
		b.Run("decodeAndFill/"+c.name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				img, err := Decode(payload)
				if err != nil {
					b.Fatal(err)
				}
				if _, err := p.Fill(dst, img); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
