// SPDX-License-Identifier: Apache-2.0

package functions

import (
	"fmt"
	"testing"
	"time"

	"github.com/edgexfoundry/go-mod-core-contracts/v3/dtos"
	"github.com/edgexfoundry/go-mod-core-contracts/v3/dtos/requests"
	"github.com/stretchr/testify/require"
)

// BenchmarkDecodeEvent is the cost of a camera frame from the bytes of a message to a
// task; what the SDK's own reader takes for the event alone is beside it.
func BenchmarkDecodeEvent(b *testing.B) {
	for _, size := range []int{100_000, 500_000, 2_000_000} {
		event := dtos.NewEvent("offload-camera", "camera-1", "Frame")
		event.AddBinaryReading("Frame", make([]byte, size), "image/jpeg")
		request := requests.NewAddEventRequest(event)
		message, contentType, err := request.Encode()
		require.NoError(b, err)
		d, err := NewDecoder(goldenRules(b), DefaultLimits(), time.Now)
		require.NoError(b, err)
		ctx := typedContext{testContext(), contentType}
		b.Run(fmt.Sprintf("%dKB", size/1000), func(b *testing.B) {
			b.SetBytes(int64(size))
			b.ReportAllocs()
			for b.Loop() {
				if more, _ := d.DecodeEvent(ctx, message); !more {
					b.Fatal("no task")
				}
			}
		})
		b.Run(fmt.Sprintf("%dKB-SDK", size/1000), func(b *testing.B) {
			b.SetBytes(int64(size))
			b.ReportAllocs()
			for b.Loop() {
				var request requests.AddEventRequest
				require.NoError(b, request.UnmarshalCBOR(message))
			}
		})
	}
}
