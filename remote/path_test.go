// SPDX-License-Identifier: Apache-2.0

package remote

import (
	"context"
	"net"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

type closeCounter struct {
	net.Conn
	closed int
}

func (c *closeCounter) Close() error { c.closed++; return nil }

func TestSilentConnectionIsGivenUp(t *testing.T) {
	const deadAfter = 4 * time.Second
	start := time.Unix(1000, 0)
	at := func(seconds int) time.Time { return start.Add(time.Duration(seconds) * time.Second) }
	fresh := func() (*path, *closeCounter) {
		conn := &closeCounter{}
		return &path{current: &liveConn{Conn: conn}}, conn
	}

	l, conn := fresh()
	for s := range 4 { // a probe each second, lost a second later: 0…4 s of silence
		l.lost(at(s), at(s+1), deadAfter)
		assert.Equal(t, s == 3, conn.closed == 1, "after %d s", s+1)
	}
	l.lost(at(5), at(60), deadAfter)
	assert.Equal(t, 1, conn.closed, "there is none any more")

	l, conn = fresh()
	for s := range 20 {
		l.lost(at(s), at(s+1), deadAfter)
		l.answered() // late, but it came
	}
	assert.Zero(t, conn.closed, "a slow link lives")

	l, conn = fresh()
	for s := range 20 {
		l.current.lastRead.Store(at(s).UnixNano()) // other calls are answered
		l.lost(at(s), at(s+1), deadAfter)
	}
	assert.Zero(t, conn.closed, "a link that carries something lives")
}

// tunnel stands between client and server. It can swallow what it is given, as a
// middlebox that forgot a connection does.
type tunnel struct {
	address string
	deaf    atomic.Bool // swallow, on connections that were made before
	opened  atomic.Int32
}

func newTunnel(t *testing.T, to string) *tunnel {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	tun := &tunnel{address: listener.Addr().String()}
	ctx, stop := context.WithCancel(context.Background())
	var running sync.WaitGroup
	running.Go(func() {
		for {
			near, err := listener.Accept()
			if err != nil {
				return
			}
			far, err := net.Dial("tcp", to)
			if err != nil {
				_ = near.Close()
				continue
			}
			context.AfterFunc(ctx, func() { _ = near.Close(); _ = far.Close() })
			mine := tun.opened.Add(1)
			pump := func(dst, src net.Conn) {
				defer dst.Close()
				buffer := make([]byte, 4096)
				for {
					n, err := src.Read(buffer)
					if err != nil {
						return
					}
					if tun.deaf.Load() && mine == 1 {
						continue
					}
					if _, err := dst.Write(buffer[:n]); err != nil {
						return
					}
				}
			}
			running.Go(func() { pump(near, far) })
			running.Go(func() { pump(far, near) })
		}
	})
	t.Cleanup(func() { stop(); _ = listener.Close(); running.Wait() })
	return tun
}

func TestDeadConnectionIsReplacedByProbing(t *testing.T) {
	_, address := serve(t, ServerConfig{})
	tun := newTunnel(t, address)
	client := dialed(t, ClientConfig{Address: tun.address, DeadAfter: 100 * time.Millisecond, ReconnectMin: 10 * time.Millisecond})
	_, err := client.Probe(soon(t))
	require.NoError(t, err)
	tun.deaf.Store(true)
	require.Eventually(t, func() bool {
		ctx, cancel := context.WithTimeout(context.Background(), 20*time.Millisecond)
		defer cancel()
		_, err := client.Probe(ctx)
		return err == nil
	}, 20*time.Second, time.Millisecond)
	assert.EqualValues(t, 2, tun.opened.Load(), "over a connection of its own")
	_, err = client.Offload(soon(t), task("t"), nil)
	require.NoError(t, err)
}
