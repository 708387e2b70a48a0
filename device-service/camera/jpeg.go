// SPDX-License-Identifier: Apache-2.0

package camera

import (
	"bytes"
	"image/jpeg"

	"edgex-offload/device-service/source"
)

// Limits of a frame.
type Limits struct {
	Bytes  int // largest JPEG
	Pixels int // largest width times height: what a decoder will have to hold
}

const (
	smallestJPEG = 100 // bytes; headers alone take more
	// How far from the end the end marker may be: cameras fill up with zeros or line ends.
	padding = 512
)

// Check says why frame cannot go on, or nil.
func (l Limits) Check(frame []byte) *source.Rejection {
	switch {
	case len(frame) > l.Bytes:
		return l.tooLarge(int64(len(frame)))
	case len(frame) < smallestJPEG || !bytes.HasPrefix(frame, []byte{0xFF, markerSOI, 0xFF}):
		return source.Reject(source.NotJPEG, "%d bytes beginning with % x: allowed is a JPEG", len(frame), frame[:min(4, len(frame))])
	}
	config, err := jpeg.DecodeConfig(bytes.NewReader(frame))
	switch {
	case err != nil:
		return source.Reject(source.NotJPEG, "%d bytes: %v", len(frame), err)
	case config.Width*config.Height > l.Pixels:
		return source.Reject(source.TooWide, "%d x %d pixels: allowed are %d (MaxFramePixels)", config.Width, config.Height, l.Pixels)
	case !bytes.Contains(frame[max(0, len(frame)-padding):], []byte{0xFF, markerEOI}):
		return source.Reject(source.Truncated, "%d bytes without the end of the JPEG", len(frame))
	}
	return nil
}

func (l Limits) tooLarge(size int64) *source.Rejection {
	return source.Reject(source.TooLarge, "%d bytes: allowed are %d (MaxFrameBytes)", size, l.Bytes)
}
