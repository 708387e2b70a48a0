// SPDX-License-Identifier: Apache-2.0

// Package emulator emulates a network link that changes: delay, jitter, rate, loss and
// outages, as a TCP proxy between a client and a server.
//
// The model. A Source says for each slot of 50 ms what the link is like. One direction
// sends one piece of data at a time at the slot's rate, whichever connection it is of.
// A piece that is lost, or that is on its way when an outage begins, is sent again as
// TCP does: first after one round trip (RFC 8985, tail loss probe), then after 200, 400,
// 800 and each further 1600 ms. Data of one connection arrives in order, so what follows
// a lost piece waits for it. A new connection costs one round trip; in an outage it
// hangs, and is reset when it hung for three seconds.
//
// Shaper is the pure core: virtual time in, virtual time out, no socket, no clock, and
// the same figures for the same seed. It is not safe for concurrent use. Proxy puts it
// between sockets; it is safe for concurrent use, and Close waits for all its
// goroutines. It buffers at most 1 MiB in each direction of a connection and then stops
// reading, so that the sender feels the link as back-pressure.
package emulator
