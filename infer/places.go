// SPDX-License-Identifier: Apache-2.0

package infer

import (
	"container/heap"
	"context"
	"errors"
	"fmt"
	"sync"
	"time"
)

// ErrBusy: too much waits already. Another attempt later may succeed.
var ErrBusy = errors.New("too many wait")

// places bounds how many tasks run at once and how many wait. A place that becomes free
// goes to the waiting task with the soonest deadline, and among equals to the first.
type places struct {
	of      string // whose they are, for errors
	limit   int
	waiters int // that may wait

	mu      sync.Mutex
	taken   int
	waiting queue
	came    uint64
}

// waiter is a task that waits.
type waiter struct {
	deadline time.Time // zero for never
	order    uint64
	index    int           // in the heap; -1 once it has a place
	granted  chan struct{} // closed then
}

func newPlaces(of string, limit, waiters int) *places {
	return &places{of: of, limit: limit, waiters: waiters}
}

// enter returns with a place, to be given back with leave, or when ctx ended.
func (p *places) enter(ctx context.Context, deadline time.Time) error {
	p.mu.Lock()
	if p.taken < p.limit {
		p.taken++
		p.mu.Unlock()
		return nil
	}
	if len(p.waiting) >= p.waiters {
		p.mu.Unlock()
		return fmt.Errorf("%w: %d tasks wait for a place of %s, where %d run at once", ErrBusy, p.waiters, p.of, p.limit)
	}
	w := &waiter{deadline: deadline, order: p.came, granted: make(chan struct{})}
	p.came++
	heap.Push(&p.waiting, w)
	p.mu.Unlock()
	select {
	case <-w.granted:
		return nil
	case <-ctx.Done():
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if w.index < 0 { // the place came at the same moment: it goes on to the next
		p.pass()
	} else {
		heap.Remove(&p.waiting, w.index)
	}
	return fmt.Errorf("waiting for a free place of %d of %s: %w", p.limit, p.of, ctx.Err())
}

func (p *places) leave() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.pass()
}

// pass hands a place on, or takes it back. p.mu is held.
func (p *places) pass() {
	if len(p.waiting) == 0 {
		p.taken--
		return
	}
	w := heap.Pop(&p.waiting).(*waiter)
	close(w.granted)
}

// load is how many run and wait.
func (p *places) load() (running, waiting int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.taken, len(p.waiting)
}

// queue is a heap of waiters.
type queue []*waiter

func (q queue) Len() int { return len(q) }

func (q queue) Less(i, j int) bool {
	a, b := q[i], q[j]
	switch {
	case a.deadline.Equal(b.deadline):
		return a.order < b.order
	case a.deadline.IsZero() || b.deadline.IsZero():
		return b.deadline.IsZero()
	}
	return a.deadline.Before(b.deadline)
}

func (q queue) Swap(i, j int) {
	q[i], q[j] = q[j], q[i]
	q[i].index, q[j].index = i, j
}

func (q *queue) Push(x any) {
	w := x.(*waiter)
	w.index = len(*q)
	*q = append(*q, w)
}

func (q *queue) Pop() any {
	last := len(*q) - 1
	w := (*q)[last]
	w.index = -1
	(*q)[last] = nil
	*q = (*q)[:last]
	return w
}
