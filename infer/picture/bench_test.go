// SPDX-License-Identifier: Apache-2.0

package picture

import (
	"image"
	"testing"

	"github.com/stretchr/testify/require"
)

// photo is a noisy JPEG as a camera gives it.
func photo(b *testing.B, w, h int) []byte {
	b.Helper()
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
