// SPDX-License-Identifier: Apache-2.0

package picture

import (
	"fmt"

	"edgex-offload/infer/picture/jpegscale"
)

// MaxPixels bounds a picture: 6000 x 4000 and some. What cameras of a plant send has 0.3
// to 25 million; larger sensors send parts of theirs.
const MaxPixels = 25 << 20

// MaxBytes bounds the memory that decoding one takes, besides the payload: 200 MiB, 8 for
// each of MaxPixels, which is what a PNG of 16 bits with transparency needs. Progressive
// and CMYK JPEGs and interlaced PNGs may need more for a pixel, and so may have less of
// them.
const MaxBytes = 8 * MaxPixels

// maxScans bounds the passes of a progressive JPEG; common ones have about ten. Each is
// a walk over the whole picture that costs the sender only a few bytes.
const maxScans = 64

// check refuses what is too large to decode, before anything of its size is allocated. A
// payload that is too short to have all the pixels that it speaks of is refused as well.
func check(format string, payload []byte, width, height int) error {
	if width < 1 || height < 1 || width > MaxPixels/height {
		return fmt.Errorf("%s of %d x %d pixels: allowed are 1 to %d in all", format, width, height, MaxPixels)
	}
	cost, least := pngCost, pngLeast
	if format == jpegName {
		cost, least = jpegCost, jpegLeast
	}
	if need := least(payload, width, height); len(payload) < need {
		return fmt.Errorf("%s of %d bytes, %d x %d pixels: that many take at least %d bytes; the payload is cut or false", format, len(payload), width, height, need)
	}
	if takes := cost(payload, width, height); takes > MaxBytes {
		return fmt.Errorf("%s of %d x %d pixels takes %d MiB to decode: allowed are %d; send it smaller, or as a baseline JPEG of 8 bits", format, width, height, takes>>20, MaxBytes>>20)
	}
	return nil
}

// jpegLeast follows from the shortest Huffman code: a bit for a block of 8 x 8.
func jpegLeast(_ []byte, width, height int) int { return width * height / 64 / 8 }

// jpegCost is what image/jpeg allocates.
func jpegCost(payload []byte, width, height int) int {
	f, err := jpegscale.ReadFrame(payload)
	if err != nil { // image/jpeg is more lenient: the worst that there is
		f = jpegscale.Frame{Components: 4, Samples: 4 * width * height, Progressive: true}
	}
	bytes := f.Samples
	if f.Progressive {
		bytes += 4 * f.Samples // a coefficient is an int32
	}
	if f.Components == 4 {
		bytes += 8 * width * height // CMYK in one plane, and RGB of it
	}
	return bytes
}

// pngLeast follows from DEFLATE, which makes at most 1032 bytes of one:
// https://zlib.net/zlib_tech.html
func pngLeast(payload []byte, width, height int) int {
	return height * ((width*pngBits(payload) + 7) / 8) / 1032
}

// pngCost is what image/png allocates.
func pngCost(payload []byte, width, height int) int {
	bytes := width * height * 8 // of 16 bits, with transparency or room for it
	if payload[pngDepth] <= 8 {
		bytes /= 2
	}
	if payload[pngInterlace] != 0 {
		bytes += bytes / 2 // the last of the seven passes has half the rows
	}
	return bytes
}

// Offsets in a PNG, https://www.w3.org/TR/png/#11IHDR. There is an IHDR of this length, or
// image/png would not have found the size.
const (
	pngDepth     = 24
	pngColour    = 25
	pngInterlace = 28
)

// pngBits is how many bits a pixel has in the file.
func pngBits(payload []byte) int {
	channels := map[byte]int{0: 1, 2: 3, 3: 1, 4: 2, 6: 4}[payload[pngColour]]
	return channels * int(payload[pngDepth])
}
