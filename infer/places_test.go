// SPDX-License-Identifier: Apache-2.0

package infer

import (
	"context"
	"runtime"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"edgex-offload/offload"
)

func TestPlacesGoToTheSoonestDeadline(t *testing.T) {
	p := newPlaces("m/1", 1, 4)
	require.NoError(t, p.enter(t.Context(), time.Time{}))
	at := time.Unix(1e9, 0)
	order := make(chan string, 4)
	var waiting sync.WaitGroup
	for i, w := range []struct {
		name     string
		deadline time.Time
	}{{"never", time.Time{}}, {"late", at.Add(time.Second)}, {"soon", at}, {"as soon", at}} {
		waiting.Go(func() {
			assert.NoError(t, p.enter(t.Context(), w.deadline))
			order <- w.name
			p.leave()
		})
		waitFor(func() bool { _, n := p.load(); return n == i+1 })
	}
	err := p.enter(t.Context(), at)
	require.ErrorIs(t, err, ErrBusy)
	assert.ErrorContains(t, err, "4 tasks wait for a place of m/1, where 1 run at once")
	p.leave()
	waiting.Wait()
	assert.Equal(t, []string{"soon", "as soon", "late", "never"}, []string{<-order, <-order, <-order, <-order}, "among equals the first")
	running, left := p.load()
	assert.Zero(t, running+left)
}

// Who is called off has to hand on the place that came at the same moment.
func TestAPlaceThatComesTooLateGoesOn(t *testing.T) {
	for range 100 { // which of the two a waiter sees first is chance
		p := newPlaces("m", 1, 1)
		require.NoError(t, p.enter(t.Context(), time.Time{}))
		ctx, cancel := context.WithCancel(t.Context())
		var waiter sync.WaitGroup
		waiter.Go(func() {
			if p.enter(ctx, time.Time{}) == nil {
				p.leave()
			}
		})
		waitFor(func() bool { _, n := p.load(); return n == 1 })
		p.mu.Lock()
		cancel()
		p.pass()
		p.mu.Unlock()
		waiter.Wait()
		running, waiting := p.load()
		require.Zero(t, running+waiting)
	}
}

func TestATaskWhoseDeadlinePassedWhileItWaitedIsNotStarted(t *testing.T) {
	dir := t.TempDir()
	put(t, dir, "surface", "1", "0", tinyImage)
	var clock clock
	r := repositoryOn(t, &fakeBackend{}, Options{Dir: dir, Concurrency: 1, now: clock.now})
	require.NoError(t, r.places.enter(t.Context(), time.Time{}))
	ended := make(chan error, 1)
	task := offload.Task{Payload: pixel(t), Deadline: clock.now().Add(time.Second)}
	go func() {
		_, err := r.InferModel(t.Context(), task)
		ended <- err
	}()
	waitFor(func() bool { _, waiting := r.places.load(); return waiting == 1 })
	clock.advance(2 * time.Second)
	r.places.leave()
	err := <-ended
	require.ErrorIs(t, err, context.DeadlineExceeded)
	require.ErrorContains(t, err, "not started: 1s past its deadline")
	assert.Zero(t, r.Models()[0].Errors)
}

func TestPlacesAreNeitherLostNorMade(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		limit, waiters := rapid.IntRange(1, 4).Draw(rt, "limit"), rapid.IntRange(1, 8).Draw(rt, "waiters")
		p := newPlaces("m", limit, waiters)
		ctx, cancel := context.WithCancel(context.Background())
		var work sync.WaitGroup
		most := make(chan struct{}, limit)
		for i := range rapid.IntRange(1, 40).Draw(rt, "tasks") {
			own := context.Background()
			if i%3 == 0 {
				own = ctx
			}
			work.Go(func() {
				if p.enter(own, time.Unix(int64(i%5), 0)) != nil {
					return
				}
				select {
				case most <- struct{}{}:
					runtime.Gosched() // others come
					<-most
				default:
					panic("more than the limit")
				}
				p.leave()
			})
		}
		cancel()
		work.Wait()
		if running, waiting := p.load(); running+waiting != 0 {
			rt.Fatalf("%d run and %d wait when all have gone", running, waiting)
		}
	})
}

func TestAModelHasABoundOfItsOwn(t *testing.T) {
	dir := t.TempDir()
	put(t, dir, "slow", "1", "slow", "serves: slow\nconcurrency: 1"+tinyImage[len("\nserves: surface"):])
	put(t, dir, "other", "1", "1", "serves: other"+tinyImage[len("\nserves: surface"):])
	b := &fakeBackend{started: make(chan struct{})}
	r := repositoryOn(t, b, Options{Dir: dir, Concurrency: 2, Waiting: 1})
	ctx, cancel := context.WithCancel(t.Context())
	var tasks sync.WaitGroup
	run := func(model string) error {
		_, err := r.InferModel(ctx, offload.Task{Model: model, Payload: pixel(t)})
		return err
	}
	tasks.Go(func() { assert.ErrorIs(t, run("slow"), context.Canceled) })
	<-b.started
	tasks.Go(func() { assert.ErrorContains(t, run("slow"), "waiting for a free place of 1 of slow/1") })
	waitFor(func() bool { return r.Model("slow")[0].Waiting == 1 })
	assert.ErrorIs(t, run("slow"), ErrBusy)
	assert.NoError(t, run("other"), "who waits for one model keeps no place from another")
	cancel()
	tasks.Wait()
	assert.Zero(t, r.Model("slow")[0].Running)
}

// A backup whose answer came from the cloud was counted as an error of the box's model.
func TestATaskThatIsCalledOffIsNoErrorOfItsModel(t *testing.T) {
	dir := t.TempDir()
	put(t, dir, "slow", "1", "slow", tinyImage)
	b := &fakeBackend{started: make(chan struct{})}
	r := repositoryOn(t, b, Options{Dir: dir})
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() {
		_, err := r.InferModel(ctx, offload.Task{Model: "surface", Payload: pixel(t)})
		ended <- err
	}()
	<-b.started
	cancel()
	require.ErrorIs(t, <-ended, context.Canceled)
	assert.Zero(t, r.Model("slow")[0].Errors)
}

func TestATaskPastItsDeadlineIsNotStarted(t *testing.T) {
	dir := t.TempDir()
	put(t, dir, "surface", "1", "1", tinyImage)
	r, _ := repository(t, dir, "")
	task := offload.Task{Model: "surface", Payload: pixel(t), Deadline: time.Now().Add(-time.Second)}
	_, err := r.InferModel(t.Context(), task)
	require.ErrorIs(t, err, context.DeadlineExceeded)
	assert.ErrorContains(t, err, "not started")
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err = r.InferModel(ctx, offload.Task{Model: "surface", Payload: pixel(t)})
	require.ErrorIs(t, err, context.Canceled)
	answers, failed := r.series["surface"].current.learned.counts()
	assert.Zero(t, answers+failed)
}
