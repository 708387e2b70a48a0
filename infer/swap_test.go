// SPDX-License-Identifier: Apache-2.0

package infer

import (
	"context"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"edgex-offload/offload"
)

func TestNoTaskIsLostOverManySwaps(t *testing.T) {
	dir := t.TempDir()
	put(t, dir, "surface", "1", "0", tinyImage)
	r, b, _ := keeper(t, dir)
	r.places = newPlaces("the repository", 4, 1024)
	task := offload.Task{Model: "surface", Payload: pixel(t)}
	var tasks sync.WaitGroup
	var answered, wrong atomic.Int64
	swapping := make(chan struct{})
	const enough = 500
	for worker := range 8 {
		tasks.Go(func() {
			for n := 0; ; n++ {
				select {
				case <-swapping:
					if n >= enough {
						return
					}
				default:
				}
				ask := r.InferModel
				if worker%2 == 1 { // as the engine does, which hears of a swap late
					ask = func(ctx context.Context, task offload.Task) (offload.Answer, error) {
						return r.Infer(ctx, "surface/1", task)
					}
				}
				got, err := ask(t.Context(), task)
				if !assert.NoError(t, err) {
					return
				}
				version, _ := strconv.Atoi(got.Model[len("surface/"):])
				if got.Label != []string{"good", "scratch", "dent"}[(version-1)%3] {
					wrong.Add(1)
				}
				answered.Add(1)
			}
		})
	}
	const swaps = 12
	for v := 2; v < 2+swaps; v++ {
		put(t, dir, "surface", strconv.Itoa(v), strconv.Itoa((v-1)%3), tinyImage)
		if r.look(t.Context(), true); r.Counts().Swaps < uint64(v-1) { // as many as may are draining: the next look loads it
			r.drains.Wait()
			r.look(t.Context(), true)
		}
	}
	close(swapping)
	tasks.Wait()
	r.drains.Wait()
	assert.Zero(t, wrong.Load(), "each answer is that of the version that it names")
	assert.GreaterOrEqual(t, answered.Load(), int64(8*enough))
	assert.Equal(t, uint64(swaps), r.Counts().Swaps)
	assert.Equal(t, 1, b.graphs)
}

// slowBeside is a repository whose version 1 has a task under way that does not end by itself,
// and whose version 2 has taken over.
func slowBeside(t *testing.T) (r *Repository, old chan error, task offload.Task) {
	t.Helper()
	dir := t.TempDir()
	put(t, dir, "surface", "1", "slow", tinyImage)
	b := &fakeBackend{started: make(chan struct{})}
	r = repositoryOn(t, b, Options{Dir: dir, DrainTimeout: time.Minute, Concurrency: 2})
	r.stop()
	<-r.ended
	task = offload.Task{Model: "surface", Payload: pixel(t)}
	old = make(chan error, 1)
	ctx, cancel := context.WithCancel(context.Background())
	t.Cleanup(cancel)
	go func() {
		got, err := r.InferModel(ctx, task)
		if err == nil && got.Model != "surface/2" {
			err = assert.AnError
		}
		old <- err
	}()
	<-b.started
	put(t, dir, "surface", "2", "1", tinyImage)
	r.look(context.Background(), true)
	return r, old, task
}

func TestATaskThatHangsOnTheOldVersionDelaysNoneOnTheNew(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r, old, task := slowBeside(t)
		began := time.Now()
		for range 100 {
			got, err := r.InferModel(context.Background(), task)
			require.NoError(t, err)
			require.Equal(t, "surface/2", got.Model)
		}
		assert.Equal(t, began, time.Now(), "no time passed: none of them waited for anything")
		assert.Equal(t, map[string]State{"surface/1": Draining, "surface/2": Ready}, statesOf(r))
		assert.NoError(t, <-old, "the task that hung ended on the new version")
		assert.Equal(t, time.Minute, time.Since(began), "after DrainTimeout")
		synctest.Wait()
		assert.Equal(t, map[string]State{"surface/1": Unloaded, "surface/2": Ready}, statesOf(r))
		assert.Equal(t, uint64(1), r.Counts().DrainsBroken)
		r.drains.Wait()
	})
}

func TestTensorsThatAreStoppedRunAgainOnTheSameVersion(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		dir := t.TempDir()
		put(t, dir, "surface", "1", "slow", tinyImage)
		b := &fakeBackend{started: make(chan struct{})}
		r := repositoryOn(t, b, Options{Dir: dir, DrainTimeout: time.Minute})
		r.stop()
		<-r.ended
		tensors, err := r.Tensors("surface", "")
		require.NoError(t, err)
		fills := 0
		ended := make(chan error, 1)
		go func() {
			ended <- tensors.Run(context.Background(), 1, func([][]float32) error { fills++; return nil }, func(outputs []Tensor) error {
				assert.Equal(t, []float32{0, 9, 0}, outputs[0].Data)
				return nil
			})
		}()
		<-b.started
		put(t, dir, "surface", "1", "1", tinyImage) // the same version, of other files
		r.look(context.Background(), true)
		require.NoError(t, <-ended)
		assert.Equal(t, 2, fills)
		r.drains.Wait()
	})
}

func TestVersionsThatDoNotDrainAreBounded(t *testing.T) {
	dir := t.TempDir()
	put(t, dir, "surface", "1", "0", tinyImage)
	r, _, _ := keeper(t, dir)
	var held []stay
	for v := 2; ; v++ {
		m := r.series["surface"].current
		_, s, ok := m.lease.enter(t.Context())
		require.True(t, ok)
		held = append(held, s)
		put(t, dir, "surface", strconv.Itoa(v), "0", tinyImage)
		r.look(context.Background(), true)
		if r.series["surface"].current == m {
			break
		}
	}
	assert.Len(t, held, mostDraining+1)
	assert.Contains(t, r.Models()[0].Error, "restart the service if they do not end")
	for _, s := range held {
		s.leave()
	}
	r.drains.Wait()
	r.look(context.Background(), false)
	assert.Equal(t, "surface/6 good", label(t, r), "when they have ended it is loaded after all")
}

func TestInPlaceChangesAreLoadedBeside(t *testing.T) {
	dir := t.TempDir()
	put(t, dir, "surface", "1", "0", tinyImage)
	r, b, _ := keeper(t, dir)
	put(t, dir, "surface", "1", "broken", tinyImage)
	r.look(context.Background(), true)
	assert.Equal(t, "surface/1 good", label(t, r), "the one in memory stays")
	assert.Equal(t, Ready, r.Models()[0].State)
	assert.Contains(t, r.Models()[0].Error, "cannot read graph")
	put(t, dir, "surface", "1", "2", tinyImage)
	r.look(context.Background(), true)
	assert.Equal(t, "surface/1 dent", label(t, r))
	assert.Empty(t, r.Models()[0].Error)
	assert.Equal(t, uint64(1), r.Models()[0].Answers, "of these files")
	r.drains.Wait()
	assert.Equal(t, 1, b.graphs)
}

func TestALowerVersionAnswersWhileTheHighestIsBroken(t *testing.T) {
	dir := t.TempDir()
	put(t, dir, "surface", "1", "0", tinyImage)
	put(t, dir, "surface", "2", "1", tinyImage)
	put(t, dir, "surface", "3", "broken", tinyImage)
	r, b, _ := keeper(t, dir)
	assert.Equal(t, "surface/2 scratch", label(t, r))
	assert.Equal(t, map[string]State{"surface/1": Unloaded, "surface/2": Ready, "surface/3": Failed}, statesOf(r))
	loads := b.loads
	r.look(context.Background(), false)
	assert.Equal(t, loads, b.loads)
}
