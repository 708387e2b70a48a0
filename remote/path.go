// SPDX-License-Identifier: Apache-2.0

package remote

import (
	"context"
	"sync"
	"sync/atomic"
	"time"

	"google.golang.org/grpc/stats"
)

// path is what a client knows of its connection. Its zero value is ready to use, and it is
// safe for concurrent use.
type path struct {
	probes      atomic.Uint64
	connections atomic.Uint64
	outbox      outbox
	// withoutProbe numbers the connection over which the server said that it has no Probe.
	withoutProbe atomic.Uint64

	queue   atomic.Pointer[sendQueue] // of the current connection
	hurried atomic.Int64              // calls that are to pass what waits

	writers sync.WaitGroup
	mu      sync.Mutex
	closed  bool
	current *liveConn
	// silentSince is when the first of the probes in a row was sent that came back with
	// nothing; zero after one that was answered.
	silentSince time.Time
}

// start runs f in a goroutine that close waits for; false means that it is too late.
func (p *path) start(f func()) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.closed {
		return false
	}
	p.writers.Go(f)
	return true
}

// hurry lets a call that begins now pass what waits, until the function that it returns
// was called.
func (p *path) hurry() (done func()) {
	p.hurried.Add(1)
	if q := p.queue.Load(); q != nil {
		q.ease()
	}
	return func() { p.hurried.Add(-1) }
}

// close breaks the connection and waits for the goroutines.
func (p *path) close() {
	p.mu.Lock()
	p.closed = true
	if p.current != nil {
		_ = p.current.Close()
	}
	p.mu.Unlock()
	if q := p.queue.Load(); q != nil {
		q.wake()
	}
	p.writers.Wait()
}

// number is that of the current connection, 0 before the first.
func (p *path) number() uint64 {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.current == nil {
		return 0
	}
	return p.current.number
}

// probeless tells whether the server at the end of the current connection has no Probe. A
// server behind a new one may have been updated.
func (p *path) probeless() bool {
	without := p.withoutProbe.Load()
	return without != 0 && without == p.number()
}

// pacing is the rate in bytes per second at which the kernel sends, 0 where unknown.
func (p *path) pacing() float64 {
	p.mu.Lock()
	conn := p.current
	p.mu.Unlock()
	if conn == nil {
		return 0
	}
	pacing, _ := conn.kernel.pacing()
	return pacing
}

func (p *path) answered() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.silentSince = time.Time{}
}

// lost notes a probe that was sent at start and has not come back by now. Where nothing
// at all was read for deadAfter, and probes have been asking for that long, the connection
// is closed: a proxy or a NAT that forgot it acknowledges bytes, or drops them, for ever,
// and a new connection heals that in one round trip.
func (p *path) lost(start, now time.Time, deadAfter time.Duration) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.silentSince.IsZero() {
		p.silentSince = start
	}
	if p.current == nil || now.Sub(p.silentSince) < deadAfter ||
		now.Sub(time.Unix(0, p.current.lastRead.Load())) < deadAfter {
		return
	}
	_ = p.current.Close() // gRPC sees it and connects anew
	p.current, p.silentSince = nil, time.Time{}
}

// call follows one call through gRPC.
type call struct {
	start   time.Time
	in, out atomic.Int64 // bytes on the wire
	// began: the head of a response came. ended: the remote side's status came; without a
	// response to go with it that is all that comes.
	began, ended atomic.Bool
	endedAt      atomic.Int64 // nanoseconds since start
}

func newCall(start time.Time) *call { return &call{start: start} }

type callKey struct{}

// watcher tells each call what it took on the wire and whether the remote side was heard.
type watcher struct{}

func (watcher) TagRPC(ctx context.Context, _ *stats.RPCTagInfo) context.Context   { return ctx }
func (watcher) TagConn(ctx context.Context, _ *stats.ConnTagInfo) context.Context { return ctx }
func (watcher) HandleConn(context.Context, stats.ConnStats)                       {}

func (watcher) HandleRPC(ctx context.Context, event stats.RPCStats) {
	call, ok := ctx.Value(callKey{}).(*call)
	if !ok {
		return
	}
	switch event := event.(type) {
	case *stats.OutPayload:
		call.out.Add(int64(event.WireLength))
	case *stats.InPayload:
		call.in.Add(int64(event.WireLength))
	case *stats.InHeader:
		call.began.Store(true)
	case *stats.InTrailer: // told by the goroutine that reads, when it came
		call.endedAt.Store(int64(time.Since(call.start)))
		call.ended.Store(true)
	}
}
