// SPDX-License-Identifier: Apache-2.0

package remote

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

// aPath is a link with a buffer without end, on a clock of its own.
type aPath struct {
	rate  float64 // bytes per second
	delay time.Duration
	now   time.Time
	left  time.Time // when the last byte leaves the buffer
	sent  uint64
	acked uint64
	acks  []ack // to come
}

type ack struct {
	at    time.Time
	upTo  uint64
	waits time.Duration // in the buffer
}

// send puts bytes into the buffer, and run lets time pass.
func (p *aPath) send(bytes int) {
	if p.left.Before(p.now) {
		p.left = p.now
	}
	wait := p.left.Sub(p.now)
	p.left = p.left.Add(time.Duration(float64(bytes) / p.rate * float64(time.Second)))
	p.sent += uint64(bytes)
	p.acks = append(p.acks, ack{p.left.Add(p.delay), p.sent, wait})
}

func (p *aPath) run(d time.Duration) {
	p.now = p.now.Add(d)
	for len(p.acks) > 0 && !p.acks[0].at.After(p.now) {
		p.acked, p.acks = p.acks[0].upTo, p.acks[1:]
	}
}

// window is what TCP lets be under way in a slow start that never ends.
func (p *aPath) window() uint64 { return 14_600 + p.acked }

// saturate sends what TCP and the brake let go for a while; it gives the bytes that arrived a
// second, and the longest wait in the buffer of the last half.
func (p *aPath) saturate(b *brake, lasts time.Duration) (rate float64, wait time.Duration) {
	const piece = 2800
	start, acked := p.now, p.acked
	for p.now.Sub(start) < lasts {
		if p.sent-p.acked > p.window() {
			p.run(100 * time.Microsecond)
			continue
		}
		hold := b.hold(p.now, p.acked, int(p.sent-p.acked), piece)
		if hold > 0 {
			p.run(hold)
			continue
		}
		p.send(piece)
		if p.now.Sub(start) > lasts/2 {
			wait = max(wait, p.acks[len(p.acks)-1].waits)
		}
		p.run(100 * time.Microsecond) // the socket takes no more at once
	}
	return float64(p.acked-acked) / lasts.Seconds(), wait
}

func newPath(rate float64, delay time.Duration) *aPath {
	return &aPath{rate: rate, delay: delay, now: time.Unix(0, 0)}
}

func TestBrakeKeepsThePathFullAndTheQueueShort(t *testing.T) {
	for name, c := range map[string]struct {
		rate   float64
		delay  time.Duration
		change func(*aPath)
	}{
		"5 Mbit/s":         {625e3, 50 * time.Millisecond, func(*aPath) {}},
		"LAN":              {12.5e6, 2 * time.Millisecond, func(*aPath) {}},
		"satellite":        {1e6, 600 * time.Millisecond, func(*aPath) {}},
		"rate halves":      {1.25e6, 50 * time.Millisecond, func(p *aPath) { p.rate /= 2 }},
		"rate doubles":     {625e3, 50 * time.Millisecond, func(p *aPath) { p.rate *= 2 }},
		"rate tenfold":     {625e3, 50 * time.Millisecond, func(p *aPath) { p.rate *= 10 }},
		"longer way":       {625e3, 50 * time.Millisecond, func(p *aPath) { p.delay *= 3 }},
		"shorter way":      {625e3, 50 * time.Millisecond, func(p *aPath) { p.delay /= 2 }},
		"after some idle":  {625e3, 50 * time.Millisecond, func(p *aPath) { p.run(12 * time.Second) }},
		"after a long one": {625e3, 50 * time.Millisecond, func(p *aPath) { p.run(time.Hour) }},
	} {
		t.Run(name, func(t *testing.T) {
			p, b := newPath(c.rate, c.delay), &brake{}
			p.saturate(b, 5*time.Second)
			c.change(p)
			p.saturate(b, 40*time.Second) // until what was before is forgotten
			rate, wait := p.saturate(b, 30*time.Second)
			assert.Greater(t, rate, .96*p.rate)
			assert.Less(t, wait, p.delay+20*time.Millisecond)
		})
	}
}

func TestBrakeHoldsNothingBeforeTheFirstRound(t *testing.T) {
	b, now := brake{}, time.Unix(0, 0)
	for out := range 1000 {
		require.Zero(t, b.hold(now, 1, out*leastPiece, leastPiece))
		now = now.Add(time.Millisecond)
	}
}

// A payload in the midst of which the link stands still is asked for again and again, and
// goes on with the first acknowledgement.
func TestBrakeAfterAnOutage(t *testing.T) {
	p, b := newPath(625e3, 50*time.Millisecond), &brake{}
	p.saturate(b, 5*time.Second)
	for i := range p.acks {
		p.acks[i].at = p.acks[i].at.Add(time.Minute)
	}
	p.left = p.left.Add(time.Minute)
	p.saturate(b, time.Minute)
	rate, _ := p.saturate(b, 5*time.Second)
	assert.Greater(t, rate, .9*p.rate)
}

// Whatever the kernel says, a hold ends soon.
func TestHoldIsBounded(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		b, now := brake{}, time.Unix(0, 0)
		for range 50 {
			now = now.Add(time.Duration(rapid.Int64Range(0, int64(time.Minute)).Draw(t, "passed")))
			hold := b.hold(now, rapid.Uint64().Draw(t, "acked"), rapid.IntRange(0, 1<<31).Draw(t, "out"), rapid.IntRange(1, mostPiece).Draw(t, "next"))
			if hold != 0 && (hold < leastHold || hold > mostHold) {
				t.Fatal(hold)
			}
		}
	})
}

// What is urgent does not wait for the brake, and neither does the end.
func TestBrakeHoldsPayloadsAlone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newQueueBench(t, leastPiece)
		b.queue.flight = func() (uint64, int, bool) { return 0, 1 << 20, true } // nothing gets through
		now := time.Now()
		b.queue.brake = brake{looked: now}
		b.queue.brake.rates.add(now, halfWindow, 1e6)
		b.queue.brake.paces.add(now, halfWindow, 20)
		b.sink.release()
		synctest.Wait()
		before := b.sink.written()
		payload := make([]byte, 100_000)
		b.path.outbox.put(payload, mostPriority, nil)
		b.payload(t, 1, nil, payload)
		time.Sleep(time.Second)
		synctest.Wait()
		assert.Equal(t, before, b.sink.written(), "held")
		small := make([]byte, 1000)
		b.path.outbox.put(small, mostPriority, nil)
		at := time.Now()
		b.headers(t, 3)
		b.payload(t, 3, nil, small)
		synctest.Wait()
		assert.Greater(t, b.sink.written(), before+len(small), "at once")
		assert.Less(t, b.sink.written(), before+len(small)+100, "and nothing else")
		assert.Equal(t, at, time.Now())
		require.NoError(t, b.queue.Close())
		b.path.writers.Wait()
		assert.Equal(t, at, time.Now())
	})
}
