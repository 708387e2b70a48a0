// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"sync"
	"time"

	"edgex-offload/infer"
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
	bounded, boundedMB, err := b.crowd(ctx, dir, n, 0)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, bounded.Close()) }()
	free, freeMB, err := b.crowd(ctx, dir, n, manyCallers)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, free.Close()) }()

	few, many := make([]series, runtime.GOMAXPROCS(0)), make([]series, 2)
	for range b.rounds {
		for i := range few {
			if err := few[i].answered(ctx, free, n, i+1); err != nil {
				return nil, err
			}
		}
		if err := errors.Join(many[0].answered(ctx, bounded, n, manyCallers), many[1].answered(ctx, free, n, manyCallers)); err != nil {
			return nil, err
		}
	}
	best := 0
	for i := range few {
		if few[i].figure().Median > few[best].figure().Median {
			best = i
		}
	}
	of := func(s series) string {
		return fmt.Sprintf("%s : %s with %d", quantity(s.figure().Median, "tasks/s"), quantity(few[best].figure().Median, "tasks/s"), best+1)
	}
	return []row{
		{What: "throughput of 16 callers over that of the best number of them up to the cores", figure: many[0].over(few[best]).figure(), Unit: "x", Target: atLeast(.95), Of: of(many[0])},
		{What: "the same without the bound", figure: many[1].over(few[best]).figure(), Unit: "x", Of: of(many[1])},
		{What: "memory that 16 callers take beyond one", figure: one(boundedMB), Unit: "MB", Of: fmt.Sprintf("without the bound %s", quantity(freeMB, "MB"))},
	}, nil
}

// crowd opens the model with a bound and says what memory many callers take beyond one.
func (b *bench) crowd(ctx context.Context, dir string, n network, bound int) (*infer.Repository, float64, error) {
	r, err := b.open(ctx, infer.Options{Dir: dir, Concurrency: bound})
	if err != nil {
		return nil, 0, err
	}
	var s series
	err = s.answered(ctx, r, n, 1)
	before := residentMB()
	for range 3 {
		err = errors.Join(err, s.answered(ctx, r, n, manyCallers))
	}
	if err != nil {
		return nil, 0, errors.Join(err, r.Close())
	}
	return r, max(0, residentMB()-before), nil
}

// answered adds the tasks per second that so many callers get answered.
func (s *series) answered(ctx context.Context, r *infer.Repository, n network, callers int) error {
	const tasks = 96 // 16 callers have 6 each
	task, variant := photo(640, 480), n.name+"/1"
	began := time.Now()
	err := atOnce(callers, func(int) error {
		for range tasks / callers {
			if _, err := r.Infer(ctx, variant, task); err != nil {
				return err
			}
		}
		return nil
	})
	*s = append(*s, float64(tasks/callers*callers)/time.Since(began).Seconds())
	return err
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
