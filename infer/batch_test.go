// SPDX-License-Identifier: Apache-2.0

package infer

import (
	"context"
	"errors"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"edgex-offload/offload"
)

// doubler is a graph of [N, 2] that doubles; an example that begins with 13 fails its batch.
type doubler struct {
	mu      sync.Mutex
	batches []int
	block   chan struct{} // when set, a run waits for it or for its context's end
	running chan struct{}
	flat    bool // forgets the batch
}

func (g *doubler) About() About { return About{Provider: "CUDA", Batches: true} }
func (g *doubler) Close() error { return nil }

func (g *doubler) Run(ctx context.Context, batch int, fill func([][]float32) error, read func([]Tensor) error) error {
	in := make([]float32, 2*batch)
	if err := fill([][]float32{in}); err != nil {
		return err
	}
	g.mu.Lock()
	g.batches = append(g.batches, batch)
	g.mu.Unlock()
	if g.block != nil {
		g.running <- struct{}{}
		select {
		case <-g.block:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	for i := range in {
		if i%2 == 0 && in[i] == 14 {
			panic("very unlucky")
		}
		if i%2 == 0 && in[i] == 13 {
			return errors.New("unlucky")
		}
		in[i] *= 2
	}
	shape := []int64{int64(batch), 2}
	if g.flat {
		shape = []int64{1, int64(2 * batch)}
	}
	return read([]Tensor{{Name: "y", Shape: shape, Data: in}})
}

// twice runs one example.
func twice(ctx context.Context, g Graph, v float32) (out []float32, err error) {
	err = g.Run(ctx, 1, func(in [][]float32) error {
		in[0][0], in[0][1] = v, -v
		return nil
	}, func(outputs []Tensor) error {
		if len(outputs) != 1 || len(outputs[0].Shape) != 2 || outputs[0].Shape[0] != 1 {
			return errors.New("not one example")
		}
		out = append(out, outputs[0].Data...)
		return nil
	})
	return out, err
}

func never(time.Duration) <-chan time.Time { return nil }

func batchedFor(t *testing.T, g Graph, size int, after func(time.Duration) <-chan time.Time) *batched {
	t.Helper()
	b := newBatched(g, size, time.Millisecond, []int{2}, after)
	t.Cleanup(func() { assert.NoError(t, b.Close()) })
	return b
}

func TestCallersShareABatch(t *testing.T) {
	inner := &doubler{}
	g := batchedFor(t, inner, 4, never) // goes when it is full
	var callers sync.WaitGroup
	for i := range 40 {
		callers.Go(func() {
			v := float32(100 + i)
			got, err := twice(t.Context(), g, v)
			assert.NoError(t, err)
			assert.Equal(t, []float32{2 * v, -2 * v}, got)
		})
	}
	callers.Wait()
	assert.Equal(t, []int{4, 4, 4, 4, 4, 4, 4, 4, 4, 4}, inner.batches)
}

func TestABatchGoesWhenItsTimeIsUp(t *testing.T) {
	inner := &doubler{}
	up := make(chan time.Time, 1)
	up <- time.Time{}
	var asked time.Duration
	g := batchedFor(t, inner, 4, func(d time.Duration) <-chan time.Time { asked = d; return up })
	got, err := twice(t.Context(), g, 1)
	require.NoError(t, err)
	assert.Equal(t, []float32{2, -2}, got)
	assert.Equal(t, []int{1}, inner.batches)
	assert.Equal(t, time.Millisecond, asked)
}

func TestADeadlineShortensTheWait(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := &batched{delay: time.Hour, takes: time.Second}
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		late, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		assert.Equal(t, 58*time.Second, g.patience([]*example{{ctx: t.Context()}, {ctx: ctx}}))
		assert.Zero(t, g.patience([]*example{{ctx: ctx}, {ctx: late}}))
		assert.Equal(t, time.Hour, g.patience([]*example{{ctx: t.Context()}}))
	})
}

func TestABadExampleHarmsNoOther(t *testing.T) {
	inner := &doubler{}
	g := batchedFor(t, inner, 3, never)
	var callers sync.WaitGroup
	for _, v := range []float32{1, 13, 2} {
		callers.Go(func() {
			got, err := twice(t.Context(), g, v)
			if v == 13 {
				assert.ErrorContains(t, err, "unlucky")
				return
			}
			assert.NoError(t, err)
			assert.Equal(t, []float32{2 * v, -2 * v}, got)
		})
	}
	callers.Wait()
	assert.Equal(t, []int{3, 1, 1, 1}, inner.batches)
}

func TestAPanicOfABatchEndsItsExampleAlone(t *testing.T) {
	inner := &doubler{}
	g := batchedFor(t, inner, 2, never)
	var callers sync.WaitGroup
	for _, v := range []float32{1, 14} {
		callers.Go(func() {
			_, err := twice(t.Context(), g, v)
			if v == 14 {
				assert.ErrorContains(t, err, "panicked: very unlucky")
				return
			}
			assert.NoError(t, err)
		})
	}
	callers.Wait()
}

func TestARunEndsWhenNobodyWaitsForIt(t *testing.T) {
	inner := &doubler{block: make(chan struct{}), running: make(chan struct{}, 1)}
	g := batchedFor(t, inner, 2, never)
	var callers sync.WaitGroup
	ctx, cancel := context.WithCancel(t.Context())
	for range 2 {
		callers.Go(func() {
			_, err := twice(ctx, g, 1)
			assert.ErrorIs(t, err, context.Canceled)
		})
	}
	<-inner.running
	cancel()
	callers.Wait() // the run ends without block

	close(inner.block)
	for _, v := range []float32{3, 4} {
		callers.Go(func() {
			_, err := twice(t.Context(), g, v)
			assert.NoError(t, err)
		})
	}
	callers.Wait()
}

