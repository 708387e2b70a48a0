// SPDX-License-Identifier: Apache-2.0

package conveyor

import (
	"flag"
	"image"
	"image/draw"
	"image/png"
	"math"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

var update = flag.Bool("update", false, "write testdata anew")

func TestSameSeedSamePictures(t *testing.T) {
	a, b, other := New(7, 64, 48), New(7, 64, 48), New(8, 64, 48)
	for range 5 {
		first, firstTruth := a.Next()
		second, secondTruth := b.Next()
		third, _ := other.Next()
		assert.Equal(t, firstTruth, secondTruth)
		assert.Equal(t, first.Pix, second.Pix)
		assert.NotEqual(t, first.Pix, third.Pix)
	}
}

func TestAboutHalfOfThePartsAreGood(t *testing.T) {
	const parts = 2000
	b, seen := New(1, MinSize, MinSize), map[string]float64{}
	for range parts {
		_, truth := b.Next()
		seen[truth] += 1. / parts
	}
	// Five standard deviations of a binomial share.
	assert.InDelta(t, .5, seen[Good], 5*math.Sqrt(.5*.5/parts))
	for _, defect := range Labels()[1:] {
		assert.InDelta(t, .125, seen[defect], 5*math.Sqrt(.125*.875/parts), defect)
	}
	assert.Len(t, seen, len(Labels()))
}

// TestADefectIsAllThatDiffers compares a good and a bad part of the same seed: they
// differ, on the part alone, and from one defect to the next in how much.
func TestADefectIsAllThatDiffers(t *testing.T) {
	for _, defect := range Labels()[1:] {
		weakest, strongest := math.Inf(1), 0.
		for seed := range int64(60) {
			good, bad := New(seed, 160, 120).Draw(Good), New(seed, 160, 120).Draw(defect)
			sum := 0.
			for i := range good.Pix {
				diff := math.Abs(float64(good.Pix[i]) - float64(bad.Pix[i]))
				sum += diff
				if x, y := i/4%160, i/4/160; diff != 0 && math.Hypot(float64(x)-80, float64(y)-60) > 120*.44+14 {
					t.Fatalf("%s, seed %d: differs at (%d, %d), where no part is", defect, seed, x, y)
				}
			}
			weakest, strongest = min(weakest, sum), max(strongest, sum)
		}
		assert.Positive(t, weakest, "%s: invisible", defect)
		assert.Greater(t, strongest, 5*weakest, "%s: all about as plain", defect)
	}
}

func TestPicturesOfAnySizeAreWhole(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		width := rapid.IntRange(MinSize, 300).Draw(t, "width")
		height := rapid.IntRange(MinSize, 300).Draw(t, "height")
		label := rapid.SampledFrom(Labels()).Draw(t, "label")
		img := New(rapid.Int64().Draw(t, "seed"), width, height).Draw(label)
		if want := image.Rect(0, 0, width, height); img.Rect != want {
			t.Fatalf("bounds %v, want %v", img.Rect, want)
		}
		if !img.Opaque() {
			t.Fatal("transparent pixels")
		}
	})
}

func TestPicturesAreTheCallersToKeep(t *testing.T) {
	b := New(1, 64, 48)
	first := b.Draw(Dent)
	kept := append([]uint8(nil), first.Pix...)
	b.Draw(Stain)
	assert.Equal(t, kept, first.Pix)
}

func TestWrongUseNamesWhatIsAllowed(t *testing.T) {
	assert.PanicsWithValue(t, "conveyor: picture of 31x240 pixels: allowed is 32 to 4096 each way", func() { New(1, 31, 240) })
	assert.PanicsWithValue(t, "conveyor: picture of 320x5000 pixels: allowed is 32 to 4096 each way", func() { New(1, 320, 5000) })
	assert.PanicsWithValue(t, `conveyor: label "rust": allowed are good, scratch, dent, stain, crack`, func() { New(1, 64, 64).Draw("rust") })
}

// TestPicturesAreAsTheyWere guards the models: they were trained on pictures like those
// in testdata. After a change that is meant, train again and run with -update.
func TestPicturesAreAsTheyWere(t *testing.T) {
	const width, height = 160, 120
	b := New(5, width, height)
	got := image.NewRGBA(image.Rect(0, 0, width*len(Labels()), height))
	for i, label := range Labels() {
		place := image.Rect(i*width, 0, (i+1)*width, height)
		draw.Draw(got, place, b.Draw(label), image.Point{}, draw.Src)
	}
	path := filepath.Join("testdata", "parts.png")
	if *update {
		file, err := os.Create(path)
		require.NoError(t, err)
		require.NoError(t, png.Encode(file, got))
		require.NoError(t, file.Close())
	}
	file, err := os.Open(path)
	require.NoError(t, err)
	defer file.Close()
	want, err := png.Decode(file)
	require.NoError(t, err)
	require.Equal(t, want.Bounds(), got.Bounds())
	// A processor that fuses multiplication and addition rounds differently: a level
	// here and there, and a pixel on a border now and then.
	far := 0
	for y := range height {
		for x := range got.Rect.Dx() {
			r, g, b, _ := want.At(x, y).RGBA()
			c := got.RGBAAt(x, y)
			if apart(r, c.R) || apart(g, c.G) || apart(b, c.B) {
				far++
			}
		}
	}
	assert.LessOrEqual(t, far, width*height/1000, "pixels that differ by more than two levels")
}

func apart(want uint32, got uint8) bool { return math.Abs(float64(want>>8)-float64(got)) > 2 }

func BenchmarkNext(b *testing.B) {
	belt := New(1, 320, 240)
	for b.Loop() {
		belt.Next()
	}
}
