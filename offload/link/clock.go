// SPDX-License-Identifier: Apache-2.0

package link

import (
	"math"
	"time"
)

// Stamps are the target's own clock readings of one message, in Unix nanoseconds; 0 is
// unknown. That clock need not agree with ours and may step.
type Stamps struct{ Received, Sent int64 }

// held is how long the target had a message that took whole: by its clock where that can
// be, else the service time it reports where that can be, else 0. What cannot be is counted.
func (l *Link) held(s Stamps, whole, service time.Duration) time.Duration {
	switch {
	case service < 0:
		l.reject(NegativeInterval)
		service = 0
	case service > whole:
		l.reject(ServiceTooLong)
		service = 0
	}
	if s.Received == 0 || s.Sent == 0 {
		return service
	}
	// In floating point: the difference of two absurd stamps may not fit.
	held := float64(s.Sent) - float64(s.Received)
	if held < 0 || held > float64(whole) {
		l.reject(AbsurdTimestamp)
		return service
	}
	return max(time.Duration(held), service)
}

// clock compares the target's clock with ours: what a message's one-way delay is above the
// least of the last minute is its queueing on the way up (and its transfer).
type clock struct {
	least   least // of arrival there minus departure here, seconds after base
	base    int64
	known   bool
	queueUp float64
}

// message takes the departure and the arrival of a message of so many bytes whose answer
// came after whole.
func (c *clock) message(l *Link, sent time.Duration, s Stamps, whole time.Duration, bytes int) {
	if s.Received == 0 {
		return
	}
	if !c.known {
		c.base, c.known = s.Received-int64(sent), true
	}
	// The difference of both clocks is of no meaning; only that it changes is. A change
	// beyond the message's whole time is no delay: one of the clocks stepped.
	oneWay := (float64(s.Received)-float64(c.base))/1e9 - sent.Seconds() - float64(bytes)*l.perByte()
	if least := c.least.value(); !math.IsInf(least, 0) {
		excess := oneWay - least
		if math.Abs(excess) > whole.Seconds()+.001 {
			l.reject(ClockStep)
			*c = clock{}
			return
		}
		c.queueUp = max(0, excess)
	}
	c.least.add(sent, oneWay)
}
