// SPDX-License-Identifier: Apache-2.0

package infer

import (
	"context"
	"errors"
	"sync"
)

// errReplaced tells a task that the model was retired after the task had picked it: it
// picks again, and finds the one that took its place.
var errReplaced = errors.New("model was replaced")

// lease counts the tasks that use a loaded model, so that it is freed when the last has
// ended. Nobody who comes waits for that: from retire on he is sent away at once.
type lease struct {
	broken  context.Context // ends when the tasks under way are to stop
	breakUp context.CancelFunc

	mu      sync.Mutex
	users   int
	retired bool
	idle    chan struct{} // closed when it is retired and nobody uses it
}

func newLease() *lease {
	l := &lease{idle: make(chan struct{})}
	l.broken, l.breakUp = context.WithCancel(context.Background())
	return l
}

// acquire says whether the model may be used; then release must follow.
func (l *lease) acquire() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.retired {
		return false
	}
	l.users++
	return true
}

func (l *lease) release() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.users--
	if l.retired && l.users == 0 {
		close(l.idle)
	}
}

// retire lets nobody in any more. What it gives is closed when the last user has gone.
func (l *lease) retire() <-chan struct{} {
	l.mu.Lock()
	defer l.mu.Unlock()
	if !l.retired {
		l.retired = true
		if l.users == 0 {
			close(l.idle)
		}
	}
	return l.idle
}

// inUse is how many use it.
func (l *lease) inUse() int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.users
}

// bind makes a context that ends with ctx, or when the model's users are to stop.
func (l *lease) bind(ctx context.Context) (context.Context, func()) {
	ctx, cancel := context.WithCancel(ctx)
	stop := context.AfterFunc(l.broken, cancel)
	return ctx, func() {
		stop()
		cancel()
	}
}
