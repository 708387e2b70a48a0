// SPDX-License-Identifier: Apache-2.0

package emulator

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net"
	"strconv"
	"sync"
	"sync/atomic"
	"time"
)

const (
	// maxConnections bounds the connections at one time; more are reset at once.
	maxConnections = 256
	// defaultConnectTimeout of a client that is far away.
	defaultConnectTimeout = 3 * time.Second
	handshakeBytes        = 60
)

// Options of Listen.
type Options struct {
	// Port on the loopback interface, 0 for a free one.
	Port int
	// Server is the address behind the link, host:port.
	Server string
	Source Source
	// Seed decides which pieces are lost.
	Seed int64
	// ConnectTimeout is how long a new connection may hang before it is reset; 0 means 3 s.
	ConnectTimeout time.Duration
}

// Proxy is a running link.
type Proxy struct {
	server   string
	patience time.Duration // with a new connection
	listener net.Listener
	began    time.Time
	ctx      context.Context
	stop     context.CancelFunc
	running  sync.WaitGroup
	gate     *gate
	buffers  sync.Pool

	mu     sync.Mutex // guards shaper, and that its time never goes back
	shaper *Shaper

	open        atomic.Int64
	bytes       [2]atomic.Int64
	connections atomic.Int64
	refused     atomic.Int64
}

// Counters are what a link carried since it began.
type Counters struct {
	UpBytes, DownBytes int64
	// Connections that were made, and Refused that were not.
	Connections, Refused int64
}

// Listen starts a link to a server; Close ends it.
func Listen(o Options) (*Proxy, error) {
	listener, err := net.Listen("tcp", net.JoinHostPort("127.0.0.1", strconv.Itoa(o.Port)))
	if err != nil {
		return nil, fmt.Errorf("link: %w", err)
	}
	ctx, stop := context.WithCancel(context.Background())
	p := &Proxy{
		server: o.Server, patience: cmp.Or(o.ConnectTimeout, defaultConnectTimeout), listener: listener, began: time.Now(), ctx: ctx, stop: stop,
		shaper:  NewShaper(o.Source, o.Seed),
		gate:    newGate(),
		buffers: sync.Pool{New: func() any { return new([maxPiece]byte) }},
	}
	p.running.Add(1)
	go p.accept()
	return p, nil
}

// Addr is where a client reaches the server through the link, host:port.
func (p *Proxy) Addr() string { return p.listener.Addr().String() }

// Cut stops all traffic until Restore, on top of what the source says.
func (p *Proxy) Cut() { p.gate.shut() }

// Restore ends a Cut.
func (p *Proxy) Restore() { p.gate.open() }

// Now is what the link is like at this moment; a Cut shows as loss 1.
func (p *Proxy) Now() Conditions {
	p.mu.Lock()
	c := p.shaper.At(p.now())
	p.mu.Unlock()
	if p.gate.shutNow() {
		c.Loss = 1
	}
	return c
}

// Counters are what it carried so far.
func (p *Proxy) Counters() Counters {
	return Counters{
		UpBytes: p.bytes[Up].Load(), DownBytes: p.bytes[Down].Load(),
		Connections: p.connections.Load(), Refused: p.refused.Load(),
	}
}

// Close ends all connections and waits for them.
func (p *Proxy) Close() error {
	p.stop()
	err := p.listener.Close()
	p.running.Wait()
	return err
}

func (p *Proxy) now() time.Duration { return time.Since(p.began) }

func (p *Proxy) accept() {
	defer p.running.Done()
	for {
		conn, err := p.listener.Accept()
		if errors.Is(err, net.ErrClosed) {
			return
		}
		if err != nil { // out of file descriptors, say: leave the system some time
			p.sleepUntil(p.now() + Slot)
			continue
		}
		if p.open.Add(1) > maxConnections {
			p.refuse(conn)
			continue
		}
		p.running.Add(1)
		go func() {
			defer p.running.Done()
			p.connect(conn.(*net.TCPConn))
		}()
	}
}

// refuse resets a connection.
func (p *Proxy) refuse(conn net.Conn) {
	p.refused.Add(1)
	p.open.Add(-1)
	_ = conn.(*net.TCPConn).SetLinger(0) // a reset, not an orderly end
	_ = conn.Close()
}

// connect makes the connection behind the link as a client far away would: after one
// round trip, or not at all.
func (p *Proxy) connect(client *net.TCPConn) {
	ctx, cancel := context.WithTimeout(p.ctx, p.patience)
	defer cancel()
	server, err := p.dial(ctx)
	if err != nil {
		p.refuse(client)
		return
	}
	defer p.open.Add(-1)
	p.connections.Add(1)
	p.carry(client, server)
}

func (p *Proxy) dial(ctx context.Context) (*net.TCPConn, error) {
	for _, d := range []Direction{Up, Down} {
		if err := p.gate.pass(ctx); err != nil {
			return nil, err
		}
		_, arrives := p.send(p.newFlow(d), handshakeBytes)
		if err := p.sleep(ctx, arrives); err != nil {
			return nil, err
		}
	}
	conn, err := new(net.Dialer).DialContext(ctx, "tcp", p.server)
	if err != nil {
		return nil, err
	}
	return conn.(*net.TCPConn), nil
}

func (p *Proxy) newFlow(d Direction) *Flow {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.shaper.Flow(d)
}

// send hands a piece to the link now.
func (p *Proxy) send(f *Flow, n int) (left, arrives time.Duration) {
	p.mu.Lock()
	defer p.mu.Unlock()
	now := p.now()
	p.shaper.Forget(now)
	return f.Send(now, n)
}

// sleep returns at a time of the link, or with the context's error.
func (p *Proxy) sleep(ctx context.Context, until time.Duration) error {
	wait := until - p.now()
	if wait <= 0 {
		return ctx.Err()
	}
	timer := time.NewTimer(wait)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

func (p *Proxy) sleepUntil(until time.Duration) { _ = p.sleep(p.ctx, until) }
