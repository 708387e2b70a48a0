// SPDX-License-Identifier: Apache-2.0

//go:build !race

package picture

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"edgex-offload/infer/picture/picturetest"
)

// A camera's pictures are of one size, and so need no memory but the first one's.
func TestTheSecondPictureAllocatesLittle(t *testing.T) {
	p := NewPlan(plain(24, 24))
	payload, dst := picturetest.CameraJPEG(160, 120), make([]float32, 3*24*24)
	n := testing.AllocsPerRun(50, func() {
		img, err := p.Decode(payload)
		require.NoError(t, err)
		_, err = p.Fill(dst, img)
		require.NoError(t, err)
		p.Recycle(img)
	})
	assert.LessOrEqual(t, n, 2.)
}
