// SPDX-License-Identifier: Apache-2.0

package functions

import (
	"encoding/binary"
	"math"
	"testing"

	"github.com/edgexfoundry/go-mod-core-contracts/v3/common"
	"github.com/edgexfoundry/go-mod-core-contracts/v3/dtos"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

// What EdgeX writes as a Float32Array comes out as the same numbers, bit by bit.
func TestFloat32ArrayRoundTrip(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		values := rapid.SliceOfN(rapid.Float32(), 1, 100).Draw(t, "values")
		reading, err := dtos.NewSimpleReading("p", "d", "r", common.ValueTypeFloat32Array, values)
		require.NoError(t, err)
		got, err := payloadOf(reading, "", 4096)
		require.NoError(t, err)
		require.Equal(t, ContentFloat32, got.contentType)
		for i, v := range values {
			back := math.Float32frombits(binary.LittleEndian.Uint32(got.bytes[4*i:]))
			require.InDelta(t, 1, (float64(back)+1e-300)/(float64(v)+1e-300), 1e-6) // EdgeX writes seven digits
		}
	})
}

func TestShapeOf(t *testing.T) {
	for _, c := range []struct {
		bytes       int
		shape, want string
		wrong       bool
	}{
		{24, "", "6", false},
		{24, "2x3", "2x3", false},
		{24, "1x2x3x1", "1x2x3x1", false},
		{24, "2x2", "", true},
		{24, "-2x-3", "", true},
		{24, "0x6", "", true},
		{24, "2x3x", "", true},
		{24, "two", "", true},
		{23, "", "", true},
		{24, "6x6x6x6x6x6x6x6x6x6x6x6x6x6x6x6x6x6x6x6x6x6x6x6x6", "", true},
	} {
		got, err := shapeOf(c.bytes, c.shape)
		require.Equal(t, c.wrong, err != nil, c.shape)
		require.Equal(t, c.want, got, c.shape)
	}
}
