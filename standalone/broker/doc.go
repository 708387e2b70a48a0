// SPDX-License-Identifier: Apache-2.0

// Package broker embeds an MQTT broker for a run without an EdgeX stack.
//
// It listens on the loopback interface only, because it lets every client in. Each
// client's queue of outgoing messages is bounded; what a slow client loses is counted
// in Dropped.
//
// A Broker is safe for concurrent use. Handlers given to Subscribe run in the
// publisher's goroutine: a handler that blocks stops the publisher.
package broker
