// SPDX-License-Identifier: Apache-2.0

// Package offload is the core of edgex-offload: the task, the estimate of each
// link, the policies, the local scheduler, the engine and the decision record.
//
// Engine is a deterministic state machine: events go in, each with the time at
// which it happened, and actions come out. It has no clock, no goroutine, no
// socket and no random source of its own, so that the plant (package runner) and
// a simulation on a virtual clock run the very same code, and a recorded log of
// events replays to the same decisions.
//
// Invariants:
//   - every task that arrives leaves in exactly one Finish action;
//   - every queue has a bound, every drop has a named Reason;
//   - the package imports the standard library alone.
//
// An Engine is not safe for concurrent use: one goroutine owns it.
package offload
