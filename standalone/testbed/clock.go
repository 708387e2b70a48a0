// SPDX-License-Identifier: Apache-2.0

package testbed

import (
	"context"
	"sync"
	"time"
)

const (
	// timerGrain is how early a Clock leaves the runtime's timers, which on Linux are exact to
	// a millisecond, for the kernel's, which block a thread.
	timerGrain = 1200 * time.Microsecond
	// lateAfter is when a wake-up counts as late: less is what any timer has.
	lateAfter = time.Millisecond
)

// Clock counts from when something began, or begins, and wakes to a fraction of a
// millisecond where the processors have time. It is safe for concurrent use.
type Clock struct {
	began time.Time

	mu    sync.Mutex
	wakes Wakes
}

// Wakes are how exact a clock was.
type Wakes struct {
	// All were asked for; Late of them came more than a millisecond after their time, Worst
	// by how much at the most. A machine that is busy with something else shows here.
	All   int           `json:"all"`
	Late  int           `json:"late"`
	Worst time.Duration `json:"worst_ns"`
}

// NewClock is 0 at a time.
func NewClock(began time.Time) *Clock { return &Clock{began: began} }

// Now is what passed since it began; below 0 before that.
func (c *Clock) Now() time.Duration { return time.Since(c.began) }

// Sleep returns at a time, or a little after the end of ctx, and tells whether ctx let it.
func (c *Clock) Sleep(ctx context.Context, until time.Duration) bool {
	wait := until - c.Now()
	if wait <= 0 {
		return ctx.Err() == nil
	}
	if coarse := wait - timerGrain; coarse > 0 {
		timer := time.NewTimer(coarse)
		defer timer.Stop()
		select {
		case <-timer.C:
		case <-ctx.Done():
			return false
		}
	}
	if fine := until - c.Now(); fine > 0 {
		pause(fine)
	}
	c.woke(c.Now() - until)
	return ctx.Err() == nil
}

func (c *Clock) woke(late time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.wakes.All++
	c.wakes.Worst = max(c.wakes.Worst, late)
	if late > lateAfter {
		c.wakes.Late++
	}
}

// Wakes are those so far.
func (c *Clock) Wakes() Wakes {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.wakes
}
