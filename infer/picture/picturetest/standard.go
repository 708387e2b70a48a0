// SPDX-License-Identifier: Apache-2.0

package picturetest

import (
	"bytes"
	"fmt"
	"image"
	"image/color"
	"image/jpeg"
	"math"

	"golang.org/x/image/draw"
)

// StandardTensor turns a JPEG into a tensor of 1 x 3 x side x side, RGB, -1 to 1, as one
// does without package picture: a full decode, a bilinear resize, and a pass over the
// pixels.
func StandardTensor(payload []byte, side int, dst []float32) error {
	img, err := decodeStandard(payload, side, dst)
	if err == nil {
		StandardFill(img, side, dst)
	}
	return err
}

// StandardLetterbox is StandardTensor with the picture's proportions kept, grey beside it.
func StandardLetterbox(payload []byte, side int, dst []float32) error {
	img, err := decodeStandard(payload, side, dst)
	if err != nil {
		return err
	}
	scale := float64(side) / float64(max(img.Bounds().Dx(), img.Bounds().Dy()))
	w, h := int(math.Round(scale*float64(img.Bounds().Dx()))), int(math.Round(scale*float64(img.Bounds().Dy())))
	small := image.NewRGBA(image.Rect(0, 0, side, side))
	draw.Draw(small, small.Rect, image.NewUniform(color.Gray{Y: 114}), image.Point{}, draw.Src)
	at := image.Rect(0, 0, w, h).Add(image.Pt((side-w)/2, (side-h)/2))
	draw.ApproxBiLinear.Scale(small, at, img, img.Bounds(), draw.Src, nil)
	planes(small, dst)
	return nil
}

func decodeStandard(payload []byte, side int, dst []float32) (image.Image, error) {
	if want := 3 * side * side; len(dst) != want {
		return nil, fmt.Errorf("tensor has %d values: needed are %d", len(dst), want)
	}
	return jpeg.Decode(bytes.NewReader(payload))
}

// StandardFill is StandardTensor after the decode.
func StandardFill(img image.Image, side int, dst []float32) {
	small := image.NewRGBA(image.Rect(0, 0, side, side))
	draw.ApproxBiLinear.Scale(small, small.Rect, img, img.Bounds(), draw.Src, nil)
	planes(small, dst)
}

func planes(small *image.RGBA, dst []float32) {
	side := small.Rect.Dx()
	red, green, blue := dst[:side*side], dst[side*side:2*side*side], dst[2*side*side:]
	for i := range red {
		p := small.Pix[4*i : 4*i+3]
		red[i], green[i], blue[i] = unit(p[0]), unit(p[1]), unit(p[2])
	}
}

func unit(v byte) float32 { return (float32(v)/255 - .5) / .5 }