func TestWhatIsGivenUpBeforeItsBatchIsNotRun(t *testing.T) {
	inner := &doubler{}
	waits, up := make(chan struct{}), make(chan time.Time)
	g := batchedFor(t, inner, 2, func(time.Duration) <-chan time.Time { waits <- struct{}{}; return up })
	ctx, cancel := context.WithCancel(t.Context())
	var caller sync.WaitGroup
	caller.Go(func() {
		_, err := twice(ctx, g, 1)
		assert.ErrorIs(t, err, context.Canceled)
	})
	<-waits
	cancel()
	caller.Wait()
	up <- time.Time{}
	caller.Go(func() {
		_, err := twice(t.Context(), g, 2)
		assert.NoError(t, err)
	})
	<-waits
	up <- time.Time{}
	caller.Wait()
	assert.Equal(t, []int{1}, inner.batches)
}

func TestOneThatIsGivenUpDoesNotStopItsBatch(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		inner := &doubler{block: make(chan struct{}), running: make(chan struct{}, 1)}
		g := newBatched(inner, 2, time.Millisecond, []int{2}, never)
		ctx, cancel := context.WithCancel(t.Context())
		var callers sync.WaitGroup
		callers.Go(func() {
			_, err := twice(ctx, g, 1)
			assert.ErrorIs(t, err, context.Canceled)
		})
		callers.Go(func() {
			got, err := twice(t.Context(), g, 2)
			assert.NoError(t, err)
			assert.Equal(t, []float32{4, -4}, got)
		})
		<-inner.running
		cancel()
		synctest.Wait()
		close(inner.block)
		callers.Wait()
		assert.Equal(t, []int{2}, inner.batches)
		assert.NoError(t, g.Close())
	})
}

func TestCloseWaitsForNoBatchThatNobodyWaitsFor(t *testing.T) {
	waits := make(chan struct{}, 1)
	g := newBatched(&doubler{}, 2, time.Hour, []int{2}, func(time.Duration) <-chan time.Time { waits <- struct{}{}; return nil })
	ctx, cancel := context.WithCancel(t.Context())
	var caller sync.WaitGroup
	caller.Go(func() {
		_, err := twice(ctx, g, 1)
		assert.ErrorIs(t, err, context.Canceled)
	})
	<-waits
	cancel()
	caller.Wait()
	assert.NoError(t, g.Close())
}

func TestBatchesAreForThoseThatTheyHelp(t *testing.T) {
	spec := Spec{Input: Input{Type: "signal", Shape: []int{2}}, Batch: Batch{DelayMs: 1}}
	g, err := spec.batched(t.Context(), &doubler{})
	require.NoError(t, err)
	assert.IsType(t, &batched{}, g, "an accelerator")
	require.NoError(t, g.Close())

	flat := &doubler{flat: true}
	g, err = spec.batched(t.Context(), flat)
	require.NoError(t, err)
	assert.Same(t, flat, g, "one that forgets the batch")

	spec.Batch.Size = 4
	_, err = spec.batched(t.Context(), flat)
	assert.ErrorIs(t, err, errNoBatches)

	large := spec
	large.Input.Shape = []int{1 << 20}
	large.Batch.Size = mostBatch
	inner := &doubler{}
	_, err = large.batched(t.Context(), inner)
	require.EqualError(t, err, "batch.size is 256: its inputs take 1073741824 bytes: allowed are up to 268435456")
	large.Input.Shape, large.Batch.Size = []int{maxValues}, 0
	g, err = large.batched(t.Context(), inner)
	require.NoError(t, err)
	assert.Same(t, inner, g, "nobody asked for it")
	assert.Empty(t, inner.batches, "found before there is memory for it")

	spec.Batch.Size = 1
	g, err = spec.batched(t.Context(), inner)
	require.NoError(t, err)
	assert.Same(t, inner, g)

	assert.Equal(t, 1, Batch{}.size(About{Provider: "CPU", Batches: true}))
	assert.Equal(t, 1, Batch{}.size(About{Provider: "CUDA"}))
	assert.Equal(t, 1, Batch{}.size(About{Provider: "oip localhost:8001", Batches: true}))
	assert.Equal(t, 8, Batch{}.size(About{Provider: "CUDA with parts on CPU", Batches: true}))
	assert.Equal(t, 4, Batch{}.size(About{Provider: "CUDA", Batches: true, MostBatch: 4}))
}

// batching is a backend of doublers.
type batching struct{ graph *doubler }

func (b batching) Load(context.Context, Source) (Graph, error) { return b.graph, nil }

func TestABatchHasMoreExamplesThanThereAreCores(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		dir := t.TempDir()
		put(t, dir, "pairs", "1", "", "kind: SIGNAL_CLASSIFICATION\ninput: {type: signal, shape: [2]}\ndecoder: classification\nlabels: [a, b]\nbatch: {size: 4, delay_ms: 100}\n")
		g := &doubler{}
		r, err := Open(Options{Dir: dir, Backend: batching{g}, Concurrency: 1})
		require.NoError(t, err)
		defer func() { require.NoError(t, r.Close()) }()
		require.NoError(t, r.Wait(t.Context()))
		g.batches = nil
		var all sync.WaitGroup
		for range 4 {
			all.Go(func() {
				_, err := r.Infer(t.Context(), "pairs/1", offload.Task{Kind: offload.SignalClassification, Payload: floats(1, 2)})
				assert.NoError(t, err)
			})
		}
		all.Wait()
		assert.Equal(t, []int{4}, g.batches)
	})
}
