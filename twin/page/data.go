// SPDX-License-Identifier: Apache-2.0

package page

import (
	"math"
	"time"

	"edgex-offload/twin"
)

// Data is what a page shows. Sections without data are left out. Policies and classes are
// matched by name and shown in the order in which Cells name them. Values that are no finite
// number are shown as unknown and enter no mean.
type Data struct {
	Title string
	// Scenario says what was run, in a line.
	Scenario string
	// References are policies that know what no policy can know, or that bound what can be had:
	// shown beside the others, and never called the best.
	References []string

	// Cells carry the calibration of what was promised in them.
	Cells     []twin.Score
	Regrets   []Regret
	Pairs     []Pair
	Latency   []Latency
	Timelines []Timeline
	Sweeps    []Sweep
}

// Regret is 1 - U/U(reference) with the means over cells.
type Regret struct {
	Policy, Against string
	Regret          float64
}

// Pair is how two policies differ in the cells that both played: the mean of A - B with its
// standard error, and in how many of the Cells A was the better one.
type Pair struct {
	A, B string
	// Metric is the JSON name of a field of twin.Score.
	Metric      string
	Mean, SE    float64
	Wins, Cells int
}

// Latencies are counted relative to the deadline, in logarithmic bins: perDecade of them from
// leastRatio on.
const (
	leastRatio  = .01
	perDecade   = 20
	latencyBins = 3*perDecade + 1 // the last takes what is ten times the deadline and more
)

// Latency counts a policy's latencies in a cell, relative to each task's deadline.
type Latency struct {
	Policy, Class string
	// Bins count results, NoResult tasks that had none.
	Bins     [latencyBins]int
	NoResult int
}

// Add counts a task. A latency below zero is none; a task without a deadline is not counted.
func (l *Latency) Add(latency, deadline time.Duration) {
	switch {
	case deadline <= 0:
	case latency < 0:
		l.NoResult++
	default:
		l.Bins[latencyBin(float64(latency)/float64(deadline))]++
	}
}

// Tasks are how many were counted.
func (l *Latency) Tasks() int {
	n := l.NoResult
	for _, results := range l.Bins {
		n += results
	}
	return n
}

// latencyBin is the bin of a latency in deadlines. A bin holds its upper edge, so that one that
// is exactly in time counts as in time.
func latencyBin(ratio float64) int {
	bin := math.Ceil(math.Log10(ratio/leastRatio)*perDecade-1e-9) - 1
	return int(min(max(bin, 0), latencyBins-1)) // of the logarithm of 0 as well
}

// latencyEdge is the upper edge of a bin, in deadlines.
func latencyEdge(bin int) float64 { return leastRatio * math.Pow(10, float64(bin+1)/perDecade) }

// Timeline is one run in detail: a policy on a class over a trace.
type Timeline struct {
	Policy, Class, Trace string
	Seed                 uint64
	Link                 []LinkPoint
	Decisions            []Decision
}

// LinkPoint is what the link was like from a time on, until the next point.
type LinkPoint struct {
	At, RTT time.Duration
	Up      float64 // bytes per second
	Lost    bool
}

// Route is where a task went.
type Route uint8

// Hedged tasks were sent and run on the box as well; dropped ones have no result.
const (
	Local Route = iota
	Remote
	Hedged
	Dropped
)

// Decision is a task and what became of it.
type Decision struct {
	At     time.Duration
	Route  Route
	InTime bool
	// Priority is 0 for the most critical, up to 3.
	Priority int
	// Latency is below zero without a result.
	Latency, Deadline time.Duration
}

// Sweep is what one knob does.
type Sweep struct {
	// Key names it, with its unit where it has one.
	Key    string
	Points []SweepPoint
}

// SweepPoint are a policy's means with the knob at a value: a number, a time as 200ms, or a
// word.
type SweepPoint struct {
	Value, Policy                                string
	Miss, MissCritical, Utility, SentMB, EnergyJ float64
}
