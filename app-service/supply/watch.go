// SPDX-License-Identifier: Apache-2.0

package supply

import (
	"context"
	"log/slog"
	"sync"
	"time"

	"edgex-offload/runner"
)

// Of is whose clock is the box's speed.
type Of string

// The clocks.
const (
	// Models is that of what runs the models.
	Models Of = "auto"
	// Graphics is the GPU's, Processor the cores', None nobody's: the box counts as one at full
	// speed.
	Graphics  Of = "gpu"
	Processor Of = "cpu"
	None      Of = "none"
)

// Watch keeps an eye on how the box stands.
type Watch struct {
	// Read gives it.
	Read func() State
	// Of is whose clock counts; OnGPU tells what runs the models, for Models.
	Of    Of
	OnGPU func() bool
	// Tell is told what counts for decisions, at once and whenever it has changed.
	Tell func(runner.Box)
	// Log has a line when the power mode changes, when the box begins and ends to throttle, and
	// when it becomes so hot that it may be turned off.
	Log *slog.Logger

	mu    sync.Mutex
	state State // guarded by mu
	told  bool
	seen  notices
}

// Run looks at once and with each tick, until ctx ends.
func (w *Watch) Run(ctx context.Context, tick <-chan time.Time) {
	for {
		w.look(ctx)
		select {
		case <-ctx.Done():
			return
		case <-tick:
		}
	}
}

// State is how the box stood when it was looked at last.
func (w *Watch) State() State {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.state
}

func (w *Watch) look(ctx context.Context) {
	now := w.Read()
	now.Box.Speed = w.clock(now).Share()
	w.mu.Lock()
	changed := !w.told || !same(now.Box, w.state.Box)
	w.state, w.told = now, true
	w.mu.Unlock()
	if changed {
		w.Tell(now.Box)
	}
	for _, n := range w.seen.of(now, w.clock(now)) {
		w.Log.Log(ctx, n.level, n.text)
	}
}

// clock is the one that counts; the zero one is unknown.
func (w *Watch) clock(s State) Clock {
	switch {
	case w.Of == Graphics, w.Of == Models && w.OnGPU():
		return s.GPU
	case w.Of == None:
		return Clock{}
	}
	return s.CPU
}

func same(a, b runner.Box) bool {
	at, bt := a.TemperatureC, b.TemperatureC
	if (at == nil) != (bt == nil) || at != nil && *at != *bt {
		return false
	}
	a.TemperatureC, b.TemperatureC = nil, nil
	return a == b
}
