// SPDX-License-Identifier: Apache-2.0

package machine

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"time"
)

// The conditions of the machine.
const (
	Normal       = "normal"
	Imbalance    = "imbalance"
	Misalignment = "misalignment"
	Looseness    = "looseness"
	BearingOuter = "bearing_outer"
	BearingInner = "bearing_inner"
)

const (
	// SampleRate is in samples per second and axis, so that 2.5 kHz can be looked at.
	SampleRate = 6400
	// Axes are horizontal, vertical and axial, in this order.
	Axes = 3
	// Samples is the length of a window, per axis.
	Samples = 1024
	// Interval is the time a window covers: 160 ms, four to eight turns of the shaft.
	Interval = Samples * time.Second / SampleRate
)

// dwellMin and dwellMax bound how many windows in a row Next stays with a condition.
const (
	dwellMin = 4
	dwellMax = 10
)

// Conditions lists what Next may return as truth, in the order of the models' classes.
func Conditions() []string {
	return []string{Normal, Imbalance, Misalignment, Looseness, BearingOuter, BearingInner}
}

// Machine runs from condition to condition. Create it with New.
type Machine struct {
	rng       *rand.Rand
	condition string
	dwell     int      // windows left in this condition
	deck      []string // conditions still to come in this round
}

// New returns a machine whose windows follow from the seed.
func New(seed int64) *Machine {
	return &Machine{rng: rand.New(rand.NewPCG(uint64(seed), 0x73686166))}
}

// Next measures one window, in g, and tells the machine's condition. A condition stays
// for some windows; each of them comes once before one comes again.
func (m *Machine) Next() (window [Axes][Samples]float32, truth string) {
	if m.dwell == 0 {
		if len(m.deck) == 0 {
			m.deck = Conditions()
			m.rng.Shuffle(len(m.deck), func(i, j int) { m.deck[i], m.deck[j] = m.deck[j], m.deck[i] })
		}
		m.condition, m.deck = m.deck[0], m.deck[1:]
		m.dwell = dwellMin + m.rng.IntN(dwellMax-dwellMin+1)
	}
	m.dwell--
	return m.Sample(m.condition), m.condition
}

// Sample measures one window, in g, of a machine in the condition given, one of
// Conditions; another one is a programming error and panics.
func (m *Machine) Sample(condition string) [Axes][Samples]float32 {
	if !slices.Contains(Conditions(), condition) {
		panic(fmt.Sprintf("machine: condition %q: allowed are %s", condition, strings.Join(Conditions(), ", ")))
	}
	w := m.newRun()
	w.healthy()
	w.fault(condition)
	w.surroundings()
	return w.quantised()
}
