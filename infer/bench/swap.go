// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"edgex-offload/infer"
	"edgex-offload/offload"
)

// swapsPerRound is how often a model is swapped in a round. The 99th percentile needs some
// hundreds of tasks that met a swap.
const swapsPerRound = 8

// swap is what tasks feel of a model that is swapped while it answers them.
func swap(ctx context.Context, b *bench) (rows []row, err error) {
	n, err := mobileNet(mobileNetSide, "")
	if err != nil {
		return nil, err
	}
	r, err := b.stored(ctx, n, infer.Options{}, "1", "2")
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, r.Close()) }()
	s := &swapping{repository: r, name: n.name, task: photo(640, 480)}
	s.task.Model = n.name
	for range b.rounds {
		if err := s.round(ctx); err != nil {
			return nil, err
		}
	}
	return s.rows(), nil
}

// swapping is a model under load.
type swapping struct {
	repository *infer.Repository
	name       string
	task       offload.Task

	swaps      int
	on         atomic.Bool // a version is being swapped
	mu         sync.Mutex
	quiet, met []float64 // times of tasks in ms, and of those that met a swap
	lost       int
	ratios     series // of the 99th percentiles of each round
}

// round swaps the model while every core but one, and at least one, is busy with tasks, and lets
// it rest as long after each swap.
func (s *swapping) round(ctx context.Context) error {
	before := [2]int{len(s.quiet), len(s.met)}
	under, stop := context.WithCancel(ctx)
	defer stop()
	var load sync.WaitGroup
	for range max(1, runtime.GOMAXPROCS(0)-1) {
		load.Go(func() { s.ask(under) })
	}
	err := s.swap(ctx)
	stop()
	load.Wait()
	s.ratios = append(s.ratios, p99(s.met[before[1]:])/p99(s.quiet[before[0]:]))
	return err
}

func (s *swapping) swap(ctx context.Context) error {
	for range swapsPerRound {
		s.swaps++
		began := time.Now()
		s.on.Store(true)
		err := s.repository.Load(ctx, s.name, fmt.Sprint(1+s.swaps%2))
		s.on.Store(false)
		if err != nil {
			return err
		}
		select {
		case <-time.After(time.Since(began)):
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	return nil
}

// ask gives task after task until ctx ends.
func (s *swapping) ask(ctx context.Context) {
	for ctx.Err() == nil {
		met := s.on.Load()
		began := time.Now()
		// The task's own context goes on, so that none is cut off by the end of the load.
		_, err := s.repository.InferModel(context.WithoutCancel(ctx), s.task)
		took := ms(time.Since(began))
		met = met || s.on.Load()
		s.mu.Lock()
		switch {
		case err != nil:
			s.lost++
		case met:
			s.met = append(s.met, took)
		default:
			s.quiet = append(s.quiet, took)
		}
		s.mu.Unlock()
	}
}

func (s *swapping) rows() []row {
	lost := float64(s.lost)
	pooled := p99(s.met) / p99(s.quiet)
	spread := s.ratios.figure()
	return []row{
		{What: fmt.Sprintf("tasks lost in %d swaps", s.swaps), figure: one(lost), Target: atMost(0), Of: fmt.Sprintf("%d tasks", len(s.met)+len(s.quiet)+s.lost)},
		{
			What: "99th percentile of a task during a swap over that without, all rounds together", figure: figure{pooled, spread.Least, spread.Most},
			Unit: "x", Target: atMost(2),
			Of: fmt.Sprintf("%s of %d : %s of %d", quantity(p99(s.met), "ms"), len(s.met), quantity(p99(s.quiet), "ms"), len(s.quiet)),
		},
		{What: "median of the same", figure: one(median(s.met) / median(s.quiet)), Unit: "x", Of: fmt.Sprintf("%s : %s", quantity(median(s.met), "ms"), quantity(median(s.quiet), "ms"))},
	}
}

func p99(list []float64) float64 { return quantile(slices.Sorted(slices.Values(list)), .99) }
