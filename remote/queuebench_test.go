// SPDX-License-Identifier: Apache-2.0

package remote

import (
	"bytes"
	"net"
	"sync"

	"github.com/stretchr/testify/require"
	"golang.org/x/net/http2"
)

// sink is a connection that takes nothing until it is opened.
type sink struct {
	net.Conn
	open chan struct{}

	once sync.Once

	mu    sync.Mutex
	got   bytes.Buffer
	fails error
}

// release opens it.
func (s *sink) release() { s.once.Do(func() { close(s.open) }) }

func (s *sink) Write(b []byte) (int, error) {
	<-s.open
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.fails != nil {
		return 0, s.fails
	}
	return s.got.Write(b)
}

func (s *sink) Close() error { s.release(); return nil }

func (s *sink) written() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.got.Len()
}

// queueBench is a send queue with gRPC's framer before it and a sink behind it.
type queueBench struct {
	path   path
	sink   *sink
	queue  *sendQueue
	framer *http2.Framer
}

// newQueueBench takes everything: a call is in a hurry.
func newQueueBench(tb require.TestingT, piece int) *queueBench {
	b := &queueBench{sink: &sink{open: make(chan struct{})}}
	b.path.hurry()
	b.queue = newSendQueue(b.sink, &liveConn{Conn: b.sink}, &b.path)
	b.queue.piece = piece
	b.framer = http2.NewFramer(b.queue, nil)
	_, err := b.queue.Write([]byte(http2.ClientPreface))
	require.NoError(tb, err)
	require.NoError(tb, b.framer.WriteSettings())
	return b
}

// payload writes a task's frames of DATA as gRPC does: each payload in place.
func (b *queueBench) payload(tb require.TestingT, stream uint32, head, payload []byte) {
	const most = 16 << 10
	for first := true; first || len(payload) > 0; first = false {
		n := min(len(payload), most-len(head))
		var flags byte
		if n == len(payload) {
			flags = byte(http2.FlagDataEndStream)
		}
		size := len(head) + n
		for _, part := range [][]byte{{byte(size >> 16), byte(size >> 8), byte(size), 0, flags, 0, 0, 0, byte(stream)}, head, payload[:n]} {
			_, err := b.queue.Write(part)
			require.NoError(tb, err)
		}
		head, payload = nil, payload[n:]
	}
}

// finish lets everything go and gives the frames as the other side reads them.
func (b *queueBench) finish(tb require.TestingT) []written {
	b.sink.release()
	b.path.writers.Wait()
	raw := b.sink.got.Bytes()
	require.True(tb, bytes.HasPrefix(raw, []byte(http2.ClientPreface)))
	reader := http2.NewFramer(nil, bytes.NewReader(raw[prefaceBytes:]))
	var frames []written
	for {
		f, err := reader.ReadFrame()
		if err != nil {
			return frames
		}
		h := f.Header()
		w := written{kind: h.Type, stream: h.StreamID, ends: h.Type == http2.FrameData && h.Flags.Has(http2.FlagDataEndStream)}
		if data, ok := f.(*http2.DataFrame); ok {
			w.data = bytes.Clone(data.Data())
		}
		frames = append(frames, w)
	}
}

type written struct {
	kind   http2.FrameType
	stream uint32
	ends   bool
	data   []byte
}

func (b *queueBench) headers(tb require.TestingT, stream uint32) {
	require.NoError(tb, b.framer.WriteHeaders(http2.HeadersFrameParam{StreamID: stream, BlockFragment: []byte{byte(stream)}, EndHeaders: true}))
}

// order is the streams in the order in which their data ended.
func order(frames []written) []uint32 {
	var ended []uint32
	for _, f := range frames {
		if f.ends {
			ended = append(ended, f.stream)
		}
	}
	return ended
}
