// SPDX-License-Identifier: Apache-2.0

package infer

import (
	"context"
	"time"
)

// Stages says how long the steps of one task took.
type Stages struct {
	// Decode is from the payload to a picture's pixels; 0 for a signal or text.
	Decode time.Duration
	// Tensor is from there to the graph's input, Graph the graph itself, and Read from its
	// outputs to the answer.
	Tensor, Graph, Read time.Duration
}

type stagesKey struct{}

// WithStages has the Infer that gets the context write into s how long each step took.
// It is for one task alone.
func WithStages(ctx context.Context, s *Stages) context.Context {
	return context.WithValue(ctx, stagesKey{}, s)
}

// watch measures the steps of one task, if somebody asked for it.
type watch struct {
	stages *Stages // nil if nobody did
	began  time.Time
}

func newWatch(ctx context.Context) watch {
	s, _ := ctx.Value(stagesKey{}).(*Stages)
	w := watch{stages: s}
	if s != nil {
		w.began = time.Now()
	}
	return w
}

// lap gives the step that pick names the time since the last lap.
func (w *watch) lap(pick func(*Stages) *time.Duration) {
	if w.stages == nil {
		return
	}
	now := time.Now()
	*pick(w.stages) = now.Sub(w.began)
	w.began = now
}

func decodeStage(s *Stages) *time.Duration { return &s.Decode }
func tensorStage(s *Stages) *time.Duration { return &s.Tensor }
func graphStage(s *Stages) *time.Duration  { return &s.Graph }
func readStage(s *Stages) *time.Duration   { return &s.Read }
