// SPDX-License-Identifier: Apache-2.0

package twincheck

import (
	"context"
	"encoding/json"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"edgex-offload/offload"
	"edgex-offload/remote"
	"edgex-offload/twin"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// byHand is a clock whose sleeps are over at once.
type byHand struct {
	now  time.Duration
	woke func(time.Duration) // hears of each time slept until
}

func (b *byHand) Now() time.Duration { return b.now }

func (b *byHand) Sleep(ctx context.Context, until time.Duration) bool {
	b.now = max(b.now, until)
	if b.woke != nil {
		b.woke(until)
	}
	return ctx.Err() == nil
}

func someCell(t *testing.T, length time.Duration) twin.Cell {
	t.Helper()
	scenario := twin.Benchmark()
	class, err := scenario.Class("xavier")
	require.NoError(t, err)
	trace, err := twin.Trace{Name: "steady", Slots: []twin.Slot{{RTT: 20 * time.Millisecond, Up: 2.5e6, Down: 2.5e6}}}.Cut(length)
	require.NoError(t, err)
	s := offload.DefaultSettings()
	s.Grace = 0
	return twin.Cell{Settings: s, Scenario: &scenario, Class: class, Trace: trace, Seed: 1}
}

func draw(t *testing.T, cell twin.Cell) *twin.Work {
	t.Helper()
	work, err := twin.DrawWork(cell)
	require.NoError(t, err)
	return work
}

func TestRunOnTheBoxTakesWhatWasDrawn(t *testing.T) {
	work := draw(t, someCell(t, 10*time.Second))
	for _, variant := range []string{"frame", "frame-tiny"} {
		clock := &byHand{now: 2 * time.Second}
		var ran time.Duration
		b := &box{work: work, clock: clock, ran: func(d time.Duration) { ran = d }}
		answer, err := b.Infer(t.Context(), variant, offload.Task{ID: "7"})
		require.NoError(t, err)
		want := work.Local(7, variant, 2*time.Second)
		assert.Equal(t, want, clock.now-2*time.Second, variant)
		assert.Equal(t, want, ran, variant)
		assert.Equal(t, variant, answer.Model)
	}
}

func TestCancelledRunEndsAtTheBorderOfAChunk(t *testing.T) {
	work := draw(t, someCell(t, 10*time.Second))
	takes, chunks := work.Local(0, "frame", 0), work.Scenario().Chunks
	for cancelled := range chunks { // while this chunk runs
		ctx, cancel := context.WithCancel(t.Context())
		woken := 0
		clock := &byHand{}
		clock.woke = func(time.Duration) {
			if woken == cancelled {
				cancel()
			}
			woken++
		}
		whole := false
		b := &box{work: work, clock: clock, ran: func(time.Duration) { whole = true }}
		_, err := b.Infer(ctx, "frame", offload.Task{ID: "0"})
		assert.Equal(t, takes*time.Duration(cancelled+1)/time.Duration(chunks), clock.now, "chunk %d", cancelled)
		if last := cancelled == chunks-1; last { // it is done then
			require.NoError(t, err)
			assert.True(t, whole)
		} else {
			require.ErrorIs(t, err, context.Canceled)
			assert.False(t, whole)
		}
		cancel()
	}
}

func TestCloudTakesWhatWasDrawnAndAnswersWithAsMuch(t *testing.T) {
	work := draw(t, someCell(t, 10*time.Second))
	clock := &byHand{now: time.Second}
	answer, err := newCloud(work, clock).InferModel(t.Context(), offload.Task{ID: "3"})
	require.NoError(t, err)
	assert.Equal(t, work.Remote(3, 0, time.Second), clock.now-time.Second)
	require.NoError(t, remote.CheckAnswer(answer))
	text, err := json.Marshal(answer)
	require.NoError(t, err)
	assert.InDelta(t, work.Scenario().Wire.Answer-framing, len(text), 50)
}

func TestTaskThatWasNotDrawnIsRefused(t *testing.T) {
	work := draw(t, someCell(t, time.Second))
	for _, id := range []string{"", "x", "-1", "99999"} {
		_, err := (&box{work: work, clock: &byHand{}}).Infer(t.Context(), "frame", offload.Task{ID: id})
		require.ErrorContains(t, err, "allowed is 0 to")
		_, err = newCloud(work, &byHand{}).InferModel(t.Context(), offload.Task{ID: id})
		require.ErrorIs(t, err, remote.ErrBadInput)
	}
}
