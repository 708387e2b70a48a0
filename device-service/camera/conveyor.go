// SPDX-License-Identifier: Apache-2.0

package camera

import (
	"bytes"
	"context"
	"fmt"
	"image/jpeg"

	"edgex-offload/device-service/source"
	"edgex-offload/synth/conveyor"
)

// belt is a camera over a synthetic conveyor: one part a frame, good or with a defect,
// with the truth beside it. Each run starts the belt anew.
type belt struct {
	seed          int64
	width, height int
	quality       int // of the JPEG, 1 to 100
}

// Run implements source.Source.
func (b *belt) Run(ctx context.Context, feed *source.Feed) error {
	belt := conveyor.New(b.seed, b.width, b.height)
	for {
		if err := feed.Wait(ctx); err != nil {
			return err
		}
		var frame bytes.Buffer
		picture, truth := belt.Next()
		if err := jpeg.Encode(&frame, picture, &jpeg.Options{Quality: b.quality}); err != nil {
			return fmt.Errorf("encode a frame of the conveyor: %w", err)
		}
		feed.Emit(source.Sample{Value: frame.Bytes(), Truth: truth})
	}
}
