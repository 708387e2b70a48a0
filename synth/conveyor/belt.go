// SPDX-License-Identifier: Apache-2.0

package conveyor

import (
	"fmt"
	"image"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
)

// The labels of a part. Good is the one without a defect.
const (
	Good    = "good"
	Scratch = "scratch"
	Dent    = "dent"
	Stain   = "stain"
	Crack   = "crack"
)

// MinSize and MaxSize bound the width and the height of a picture, in pixels.
const (
	MinSize = 32
	MaxSize = 4096
)

// goodShare is how many of the parts that Next draws are good; the others spread
// evenly over the defects.
const goodShare = 0.5

// Labels lists what Next may return as truth, in the order of the models' classes.
func Labels() []string { return []string{Good, Scratch, Dent, Stain, Crack} }

// Belt draws one part after another. Create it with New.
type Belt struct {
	width, height int
	rng           *rand.Rand
	rubber        []float32 // brightness of one loop of the belt, height rows of loop pixels
	loop          int       // length of the belt until it repeats, in pixels
	position      int       // how far the belt has moved, in pixels, below loop
	noise         []float32 // standard normal values, for grain; a power of two of them
	marks         layer     // what lies on the part, drawn before it is lit
}

// New returns a belt whose pictures are width x height pixels, each from MinSize to
// MaxSize. Another size is a programming error and panics.
func New(seed int64, width, height int) *Belt {
	for _, side := range []int{width, height} {
		if side < MinSize || side > MaxSize {
			panic(fmt.Sprintf("conveyor: picture of %dx%d pixels: allowed is %d to %d each way", width, height, MinSize, MaxSize))
		}
	}
	b := &Belt{width: width, height: height, loop: 2 * width, rng: rand.New(rand.NewPCG(uint64(seed), 0x62656c74))}
	b.noise = make([]float32, 1<<14)
	for i := range b.noise {
		b.noise[i] = float32(b.rng.NormFloat64())
	}
	b.rubber = b.weave()
	return b
}

// Next draws the next part on the belt and tells its label: Good for about half of
// them, else a defect, each as often as the others.
func (b *Belt) Next() (img *image.RGBA, truth string) {
	truth = Good
	if b.rng.Float64() >= goodShare {
		defects := Labels()[1:]
		truth = defects[b.rng.IntN(len(defects))]
	}
	return b.Draw(truth), truth
}

// Draw draws the next part with the label given, one of Labels; another one is a
// programming error and panics. The picture is the caller's to keep.
func (b *Belt) Draw(label string) *image.RGBA {
	if !slices.Contains(Labels(), label) {
		panic(fmt.Sprintf("conveyor: label %q: allowed are %s", label, strings.Join(Labels(), ", ")))
	}
	b.position = (b.position + b.width/3 + b.rng.IntN(b.width/3)) % b.loop
	p, scene := b.newPart(), b.newScene()
	b.marks.reset(p)
	b.wear(p)
	b.damage(p, label) // last, so that a good and a bad part of a seed differ in nothing else

	img := image.NewRGBA(image.Rect(0, 0, b.width, b.height))
	for y := range b.height {
		b.drawRow(img.Pix[y*img.Stride:y*img.Stride+4*b.width], y, p, scene)
	}
	return img
}

// scene is what changes in the picture from frame to frame apart from the part.
type scene struct {
	gain    float64 // exposure
	slopeX  float64 // how much brighter it gets from left to right, as a share
	slopeY  float64
	grain   float64 // standard deviation of the sensor's noise, in levels of 255
	warmth  float64 // colour of the lamp: red up and blue down by this share
	started int     // where in the table of noise this frame begins
}

func (b *Belt) newScene() scene {
	return scene{
		gain:    between(b.rng, .88, 1.12),
		slopeX:  between(b.rng, -.12, .12),
		slopeY:  between(b.rng, -.12, .12),
		grain:   between(b.rng, 1.5, 4),
		warmth:  between(b.rng, -.03, .05),
		started: b.rng.IntN(len(b.noise)),
	}
}

// drawRow fills one row: belt, shadow, part, then light and grain over everything.
func (b *Belt) drawRow(pix []uint8, y int, p *part, s scene) {
	rubber := b.rubber[y*b.loop : (y+1)*b.loop]
	rowGain := s.gain * (1 + s.slopeY*(float64(y)/float64(b.height)-.5))
	step := s.slopeX * rowGain / float64(b.width)
	gain := rowGain - step*float64(b.width)/2
	mask := len(b.noise) - 1
	grainAt := s.started + y*977 // a prime apart, so that rows do not look alike
	for x, at := 0, b.position; x < b.width; x++ {
		light := float64(rubber[at])
		if at++; at == b.loop {
			at = 0
		}
		red, green, blue := light, light, light*1.06
		if px, py, near := p.local(x, y); near {
			red, green, blue = p.over(red, green, blue, px, py, b.marks.at(x, y))
		}
		grain := s.grain * float64(b.noise[(grainAt+x)&mask])
		pix[4*x] = level(red*gain*(1+s.warmth) + grain)
		pix[4*x+1] = level(green*gain + grain)
		pix[4*x+2] = level(blue*gain*(1-s.warmth) + grain)
		pix[4*x+3] = 255
		gain += step
	}
}

// weave draws one loop of the belt: rubber with a fabric's weave, blotches, worn
// streaks along the way it moves, and the guide rails above and below.
func (b *Belt) weave() []float32 {
	rubber := make([]float32, b.height*b.loop)
	blotch := newCloud(b.rng, 16, 8)
	streak := make([]float64, b.height)
	for y := range streak {
		streak[y] = 3 * b.rng.NormFloat64()
	}
	rail := float64(b.height) * .055
	pitch := max(3, float64(b.height)/60) // of the weave, in pixels
	for y := range b.height {
		edge := math.Min(float64(y), float64(b.height-1-y))
		for x := range b.loop {
			light := 46 + 22*(blotch.at(float64(x)/float64(b.loop), float64(y)/float64(b.height))-.5)
			light += 4*math.Sin(2*math.Pi*float64(x+y)/pitch)*math.Sin(2*math.Pi*float64(x-y)/pitch) + streak[y]
			light += 2.5 * float64(b.noise[(y*b.loop+x*7)&(len(b.noise)-1)])
			switch {
			case edge < rail: // polished steel, brightest in its middle
				light = 70 + 75*math.Sin(math.Pi*edge/rail) + streak[y]
			case edge < rail*1.5: // its shadow on the belt
				light *= .55
			}
			rubber[y*b.loop+x] = float32(light)
		}
	}
	return rubber
}

func level(v float64) uint8 { return uint8(min(max(v+.5, 0), 255)) }

func between(rng *rand.Rand, low, high float64) float64 { return low + (high-low)*rng.Float64() }
