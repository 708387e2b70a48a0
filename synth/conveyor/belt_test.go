// SPDX-License-Identifier: Apache-2.0

package conveyor

import (
	"image"
	"image/draw"
	"image/png"
	"os"
	"testing"
)

func TestSheet(t *testing.T) {
	b := New(5, 320, 240)
	sheet := image.NewRGBA(image.Rect(0, 0, 320*5, 240*5))
	for c, l := range Labels() {
		for r := range 5 {
			draw.Draw(sheet, image.Rect(c*320, r*240, c*320+320, r*240+240), b.Draw(l), image.Point{}, draw.Src)
		}
	}
	f, _ := os.Create("/tmp/team/sheet.png")
	png.Encode(f, sheet)
	f.Close()
}

func BenchmarkNext(b *testing.B) {
	belt := New(1, 320, 240)
	for b.Loop() {
		belt.Next()
	}
}
