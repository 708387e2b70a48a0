// SPDX-License-Identifier: Apache-2.0

// Package machine is a demonstration source: it computes what a three-axis
// accelerometer on a motor's bearing housing would measure in six conditions, and says
// which it is. It stands in for a sensor where there is none, and it makes the data that
// the vibration models of this repository are trained and measured on. Nothing in it is
// a recording; what a model learns here says nothing about a real machine until it has
// been measured there.
//
// The signatures are the textbook ones (R. B. Randall, Vibration-based Condition
// Monitoring, 2nd ed., chapters 2 and 5), computed in units of g at SampleRate:
//
//   - normal: a little of everything below, under broadband noise;
//   - imbalance: a force that turns with the shaft, so 1x, growing with the square of
//     the speed, the vertical axis a quarter turn behind the horizontal, little axial;
//   - misalignment: 2x and 3x, and 1x along the axis;
//   - looseness: a long row of harmonics and the half orders between them;
//   - bearing_outer: an impact at each pass of a ball over a pit in the outer race
//     (n/2 (1-d/D) per turn), ringing at the housing's resonance;
//   - bearing_inner: an impact at each pass over a pit in the inner race
//     (n/2 (1+d/D) per turn), stronger while the pit is in the load zone, so once a turn.
//
// Speed, load, severity and noise differ from window to window, a neighbour's hum may be
// in the picture, and light faults lie close to normal.
//
// Invariants: the windows follow from the seed alone; the ground truth is returned
// beside the window, never inside it; the package imports the standard library alone.
//
// A Machine is not safe for concurrent use; one Machine belongs to one goroutine.
package machine
