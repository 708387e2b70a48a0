// SPDX-License-Identifier: Apache-2.0

package picture

import (
	"fmt"
	"image"
	"image/color"
	"math"
	"os"
	"path/filepath"
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/image/draw"

	"edgex-offload/infer/picture/picturetest"
)

// tensors are a payload's, by the plan's decode and by a full one.
func tensors(t *testing.T, o Options, payload []byte, full image.Image) (scaled, whole []float32) {
	t.Helper()
	p := NewPlan(o)
	img, err := p.Decode(payload)
	require.NoError(t, err)
	scaled, at := fill(t, o, img)
	whole, want := fill(t, o, full)
	assert.Equal(t, want, at, "boxes go back to the picture's own pixels")
	return scaled, whole
}

func fullOf(t *testing.T, payload []byte) image.Image {
	t.Helper()
	full, err := Decode(payload)
	require.NoError(t, err)
	return full
}

func meanDifference(a, b []float32) (mean, largest float64) {
	for i := range a {
		d := math.Abs(float64(a[i] - b[i]))
		mean, largest = mean+d/float64(len(a)), max(largest, d)
	}
	return mean, largest
}

// triangle is the tensor of Pillow's and torchvision's antialiased bilinear filter, with
// which most vision models are trained.
func triangle(t *testing.T, o Options, full image.Image) []float32 {
	t.Helper()
	img := image.NewRGBA(image.Rect(0, 0, o.Width, o.Height))
	draw.BiLinear.Scale(img, img.Rect, full, full.Bounds(), draw.Src, nil)
	tensor, _ := fill(t, o, img)
	return tensor
}

// assertClose wants a tensor that is, in levels of 256, within far of that of a full
// decode in the mean, and as near to what models are trained with. A mean of means has a
// wider filter than one mean, as has the triangle.
func assertClose(t *testing.T, name string, payload []byte, far float64) {
	t.Helper()
	full := fullOf(t, payload)
	for _, size := range []image.Point{{224, 224}, {160, 120}, {100, 100}, {64, 42}} {
		o := plain(size.X, size.Y)
		scaled, whole := tensors(t, o, payload, full)
		want := triangle(t, o, full)
		apart, _ := meanDifference(scaled, whole)
		before, _ := meanDifference(whole, want)
		after, _ := meanDifference(scaled, want)
		t.Logf("%s to %v: %.2f apart; to a triangle filter %.2f, of a full decode %.2f", name, size, apart, after, before)
		assert.Less(t, apart, far, "%s to %v", name, size)
		assert.Less(t, after, before+.1, "%s to %v", name, size)
	}
	for _, fit := range []Fit{Letterbox, Corner} {
		o := plain(224, 160)
		o.Fit = fit
		scaled, whole := tensors(t, o, payload, full)
		apart, _ := meanDifference(scaled, whole)
		assert.Less(t, apart, far, "%s, fit %v", name, fit)
	}
}

func TestScaledDecodeKeepsTheTensor(t *testing.T) {
	for _, size := range []image.Point{{1280, 720}, {641, 479}, {397, 333}, {100, 100}} {
		assertClose(t, fmt.Sprint("scene ", size), picturetest.CameraJPEG(size.X, size.Y), 2)
	}
	assertClose(t, "quarters", encodeJPEG(t, quarters(500, 350)), 2)
}

func TestScaledDecodeKeepsTheTensorOfPhotos(t *testing.T) {
	photos, err := filepath.Glob("../../../shared/samples/*.jpg")
	require.NoError(t, err)
	if len(photos) == 0 {
		t.Skip("no photos in ../shared/samples")
	}
	for _, path := range photos {
		payload, err := os.ReadFile(path)
		require.NoError(t, err)
		assertClose(t, filepath.Base(path), payload, 6)
	}
}

// A scaled decode averages already: sampling at points is nearer to the mean after it.
func TestScaledDecodeMakesFastSmoother(t *testing.T) {
	payload := picturetest.CameraJPEG(1280, 720)
	full := fullOf(t, payload)
	mean, _ := fill(t, plain(100, 60), full)
	o := plain(100, 60)
	o.Fast = true
	scaled, whole := tensors(t, o, payload, full)
	after, _ := meanDifference(scaled, mean)
	before, _ := meanDifference(whole, mean)
	assert.Less(t, after, before/2)
}

func TestScaledPictureIsAnImage(t *testing.T) {
	p := NewPlan(plain(4, 4))
	img, err := p.Decode(encodeJPEG(t, quarters(33, 32)))
	require.NoError(t, err)
	assert.Equal(t, image.Rect(0, 0, 33, 32), img.Bounds())
	assert.Equal(t, color.YCbCrModel, img.ColorModel())
	r, g, b, a := img.At(32, 0).RGBA() // green
	assert.InDeltaSlice(t, []float64{0, 255, 0, 255}, []float64{float64(r >> 8), float64(g >> 8), float64(b >> 8), float64(a >> 8)}, 5)
	assert.Equal(t, color.YCbCr{}, img.At(33, 0))

	img, err = p.Decode(encodeJPEG(t, drawn(image.NewGray(image.Rect(0, 0, 9, 9)), image.White)))
	require.NoError(t, err)
	assert.Equal(t, color.GrayModel, img.ColorModel())
	assert.Equal(t, color.Gray{Y: 255}, img.At(8, 8))
}

// Pictures of many sizes go through one plan at once, in each other's memory.
func TestRecycledMemoryDoesNotShow(t *testing.T) {
	p := NewPlan(plain(16, 16))
	var wg sync.WaitGroup
	for i := range 4 {
		payload := picturetest.CameraJPEG(40+60*i, 200-40*i)
		want, _ := tensors(t, plain(16, 16), payload, fullOf(t, payload))
		wg.Go(func() {
			got := make([]float32, len(want))
			for range 20 {
				img, err := p.Decode(payload)
				if !assert.NoError(t, err) {
					return
				}
				_, err = p.Fill(got, img)
				p.Recycle(img)
				if !assert.NoError(t, err) || !assert.Equal(t, want, got) {
					return
				}
			}
		})
	}
	wg.Wait()
}
