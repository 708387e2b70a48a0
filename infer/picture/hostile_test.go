// SPDX-License-Identifier: Apache-2.0

package picture

import (
	"bytes"
	"image"
	"math"
	"runtime"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"edgex-offload/infer/picture/picturetest"
)

// pngOf is a PNG that says it has this size and holds no pixels.
func pngOf(w, h uint32) []byte {
	return picturetest.PNG{Width: w, Height: h, Depth: 8, Colour: 2}.WithData(nil)
}

// grown is a JPEG of 16 x 16 that says it has another size.
func grown(v picturetest.Variant, w, h int) []byte {
	v.Width, v.Height, v.Quant = 16, 16, 200
	payload := v.Encode(func(_, x, y int) byte { return byte(x * y) })
	at := bytes.Index(payload, []byte("\x08\x00\x10\x00\x10"))
	copy(payload[at+1:], []byte{byte(h >> 8), byte(h), byte(w >> 8), byte(w)})
	return payload
}

func colour420() picturetest.Variant {
	return picturetest.Variant{Factors: [][2]int{{2, 2}, {1, 1}, {1, 1}}}
}

type hostile struct {
	name    string
	payload []byte
	want    string
}

func hostiles(tb testing.TB) []hostile {
	tb.Helper()
	img := quarters(16, 12)
	jpg, png := encodeJPEG(tb, img), encodePNG(tb, img)
	progressive, four := colour420(), picturetest.Variant{Factors: [][2]int{{1, 1}, {1, 1}, {1, 1}, {1, 1}}}
	progressive.Progressive = true
	deep := picturetest.PNG{Width: 5000, Height: 5000, Depth: 16, Colour: 6, Interlaced: true}
	small := picturetest.PNG{Width: 4, Height: 4, Depth: 8, Colour: 0}
	long := func(payload []byte) []byte { return append(payload, make([]byte, 200_000)...) }
	return []hostile{
		{"nothing", nil, "empty payload"},
		{"text", []byte("hello"), "begins with 68 65 6c 6c: allowed is a JPEG"},
		{"short", []byte{0xff}, "begins with ff: allowed"},
		{"half a JPEG", jpg[:len(jpg)/2], "JPEG of"},
		{"JPEG without its last byte", jpg[:len(jpg)-1], "unexpected EOF"},
		{"JPEG's beginning", jpg[:4], "JPEG of 4 bytes"},
		{"half a PNG", png[:60], "PNG of 60 bytes"},
		{"PNG's beginning", png[:20], "PNG of 20 bytes"},
		{"PNG bomb", pngOf(100_000, 100_000), "PNG of 100000 x 100000 pixels: allowed are 1 to"},
		{"wide PNG bomb", pngOf(math.MaxInt32, math.MaxInt32), "PNG of"},
		{"PNG bomb within the pixels", picturetest.PNG{Width: 5000, Height: 5000, Depth: 8, Colour: 6}.WithData(make([]byte, 1000)), "that many take at least 96899 bytes"},
		{"PNG bomb of one bit", picturetest.PNG{Width: 5000, Height: 5000, Depth: 1, Colour: 0}.WithData(make([]byte, 1000)), "that many take at least 3028 bytes"},
		{"PNG that takes too much", long(deep.WithData(make([]byte, 1000))), "takes 286 MiB to decode: allowed are 200"},
		{"PNG without pixels", pngOf(0, 10), "PNG of"},
		{"PNG with few pixels", small.WithData(make([]byte, 10)), "PNG of"},
		{"PNG of 3 bits", picturetest.PNG{Width: 4, Height: 4, Depth: 3, Colour: 0}.WithData(make([]byte, 20)), "PNG of"},
		{"JPEG bomb", grown(colour420(), 65535, 65535), "JPEG of 65535 x 65535 pixels: allowed are 1 to"},
		{"JPEG bomb within the pixels", grown(colour420(), 5000, 5000), "that many take at least 48828 bytes"},
		{"JPEG without width", grown(colour420(), 0, 16), "JPEG of 0 x 16 pixels"},
		{"JPEG without height", grown(colour420(), 16, 0), "JPEG of 16 x 0 pixels"},
		{"JPEG larger than its pixels", grown(colour420(), 100, 100), "JPEG of"},
		{"progressive JPEG that takes too much", long(grown(picturetest.Variant{Factors: [][2]int{{1, 1}, {1, 1}, {1, 1}}, Progressive: true}, 5000, 5000)), "takes 357 MiB to decode: allowed are 200"},
		{"progressive JPEG that does not", long(grown(progressive, 5000, 5000)), "JPEG of"},
		{"CMYK that takes too much", long(grown(four, 5000, 5000)), "takes 286 MiB to decode"},
		{"endless passes", append(jpg[:len(jpg)-2:len(jpg)-2], bytes.Repeat([]byte("\xff\xda"), 100)...), "101 scans: allowed are up to 64"},
	}
}

func TestHostilePictures(t *testing.T) {
	p := NewPlan(plain(8, 8))
	for _, c := range hostiles(t) {
		t.Run(c.name, func(t *testing.T) {
			_, err := Decode(c.payload)
			require.ErrorContains(t, err, c.want)
			_, planErr := p.Decode(c.payload)
			assert.EqualError(t, planErr, err.Error())
		})
	}
}

// What is refused for its size costs no memory of that size.
func TestBombsAreRefusedBeforeTheirPixels(t *testing.T) {
	p := NewPlan(plain(8, 8))
	for _, payload := range [][]byte{pngOf(5000, 5000), grown(colour420(), 5000, 5000), grown(colour420(), 65535, 65535)} {
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		_, err := p.Decode(payload)
		runtime.ReadMemStats(&after)
		require.Error(t, err)
		assert.Less(t, after.TotalAlloc-before.TotalAlloc, uint64(1<<20))
	}
}

func FuzzDecodeAndFill(f *testing.F) {
	for _, c := range hostiles(f) {
		if len(c.payload) < 1<<16 {
			f.Add(c.payload)
		}
	}
	src := quarters(17, 9)
	for _, k := range jpegKinds() {
		v := k.variant
		v.Width, v.Height, v.Quant = 17, 9, 50
		f.Add(v.Encode(sampleOf(src, v, k.convert)))
	}
	f.Add(encodePNG(f, src))
	f.Add(encodePNG(f, image.NewGray16(image.Rect(0, 0, 3, 3))))
	f.Add(picturetest.PNG{Width: 17, Height: 9, Depth: 8, Colour: 4, Interlaced: true}.Encode(greyAlpha(src)))
	o := plain(9, 5)
	o.Fit = Letterbox
	p := NewPlan(o)
	f.Fuzz(func(t *testing.T, payload []byte) {
		img, err := p.Decode(payload)
		if err != nil {
			return
		}
		got := make([]float32, 3*9*5)
		at, err := p.Fill(got, img)
		require.NoError(t, err)
		for _, v := range got {
			if !(v > -.01 && v < 255.01) {
				t.Fatalf("%v", v)
			}
		}
		p.Recycle(img)
		if full, err := Decode(payload); err == nil && (full.Bounds().Dx() != at.PictureWidth || full.Bounds().Dy() != at.PictureHeight) {
			t.Fatalf("%v and %+v", full.Bounds(), at)
		}
	})
}
