// SPDX-License-Identifier: Apache-2.0

package picture

import (
	"bytes"
	"errors"
	"fmt"
	"image"
	"image/jpeg"
	"image/png"
	"io"
)

const jpegName = "JPEG"

// Decode reads a JPEG or a PNG at its full size. It refuses a picture of more than
// MaxPixels, or one that would take more than MaxBytes, before its pixels are decoded. The
// error says what is wrong with the payload.
func Decode(payload []byte) (image.Image, error) {
	switch {
	case len(payload) == 0:
		return nil, errors.New("empty payload: allowed is a JPEG or PNG")
	case isJPEG(payload):
		if n := bytes.Count(payload, []byte("\xff\xda")); n > maxScans {
			return nil, fmt.Errorf("JPEG with %d scans: allowed are up to %d", n, maxScans)
		}
		return decode(jpegName, payload, jpeg.DecodeConfig, jpeg.Decode)
	case bytes.HasPrefix(payload, []byte("\x89PNG\r\n\x1a\n")):
		return decode("PNG", payload, png.DecodeConfig, png.Decode)
	}
	return nil, fmt.Errorf("payload of %d bytes begins with % x: allowed is a JPEG (ff d8 ff) or PNG (89 50 4e 47)", len(payload), payload[:min(4, len(payload))])
}

func isJPEG(payload []byte) bool { return bytes.HasPrefix(payload, []byte("\xff\xd8\xff")) }

func decode(format string, payload []byte, config func(io.Reader) (image.Config, error), pixels func(io.Reader) (image.Image, error)) (image.Image, error) {
	c, err := config(bytes.NewReader(payload))
	if err != nil {
		return nil, fmt.Errorf("%s of %d bytes: %w", format, len(payload), err)
	}
	if err := check(format, payload, c.Width, c.Height); err != nil {
		return nil, err
	}
	img, err := pixels(bytes.NewReader(payload))
	if err != nil {
		return nil, fmt.Errorf("%s of %d bytes, %d x %d pixels: %w", format, len(payload), c.Width, c.Height, err)
	}
	return img, nil
}
