// SPDX-License-Identifier: Apache-2.0

package source

import (
	"context"
	"sync"
	"time"
)

// Feed is where a source hands over what it captured, at the pace that the feed sets.
type Feed struct {
	knobs   *knobs
	journal *journal
	deliver func(Sample)

	mu    sync.Mutex
	grid  schedule
	seq   uint64
	last  Sample
	alive time.Time
}

// Wait returns when the next sample is due: for a source that is asked for samples. The
// error is that of ctx.
func (f *Feed) Wait(ctx context.Context) error {
	for {
		rate, _, changed := f.knobs.get()
		wait := f.claim(period(rate))
		if wait <= 0 {
			return ctx.Err()
		}
		timer := time.NewTimer(wait)
		select {
		case <-ctx.Done():
		case <-changed:
		case <-timer.C:
		}
		timer.Stop()
		if err := ctx.Err(); err != nil {
			return err
		}
	}
}

// claim takes the next place on the grid, or says how long it is until then.
func (f *Feed) claim(period time.Duration) time.Duration {
	f.mu.Lock()
	defer f.mu.Unlock()
	now := time.Now()
	wait := f.grid.until(now, period)
	if wait <= 0 {
		f.grid.take(now, period)
	}
	return wait
}

// Due says whether a sample that arrived by itself should be taken: for a source that
// delivers at its own pace. One that is not due is counted as above the rate. A quarter of
// a period early is in time, so that a camera whose frames come unevenly is not thinned
// to less than the set rate.
func (f *Feed) Due() bool {
	f.touch()
	period := f.knobs.period()
	f.mu.Lock()
	now := time.Now()
	due := f.grid.until(now, period) <= period/4
	if due {
		f.grid.take(now, period)
	}
	f.mu.Unlock()
	if !due {
		f.journal.drop(AboveRate)
	}
	return due
}

// Emit hands over a sample. It never blocks.
func (f *Feed) Emit(s Sample) {
	f.mu.Lock()
	f.seq++
	s.Seq = f.seq
	f.alive = time.Now()
	if s.Captured.IsZero() {
		s.Captured = f.alive
	}
	f.last = s
	f.mu.Unlock()

	f.journal.captured()
	f.deliver(s)
}

// Reject counts a sample that is not handed over. A row of them, with none good between,
// takes the source down.
func (f *Feed) Reject(r *Rejection) {
	f.touch()
	f.journal.rejected(r)
}

// Skip counts what was passed over on the way to a good sample, such as a text file in a
// folder of photos; it is no failure of the source.
func (f *Feed) Skip(r *Rejection) {
	f.touch()
	f.journal.skipped(r)
}

func (f *Feed) touch() {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.alive = time.Now()
}

// silent is how long nothing came.
func (f *Feed) silent() time.Duration {
	f.mu.Lock()
	defer f.mu.Unlock()
	return time.Since(f.alive)
}

// latest is the last sample, and whether there is one.
func (f *Feed) latest() (Sample, bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.last, f.seq > 0
}
