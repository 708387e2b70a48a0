// SPDX-License-Identifier: Apache-2.0

package linkcheck

import (
	"context"
	"encoding/binary"
	"fmt"
	"net"
	"sync"
	"time"

	"edgex-offload/standalone/emulator/tun"
	"edgex-offload/twin"
)

// pingEvery is how often systems of today measure, pingBytes what ping sends.
const (
	pingEvery = time.Second
	pingBytes = 64
)

// pinger measures the link as is usual: one small datagram a second there and back. It
// knows nothing of the system that is checked.
type pinger struct {
	echo  net.PacketConn
	conn  net.Conn
	began time.Time
	work  sync.WaitGroup
	stop  context.CancelFunc

	mu    sync.Mutex
	pings twin.Pings
}

func startPinger(ctx context.Context, network *tun.Network) (*pinger, error) {
	echo, err := network.Server().ListenPacket(ctx, "udp", ":0")
	if err != nil {
		return nil, fmt.Errorf("echo: %w", err)
	}
	conn, err := network.Client().Dial(ctx, "udp", echo.LocalAddr().String())
	if err != nil {
		_ = echo.Close()
		return nil, fmt.Errorf("ping: %w", err)
	}
	ctx, stop := context.WithCancel(context.WithoutCancel(ctx))
	p := &pinger{echo: echo, conn: conn, began: time.Now(), stop: stop}
	p.work.Go(p.answer)
	p.work.Go(p.hear)
	p.work.Go(func() { p.send(ctx) })
	return p, nil
}

// answer sends back what comes until the socket is closed.
func (p *pinger) answer() {
	var b [pingBytes]byte
	for {
		n, from, err := p.echo.ReadFrom(b[:])
		if err != nil {
			return
		}
		_, _ = p.echo.WriteTo(b[:n], from) // what cannot be sent is lost
	}
}

// send sends the time once a second, the first at once.
func (p *pinger) send(ctx context.Context) {
	tick := time.NewTicker(pingEvery)
	defer tick.Stop()
	for {
		var b [pingBytes]byte
		binary.BigEndian.PutUint64(b[:], uint64(time.Since(p.began)))
		_, _ = p.conn.Write(b[:])
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
	}
}

// hear takes what comes back until the socket is closed.
func (p *pinger) hear() {
	var b [pingBytes]byte
	for {
		if _, err := p.conn.Read(b[:]); err != nil {
			return
		}
		trip := time.Since(p.began) - time.Duration(binary.BigEndian.Uint64(b[:]))
		p.mu.Lock()
		p.pings.Add(trip.Seconds())
		p.mu.Unlock()
	}
}

// known is mean and deviation in seconds.
func (p *pinger) known() (mean, deviation float64) {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.pings.MeanAndDeviation()
}

func (p *pinger) close() {
	p.stop()
	_ = p.conn.Close()
	_ = p.echo.Close()
	p.work.Wait()
}
