// SPDX-License-Identifier: Apache-2.0

package source

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"time"
)

// Logger is where the supervisor tells of changes.
type Logger interface {
	Infof(format string, args ...any)
	Warnf(format string, args ...any)
}

// Options of a Supervisor. All functions are required and must not block; Deliver and
// Changed must not call the supervisor back, but for Settle from Deliver.
type Options struct {
	Rate     float64       // samples per second to begin with
	FreeRate bool          // rate 0, as the source delivers, is allowed
	Enabled  bool          // whether it begins turned on
	Silence  time.Duration // longest time without a sample, beyond two periods; 0 is for ever

	FailuresToDown int           // failures in a row that make it Down
	RetryMin       time.Duration // first pause before a failed source is run again
	RetryMax       time.Duration // longest pause; each is twice the one before
	Rand           func() float64

	Deliver func(Sample)
	Changed func(Status) // called at each change of State
	Log     Logger
}

// Supervisor keeps one source running. Run it in one goroutine, once.
type Supervisor struct {
	source  Source
	options Options
	knobs   *knobs
	journal *journal
	feed    *Feed
}

// New makes a supervisor for source; name is for the log.
func New(name string, source Source, o Options) *Supervisor {
	s := &Supervisor{source: source, options: o, knobs: newKnobs(o.Rate, o.Enabled), journal: newJournal(name, o)}
	s.feed = &Feed{knobs: s.knobs, journal: s.journal, deliver: o.Deliver}
	return s
}

// Run keeps the source running until ctx ends and its goroutine has returned.
func (s *Supervisor) Run(ctx context.Context) {
	for s.awaitEnabled(ctx) {
		err := s.attempt(ctx)
		if ctx.Err() == nil && !errors.Is(err, errTurnedOff) {
			s.pause(ctx, s.journal.failed(err))
		}
	}
}

// SetRate changes the rate at once; the error says what is allowed.
func (s *Supervisor) SetRate(rate float64) error {
	if err := CheckRate(rate, s.options.FreeRate); err != nil {
		return err
	}
	s.knobs.set(func(k *knobs) { k.rate = rate })
	return nil
}

// SetEnabled turns the source on or off.
func (s *Supervisor) SetEnabled(enabled bool) {
	s.knobs.set(func(k *knobs) { k.enabled = enabled })
}

// Settle closes the account of one delivered sample: sent where reason is empty, else
// dropped.
func (s *Supervisor) Settle(reason Reason) {
	if reason == "" {
		s.journal.sent()
		return
	}
	s.journal.drop(reason)
}

// Last is the last sample, and whether there is one.
func (s *Supervisor) Last() (Sample, bool) { return s.feed.latest() }

// Status is the state and the account.
func (s *Supervisor) Status() Status {
	status := s.journal.snapshot()
	status.Rate, status.Enabled, _ = s.knobs.get()
	return status
}

// awaitEnabled returns false when ctx ended.
func (s *Supervisor) awaitEnabled(ctx context.Context) bool {
	for ctx.Err() == nil {
		_, enabled, changed := s.knobs.get()
		if enabled {
			return true
		}
		s.journal.restart(Disabled)
		select {
		case <-ctx.Done():
		case <-changed:
			if _, enabled, _ = s.knobs.get(); enabled {
				s.journal.restart(Starting)
			}
		}
	}
	return false
}

// attempt runs the source once and returns why it ended.
func (s *Supervisor) attempt(ctx context.Context) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	s.feed.touch()
	done := make(chan error, 1)
	go func() { done <- s.source.Run(ctx, s.feed) }()

	var silence <-chan time.Time
	if s.options.Silence > 0 {
		ticker := time.NewTicker(s.options.Silence / 4)
		defer ticker.Stop()
		silence = ticker.C
	}
	var stopped error // why the source was told to end
	for {
		_, enabled, changed := s.knobs.get()
		if !enabled && stopped == nil {
			stopped = errTurnedOff
			cancel()
		}
		select {
		case err := <-done:
			return cmp.Or(stopped, err, errEnded)
		case <-changed:
		case <-silence:
			limit := s.options.Silence + 2*s.knobs.period()
			if s.feed.silent() < limit {
				continue
			}
			if stopped != nil { // it does not even end when told to
				s.journal.failed(stopped)
			}
			stopped = fmt.Errorf("nothing came for %v", limit)
			s.feed.touch()
			cancel()
		}
	}
}

var (
	errTurnedOff = errors.New("turned off")
	errEnded     = errors.New("ended without saying why")
)

// pause waits before the next attempt: RetryMin after the first failure, twice as long
// after each further one, up to RetryMax, a tenth more or less so that cameras that went
// together do not come back together. A change of the settings ends it.
func (s *Supervisor) pause(ctx context.Context, failures int) {
	_, _, changed := s.knobs.get()
	pause := s.options.RetryMax
	if doublings := failures - 1; doublings < 20 {
		pause = min(pause, s.options.RetryMin<<doublings)
	}
	timer := time.NewTimer(time.Duration(float64(pause) * (0.9 + 0.2*s.options.Rand())))
	defer timer.Stop()
	select {
	case <-ctx.Done():
	case <-changed:
	case <-timer.C:
	}
}
