// SPDX-License-Identifier: Apache-2.0

package remote

import (
	"context"
	"net"
	"slices"
	"sync"
	"time"

	"golang.org/x/net/http2"
	"google.golang.org/grpc/credentials"
)

// sendQueue is the connection that gRPC writes to. What the socket does not take at once
// waits here, in HTTP/2 frames and ordered by rank, instead of in buffers that nobody can
// reorder: gRPC's own and the kernel's hold some ten kilobytes more, which on a slow uplink
// are a tenth of a second for each call behind them. A payload waits where it lies, without
// a copy, and is cut as finely as the link is slow, so that a small message that comes
// meanwhile waits for a few milliseconds of it alone.
//
// What waits is bounded: beyond that Write waits, and gRPC keeps the rest, which it drops
// when its call is given up. Only while a call is in a hurry everything is taken, so that
// it comes to light; then HTTP/2's flow control bounds it, and the payloads of the calls
// under way. Write comes from one goroutine at a time, as net.Conn has it from gRPC.
type sendQueue struct {
	net.Conn // TLS, or the connection itself
	live     *liveConn
	path     *path
	flight   func() (acked uint64, out int, known bool) // kernel.flight

	mu     sync.Mutex // guards all below
	parser parser
	frames []*frame  // in the order in which they will be written
	bytes  int       // in frames
	eased  sync.Cond // bytes became less, or somebody is in a hurry, or it is over
	spares []*frame
	out    []byte // the piece that is being written
	done   []*outgoing
	// writing: somebody takes frames out, this Write or a goroutine that goes on with it.
	writing bool
	piece   int // bytes that are written at once
	paced   time.Time
	brake   brake
	urgent  chan struct{} // something came that the brake does not hold, or it is over
	err     error
}

const (
	// leastPiece is about two segments: less costs more in headers than it saves in time.
	// mostPiece is enough for any link.
	leastPiece, mostPiece = 2800, 64 << 10
	// pieceTime is for how long a link is kept busy by a piece. The kernel holds at most
	// twice as much that is not sent.
	pieceTime = 2 * time.Millisecond
	// paceAge is how long the link's rate is not asked for again.
	paceAge = 10 * time.Millisecond
	// leastCut is the smallest piece that a frame is cut into to fill the room that is left.
	leastCut = 512
	// leastWaiting is how many bytes wait at least before Write waits, and waitingPieces how
	// many pieces of a fast link.
	leastWaiting, waitingPieces = 32 << 10, 4
	// spareFrames bounds the frames kept for use again.
	spareFrames = 16
)

func newSendQueue(conn net.Conn, live *liveConn, path *path) *sendQueue {
	q := &sendQueue{Conn: conn, live: live, path: path, flight: live.kernel.flight, parser: parser{preface: prefaceBytes}, piece: firstPiece, urgent: make(chan struct{}, 1)}
	q.eased.L = &q.mu
	path.queue.Store(q)
	return q
}

// Write takes b over and writes at once what the socket takes; an error is of an earlier
// write.
func (q *sendQueue) Write(b []byte) (int, error) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.err != nil {
		return 0, q.err
	}
	for rest := b; len(rest) > 0; {
		n, f := q.parser.take(rest, q.fresh, q.path.outbox.owner)
		rest = rest[n:]
		if f != nil {
			q.insert(f)
			switch {
			case f.waits || q.writing:
			case f.mayCut && !f.flags.Has(http2.FlagDataEndStream):
				q.writing = true // more comes at once: it is read while this is written
				q.handOver()
			default:
				q.drain()
			}
		}
	}
	for q.writing && q.err == nil && q.bytes > max(leastWaiting, waitingPieces*q.piece) && q.path.hurried.Load() == 0 {
		q.eased.Wait()
	}
	return len(b), q.err
}

// insert puts f behind the last frame that it does not pass.
func (q *sendQueue) insert(f *frame) {
	at := len(q.frames)
	for at > 0 && f.passes(q.frames[at-1]) {
		at--
	}
	if at > 0 && q.frames[at-1].stream == f.stream {
		f.rank = max(f.rank, q.frames[at-1].rank) // nothing passes it that does not pass that
	}
	q.frames = slices.Insert(q.frames, at, f)
	q.bytes += f.left
	if at == 0 && f.urgent() {
		q.wake()
	}
}

// drain writes while the socket takes it at once, and leaves the rest to a goroutine.
// q.mu is held.
func (q *sendQueue) drain() {
	q.writing = true
	q.pace()
	for q.err == nil && len(q.frames) > 0 {
		if !q.live.kernel.writable() || q.hold() > 0 {
			q.handOver()
			return
		}
		q.step()
	}
	q.writing = false
}

