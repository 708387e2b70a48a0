// SPDX-License-Identifier: Apache-2.0

package remote

import (
	"slices"
	"sync"
	"time"

	"edgex-offload/offload"
)

const (
	// learnedRuns is how many runs of a model are remembered.
	learnedRuns = 16
	// learnedFor is how long they count after the last: a model that was slow once, and is
	// asked for nothing since because of that, gets another chance.
	learnedFor = 10 * time.Second
	// learnedModels bounds the models that are remembered; their names come from outside.
	learnedModels = 256
)

// serviceTimes knows how long each model takes here: the fastest of its last runs, which
// is the least that the next one can be expected to take. It is safe for concurrent use.
type serviceTimes struct {
	mu      sync.Mutex
	byModel map[modelKey]*runs
}

type modelKey struct {
	kind  offload.Kind
	model string
}

type runs struct {
	took [learnedRuns]time.Duration
	n    int // runs ever, so n%learnedRuns is where the next goes
	last time.Time
}

func (s *serviceTimes) learn(task offload.Task, took time.Duration, now time.Time) {
	s.mu.Lock()
	defer s.mu.Unlock()
	key := modelKey{task.Kind, task.Model}
	r := s.byModel[key]
	if r == nil {
		if len(s.byModel) >= learnedModels {
			return
		}
		r = &runs{}
		s.byModel[key] = r
	}
	if now.Sub(r.last) > learnedFor {
		r.n = 0
	}
	r.took[r.n%learnedRuns] = took
	r.n++
	r.last = now
}

// atLeast is the time that the task's model needs at least, 0 where that is unknown.
func (s *serviceTimes) atLeast(task offload.Task, now time.Time) time.Duration {
	s.mu.Lock()
	defer s.mu.Unlock()
	r := s.byModel[modelKey{task.Kind, task.Model}]
	if r == nil || now.Sub(r.last) > learnedFor {
		return 0
	}
	return slices.Min(r.took[:min(r.n, learnedRuns)])
}
