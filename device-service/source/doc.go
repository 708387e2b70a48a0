// SPDX-License-Identifier: Apache-2.0

// Package source keeps one camera or sensor running.
//
// A Source knows its protocol; its Supervisor knows life and death: it runs the source,
// starts it again after a pause that grows, watches for silence, changes rate and on/off
// while it runs, numbers and stamps what was captured, and keeps the account.
//
// Invariants:
//   - every sample that was taken over (Captured) is settled once: sent, or dropped for a
//     named Reason; what was turned away before (Rejected) is counted by Reason as well;
//   - the sequence number grows by one per captured sample, so that a gap at the receiver
//     is a loss on the way;
//   - a source never waits for its receiver: Options.Deliver must not block;
//   - trouble is logged once per change of state, never per sample.
//
// Concurrency: Supervisor's methods may be called from any goroutine. A Source's Run has a
// goroutine of its own, owned by Supervisor.Run, which waits for it to end. Feed's methods
// may be called from any goroutine of the source.
package source
