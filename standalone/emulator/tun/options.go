// SPDX-License-Identifier: Apache-2.0

package tun

import (
	"errors"
	"fmt"
	"time"

	"edgex-offload/standalone/emulator"
)

// MTU of the link: bytes of an IP packet.
const MTU = 1500

const (
	defaultQueueBytes   = 256 << 10
	defaultQueueTime    = 250 * time.Millisecond
	maxQueueBytes       = 64 << 20
	defaultReorderDelay = 10 * time.Millisecond
	maxReorderDelay     = 10 * time.Second
)

// Options of New.
type Options struct {
	// Source says what the link is like, slot by slot: a Trace's or a Profile's Start, say.
	Source emulator.Source
	// Seed decides which packets are lost and which are reordered.
	Seed int64
	// QueueBytes bounds what waits in one direction. More means fewer drops and longer
	// delays when a sender is faster than the link. 0 means 256 KiB, or 250 ms at the
	// slot's rate if that is more.
	QueueBytes int
	// Reorder is the probability, 0 to 1, that a packet comes ReorderDelay late and does
	// not hold up those behind it, unless they are late too.
	Reorder float64
	// ReorderDelay is 10 ms if it is 0.
	ReorderDelay time.Duration
	// HoldOutages lets packets wait for the end of an outage, as far as the queue takes
	// them, instead of dropping them.
	HoldOutages bool
	// CongestionControl of TCP for the sockets of Dial and Listen, and for all others in
	// the namespaces where the host allows it there (net.ipv4.tcp_allowed_congestion_control).
	// Empty leaves the host's.
	CongestionControl string
}

// check refuses what makes no sense, and fills in defaults.
func (o *Options) check() error {
	switch {
	case o.Source == nil:
		return errors.New("Source: nil: allowed is a source of conditions")
	case o.QueueBytes != 0 && (o.QueueBytes < MTU || o.QueueBytes > maxQueueBytes):
		return fmt.Errorf("QueueBytes: %d: allowed is 0 or %d to %d", o.QueueBytes, MTU, maxQueueBytes)
	case !(o.Reorder >= 0 && o.Reorder <= 1):
		return fmt.Errorf("Reorder: %g: allowed is 0 to 1", o.Reorder)
	case o.ReorderDelay < 0 || o.ReorderDelay > maxReorderDelay:
		return fmt.Errorf("ReorderDelay: %v: allowed is 0 to %v", o.ReorderDelay, maxReorderDelay)
	}
	if o.ReorderDelay == 0 {
		o.ReorderDelay = defaultReorderDelay
	}
	return nil
}

// queueBytes is the bound of a queue at a rate in bytes per second.
func (o *Options) queueBytes(rate float64) int {
	if o.QueueBytes != 0 {
		return o.QueueBytes
	}
	return int(min(max(rate*defaultQueueTime.Seconds(), defaultQueueBytes), maxQueueBytes))
}
