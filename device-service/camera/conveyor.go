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
// with the truth beside it. Each run starts anew, and each lot of parts comes on a belt of
// its own, with its own light and wear, as the models' accuracy is stated for many belts.
type belt struct {
	seed          int64
	width, height int
	quality       int // of the JPEG, 1 to 100
}

// lot is how many parts come on one belt.
const lot = 50

// Run implements source.Source.
func (b *belt) Run(ctx context.Context, feed *source.Feed) error {
	var belt *conveyor.Belt
	for part := int64(0); ; part++ {
		if err := feed.Wait(ctx); err != nil {
			return err
		}
		if part%lot == 0 {
			belt = conveyor.New(b.seed+part, b.width, b.height)
		}
		var frame bytes.Buffer
		picture, truth := belt.Next()
		if err := jpeg.Encode(&frame, picture, &jpeg.Options{Quality: b.quality}); err != nil {
			return fmt.Errorf("encode a frame of the conveyor: %w", err)
		}
		feed.Emit(source.Sample{Value: frame.Bytes(), Truth: truth})
	}
}
