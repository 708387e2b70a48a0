// SPDX-License-Identifier: Apache-2.0

package remote

import (
	"bytes"
	"errors"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/net/http2"
	"pgregory.net/rapid"

	"edgex-offload/offload"
)

func TestWhatPassesWhat(t *testing.T) {
	b := newQueueBench(t, leastPiece)
	tasks := []struct {
		stream   uint32
		size     int
		priority offload.Priority
	}{
		{1, 100_000, offload.Medium},
		{3, 50_000, offload.Low},
		{5, 50_000, offload.Critical},
		{7, 2_000, offload.Low},
		{9, 60_000, offload.Medium},
		{11, 100, offload.Low},
	}
	for _, task := range tasks {
		payload := make([]byte, task.size)
		b.path.outbox.put(payload, task.priority, nil)
		b.headers(t, task.stream)
		b.payload(t, task.stream, []byte{0, 0, 0, 0, 0}, payload)
	}
	frames := b.finish(t)
	assert.Equal(t, []uint32{7, 11, 5, 1, 9, 3}, order(frames), "the small ones first, then by priority, then as they came")
	var headers []uint32
	for _, f := range frames {
		if f.kind == http2.FrameHeaders {
			headers = append(headers, f.stream)
		}
	}
	assert.Equal(t, []uint32{1, 3, 5, 7, 9, 11}, headers, "their compression depends on that")
}

func TestSentIsCalledWhenThePayloadIsWritten(t *testing.T) {
	b := newQueueBench(t, leastPiece)
	first, second := make([]byte, 40_000), make([]byte, 40_000)
	var calls []int
	sent := func() { calls = append(calls, b.sink.written()) }
	one := b.path.outbox.put(first, offload.Low, sent)
	b.path.outbox.put(second, offload.Low, sent)
	b.headers(t, 1)
	b.payload(t, 1, []byte("head"), first)
	b.headers(t, 3)
	b.payload(t, 3, []byte("head"), second)
	assert.Empty(t, calls, "nothing is written yet")
	b.finish(t)
	require.Len(t, calls, 2)
	assert.Greater(t, calls[0], 40_000)
	assert.Less(t, calls[0], 80_000, "before the other")
	assert.Greater(t, calls[1], 80_000)
	one.written()
	assert.Len(t, calls, 2, "once")
}

func TestSentIsNotCalledAfterTheEnd(t *testing.T) {
	b := newQueueBench(t, leastPiece)
	payload := make([]byte, 40_000)
	o := b.path.outbox.put(payload, offload.Low, func() { t.Error("sent") })
	b.headers(t, 1)
	b.payload(t, 1, nil, payload)
	o.end()
	b.finish(t)
}

// What gRPC sends again over another connection is told when it is written there.
func TestSentAfterAnotherAttempt(t *testing.T) {
	sent := 0
	payload := make([]byte, 40_000)
	b := newQueueBench(t, leastPiece)
	b.path.outbox.put(payload, offload.Low, func() { sent++ })
	b.headers(t, 1)
	_, err := b.queue.Write([]byte{0, 0x40, 0, 0, 0, 0, 0, 0, 1})
	require.NoError(t, err)
	_, err = b.queue.Write(payload[:0x4000])
	require.NoError(t, err)
	b.sink.fails = errors.New("broken")
	require.NoError(t, b.queue.Close())
	b.path.writers.Wait()
	assert.Zero(t, sent)

	b.sink = &sink{open: make(chan struct{})}
	b.queue = newSendQueue(b.sink, &liveConn{Conn: b.sink}, &b.path)
	b.queue.parser.preface = 0 // which the other one had
	b.payload(t, 1, nil, payload)
	b.sink.release()
	b.path.writers.Wait()
	assert.Equal(t, 1, sent)
}

