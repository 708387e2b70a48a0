// SPDX-License-Identifier: Apache-2.0

package emulator

import (
	"context"
	"errors"
	"io"
	"net"
	"time"

	"golang.org/x/sync/errgroup"
)

const (
	maxPiece = 16 << 10
	minPiece = segmentBytes
	// pieceTime is how long a piece should take to leave, so that two connections
	// share a slow link evenly.
	pieceTime = 20 * time.Millisecond
	// maxOnTheWay bounds the pieces of one direction that have left and not arrived:
	// with maxPiece, 1 MiB.
	maxOnTheWay = 64
	// early is how long before its time a piece may be followed by the next: timers
	// are not more exact.
	early = 2 * time.Millisecond
	// readBuffer is what the kernel may take in ahead of the link.
	readBuffer = 64 << 10
)

// piece is data on its way.
type piece struct {
	buffer  *[maxPiece]byte
	n       int
	end     bool // of the stream
	arrives time.Duration
}

// carry moves data both ways until both ended or one failed, and closes both.
func (p *Proxy) carry(client, server *net.TCPConn) {
	group, ctx := errgroup.WithContext(p.ctx)
	release := context.AfterFunc(ctx, func() { // frees reads and writes that block
		_ = client.Close()
		_ = server.Close()
	})
	p.oneWay(ctx, group, client, server, Up)
	p.oneWay(ctx, group, server, client, Down)
	// An error here is one side that went away, or the end of the link: nobody's fault.
	_ = group.Wait()
	release()
	_ = client.Close()
	_ = server.Close()
}

func (p *Proxy) oneWay(ctx context.Context, group *errgroup.Group, from, to *net.TCPConn, d Direction) {
	_ = from.SetReadBuffer(readBuffer) // best effort: without it more waits in the kernel
	pieces := make(chan piece, maxOnTheWay)
	group.Go(func() error {
		defer close(pieces)
		return p.transmit(ctx, from, pieces, d)
	})
	group.Go(func() error { return p.receive(ctx, pieces, to, d) })
}

// transmit reads pieces and hands each to the link when the one before has left.
func (p *Proxy) transmit(ctx context.Context, from *net.TCPConn, pieces chan<- piece, d Direction) error {
	flow := p.newFlow(d)
	for {
		buffer := p.buffers.Get().(*[maxPiece]byte)
		n, err := from.Read(buffer[:p.pieceSize(d)])
		end := errors.Is(err, io.EOF)
		if err != nil && !end {
			return err
		}
		if err := p.gate.pass(ctx); err != nil {
			return err
		}
		left, arrives := p.send(flow, n)
		select {
		case pieces <- piece{buffer: buffer, n: n, end: end, arrives: arrives}:
		case <-ctx.Done():
			return ctx.Err()
		}
		if end {
			return nil
		}
		if err := p.sleep(ctx, left-early); err != nil {
			return err
		}
	}
}

// receive writes each piece when it arrives.
func (p *Proxy) receive(ctx context.Context, pieces <-chan piece, to *net.TCPConn, d Direction) error {
	for next := range pieces {
		if err := p.sleep(ctx, next.arrives); err != nil {
			return err
		}
		if err := p.gate.pass(ctx); err != nil {
			return err
		}
		if _, err := to.Write(next.buffer[:next.n]); err != nil {
			return err
		}
		p.bytes[d].Add(int64(next.n))
		p.buffers.Put(next.buffer)
		if next.end {
			return to.CloseWrite()
		}
	}
	return nil
}

// pieceSize is what leaves in pieceTime at the present rate.
func (p *Proxy) pieceSize(d Direction) int {
	p.mu.Lock()
	rate := p.shaper.At(p.now()).rate(d)
	p.mu.Unlock()
	return int(min(max(rate*pieceTime.Seconds(), minPiece), maxPiece))
}
