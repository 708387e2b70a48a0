// SPDX-License-Identifier: Apache-2.0

package infer

import (
	"context"
	"errors"
	"slices"
	"sync"
)

// errReplaced tells a task that the model was retired after the task had picked it: it
// picks again, and finds the one that took its place.
var errReplaced = errors.New("model was replaced")

// lease counts the tasks that use a loaded model, so that it is freed when the last has
// ended. Nobody who comes waits for that: from retire on he is sent away at once.
type lease struct {
	mu      sync.Mutex
	users   []context.CancelFunc // of those who use it; nil is a free seat
	many    int                  // so many use it
	retired bool
	broken  bool          // the tasks under way were stopped
	idle    chan struct{} // closed when it is retired and nobody uses it
}

// stay is one use of a model.
type stay struct {
	lease *lease
	seat  int
	stop  context.CancelFunc
}

func newLease() *lease { return &lease{idle: make(chan struct{})} }

// enter says whether the model may be used; then leave must follow. The context ends with ctx,
// or when the model's users are to stop.
func (l *lease) enter(ctx context.Context) (context.Context, stay, bool) {
	ctx, stop := context.WithCancel(ctx)
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.retired {
		stop()
		return ctx, stay{}, false
	}
	seat := slices.IndexFunc(l.users, func(stop context.CancelFunc) bool { return stop == nil })
	if seat < 0 {
		seat = len(l.users)
		l.users = append(l.users, nil)
	}
	l.users[seat] = stop
	l.many++
	return ctx, stay{lease: l, seat: seat, stop: stop}, true
}

func (s stay) leave() {
	s.stop()
	l := s.lease
	l.mu.Lock()
	defer l.mu.Unlock()
	l.users[s.seat] = nil
	l.many--
	if l.retired && l.many == 0 {
		close(l.idle)
	}
}

// retire lets nobody in any more. What it gives is closed when the last user has gone.
func (l *lease) retire() <-chan struct{} {
	l.mu.Lock()
	defer l.mu.Unlock()
	if !l.retired {
		l.retired = true
		if l.many == 0 {
			close(l.idle)
		}
	}
	return l.idle
}

// inUse is how many use it.
func (l *lease) inUse() int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.many
}

// breakUp stops those who use a retired model.
func (l *lease) breakUp() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.broken = true
	for _, stop := range l.users {
		if stop != nil {
			stop()
		}
	}
}

// isBroken says whether those who used it were stopped.
func (l *lease) isBroken() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.broken
}
