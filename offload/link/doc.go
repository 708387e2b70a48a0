// SPDX-License-Identifier: Apache-2.0

// Package link estimates the path to one target and predicts when an attempt on it will be
// done.
//
// What is learned. Every real answer teaches the round trip without service time and the
// time per byte; probes do so while no answers come, and packet trains where no payload
// shows a rate. The kernel's TCP_INFO adds retransmissions. All figures are robust orders
// of the last few samples: one stall is an event of its own, not a property of the link.
//
// What is predicted. The time to the answer of so many bytes is a distribution: a scale
// from the figures above, times the ratio z = measured / predicted of late, kept in
// histograms that forget, with a bound at each of
// fourteen levels that is corrected online until it holds as often as it says (adaptive
// conformal inference, Gibbs & Candès 2021). While the oldest message under way is overdue
// the link stands still for that long already, and a distribution learned of such times
// takes over.
//
// Invariants. A measurement that cannot be (a negative interval, a service time beyond the
// call, a clock that steps) is counted by reason and changes no estimate. Every method is
// O(1) and allocates nothing. Times are engine times: what passed since the engine's epoch,
// never earlier than those of the call before.
//
// A Link has no clock, no goroutine and no lock: one owner, the engine, calls it.
package link
