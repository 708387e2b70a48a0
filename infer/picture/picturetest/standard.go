// SPDX-License-Identifier: Apache-2.0

package picturetest

import (
	"bytes"
	"fmt"
	"image"
	"image/jpeg"

	"golang.org/x/image/draw"
)

// StandardTensor turns a JPEG into a tensor of 1 x 3 x side x side, RGB, -1 to 1, as one
// does without package picture: a full decode, a bilinear resize, and a pass over the
// pixels.
func StandardTensor(payload []byte, side int, dst []float32) error {
	if want := 3 * side * side; len(dst) != want {
		return fmt.Errorf("tensor has %d values: needed are %d", len(dst), want)
	}
	img, err := jpeg.Decode(bytes.NewReader(payload))
	if err != nil {
		return err
	}
	StandardFill(img, side, dst)
	return nil
}

// StandardFill is StandardTensor after the decode.
func StandardFill(img image.Image, side int, dst []float32) {
	small := image.NewRGBA(image.Rect(0, 0, side, side))
	draw.ApproxBiLinear.Scale(small, small.Rect, img, img.Bounds(), draw.Src, nil)
	red, green, blue := dst[:side*side], dst[side*side:2*side*side], dst[2*side*side:]
	for i := range red {
		p := small.Pix[4*i : 4*i+3]
		red[i], green[i], blue[i] = unit(p[0]), unit(p[1]), unit(p[2])
	}
}

func unit(v byte) float32 { return (float32(v)/255 - .5) / .5 }