// What cannot be written yet stays with gRPC, which can still drop it, until it is in the
// way of a call in a hurry, or all is over.
func TestWriteWaitsUnlessSomebodyIsInAHurry(t *testing.T) {
	for name, release := range map[string]func(*queueBench){
		"hurry":   func(b *queueBench) { b.path.hurry() },
		"written": func(b *queueBench) { b.sink.release() },
		"close":   func(b *queueBench) { _ = b.queue.Close() },
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				b := newQueueBench(t, leastPiece)
				b.path.hurried.Store(0)
				var taken atomic.Int64
				var writing sync.WaitGroup
				writing.Go(func() {
					for range 10 {
						if _, err := b.queue.Write(append([]byte{0, 0x40, 0, 0, 0, 0, 0, 0, 1}, make([]byte, 1<<14)...)); err != nil {
							return
						}
						taken.Add(1)
					}
				})
				synctest.Wait()
				assert.LessOrEqual(t, taken.Load(), int64(leastWaiting>>14))
				release(b)
				writing.Wait()
				if name != "close" {
					assert.EqualValues(t, 10, taken.Load())
				}
				_ = b.queue.Close()
				b.path.writers.Wait()
			})
		})
	}
}

func TestAnErrorEndsTheConnection(t *testing.T) {
	b := newQueueBench(t, leastPiece)
	broken := errors.New("broken")
	b.sink.fails = broken
	b.sink.release()
	b.path.writers.Wait()
	_, err := b.queue.Write(make([]byte, frameHeader))
	require.ErrorIs(t, err, broken)
	require.NoError(t, b.queue.Close())
}

// Whatever waits and however it is cut: each stream's bytes arrive whole and in order, its
// reset behind them, and every frame can be read.
func TestOrderOfAStreamIsKept(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		b := newQueueBench(t, rapid.IntRange(frameHeader+1, 1<<16).Draw(t, "piece"))
		want := map[uint32][]byte{}
		reset := map[uint32]bool{}
		streams := rapid.IntRange(1, 8).Draw(t, "streams")
		for s := range uint32(streams) {
			stream := 2*s + 1
			payload := rapid.SliceOfN(rapid.Byte(), 1, 200).Draw(t, "payload")
			payload = bytes.Repeat(payload, rapid.IntRange(1, 200).Draw(t, "times"))
			head := rapid.SliceOfN(rapid.Byte(), 0, 20).Draw(t, "head")
			if rapid.Bool().Draw(t, "is ours") {
				priority := offload.Priority(rapid.Int32Range(-1, 5).Draw(t, "priority"))
				b.path.outbox.put(payload, priority, nil)
			}
			b.headers(t, stream)
			b.payload(t, stream, head, payload)
			want[stream] = append(bytes.Clone(head), payload...)
			if reset[stream] = rapid.Bool().Draw(t, "reset"); reset[stream] {
				require.NoError(t, b.framer.WriteRSTStream(stream, http2.ErrCodeCancel))
			}
			if rapid.Bool().Draw(t, "ping") {
				require.NoError(t, b.framer.WritePing(false, [8]byte{}))
			}
		}
		got, ended := map[uint32][]byte{}, map[uint32]bool{}
		for _, f := range b.finish(t) {
			switch f.kind {
			case http2.FrameData:
				require.False(t, ended[f.stream], "data after the end")
				got[f.stream] = append(got[f.stream], f.data...)
				ended[f.stream] = f.ends
			case http2.FrameRSTStream:
				require.True(t, ended[f.stream] && reset[f.stream])
				delete(reset, f.stream)
			}
		}
		require.Equal(t, want, got)
		for stream, wanted := range reset {
			require.False(t, wanted, "no reset of %d", stream)
			require.True(t, ended[stream])
		}
	})
}

// FuzzSendQueue is whatever gRPC might write: it arrives, or waits for the rest of it.
func FuzzSendQueue(f *testing.F) {
	f.Add([]byte{0, 0, 2, 0, 1, 0, 0, 0, 1, 'h', 'i'}, 3)
	f.Add([]byte{0, 0, 2, 0, 9, 0, 0, 0, 1, 1, 0, 0, 0, 0, 4, 0, 0, 0, 0, 0}, 1)
	f.Fuzz(func(t *testing.T, raw []byte, cut int) {
		b := newQueueBench(t, leastPiece)
		cut = max(1, cut%64)
		for rest := raw; len(rest) > 0; rest = rest[min(cut, len(rest)):] {
			_, err := b.queue.Write(rest[:min(cut, len(rest))])
			require.NoError(t, err)
		}
		b.sink.release()
		b.path.writers.Wait()
		for _, f := range b.queue.frames {
			require.True(t, f.waits)
		}
		require.NoError(t, b.queue.err)
		before := prefaceBytes + frameHeader
		assert.LessOrEqual(t, b.sink.got.Len(), before+len(raw)+frameHeader*(1+len(raw)/leastCut))
	})
}
