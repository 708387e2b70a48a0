// SPDX-License-Identifier: Apache-2.0

package machine

import (
	"math"
	"math/rand/v2"
)

// The axes of a window.
const (
	horizontal = iota
	vertical
	axial
)

// The ball bearing: number of balls, and ball diameter over pitch diameter.
const (
	balls     = 9
	ballRatio = .21
	// outerPasses and innerPasses are how many balls pass a point of the race in one
	// turn of the shaft, for a contact angle of zero.
	outerPasses = balls / 2. * (1 - ballRatio)
	innerPasses = balls / 2. * (1 + ballRatio)
)

// fullScale is where the accelerometer clips, and step its resolution: ±16 g in 16 bit.
const (
	fullScale = 16.
	step      = fullScale / (1 << 15)
)

// run is one window in the making, at an operating point of its own.
type run struct {
	rng      *rand.Rand
	wave     [Axes][Samples]float64 // g
	turn     [Samples]float64       // shaft angle in turns at each sample
	speed    float64                // turns per second, mean of the window
	load     float64                // 1 is the nominal one
	severity float64                // of the fault, 0 to 1
	noise    float64                // standard deviation, g
}

// newRun draws the operating point. The shaft speeds up or slows down a little within
// the window.
func (m *Machine) newRun() *run {
	w := &run{
		rng:      m.rng,
		speed:    between(m.rng, 24, 50),
		load:     between(m.rng, .6, 1.4),
		severity: m.rng.Float64(),
		noise:    .05 * math.Exp(.45*m.rng.NormFloat64()),
	}
	at, drift := m.rng.Float64(), between(m.rng, -.02, .02)
	for i := range w.turn {
		w.turn[i] = at
		at += w.speed * (1 + drift*(float64(i)/Samples-.5)) / SampleRate
	}
	return w
}

// order adds a vibration at a multiple of the shaft's speed. phase is in turns.
func (w *run) order(axis int, multiple, amplitude, phase float64) {
	for i := range w.wave[axis] {
		w.wave[axis][i] += amplitude * math.Sin(2*math.Pi*(multiple*w.turn[i]+phase))
	}
}

// healthy is what each machine does: it is never quite balanced, aligned or silent.
func (w *run) healthy() {
	unbalance, phase := between(w.rng, .02, .12)*w.speedSquared(), w.rng.Float64()
	w.order(horizontal, 1, unbalance, phase)
	w.order(vertical, 1, .8*unbalance, phase+.25)
	w.order(axial, 1, .25*unbalance, w.rng.Float64())
	for axis := range Axes {
		w.order(axis, 2, between(w.rng, .005, .05)*w.load, w.rng.Float64())
		w.order(axis, 3, between(w.rng, 0, .025)*w.load, w.rng.Float64())
	}
}

// speedSquared scales centrifugal forces: 1 at 35 turns per second.
func (w *run) speedSquared() float64 { return w.speed * w.speed / (35 * 35) }

// grow goes from low to high with the severity.
func (w *run) grow(low, high float64) float64 { return low + (high-low)*w.severity }

// fault adds what a condition adds to a healthy machine; Normal adds nothing.
func (w *run) fault(condition string) {
	switch condition {
	case Imbalance:
		w.imbalance()
	case Misalignment:
		w.misalignment()
	case Looseness:
		w.looseness()
	case BearingOuter:
		w.bearingOuter()
	case BearingInner:
		w.bearingInner()
	}
}

func (w *run) imbalance() {
	force, phase := w.grow(.19, .8)*w.speedSquared(), w.rng.Float64()
	w.order(horizontal, 1, force, phase)
	w.order(vertical, 1, force*between(w.rng, .7, .95), phase+.25)
	w.order(axial, 1, force*between(w.rng, .05, .2), w.rng.Float64())
}

func (w *run) misalignment() {
	force, phase := w.grow(.11, .5)*w.load, w.rng.Float64()
	w.order(horizontal, 1, .5*force, phase)
	w.order(horizontal, 2, force, phase)
	w.order(vertical, 2, force*between(w.rng, .6, 1), phase+between(w.rng, -.1, .1))
	w.order(axial, 1, force*between(w.rng, .5, .9), w.rng.Float64())
	w.order(axial, 2, force*between(w.rng, .4, .8), w.rng.Float64())
	w.order(horizontal, 3, .35*force, w.rng.Float64())
}

