// SPDX-License-Identifier: Apache-2.0

package oip

import (
	"context"
	"net"
	"sync"
	"sync/atomic"
	"time"
)

// line is the TCP connection under gRPC's. A host that vanished without a word leaves one
// that TCP holds on to for minutes; a check that heard nothing at all on it ends it, so that
// gRPC makes a new one. (Pings of HTTP/2 would do that too, but servers with gRPC's defaults,
// as Triton, end a connection that pings more often than every five minutes.)
type line struct {
	dialer net.Dialer

	mu   sync.Mutex
	conn *heard // the last one
}

func newLine(timeout time.Duration) *line {
	return &line{dialer: net.Dialer{Timeout: timeout}}
}

func (l *line) dial(ctx context.Context, address string) (net.Conn, error) {
	conn, err := l.dialer.DialContext(ctx, "tcp", address)
	if err != nil {
		return nil, err
	}
	h := &heard{Conn: conn}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.conn = h
	return h, nil
}

// listen returns a function that ends the connection if nothing was read from it since.
func (l *line) listen() (endIfSilent func()) {
	l.mu.Lock()
	defer l.mu.Unlock()
	h := l.conn
	if h == nil {
		return func() {}
	}
	reads := h.reads.Load()
	return func() {
		if h.reads.Load() == reads {
			_ = h.Close() // gRPC sees it and connects again
		}
	}
}

// heard counts what is read from a connection.
type heard struct {
	net.Conn
	reads atomic.Uint64
}

func (h *heard) Read(b []byte) (int, error) {
	n, err := h.Conn.Read(b)
	if n > 0 {
		h.reads.Add(1)
	}
	return n, err
}
