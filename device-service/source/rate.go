// SPDX-License-Identifier: Apache-2.0

package source

import (
	"fmt"
	"sync"
	"time"
)

// The range of a rate, in samples per second.
const (
	MinRate = 0.001
	MaxRate = 240
)

// CheckRate says whether rate is allowed; zero, "as the source delivers", is so only
// where free.
func CheckRate(rate float64, free bool) error {
	switch {
	case rate >= MinRate && rate <= MaxRate, rate == 0 && free:
		return nil
	case free:
		return fmt.Errorf("rate %v: allowed are 0 (as the source delivers) and %v to %v a second", rate, MinRate, MaxRate)
	}
	return fmt.Errorf("rate %v: allowed are %v to %v a second", rate, MinRate, MaxRate)
}

// knobs are the settings that change while a source runs.
type knobs struct {
	mu      sync.Mutex
	rate    float64
	enabled bool
	changed chan struct{} // closed and replaced at each change
}

func newKnobs(rate float64, enabled bool) *knobs {
	return &knobs{rate: rate, enabled: enabled, changed: make(chan struct{})}
}

func (k *knobs) get() (rate float64, enabled bool, changed <-chan struct{}) {
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.rate, k.enabled, k.changed
}

func (k *knobs) set(change func(k *knobs)) {
	k.mu.Lock()
	defer k.mu.Unlock()
	change(k)
	close(k.changed)
	k.changed = make(chan struct{})
}

// period is the time between two samples; 0 is as the source delivers.
func (k *knobs) period() time.Duration {
	rate, _, _ := k.get()
	return period(rate)
}

func period(rate float64) time.Duration {
	if rate <= 0 {
		return 0
	}
	return time.Duration(float64(time.Second) / rate)
}

// schedule places samples on a grid: it neither drifts with the time that a capture takes
// nor catches up in a burst after a standstill.
type schedule struct{ last time.Time }

// until is how long there is to wait for the next place on the grid.
func (s *schedule) until(now time.Time, period time.Duration) time.Duration {
	return s.last.Add(period).Sub(now)
}

// take moves on by one place.
func (s *schedule) take(now time.Time, period time.Duration) {
	if s.last = s.last.Add(period); now.Sub(s.last) > period {
		s.last = now
	}
}
