// SPDX-License-Identifier: Apache-2.0

package jpegscale

import (
	"encoding/binary"
	"errors"
	"fmt"
)

// Frame is what a JPEG of any kind, also of those that are not decoded here, says of its
// pixels.
type Frame struct {
	Width, Height, Components int
	// Samples of all components, with those that fill up the last blocks.
	Samples int
	// Progressive coding needs all coefficients in memory before the first pixel.
	Progressive bool
}

// ReadFrame reads a JPEG up to its frame header.
func ReadFrame(payload []byte) (f Frame, err error) {
	return f, walk(payload, func(mark byte, b, _ []byte) (done bool, err error) {
		switch {
		case mark == markSOS:
			return true, errors.New("pixels before the frame's header")
		case mark < markSOF0 || mark > markSOF2:
			return false, nil
		}
		f, err = frameOf(b)
		f.Progressive = mark == markSOF2
		return true, err
	})
}

func frameOf(b []byte) (f Frame, err error) {
	if len(b) < 6 || b[5] < 1 || len(b) != 6+3*int(b[5]) {
		return f, fmt.Errorf("frame header of %d bytes", len(b))
	}
	f.Height, f.Width = int(binary.BigEndian.Uint16(b[1:])), int(binary.BigEndian.Uint16(b[3:]))
	f.Components = int(b[5])
	hMax, vMax, blocks := 1, 1, 0
	for i := range f.Components {
		h, v := int(b[7+3*i]>>4), int(b[7+3*i]&15)
		hMax, vMax, blocks = max(hMax, h), max(vMax, v), blocks+h*v
	}
	wide, high := (f.Width+8*hMax-1)/(8*hMax), (f.Height+8*vMax-1)/(8*vMax)
	f.Samples = 64 * blocks * wide * high
	return f, nil
}
