// SPDX-License-Identifier: Apache-2.0

package compare

import (
	"context"
	"fmt"
	"sync"

	"edgex-offload/offload"
	"edgex-offload/twin"
)

// Grid is all cells of a comparison.
type Grid struct {
	Scenario *twin.Scenario
	Classes  []twin.Class
	Traces   []twin.Trace
	// Seeds are the workloads of each class and trace, from 1 on.
	Seeds   int
	Entries []Entry
	Sweeps  []Sweep
	// Network is what policy dqn asks, in several cells at once; nil for none.
	Network offload.Network
}

// Run is one cell to play.
type Run struct {
	twin.Cell
	// Key and Value are of the sweep that it belongs to; "" of none.
	Key, Value string
	searched   bool
}

// Size is about how long it takes, in no unit.
func (r *Run) Size() float64 {
	rate := 0.
	for i := range r.Class.Sources {
		s := &r.Class.Sources[i]
		rate += float64(s.Count*s.Burst) / s.Gap().Seconds()
	}
	return (10 + rate) * r.Length().Seconds() // 10: what goes on without a task
}

// Runs are the cells of each entry, then those of each sweep. What a search finds depends on
// no setting, and is in no sweep.
func (g *Grid) Runs() ([]Run, error) {
	var runs []Run
	for _, e := range g.Entries {
		runs = append(runs, g.runs(e, "", "")...)
	}
	for _, sweep := range g.Sweeps {
		for _, value := range sweep.Values {
			for _, e := range g.Entries {
				if e.Searched {
					continue
				}
				swept, err := e.with(sweep.Key, value)
				if err != nil {
					return nil, err
				}
				runs = append(runs, g.runs(swept, sweep.Key, value)...)
			}
		}
	}
	return runs, nil
}

func (g *Grid) runs(e Entry, key, value string) []Run {
	var runs []Run
	for _, class := range g.Classes {
		for _, trace := range g.Traces {
			for seed := range g.Seeds {
				runs = append(runs, Run{
					Cell: twin.Cell{
						Name: e.Name, Settings: e.Settings, Scenario: g.Scenario, Class: class, Trace: trace,
						Seed: uint64(seed + 1), Foresight: e.Foresight, Network: g.Network,
					},
					Key: key, Value: value, searched: e.Searched,
				})
			}
		}
	}
	return runs
}

// Play plays the runs, so many at once; the scores are in their order. done, which may be
// nil, hears of each run that has ended, one at a time. The first error ends all.
func Play(ctx context.Context, runs []Run, parallel int, done func(*Run)) ([]twin.Score, error) {
	ctx, stop := context.WithCancelCause(ctx)
	defer stop(nil)
	scores := make([]twin.Score, len(runs))
	var (
		mutex   sync.Mutex
		next    int
		workers sync.WaitGroup
	)
	take := func(ended *Run) int {
		mutex.Lock()
		defer mutex.Unlock()
		if ended != nil && done != nil {
			done(ended)
		}
		next++
		return next - 1
	}
	for range parallel {
		workers.Go(func() {
			for i := take(nil); i < len(runs) && ctx.Err() == nil; i = take(&runs[i]) {
				var err error
				if scores[i], err = runs[i].play(); err != nil {
					stop(err)
					return
				}
			}
		})
	}
	workers.Wait()
	return scores, context.Cause(ctx)
}

func (r *Run) play() (s twin.Score, err error) {
	if r.searched {
		s, err = twin.UpperBound(r.Cell)
		s.Policy, s.ECE, s.Brier = r.Name, twin.None, twin.None // it promises nothing
	} else {
		s, err = twin.Run(r.Cell)
	}
	if err != nil {
		err = fmt.Errorf("policy %s, class %s, trace %s, seed %d: %w", r.Name, r.Class.Name, r.Trace.Name, r.Seed, err)
	}
	return s, err
}
