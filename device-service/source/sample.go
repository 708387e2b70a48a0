// SPDX-License-Identifier: Apache-2.0

package source

import (
	"context"
	"fmt"
	"time"
)

// Source is one way of getting samples. Run hands them to feed until ctx ends or it
// cannot go on, and then returns why. It may be run again after it returned.
type Source interface {
	Run(ctx context.Context, feed *Feed) error
}

// Sample is one frame, window or value. Nobody changes Value once it was emitted.
type Sample struct {
	Seq      uint64    // 1, 2, 3 … per source, set by the feed
	Captured time.Time // set by the feed where the source does not know better
	Value    any       // of the Go type that belongs to the resource's value type
	Shape    string    // of an array in a binary value, for example "3x1024"; may be empty
	Truth    string    // ground truth for scoring; empty where there is none
}

// Reason says why a sample was not sent. It is a key in counters, so it is short and
// stays the same.
type Reason string

// The reasons.
const (
	Superseded Reason = "superseded"  // a newer sample of the same source took its place
	AboveRate  Reason = "above-rate"  // came faster than the set rate
	TooLarge   Reason = "too-large"   // more bytes than MaxFrameBytes
	TooWide    Reason = "too-wide"    // more pixels than MaxFramePixels
	NotJPEG    Reason = "not-jpeg"    // not a JPEG that can be decoded
	Truncated  Reason = "truncated"   // a JPEG without its end
	Unreadable Reason = "unreadable"  // a file that cannot be read
	BadValue   Reason = "bad-value"   // a message that is not what the resource holds
	Retained   Reason = "retained"    // an MQTT message kept by the broker, of unknown age
	BusStuck   Reason = "bus-stuck"   // handed to the bus, which did not confirm it in time
	DeviceGone Reason = "device-gone" // the device was removed or locked meanwhile
)

// Rejection is the error of one sample that was turned away while its source goes on.
type Rejection struct {
	Reason Reason
	Detail string // names what was seen and what is allowed
}

func (r *Rejection) Error() string { return fmt.Sprintf("%s: %s", r.Reason, r.Detail) }

// Reject makes a Rejection.
func Reject(reason Reason, format string, args ...any) *Rejection {
	return &Rejection{Reason: reason, Detail: fmt.Sprintf(format, args...)}
}
