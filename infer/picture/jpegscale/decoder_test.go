// SPDX-License-Identifier: Apache-2.0

package jpegscale

import (
	"bytes"
	"fmt"
	"image"
	"image/jpeg"
	"math"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"edgex-offload/infer/picture/picturetest"
)

// texture has detail of all sizes, and nothing that a decoder would have to cut off.
func texture(component, x, y int) byte {
	at := float64(component)
	v := 128 + 40*math.Sin(at+float64(x)/9) + 30*math.Cos(float64(y)/5+at) + 25*math.Sin(float64(x*y)/7)
	return byte(v)
}

func kinds() map[string][][2]int {
	return map[string][][2]int{
		"grey": {{1, 1}}, "grey of factors": {{2, 2}}, "444": {{1, 1}, {1, 1}, {1, 1}},
		"422": {{2, 1}, {1, 1}, {1, 1}}, "420": {{2, 2}, {1, 1}, {1, 1}}, "440": {{1, 2}, {1, 1}, {1, 1}},
		"411": {{4, 1}, {1, 1}, {1, 1}}, "410": {{4, 2}, {1, 1}, {1, 1}}, "444 of factors": {{2, 1}, {2, 1}, {2, 1}},
	}
}

func planesAt(t *testing.T, payload []byte, width, height int) []Plane {
	t.Helper()
	var d Decoder
	_, _, err := d.Read(payload)
	require.NoError(t, err)
	planes, err := d.Planes(nil, width, height)
	require.NoError(t, err)
	return planes
}

// full is what image/jpeg makes of it.
func full(t *testing.T, payload []byte) []Plane {
	t.Helper()
	img, err := jpeg.Decode(bytes.NewReader(payload))
	require.NoError(t, err)
	switch p := img.(type) {
	case *image.Gray:
		return []Plane{{Pix: p.Pix, Stride: p.Stride}}
	case *image.YCbCr:
		return []Plane{{Pix: p.Y, Stride: p.YStride}, {Pix: p.Cb, Stride: p.CStride}, {Pix: p.Cr, Stride: p.CStride}}
	}
	t.Fatalf("%T", img)
	return nil
}

// mean of the samples of a full plane that one of a smaller plane stands for.
func (p Plane) mean(x, y, scale int) float64 {
	sum := 0
	for dy := range scale {
		for dx := range scale {
			sum += int(p.Pix[(y*scale+dy)*p.Stride+x*scale+dx])
		}
	}
	return float64(sum) / float64(scale*scale)
}

// assertMeans wants each sample that is wholly inside of the picture to be the mean of
// those under it, but for rounding: half a level there, up to one in a full decode.
func assertMeans(t *testing.T, planes, whole []Plane, delta float64) {
	t.Helper()
	require.Len(t, planes, len(whole))
	for i, p := range planes {
		for y := range int(p.Height) {
			for x := range int(p.Width) {
				want, got := whole[i].mean(x, y, p.Scale), float64(p.Pix[y*p.Stride+x])
				if math.Abs(got-want) > delta {
					t.Fatalf("plane %d at %d, %d is %v: the mean is %v", i, x, y, got, want)
				}
			}
		}
	}
}

func TestASampleIsTheMeanOfThoseUnderIt(t *testing.T) {
	for name, factors := range kinds() {
		for _, size := range []image.Point{{40, 24}, {37, 21}, {5, 3}} {
			for _, restart := range []int{0, 3} {
				v := picturetest.Variant{Width: size.X, Height: size.Y, Factors: factors, Restart: restart, CodeBits: 9 + restart}
				payload := v.Encode(texture)
				whole := full(t, payload)
				for shift := range maxShift + 1 {
					t.Run(fmt.Sprint(name, size, restart, shift), func(t *testing.T) {
						planes := planesAt(t, payload, size.X>>shift, size.Y>>shift)
						assert.LessOrEqual(t, planes[0].Scale, 1<<shift)
						assertMeans(t, planes, whole, 1.01)
					})
				}
			}
		}
	}
}

func TestACamerasPicture(t *testing.T) {
	payload := picturetest.CameraJPEG(333, 222)
	whole := full(t, payload)
	for shift := range maxShift + 1 {
		assertMeans(t, planesAt(t, payload, 333>>shift, 222>>shift), whole, 1.01)
	}
}

func TestEachPlaneKeepsTheSizeAskedFor(t *testing.T) {
	cases := []struct {
		width, height, askX, askY int
		luma, chroma              int
	}{
		{1920, 1080, 224, 224, 4, 2},
		{1920, 1080, 224, 126, 8, 4},
		{1920, 1080, 640, 360, 2, 1},
		{1920, 1080, 1920, 1080, 1, 1},
		{640, 480, 224, 224, 2, 1},
		{640, 480, 1, 1, 8, 8},
		{64, 64, 32, 32, 2, 1},
		{63, 64, 32, 32, 1, 1},
		{64, 63, 32, 32, 1, 1},
		{8, 8, 224, 224, 1, 1},
	}
	for _, c := range cases {
		var d Decoder
		v := picturetest.Variant{Width: c.width, Height: c.height, Factors: kinds()["420"], Quant: 100}
		_, _, err := d.Read(v.Encode(func(_, _, _ int) byte { return 128 }))
		require.NoError(t, err)
		planes, err := d.Planes(nil, c.askX, c.askY)
		require.NoError(t, err)
		assert.Equal(t, []int{c.luma, c.chroma}, []int{planes[0].Scale, planes[1].Scale}, "%+v", c)
		assert.InDelta(t, float64(c.width)/float64(c.luma), planes[0].Width, 1e-9)
		assert.InDelta(t, float64(c.height)/2/float64(c.chroma), planes[2].Height, 1e-9)
	}
}

// What a decoder keeps of one picture must not show in the next.
func TestADecoderIsUsedAgain(t *testing.T) {
	var d Decoder
	var planes []Plane
	for range 2 {
		for name, factors := range kinds() {
			v := picturetest.Variant{Width: 40, Height: 24, Factors: factors, Quant: uint16(len(name))}
			payload := v.Encode(texture)
			w, h, err := d.Read(payload)
			require.NoError(t, err)
			planes, err = d.Planes(planes, w/2, h/2)
			require.NoError(t, err)
			assertMeans(t, planes, full(t, payload), 1.01)
			_, err = d.Planes(planes, 1, 1)
			assert.ErrorContains(t, err, "no JPEG was read")
		}
	}
}

func TestNothingIsAllocatedAgain(t *testing.T) {
	payload := picturetest.CameraJPEG(160, 120)
	var d Decoder
	var planes []Plane
	n := testing.AllocsPerRun(20, func() {
		_, _, err := d.Read(payload)
		require.NoError(t, err)
		planes, err = d.Planes(planes, 20, 20)
		require.NoError(t, err)
	})
	assert.LessOrEqual(t, n, 4.)
}
