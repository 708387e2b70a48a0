// SPDX-License-Identifier: Apache-2.0

// Package remote is the wire between a box, its neighbours and the cloud: a gRPC
// client that offloads tasks and probes the path, and the server that answers it. The
// cloud service and a peer node serve the same code.
//
// Invariants:
//   - nothing here waits for a link when it starts; a target that cannot be reached is
//     an error of the single call, given at once, and the link heals by itself;
//   - every message is bounded in size before it is read and every call in time;
//   - what a caller hands over waits where it can be passed: a small message or a more
//     important task does not stand behind a payload, and little is left in the kernel and,
//     where that is not TCP's own congestion control's doing, in the network (brake);
//   - a time that a server reports is bounded by what this side's clock saw, and flagged
//     where it cannot be;
//   - the server's queue is bounded; what does not fit is refused with a reason;
//   - Task.Truth is never written to the wire;
//   - a peer that knows only the fields 1 to 6 of TaskRequest and TaskResponse works
//     with this client and with this server.
//
// Rates: RTT, one-way times and rates are measured here and nowhere judged. A probe and a
// train (ProbeTrain) cost 64 bytes and some 14 KB; TCP_INFO comes with every reply.
//
// Client and Server are safe for concurrent use. Each owns the goroutines it starts and
// waits for them in Close (Client) or Stop (Server).
package remote