// looseness is a rattle: each order fades into the next, the half orders come from a
// part that lifts off every second turn.
func (w *run) looseness() {
	force, fade := w.grow(.085, .45)*w.load, between(w.rng, .72, .88)
	for half := 1; half <= 16; half++ {
		multiple := float64(half) / 2
		amplitude := force * math.Pow(fade, multiple)
		if half%2 == 1 {
			amplitude *= between(w.rng, .25, .6)
		}
		phase := w.rng.Float64()
		w.order(vertical, multiple, amplitude, phase)
		w.order(horizontal, multiple, amplitude*between(w.rng, .4, .8), phase)
		w.order(axial, multiple, amplitude*between(w.rng, .1, .35), w.rng.Float64())
	}
}

func (w *run) bearingOuter() {
	// The pit stays where it is, in the load zone or near it: each impact alike.
	w.impacts(outerPasses, func(float64) float64 { return 1 })
}

func (w *run) bearingInner() {
	// The pit turns with the shaft through the load zone, where the balls press.
	zone := w.rng.Float64()
	w.impacts(innerPasses, func(turn float64) float64 {
		return .15 + .85*max(0, math.Cos(2*math.Pi*(turn-zone)))
	})
}

// impacts lets the housing ring at each pass of a ball; strength is by shaft angle.
// Balls slip, so passes come early or late by some percent of their distance.
func (w *run) impacts(passes float64, strength func(turn float64) float64) {
	force := w.grow(.2, 1.2) * w.load
	resonance := between(w.rng, 1500, 2700) // Hz
	damping := between(w.rng, .03, .07)
	decay := 2 * math.Pi * resonance * damping // per second
	share := [Axes]float64{between(w.rng, .5, .8), 1, between(w.rng, .2, .5)}
	seconds := 1 / (w.speed * passes) // between two impacts
	// Begin before the window, so that its first samples ring too.
	for at := -seconds * w.rng.Float64(); at < Samples/float64(SampleRate); at += seconds * (1 + .015*w.rng.NormFloat64()) {
		hit := force * strength(w.turn[0]+at*w.speed) * between(w.rng, .8, 1.2)
		w.ring(at, hit, resonance, decay, share)
	}
}

// ring adds one decaying oscillation that starts at a time in seconds.
func (w *run) ring(at, amplitude, resonance, decay float64, share [Axes]float64) {
	first := max(0, int(math.Ceil(at*SampleRate)))
	last := min(Samples, first+int(6/decay*SampleRate)) // e^-6 is below the noise
	for i := first; i < last; i++ {
		t := float64(i)/SampleRate - at
		v := amplitude * math.Exp(-decay*t) * math.Sin(2*math.Pi*resonance*t)
		for axis := range Axes {
			w.wave[axis][i] += share[axis] * v
		}
	}
}

// surroundings adds what comes from elsewhere: noise of the process, growing with the
// load, at times a neighbour's hum, and a stray knock that is nobody's fault.
func (w *run) surroundings() {
	if w.rng.Float64() < .4 {
		hum, frequency := between(w.rng, .02, .12), between(w.rng, 20, 400) // g, Hz
		for axis := range Axes {
			phase := w.rng.Float64()
			for i := range w.wave[axis] {
				w.wave[axis][i] += hum * math.Sin(2*math.Pi*(frequency*float64(i)/SampleRate+phase))
			}
		}
	}
	for range w.rng.IntN(3) {
		at := w.rng.Float64() * Samples / SampleRate
		w.ring(at, between(w.rng, .1, .6), between(w.rng, 900, 2700), 700, [Axes]float64{.7, 1, .5})
	}
	for axis := range Axes {
		for i := range w.wave[axis] {
			w.wave[axis][i] += w.noise * math.Sqrt(w.load) * w.rng.NormFloat64()
		}
	}
}

// quantised is the window as the accelerometer's converter hands it over.
func (w *run) quantised() (window [Axes][Samples]float32) {
	for axis := range Axes {
		for i, v := range w.wave[axis] {
			window[axis][i] = float32(min(max(math.Round(v/step)*step, -fullScale), fullScale-step))
		}
	}
	return window
}

func between(rng *rand.Rand, low, high float64) float64 { return low + (high-low)*rng.Float64() }
