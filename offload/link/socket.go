// SPDX-License-Identifier: Apache-2.0

package link

import "time"

// Socket is what the kernel knows of the connection to a target (Linux: TCP_INFO). The
// zero value stands for a platform that does not tell.
type Socket struct {
	// RTT and RTTVar are TCP's smoothed round trip and its variation (RFC 6298); they hold
	// one's own queue. MinRTT is the least of late. A connection that a proxy ends shows the
	// way to the proxy alone.
	RTT, RTTVar, MinRTT time.Duration
	// DeliveryRate is bytes per second, the most recent of the kernel's samples.
	// ApplicationLimited: it is no more than what was written, not what the link can carry.
	DeliveryRate       float64
	ApplicationLimited bool
	// SegmentsOut and Retransmits count segments since the connection was made.
	SegmentsOut, Retransmits uint64
	// Unsent bytes wait in the kernel, Unacked ones are on their way or lost.
	Unsent, Unacked int
	// Connection numbers the connections to a target from 1; counters begin anew with each.
	Connection uint64
}

// Known tells whether the kernel said anything.
func (s Socket) Known() bool { return s.Connection != 0 }
