// SPDX-License-Identifier: Apache-2.0

package remote

import "time"

// A server's times come from outside: whatever they say is bounded here by what this
// side's own clock saw of the call.

// plausibleTimes gives the reported times, or zero for both and false where they cannot be:
// the answer itself is worth no less for it, but an estimate must not learn from it.
func plausibleTimes(execution, queue int64, elapsed time.Duration) (time.Duration, time.Duration, bool) {
	most := elapsed.Nanoseconds()
	if execution < 0 || queue < 0 || execution > most || queue > most-execution {
		return 0, 0, false
	}
	return time.Duration(execution), time.Duration(queue), true
}

// plausibleClock gives the readings of the server's clock, zero for one that is not
// reported, and whether they can be. They are given either way, so that it can be said
// what was reported.
func plausibleClock(received, sent int64, elapsed time.Duration) (time.Time, time.Time, bool) {
	at, until := fromUnixNano(received), fromUnixNano(sent)
	if received < 0 || sent < 0 {
		return at, until, false
	}
	if received == 0 || sent == 0 {
		return at, until, true
	}
	// Both are positive, so that their difference does not overflow.
	return at, until, sent >= received && sent-received <= elapsed.Nanoseconds()
}

// fromUnixNano is zero for 0, which stands for "not reported".
func fromUnixNano(n int64) time.Time {
	if n == 0 {
		return time.Time{}
	}
	return time.Unix(0, n)
}
