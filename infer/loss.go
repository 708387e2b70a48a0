// SPDX-License-Identifier: Apache-2.0

package infer

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"sync"
)

// loss is why a loaded model cannot run any more; that of a model that can is empty.
type loss struct {
	wake chan<- struct{}

	mu    sync.Mutex
	cause error
}

// tell is a Source's Lost.
func (l *loss) tell(cause error) {
	if !errors.Is(cause, ErrBackend) {
		cause = fmt.Errorf("%w: %w", ErrBackend, cause)
	}
	l.mu.Lock()
	l.cause = cause
	l.mu.Unlock()
	select {
	case l.wake <- struct{}{}:
	default: // it will be looked at
	}
}

func (l *loss) why() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.cause
}

// dropLost takes the models out of use that cannot run any more, and sees at once whether
// another version can, or the same again.
func (r *Repository) dropLost(ctx context.Context) {
	for _, name := range slices.Sorted(maps.Keys(r.series)) {
		s := r.series[name]
		dropped := false
		if s.trial != nil && s.trial.model.loss.why() != nil {
			dropped = true
			r.drop(s.trial.model)
			r.endTrial(s, nil)
		}
		if s.current != nil && s.current.loss.why() != nil {
			dropped = true
			r.drop(s.current)
			r.putAway(s)
		}
		if dropped {
			r.opts.OnChange()
			r.roll(ctx, s)
		}
	}
}

func (r *Repository) drop(m *model) {
	cause := m.loss.why()
	r.mark(m.version, Failed, cause)
	r.opts.Log.Warnf("model %s is not ready any more: %v; it is loaded again when that is over", m.variant, cause)
}
