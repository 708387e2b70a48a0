// SPDX-License-Identifier: Apache-2.0

// Package cascade runs a graph of stages on one picture: decode, detect, crop, classify, as a
// small YAML file says. Each detection and each classification is a task of its own for the
// engine, with its own deadline, model and priority, so that the engine decides stage by stage
// where it runs. Decoding and cropping run here.
//
// Invariants:
//   - a Cascade that was parsed has no cycle, and each of its stages gets what it takes; it is
//     not changed any more and may be shared;
//   - one picture ends in one outcome, whatever its stages came to; every task of a stage ends
//     in the engine's outcome and has the engine's record;
//   - a stage begins when all that it needs has ended, and is run once at the most;
//   - what one stage does not use of its time the next ones have;
//   - how many pictures are under way and decoded at once is bounded, and so are the crops of
//     one, their bytes and the tasks of a stage that are handed over at once.
//
// Runner and Set are safe for concurrent use. All goroutines that Do starts end before it
// returns.
package cascade
