// SPDX-License-Identifier: Apache-2.0

package emulator

import (
	"context"
	"sync"
)

// gate lets all pass or none. It is safe for concurrent use.
type gate struct {
	mu     sync.Mutex
	isShut bool
	opened chan struct{} // closed while the gate is open
}

func newGate() *gate {
	opened := make(chan struct{})
	close(opened)
	return &gate{opened: opened}
}

func (g *gate) shut() {
	g.mu.Lock()
	defer g.mu.Unlock()
	if !g.isShut {
		g.isShut, g.opened = true, make(chan struct{})
	}
}

func (g *gate) open() {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.isShut {
		g.isShut = false
		close(g.opened)
	}
}

func (g *gate) shutNow() bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.isShut
}

// pass returns when the gate is open, or with the context's error.
func (g *gate) pass(ctx context.Context) error {
	g.mu.Lock()
	opened := g.opened
	g.mu.Unlock()
	select {
	case <-opened:
	case <-ctx.Done():
	}
	return ctx.Err()
}