// handOver lets a goroutine write what waits. q.mu is held.
func (q *sendQueue) handOver() {
	if !q.path.start(q.drainSlowly) {
		q.writing = false
		q.fail(net.ErrClosed)
	}
}

// drainSlowly writes until nothing waits.
func (q *sendQueue) drainSlowly() {
	q.mu.Lock()
	defer q.mu.Unlock()
	for q.err == nil && len(q.frames) > 0 {
		q.mu.Unlock()
		err := q.live.kernel.wait()
		q.mu.Lock()
		if err != nil {
			q.fail(err)
			break
		}
		if d := q.hold(); d > 0 {
			q.rest(d)
			continue
		}
		q.pace()
		q.step()
	}
	q.writing = false
}

// hold is for how long the next piece waits for the network, if it is a payload's.
func (q *sendQueue) hold() time.Duration {
	if q.frames[0].urgent() {
		return 0
	}
	acked, out, known := q.flight()
	if !known {
		return 0
	}
	return q.brake.hold(time.Now(), acked, out, min(q.piece, q.bytes))
}

// rest lets d pass, or less if something comes that waits for nothing. q.mu is held, but
// not meanwhile.
func (q *sendQueue) rest(d time.Duration) {
	q.mu.Unlock()
	timer := time.NewTimer(d)
	select {
	case <-timer.C:
	case <-q.urgent:
		timer.Stop()
	}
	q.mu.Lock()
}

// wake ends a rest.
func (q *sendQueue) wake() {
	select {
	case q.urgent <- struct{}{}:
	default: // it was told
	}
}

// step writes one piece and tells the tasks that are written with it. q.mu is held, but
// not while it writes.
func (q *sendQueue) step() {
	q.out, q.done = q.out[:0], q.done[:0]
	urgent := q.frames[0].urgent()
	for len(q.frames) > 0 {
		f, room := q.frames[0], q.piece-len(q.out)
		if len(q.out) > 0 && (room < min(f.left+frameHeader, leastCut) || urgent && !f.urgent() && q.hold() > 0) {
			break
		}
		q.bytes -= f.left
		q.out = f.emit(q.out, room)
		if q.bytes += f.left; f.left > 0 {
			break
		}
		if f.ends != nil {
			q.done = append(q.done, f.ends)
		}
		q.frames = slices.Delete(q.frames, 0, 1)
		q.keep(f)
	}
	out, done := q.out, q.done
	q.mu.Unlock()
	_, err := q.Conn.Write(out)
	if err == nil {
		for _, o := range done {
			o.written()
		}
	}
	q.mu.Lock()
	q.eased.Broadcast()
	if err != nil {
		q.fail(err)
	}
}

// ease lets Write go on if it waits.
func (q *sendQueue) ease() {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.eased.Broadcast()
}

// pace fits the piece to what the link carries now.
func (q *sendQueue) pace() {
	if now := time.Now(); now.Sub(q.paced) > paceAge {
		q.paced = now
		q.piece = q.live.kernel.pace(q.piece)
	}
}

// fail ends the connection, which gRPC's reader sees.
func (q *sendQueue) fail(err error) {
	if q.err == nil {
		q.err = err
		_ = q.live.Close()
	}
	q.eased.Broadcast()
}

// Close ends the connection; what waits is not written any more.
func (q *sendQueue) Close() error {
	q.mu.Lock()
	if q.err == nil {
		q.err = net.ErrClosed
	}
	writing := q.writing
	q.eased.Broadcast()
	q.wake()
	q.mu.Unlock()
	if writing { // TLS would wait to say goodbye behind it
		_ = q.live.Close()
	}
	return q.Conn.Close()
}

func (q *sendQueue) fresh() *frame {
	if n := len(q.spares); n > 0 {
		f := q.spares[n-1]
		q.spares = q.spares[:n-1]
		return f
	}
	return &frame{}
}

func (q *sendQueue) keep(f *frame) {
	if len(q.spares) < spareFrames {
		f.reset()
		q.spares = append(q.spares, f)
	}
}

// queueing puts the send queue upon the connection once it is secured.
type queueing struct {
	credentials.TransportCredentials
	path *path
}

func (s queueing) ClientHandshake(ctx context.Context, authority string, raw net.Conn) (net.Conn, credentials.AuthInfo, error) {
	conn, info, err := s.TransportCredentials.ClientHandshake(ctx, authority, raw)
	if live, ok := raw.(*liveConn); ok && err == nil {
		conn = newSendQueue(conn, live, s.path)
	}
	return conn, info, err
}

func (s queueing) Clone() credentials.TransportCredentials {
	return queueing{s.TransportCredentials.Clone(), s.path}
}
