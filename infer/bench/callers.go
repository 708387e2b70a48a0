// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"sync"
	"sync/atomic"
	"time"

	"edgex-offload/infer"
	"edgex-offload/offload"
)

// manyCallers ask one model at the same time.
const manyCallers = 16

// callers is what a model gives to many at once, and what memory that takes.
func callers(ctx context.Context, b *bench) (rows []row, err error) {
	n, err := mobileNet(mobileNetSide, "")
	if err != nil {
		return nil, err
	}
	dir, err := b.store(n, "1")
	if err != nil {
		return nil, err
	}
	task := photo(640, 480)
	bounded, boundedMB, err := b.crowded(ctx, dir, n, task, 0)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, bounded.Close()) }()
	free, freeMB, err := b.crowded(ctx, dir, n, task, manyCallers)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, free.Close()) }()

	var all []crowd
	for i := range runtime.GOMAXPROCS(0) {
		all = append(all, crowd{free, n, task, i + 1})
	}
	few := len(all)
	speeds, err := b.speeds(ctx, append(all, crowd{bounded, n, task, manyCallers}, crowd{free, n, task, manyCallers}))
	if err != nil {
		return nil, err
	}
	best := 0
	for i := range few {
		if speeds[i].figure().Median > speeds[best].figure().Median {
			best = i
		}
	}
	of := func(s series) string {
		return fmt.Sprintf("%s : %s with %d", quantity(s.figure().Median, "tasks/s"), quantity(speeds[best].figure().Median, "tasks/s"), best+1)
	}
	many, unbounded := speeds[few], speeds[few+1]
	return []row{
		{What: "throughput of 16 callers over that of the best number of them up to the cores", figure: many.over(speeds[best]).figure(), Unit: "x", Target: atLeast(.95), Of: of(many)},
		{What: "the same without the bound", figure: unbounded.over(speeds[best]).figure(), Unit: "x", Of: of(unbounded)},
		{What: "memory that 16 callers take beyond one", figure: one(boundedMB), Unit: "MB", Of: fmt.Sprintf("without the bound %s", quantity(freeMB, "MB"))},
	}, nil
}

// crowded opens the model with a bound and says what memory many callers take beyond one.
func (b *bench) crowded(ctx context.Context, dir string, n network, task offload.Task, bound int) (*infer.Repository, float64, error) {
	r, err := b.open(ctx, infer.Options{Dir: dir, Concurrency: bound})
	if err != nil {
		return nil, 0, err
	}
	_, err = crowd{r, n, task, 1}.answer(ctx)
	before := residentMB()
	for range 6 {
		_, e := crowd{r, n, task, manyCallers}.answer(ctx)
		err = errors.Join(err, e)
	}
	if err != nil {
		return nil, 0, errors.Join(err, r.Close())
	}
	return r, max(0, residentMB()-before), nil
}

// crowd is so many callers of one model.
type crowd struct {
	repository *infer.Repository
	network    network
	task       offload.Task
	callers    int
}

// crowdTasks are those that a crowd gets answered at a turn; 16 callers have 3 each.
const crowdTasks = 48

// speeds are the tasks per second of each crowd. They take turns within a round.
func (b *bench) speeds(ctx context.Context, crowds []crowd) ([]series, error) {
	const turns = 4
	all := make([]series, len(crowds))
	for range b.rounds {
		took := make([]time.Duration, len(crowds))
		for n := range turns {
			for k := range crowds {
				i := (n + k) % len(crowds) // who begins changes
				t, err := crowds[i].answer(ctx)
				if err != nil {
					return nil, err
				}
				took[i] += t
			}
		}
		for i := range crowds {
			all[i] = append(all[i], turns*crowdTasks/took[i].Seconds())
		}
	}
	return all, nil
}

// answer says how long the tasks of a turn take.
func (c crowd) answer(ctx context.Context) (time.Duration, error) {
	variant := c.network.name + "/1"
	var left atomic.Int64
	left.Store(crowdTasks)
	began := time.Now()
	err := atOnce(c.callers, func(int) error {
		for left.Add(-1) >= 0 {
			if _, err := c.repository.Infer(ctx, variant, c.task); err != nil {
				return err
			}
		}
		return nil
	})
	return time.Since(began), err
}

// atOnce calls do so many times at the same time and waits for all of them.
func atOnce(many int, do func(i int) error) error {
	errs := make([]error, many)
	var all sync.WaitGroup
	for i := range many {
		all.Go(func() { errs[i] = do(i) })
	}
	all.Wait()
	return errors.Join(errs...)
}
