// SPDX-License-Identifier: Apache-2.0

// Package linkcheck checks what the live system knows of a link against the truth of the
// link that it ran over: the real runner, client and server, and gRPC over TCP, between the
// two network namespaces of an emulated link of IP packets. It is the counterpart of
// twin.CheckLink, which does the same on a virtual clock: the same tasks, the same settings,
// the same truth and the same table, so that what differs between the two is TCP, gRPC and
// the machine.
//
//   - Run plays a trace: how predictions hold, and how far the estimates are off.
//   - Changes scripts a link: how long until a change of it is known.
//   - Idle counts what measuring costs, in bytes of IP packets.
//
// All run in real time, on Linux, with the rights to make network namespaces;
// tun.Available says what is missing. The processors should have time left: a machine that
// is busy adds delays that are not the link's. Details.Late and Details.Missed tell.
//
// A check shares nothing with another one. All goroutines that it starts have ended when it
// returns.
package linkcheck
