// SPDX-License-Identifier: Apache-2.0

package cascade

import (
	"image"
	"image/color"
	"math"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"edgex-offload/infer/picture"
	"edgex-offload/offload"
)

func TestBoxOf(t *testing.T) {
	inf, nan := float32(math.Inf(1)), float32(math.NaN())
	for name, c := range map[string]struct {
		stage      Stage
		x, y, w, h float32
		want       image.Rectangle // empty for not asked for
	}{
		"whole pixels":      {Stage{}, 10, 20, 30, 40, image.Rect(10, 20, 40, 60)},
		"parts of pixels":   {Stage{}, 10.2, 20.8, 30, 40, image.Rect(10, 20, 41, 61)},
		"margin":            {Stage{Margin: .5}, 10, 20, 10, 20, image.Rect(5, 10, 25, 50)},
		"beyond the edges":  {Stage{}, -10, -10, 1000, 1000, image.Rect(0, 0, 100, 80)},
		"margin at an edge": {Stage{Margin: 1}, 90, 70, 10, 10, image.Rect(80, 60, 100, 80)},
		"outside":           {Stage{}, 200, 10, 20, 20, image.Rectangle{}},
		"large enough":      {Stage{MinSize: 20}, 10, 10, 20, 20, image.Rect(10, 10, 30, 30)},
		"too narrow":        {Stage{MinSize: 20}, 10, 10, 19, 40, image.Rectangle{}},
		"too little of it":  {Stage{MinSize: 20, Margin: 2}, 90, 10, 40, 40, image.Rectangle{}},
		"no width":          {Stage{}, 10, 10, 0, 20, image.Rectangle{}},
		"negative width":    {Stage{Margin: 2}, 50, 10, -20, 20, image.Rectangle{}},
		"no number":         {Stage{}, nan, 10, 20, 20, image.Rectangle{}},
		"without an end":    {Stage{}, 50, 10, inf, 20, image.Rectangle{}},
		"from nowhere":      {Stage{Margin: 1}, -inf, 10, inf, 20, image.Rectangle{}},
		"huge":              {Stage{}, -1e38, -1e38, 3e38, 3e38, image.Rect(0, 0, 100, 80)},
		"other label":       {Stage{Labels: []string{"hand", "foot"}}, 10, 10, 20, 20, image.Rectangle{}},
		"its label":         {Stage{Labels: []string{"hand", "face"}}, 10, 10, 20, 20, image.Rect(10, 10, 30, 30)},
		"not certain":       {Stage{MinConfidence: .6}, 10, 10, 20, 20, image.Rectangle{}},
		"certain":           {Stage{MinConfidence: .5}, 10, 10, 20, 20, image.Rect(10, 10, 30, 30)},
	} {
		c.stage.MinSize = max(c.stage.MinSize, 1)
		box, ok := c.stage.boxOf(&offload.Object{Label: "face", Confidence: .5, X: c.x, Y: c.y, W: c.w, H: c.h}, image.Pt(100, 80))
		assert.Equal(t, !c.want.Empty(), ok, name)
		if ok {
			assert.Equal(t, c.want, box, name)
		}
	}
	_, ok := (&Stage{MinSize: 1}).boxOf(&offload.Object{Confidence: nan, W: 9, H: 9}, image.Pt(100, 80))
	assert.False(t, ok, "a confidence that is no number")
}

func FuzzBoxOf(f *testing.F) {
	f.Add(float32(1), float32(2), float32(30), float32(40), .1, uint16(100), uint16(80))
	f.Add(float32(-1), float32(1e30), float32(-3), float32(4), 2., uint16(1), uint16(1))
	f.Fuzz(func(t *testing.T, x, y, w, h float32, margin float64, width, height uint16) {
		s := Stage{MinSize: 1, Margin: min(max(margin, 0), 2)}
		size := image.Pt(int(width), int(height))
		if box, ok := s.boxOf(&offload.Object{X: x, Y: y, W: w, H: h}, size); ok {
			require.True(t, !box.Empty() && box.In(image.Rectangle{Max: size}), "%v of %v", box, size)
		}
	})
}

// A crop has the pixels of its place, whatever the picture is made of and wherever it begins.
func TestEncodeCutsOut(t *testing.T) {
	draw := func(img interface {
		image.Image
		Set(x, y int, c color.Color)
	},
	) image.Image {
		for y := img.Bounds().Min.Y; y < img.Bounds().Max.Y; y++ {
			for x := img.Bounds().Min.X; x < img.Bounds().Max.X; x++ {
				img.Set(x, y, color.Gray{uint8(10*x + y)})
			}
		}
		return img
	}
	area := image.Rect(3, 4, 23, 14)
	odd := struct{ image.Image }{draw(image.NewGray(area))} // has no SubImage
	for _, img := range []image.Image{draw(image.NewRGBA(area)), draw(image.NewGray(area)), draw(image.NewNRGBA64(area)), odd} {
		for format, off := range map[string]float64{PNG: 0, JPEG: 12} {
			data, err := (&Stage{Format: format}).encode(img, image.Rect(5, 6, 12, 9))
			require.NoError(t, err)
			got, err := picture.Decode(data)
			require.NoError(t, err)
			require.Equal(t, image.Pt(7, 3), got.Bounds().Size())
			grey := color.GrayModel.Convert(got.At(got.Bounds().Min.X+2, got.Bounds().Min.Y+1)).(color.Gray)
			require.InDelta(t, 10*7+7, float64(grey.Y), off, "%T as %s", img, format)
		}
	}
}
