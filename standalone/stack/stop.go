// SPDX-License-Identifier: Apache-2.0

package stack

import (
	"context"
	"errors"
	"fmt"
	"time"
)

const (
	// stopGrace is how long a service may take to end by itself.
	stopGrace = 10 * time.Second
	// drainLimit is how long the tasks under way may take to end, drainPause the pause
	// between two looks, and drainLooks how many in a row must find none: an event may
	// still be on its way between two.
	drainLimit = 5 * time.Second
	drainPause = 100 * time.Millisecond
	drainLooks = 3
)

// Died is the first service that ended by itself, with its last words; nil while all run.
func (s *Stack) Died() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, child := range s.children {
		if err := child.Err(); err != nil {
			return err
		}
	}
	return nil
}

// Restart ends a service and starts it again, as an operator would.
func (s *Stack) Restart(ctx context.Context, service string) error {
	s.child(service).Stop(stopGrace)
	return s.start(ctx, service)
}

// Drain ends the source of frames and waits until the tasks under way have ended, so that
// nothing is lost between two counts.
func (s *Stack) Drain(ctx context.Context) error {
	s.child(DeviceService).Stop(stopGrace)
	ctx, cancel := context.WithTimeout(ctx, drainLimit)
	defer cancel()
	for idle := 0; idle < drainLooks; {
		status, err := s.Status(ctx)
		if err != nil {
			return fmt.Errorf("wait for the tasks under way: %w", err)
		}
		if idle++; status.Tasks.UnderWay > 0 {
			idle = 0
		}
		select {
		case <-time.After(drainPause):
		case <-ctx.Done():
			return fmt.Errorf("tasks under way after %s: %d", drainLimit, status.Tasks.UnderWay)
		}
	}
	return nil
}

// Stop ends everything, the sources first. Calling it again does nothing.
func (s *Stack) Stop() error {
	var errs []error
	s.stopped.Do(func() {
		s.http.CloseIdleConnections()
		for _, service := range []string{DeviceService, AppService, CloudService} {
			if child := s.child(service); child != nil {
				s.mu.Lock()
				delete(s.children, service)
				s.mu.Unlock()
				child.Stop(stopGrace)
			}
		}
		if s.Link != nil {
			errs = append(errs, s.Link.Close())
		}
		if s.metadata != nil {
			errs = append(errs, s.metadata.Close())
		}
		if s.log != nil {
			errs = append(errs, s.log.Close())
		}
		if s.Bus != nil {
			errs = append(errs, s.Bus.Close())
		}
	})
	return errors.Join(errs...)
}
