// SPDX-License-Identifier: Apache-2.0

package features

import (
	"errors"
	"fmt"

	"github.com/klauspost/compress/zstd"
)

// Type is the content type of encoded features.
const Type = "application/x-offload-features"

// Bounds of what is encoded.
const (
	MaxTensors = 16
	// MaxValues of all tensors together, 64 MiB as float32.
	MaxValues = 16 << 20
	// MaxRank of one, and MaxName of its name in bytes.
	MaxRank = 8
	MaxName = 255
)

// Encoding is how a tensor's values are stored.
type Encoding byte

// The encodings.
const (
	Float32 Encoding = 0
	Uint8   Encoding = 1
)

// Cut identifies a place at which a certain network is split: head and tail that do not have the
// same never meet. The zero Cut is none.
type Cut [8]byte

// Placement says where a picture lies in the network's input: a detector's tail needs it for the
// way back to pixels. All zero for what is no picture.
type Placement struct {
	PictureWidth, PictureHeight int
	Left, Top, Width, Height    int
}

// Tensor is one tensor in C order.
type Tensor struct {
	Name  string
	Shape []int64
	Data  []float32
}

// Features are what a head says.
type Features struct {
	Cut     Cut
	At      Placement
	Tensors []Tensor
}

// ErrFormat is in the chain of each error about bytes that are no features.
var ErrFormat = errors.New("not encoded features, or damaged")

// Codec encodes and decodes.
type Codec struct {
	pack   *zstd.Encoder
	unpack *zstd.Decoder
	err    error // why there are none
}

// NewCodec makes a Codec. It holds no goroutine and needs no closing.
func NewCodec() *Codec {
	pack, badPack := zstd.NewWriter(nil, zstd.WithEncoderLevel(zstd.SpeedFastest), zstd.WithLowerEncoderMem(true))
	unpack, badUnpack := zstd.NewReader(nil, zstd.WithDecodeAllCapLimit(true), zstd.WithDecoderMaxMemory(maxPacked), zstd.WithDecoderLowmem(true))
	return &Codec{pack: pack, unpack: unpack, err: errors.Join(badPack, badUnpack)}
}

// maxPacked is what the data of all tensors takes at most.
const maxPacked = 4 * MaxValues

// count is how many values a shape has; the error names what is not allowed.
func count(name string, shape []int64, left int64) (int64, error) {
	if len(shape) > MaxRank {
		return 0, fmt.Errorf("tensor %q has %d dimensions: allowed are up to %d", name, len(shape), MaxRank)
	}
	n := int64(1)
	for _, d := range shape {
		if d < 1 || d > left/n {
			return 0, fmt.Errorf("tensor %q is %v: allowed are dimensions of 1 or more and %d values in all", name, shape, MaxValues)
		}
		n *= d
	}
	return n, nil
}
