// SPDX-License-Identifier: Apache-2.0

package link

import "time"

// Stamps are the target's own clock readings of one message, in Unix nanoseconds; 0 is
// unknown. That clock need not agree with ours and may step.
type Stamps struct{ Received, Sent int64 }

// held is how long the target had a message that took whole: by its clock where that can
// be, else the service time it reports where that can be, else 0. What cannot be is counted;
// stamps that cannot be are taken away.
func (l *Link) held(s *Stamps, whole, service time.Duration) time.Duration {
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
		*s = Stamps{}
		return service
	}
	return min(max(time.Duration(held), service), whole) // two large ones compare by their first 53 bits
}

// clock compares the target's clock with ours. Each message bounds the difference of the
// two: it arrived there after it had left here, and before its answer was back. Its one-way
// delay (without its transfer) above the least of the last minute is its queueing.
type clock struct {
	// above is the upper bound, below the lower one times -1, and fastest what the
	// difference and the shortest way up make together; all in seconds after base.
	above, below, fastest least
	base                  int64
	known                 bool
	queueUp               float64
}

// clockSlack is what two clocks drift apart in the minute of the bounds, at the 500 ppm that
// time daemons correct them with at the most.
const clockSlack = .03

// message takes the departure and the arrival of a message of so many bytes whose answer
// came after whole.
func (c *clock) message(l *Link, sent time.Duration, s Stamps, whole time.Duration, bytes int) {
	if s.Received == 0 {
		return
	}
	if !c.known {
		c.base, c.known = s.Received-int64(sent), true
	}
	oneWay, back := (float64(s.Received)-float64(c.base))/1e9-sent.Seconds(), sent+whole
	c.above.forget(back)
	c.below.forget(back)
	if oneWay-whole.Seconds() > c.above.value()+clockSlack || oneWay < -c.below.value()-clockSlack {
		l.reject(ClockStep)
		*c = clock{}
		return
	}
	c.above.add(back, oneWay)
	c.below.add(back, whole.Seconds()-oneWay)
	// A rate that was taken for too low does not bring an arrival before the departure.
	if l.perBytes.n > 0 {
		oneWay = max(oneWay-float64(bytes)*l.perByte(), -c.below.value())
	}
	c.fastest.add(back, oneWay)
	c.queueUp = oneWay - c.fastest.value()
}
