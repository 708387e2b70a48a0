// SPDX-License-Identifier: Apache-2.0

package remote

import (
	"context"
	"net"
	"sync/atomic"
	"time"

	"edgex-offload/offload/link"
)

// liveConn is a connection that remembers when something was read from it last and whose
// kernel can be asked.
type liveConn struct {
	net.Conn
	number   uint64 // of this target's connections, from 1
	kernel   kernel
	lastRead atomic.Int64 // Unix nanoseconds
}

func (l *liveConn) Read(b []byte) (int, error) {
	n, err := l.Conn.Read(b)
	if n > 0 {
		l.lastRead.Store(time.Now().UnixNano())
	}
	return n, err
}

// dial connects for gRPC and keeps the connection in sight.
func (c *Client) dial(ctx context.Context, address string) (net.Conn, error) {
	ctx, cancel := context.WithTimeout(ctx, c.config.ConnectTimeout)
	defer cancel()
	conn, err := connect(ctx, c.config.Dial, address)
	if err != nil {
		return nil, err
	}
	live := &liveConn{Conn: conn, number: c.path.connections.Add(1)}
	live.kernel.attach(conn)
	live.kernel.tune(c.config.DeadAfter, c.config.Congestion)
	c.path.mu.Lock()
	defer c.path.mu.Unlock()
	if c.path.closed {
		_ = conn.Close()
		return nil, net.ErrClosed
	}
	c.path.current = live
	c.path.silentSince = time.Time{}
	return live, nil
}

// socket is what the kernel says of the current connection.
func (p *path) socket() link.Socket {
	p.mu.Lock()
	conn := p.current
	p.mu.Unlock()
	if conn == nil {
		return link.Socket{}
	}
	s, ok := conn.kernel.socket()
	if !ok {
		return link.Socket{}
	}
	s.Connection = conn.number
	return s
}
