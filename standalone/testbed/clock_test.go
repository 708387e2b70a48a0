// SPDX-License-Identifier: Apache-2.0

package testbed

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
)

func TestClockNeverWakesBeforeItsTime(t *testing.T) {
	c := NewClock(time.Now())
	for _, d := range []time.Duration{10 * time.Microsecond, time.Millisecond, 5 * time.Millisecond} {
		until := c.Now() + d
		assert.True(t, c.Sleep(t.Context(), until))
		assert.GreaterOrEqual(t, c.Now(), until)
	}
	assert.Equal(t, 3, c.Wakes().All)
}

func TestTimeThatIsOverIsNotWaitedFor(t *testing.T) {
	c := NewClock(time.Now())
	assert.True(t, c.Sleep(t.Context(), -time.Hour))
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	assert.False(t, c.Sleep(ctx, -time.Hour))
	assert.False(t, c.Sleep(ctx, time.Hour))
	assert.Zero(t, c.Wakes())
}

func TestLateWakesAreCounted(t *testing.T) {
	var c Clock
	for _, late := range []time.Duration{0, lateAfter, lateAfter + 1, time.Second} {
		c.woke(late)
	}
	assert.Equal(t, Wakes{All: 4, Late: 2, Worst: time.Second}, c.Wakes())
}
