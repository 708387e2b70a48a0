// SPDX-License-Identifier: Apache-2.0

package main

import (
	"fmt"
	"image"
	"image/color"
	"image/png"
	"os"
	"strings"
	"unicode/utf8"

	"golang.org/x/image/draw"
	"golang.org/x/image/font"
	"golang.org/x/image/font/basicfont"
	"golang.org/x/image/math/fixed"

	"edgex-offload/infer/picture"
	"edgex-offload/offload"
)

// pixelsPerSize is the picture's longer side for each unit of the lines' and letters' size.
const pixelsPerSize = 900

// writeBoxes draws objects into a copy of a picture, as a PNG.
func writeBoxes(path string, payload []byte, objects []offload.Object) error {
	img, err := picture.Decode(payload)
	if err != nil {
		return err
	}
	file, err := os.Create(path)
	if err != nil {
		return err
	}
	if err := png.Encode(file, withBoxes(img, objects)); err != nil {
		_ = file.Close() // the first error says why
		return err
	}
	return file.Close()
}

// withBoxes marks each object, the best ones on top, with its number in the list and, if
// the box is wide enough, with what it is.
func withBoxes(img image.Image, objects []offload.Object) *image.RGBA {
	canvas := image.NewRGBA(image.Rect(0, 0, img.Bounds().Dx(), img.Bounds().Dy()))
	draw.Draw(canvas, canvas.Bounds(), img, img.Bounds().Min, draw.Src)
	size := 1 + max(canvas.Rect.Dx(), canvas.Rect.Dy())/pixelsPerSize
	colours := map[string]color.RGBA{}
	for _, o := range objects {
		if _, known := colours[mainClass(o)]; !known {
			colours[mainClass(o)] = colourOf(len(colours))
		}
	}
	for i := len(objects) - 1; i >= 0; i-- {
		o := objects[i]
		box := image.Rect(int(o.X), int(o.Y), int(o.X+o.W), int(o.Y+o.H))
		colour := colours[mainClass(o)]
		drawFrame(canvas, box, size+1, colour)
		whole := fmt.Sprintf("%d %s %.0f%%", i+1, o.Label, 100*o.Confidence)
		texts := []string{whole, fmt.Sprint(i + 1)}
		if len(o.Classes) > 0 { // what was found is drawn; what it is says more
			texts = []string{whole + " " + classesOf(o), fmt.Sprintf("%d %s", i+1, classesOf(o)), fmt.Sprintf("%d %s", i+1, mainClass(o)), fmt.Sprint(i + 1)}
		}
		drawName(canvas, box, size, colour, texts...)
	}
	return canvas
}

// mainClass is what is said last of an object: by a classifier, or by the detector alone.
func mainClass(o offload.Object) string {
	if n := len(o.Classes); n > 0 {
		return o.Classes[n-1].Label
	}
	return o.Label
}

// classesOf is what the classifiers said of an object; "" where there was none.
func classesOf(o offload.Object) string {
	texts := make([]string, 0, len(o.Classes))
	for _, c := range o.Classes {
		texts = append(texts, fmt.Sprintf("%s %.0f%%", c.Label, 100*c.Confidence))
	}
	return strings.Join(texts, ", ")
}

// colourOf gives the n-th label a colour that black letters can be read on.
func colourOf(n int) color.RGBA {
	colours := [...]color.RGBA{
		{80, 250, 123, 255},
		{255, 214, 10, 255},
		{102, 217, 239, 255},
		{255, 121, 198, 255},
		{255, 159, 67, 255},
		{189, 147, 249, 255},
	}
	return colours[n%len(colours)]
}

// drawFrame draws a box's edges inwards.
func drawFrame(canvas draw.Image, box image.Rectangle, thick int, c color.Color) {
	for _, edge := range []image.Rectangle{
		{box.Min, image.Pt(box.Max.X, box.Min.Y+thick)},
		{image.Pt(box.Min.X, box.Max.Y-thick), box.Max},
		{box.Min, image.Pt(box.Min.X+thick, box.Max.Y)},
		{image.Pt(box.Max.X-thick, box.Min.Y), box.Max},
	} {
		draw.Draw(canvas, edge, image.NewUniform(c), image.Point{}, draw.Src)
	}
}

// drawName writes the first text that is no wider than the box, else the last, above the
// box or, at the picture's upper edge, inside it.
func drawName(canvas draw.Image, box image.Rectangle, size int, c color.Color, texts ...string) {
	face := basicfont.Face7x13 // ASCII; any other letter becomes a box of the same width
	width := func(text string) int { return utf8.RuneCountInString(text)*face.Advance + 2 }
	text := texts[len(texts)-1]
	for _, t := range texts {
		if size*width(t) <= box.Dx() {
			text = t
			break
		}
	}
	name := image.NewRGBA(image.Rect(0, 0, width(text), face.Height))
	draw.Draw(name, name.Rect, image.NewUniform(c), image.Point{}, draw.Src)
	pen := font.Drawer{Dst: name, Src: image.Black, Face: face, Dot: fixed.P(1, face.Ascent)}
	pen.DrawString(text)
	at := image.Rectangle{Max: name.Rect.Max.Mul(size)}.Add(image.Pt(box.Min.X, box.Min.Y-size*face.Height))
	if at.Min.Y < 0 {
		at = at.Add(image.Pt(0, box.Min.Y-at.Min.Y))
	}
	draw.NearestNeighbor.Scale(canvas, at, name, name.Rect, draw.Src, nil)
}
