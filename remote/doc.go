// SPDX-License-Identifier: Apache-2.0

// Package remote is the wire between a box, its neighbours and the cloud: a gRPC
// client that offloads tasks and probes the path, and the server that answers it. The
// cloud service and a peer node serve the same code.
//
// Invariants:
//   - nothing here waits for a link when it starts; a target that cannot be reached is
//     an error of the single call, given at once, and the link heals by itself;
//   - every message is bounded in size before it is read and every call in time;
//   - the server's queue is bounded; what does not fit is refused with a reason;
//   - Task.Truth is never written to the wire;
//   - a peer that knows only the fields 1 to 6 of TaskRequest and TaskResponse works
//     with this client and with this server.
//
// Client and Server are safe for concurrent use. Each owns the goroutines it starts and
// waits for them in Close (Client) or Stop (Server).
package remote
