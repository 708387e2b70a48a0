// SPDX-License-Identifier: Apache-2.0

package machine

import (
	"math"
	"testing"

	"github.com/stretchr/testify/assert"
)

func TestSameSeedSameWindows(t *testing.T) {
	a, b, other := New(7), New(7), New(8)
	for range 30 {
		first, firstTruth := a.Next()
		second, secondTruth := b.Next()
		third, _ := other.Next()
		assert.Equal(t, firstTruth, secondTruth)
		assert.Equal(t, first, second)
		assert.NotEqual(t, first, third)
	}
}

func TestAConditionStaysAndEachTakesItsTurn(t *testing.T) {
	m := New(3)
	for range 20 { // rounds
		seen := map[string]int{}
		for len(seen) < len(Conditions()) || m.dwell > 0 {
			_, truth := m.Next()
			seen[truth]++
		}
		for _, condition := range Conditions() {
			assert.GreaterOrEqual(t, seen[condition], dwellMin, condition)
			assert.LessOrEqual(t, seen[condition], dwellMax, condition)
		}
	}
}

func TestWindowsAreOfTheRange(t *testing.T) {
	m := New(1)
	for range 200 {
		window, truth := m.Next()
		for axis := range Axes {
			for i, v := range window[axis] {
				if v < -fullScale || v >= fullScale || math.Mod(float64(v), step) != 0 {
					t.Fatalf("%s: sample %d of axis %d is %g g", truth, i, axis, v)
				}
			}
		}
	}
}

func TestAnUnknownConditionNamesWhatIsAllowed(t *testing.T) {
	assert.PanicsWithValue(t,
		`machine: condition "rust": allowed are normal, imbalance, misalignment, looseness, bearing_outer, bearing_inner`,
		func() { New(1).Sample("rust") })
}

// TestEachConditionHasItsSignature measures, on plain faults without noise, what a
// condition monitoring engineer would look for, and that no other condition shows it
// as strongly.
func TestEachConditionHasItsSignature(t *testing.T) {
	for condition, sign := range map[string]func(w *run) float64{
		Imbalance:    func(w *run) float64 { return w.amplitude(horizontal, 1) },
		Misalignment: func(w *run) float64 { return w.amplitude(axial, 2) },
		Looseness:    func(w *run) float64 { return w.amplitude(vertical, 1.5) },
		BearingOuter: func(w *run) float64 { return w.envelope(outerPasses) },
		BearingInner: func(w *run) float64 { return w.envelope(innerPasses) },
	} {
		mean := map[string]float64{}
		for _, other := range Conditions() {
			m := New(11)
			for range 40 {
				w := m.newRun()
				w.severity = 1
				w.healthy()
				w.fault(other)
				mean[other] += sign(w) / 40
			}
		}
		for _, other := range Conditions() {
			if other != condition {
				assert.Greater(t, mean[condition], 1.5*mean[other], "sign of %s in %s", condition, other)
			}
		}
	}
}

// amplitude is that of a multiple of the shaft's speed, in g, by order tracking.
func (w *run) amplitude(axis int, multiple float64) float64 {
	return w.tracked(func(i int) float64 { return w.wave[axis][i] }, multiple)
}

// envelope is how strongly the high frequencies come and go at a multiple of the
// shaft's speed. The slip of the balls moves the line, so the strongest nearby counts.
func (w *run) envelope(multiple float64) (strongest float64) {
	sharp := func(i int) float64 {
		if i < 2 {
			return 0
		}
		return math.Abs(w.wave[vertical][i] - 2*w.wave[vertical][i-1] + w.wave[vertical][i-2])
	}
	for off := -.04; off <= .04; off += .01 {
		strongest = max(strongest, w.tracked(sharp, multiple*(1+off)))
	}
	return strongest
}

// tracked correlates a signal with a sine of the shaft's angle, under a Hann window.
func (w *run) tracked(signal func(i int) float64, multiple float64) float64 {
	var re, im float64
	for i, turn := range w.turn {
		v := signal(i) * (1 - math.Cos(2*math.Pi*float64(i)/Samples))
		re += v * math.Cos(2*math.Pi*multiple*turn)
		im += v * math.Sin(2*math.Pi*multiple*turn)
	}
	return 2 * math.Hypot(re, im) / Samples
}

func BenchmarkNext(b *testing.B) {
	m := New(1)
	for b.Loop() {
		m.Next()
	}
}
