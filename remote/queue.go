// SPDX-License-Identifier: Apache-2.0

package remote

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"edgex-offload/offload"
)

// errNoRoom is the cause of a refusal for want of a place; errTooLate of one for want of
// time.
var (
	errNoRoom  = errors.New("no room")
	errTooLate = errors.New("too late")
)

// gate lets a bounded number of tasks run at a time. The others wait, the most important
// first and among equals the one with the earliest deadline; a bounded number of them.
// It is safe for concurrent use.
type gate struct {
	places, limit int

	mu      sync.Mutex
	running int
	waiting []*ticket // in the order in which they will run
	arrived uint64
}

// ticket is a task's place in the queue.
type ticket struct {
	priority offload.Priority
	deadline time.Time // zero: none
	number   uint64    // order of arrival
	admitted chan error
}

// before orders tickets: by priority, then deadline, then arrival.
func (t *ticket) before(u *ticket) int {
	if c := cmp.Compare(u.priority, t.priority); c != 0 {
		return c
	}
	if t.deadline.IsZero() != u.deadline.IsZero() {
		if t.deadline.IsZero() {
			return 1
		}
		return -1
	}
	if c := t.deadline.Compare(u.deadline); c != 0 {
		return c
	}
	return cmp.Compare(t.number, u.number)
}

// enter returns when the task may run; leave must then be called. It gives up when ctx
// ends. When the queue is full the least important task of all, the new one included, is
// refused.
func (g *gate) enter(ctx context.Context, priority offload.Priority, deadline time.Time) error {
	ticket, err := g.queue(priority, deadline)
	if ticket == nil {
		return err
	}
	select {
	case err := <-ticket.admitted:
		return err
	case <-ctx.Done():
	}
	if g.withdraw(ticket) {
		return fmt.Errorf("%w: still waiting behind %d running", errTooLate, g.places)
	}
	return <-ticket.admitted // it was decided in the same moment
}

// queue gives a place at once (nil, nil), a ticket to wait with, or a refusal.
func (g *gate) queue(priority offload.Priority, deadline time.Time) (*ticket, error) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.running < g.places {
		g.running++
		return nil, nil
	}
	g.arrived++
	t := &ticket{priority: priority, deadline: deadline, number: g.arrived, admitted: make(chan error, 1)}
	at, _ := slices.BinarySearchFunc(g.waiting, t, (*ticket).before)
	if at >= g.limit {
		return nil, fmt.Errorf("%w: %d tasks run and %d wait, all at least as important", errNoRoom, g.running, len(g.waiting))
	}
	if len(g.waiting) >= g.limit {
		last := len(g.waiting) - 1
		g.waiting[last].admitted <- fmt.Errorf("%w: a more important task took the last of %d places in the queue", errNoRoom, g.limit)
		g.waiting = slices.Delete(g.waiting, last, last+1)
	}
	g.waiting = slices.Insert(g.waiting, at, t)
	return t, nil
}

// withdraw takes a ticket back; false means that it was already decided.
func (g *gate) withdraw(t *ticket) bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	at := slices.Index(g.waiting, t)
	if at < 0 {
		return false
	}
	g.waiting = slices.Delete(g.waiting, at, at+1)
	return true
}

// leave frees a place for the first that waits.
func (g *gate) leave() {
	g.mu.Lock()
	defer g.mu.Unlock()
	if len(g.waiting) == 0 {
		g.running--
		return
	}
	g.waiting[0].admitted <- nil // the place goes over, so running stays
	g.waiting = slices.Delete(g.waiting, 0, 1)
}

// load is how many tasks run and wait now.
func (g *gate) load() (running, waiting int) {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.running, len(g.waiting)
}
