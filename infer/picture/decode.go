// SPDX-License-Identifier: Apache-2.0

package picture

import (
	"bytes"
	"errors"
	"fmt"
	"image"
	"image/draw"
	"image/jpeg"
	"image/png"
	"io"
)

// MaxPixels bounds a picture: 6000 x 4000 and some. A PNG of 16 bits takes 8 bytes each.
const MaxPixels = 25 << 20

// maxScans bounds the passes of a progressive JPEG; common ones have about ten. Each is
// a walk over the whole picture that costs the sender only a few bytes.
const maxScans = 64

// Decode reads a JPEG or a PNG. It refuses a picture of more than MaxPixels before its
// pixels are decoded. The error says what is wrong with the payload.
func Decode(payload []byte) (image.Image, error) {
	switch {
	case len(payload) == 0:
		return nil, errors.New("empty payload: allowed is a JPEG or PNG")
	case bytes.HasPrefix(payload, []byte("\xff\xd8\xff")):
		if n := bytes.Count(payload, []byte("\xff\xda")); n > maxScans {
			return nil, fmt.Errorf("JPEG with %d scans: allowed are up to %d", n, maxScans)
		}
		return decode("JPEG", payload, jpeg.DecodeConfig, jpeg.Decode)
	case bytes.HasPrefix(payload, []byte("\x89PNG\r\n\x1a\n")):
		return decode("PNG", payload, png.DecodeConfig, png.Decode)
	}
	return nil, fmt.Errorf("payload of %d bytes begins with % x: allowed is a JPEG (ff d8 ff) or PNG (89 50 4e 47)", len(payload), payload[:min(4, len(payload))])
}

func decode(format string, payload []byte, config func(io.Reader) (image.Config, error), pixels func(io.Reader) (image.Image, error)) (image.Image, error) {
	c, err := config(bytes.NewReader(payload))
	if err != nil {
		return nil, fmt.Errorf("%s of %d bytes: %w", format, len(payload), err)
	}
	if c.Width < 1 || c.Height < 1 || c.Width > MaxPixels/c.Height {
		return nil, fmt.Errorf("%s of %d x %d pixels: allowed are 1 to %d in all", format, c.Width, c.Height, MaxPixels)
	}
	img, err := pixels(bytes.NewReader(payload))
	if err != nil {
		return nil, fmt.Errorf("%s of %d bytes, %d x %d pixels: %w", format, len(payload), c.Width, c.Height, err)
	}
	return img, nil
}

// plane is one channel of 8 bits: the value at x, y is pix[y*stride+x*step].
type plane struct {
	pix           []byte
	stride, step  int
	width, height int
}

// planesOf gives a picture's channels without copying where it can: Y, Cb, Cr (ycc is
// true), R, G, B, or grey alone. Transparency is dropped, as most training code does.
func planesOf(img image.Image) (planes []plane, ycc bool) {
	b := img.Bounds()
	w, h := b.Dx(), b.Dy()
	switch p := img.(type) {
	case *image.YCbCr:
		cw, ch := chromaSize(p)
		y, c := p.YOffset(b.Min.X, b.Min.Y), p.COffset(b.Min.X, b.Min.Y)
		return []plane{
			{p.Y[y:], p.YStride, 1, w, h},
			{p.Cb[c:], p.CStride, 1, cw, ch},
			{p.Cr[c:], p.CStride, 1, cw, ch},
		}, true
	case *image.Gray:
		return []plane{{p.Pix[p.PixOffset(b.Min.X, b.Min.Y):], p.Stride, 1, w, h}}, false
	case *image.RGBA:
		return packed(p.Pix[p.PixOffset(b.Min.X, b.Min.Y):], p.Stride, 4, w, h), false
	case *image.NRGBA:
		return packed(p.Pix[p.PixOffset(b.Min.X, b.Min.Y):], p.Stride, 4, w, h), false
	case *image.NRGBA64: // the high byte of each value comes first
		pix := p.Pix[p.PixOffset(b.Min.X, b.Min.Y):]
		return []plane{{pix, p.Stride, 8, w, h}, {pix[2:], p.Stride, 8, w, h}, {pix[4:], p.Stride, 8, w, h}}, false
	}
	flat := image.NewNRGBA(image.Rect(0, 0, w, h)) // palettes, CMYK, grey and colour of 16 bits
	draw.Draw(flat, flat.Rect, img, b.Min, draw.Src)
	return packed(flat.Pix, flat.Stride, 4, w, h), false
}

func packed(pix []byte, stride, step, w, h int) []plane {
	return []plane{{pix, stride, step, w, h}, {pix[1:], stride, step, w, h}, {pix[2:], stride, step, w, h}}
}

// chromaSize is how many chroma samples cover the picture.
func chromaSize(p *image.YCbCr) (w, h int) {
	b := p.Rect
	last := p.COffset(b.Max.X-1, b.Max.Y-1) - p.COffset(b.Min.X, b.Min.Y)
	return last%p.CStride + 1, last/p.CStride + 1
}
