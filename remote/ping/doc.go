// SPDX-License-Identifier: Apache-2.0

// Package ping measures round trips to a host that offers nothing to measure them with:
// ICMP echo over a raw socket, else over an unprivileged one, else the time that a TCP
// connection takes, where ICMP is barred or stays unanswered while TCP works.
//
// Invariants:
//   - a Ping ends in bounded time, whatever comes back or does not;
//   - only the answer to this very echo counts: its sender, its identifier, its sequence
//     and eight random bytes must agree; anything else is ignored;
//   - nothing is open between two Pings, so that there is nothing to close.
//
// A Pinger is safe for concurrent use and starts no goroutine.
package ping
