// SPDX-License-Identifier: Apache-2.0

package functions

import (
	"maps"
	"sync"
)

// The reasons for which a message or a reading did not become a task.
const (
	// PassedUnknown: no rule names the resource.
	PassedUnknown = "unknown_resource"
	// PassedState: what a device says of itself, which no rule names either: Status, and the
	// Models of a device that stands for an app-service's.
	PassedState = "device_state"
	// PassedOutcome: the event is itself an outcome.
	PassedOutcome = "outcome_event"
	// PassedTooLarge: the message or the payload is above its limit.
	PassedTooLarge = "too_large"
	// PassedMalformed: the message is no EdgeX event, or a value is not what its type says.
	PassedMalformed = "malformed"
	// PassedUnsupported: the reading's value type cannot be a payload.
	PassedUnsupported = "unsupported_type"
	// PassedBusy: too many messages were being decoded at once.
	PassedBusy = "busy"
)

// The ways of an outcome event.
const (
	// Published: the bus took it.
	Published = "published"
	// PublishFailed: the bus did not take it.
	PublishFailed = "failed"
	// PublishWithheld: it has no result, and such are not published.
	PublishWithheld = "withheld"
	// PublishBusy: too many were waiting for the bus at once.
	PublishBusy = "busy"
)

// counts is a set of counters by reason. The zero value is ready; it may be shared.
type counts struct {
	mu sync.Mutex
	n  map[string]uint64
}

// add returns the new count.
func (c *counts) add(reason string) uint64 {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.n == nil {
		c.n = make(map[string]uint64)
	}
	c.n[reason]++
	return c.n[reason]
}

func (c *counts) all() map[string]uint64 {
	c.mu.Lock()
	defer c.mu.Unlock()
	all := make(map[string]uint64, len(c.n)) // never nil: an empty object in JSON
	maps.Copy(all, c.n)
	return all
}

// worthALine is true for the 1st, 2nd, 4th, 8th … of a kind: a source that is wrong at
// each frame is told in the log, and does not fill it.
func worthALine(n uint64) bool { return n&(n-1) == 0 }
