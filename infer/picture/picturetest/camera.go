// SPDX-License-Identifier: Apache-2.0

package picturetest

import (
	"bytes"
	"image"
	"image/color"
	"image/jpeg"
	"math"
)

// quality is what IP cameras send by default, more or less.
const quality = 85

// CameraJPEG is a picture of w x h pixels as a camera sends it: soft and sharp edges, fine
// texture, a sensor's noise; baseline, 4:2:0, some 1.8 bits for each pixel. The same size
// gives the same bytes.
func CameraJPEG(w, h int) []byte {
	var b bytes.Buffer
	if err := jpeg.Encode(&b, Scene(w, h), &jpeg.Options{Quality: quality}); err != nil {
		panic(err) // of a picture larger than a JPEG can be
	}
	return b.Bytes()
}

// Scene is CameraJPEG's picture.
func Scene(w, h int) *image.RGBA {
	img := image.NewRGBA(image.Rect(0, 0, w, h))
	noise := uint32(1)
	for y := range h {
		for x := range w {
			noise = noise*1664525 + 1013904223 // Numerical Recipes' generator
			c := surface(float64(x)/float64(w), float64(y)/float64(h))
			grain := float64(noise>>24)/11 - 11.6 // 23 levels of 256
			img.SetRGBA(x, y, color.RGBA{level(c[0] + grain), level(c[1] + grain), level(c[2] + grain), 255})
		}
	}
	return img
}

// surface is the scene at a point of the unit square: a lit wall, discs before it, and a
// cloth with a fine pattern below.
func surface(x, y float64) [3]float64 {
	light := 90 + 110*x*(1-y)
	if y > .7 {
		weave := 25 * math.Sin(300*x) * math.Sin(190*y)
		return [3]float64{light*.5 + weave, light*.6 + weave, 80 + weave}
	}
	for i, at := range [][3]float64{{.25, .35, .16}, {.6, .3, .1}, {.8, .5, .13}} {
		if d := math.Hypot(x-at[0], (y-at[1])*.6); d < at[2] {
			shade := 1 - d/at[2]/2
			return [3]float64{220 * shade, float64(60+70*i) * shade, float64(200-60*i) * shade}
		}
	}
	return [3]float64{light, light * .95, light * .85}
}

func level(v float64) uint8 { return uint8(min(max(v, 0), 255)) }
