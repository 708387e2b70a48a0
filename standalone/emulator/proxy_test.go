// SPDX-License-Identifier: Apache-2.0

package emulator

import (
	"bytes"
	"io"
	"math/rand/v2"
	"net"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// patience bounds a test that would hang, and is never asserted.
const patience = 30 * time.Second

// echo is a server that sends back what it gets, and counts it.
type echo struct {
	net.Listener
	got atomic.Int64
}

func newEcho(t *testing.T) *echo {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	e := &echo{Listener: listener}
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			_, _ = io.Copy(conn, io.TeeReader(conn, e))
			_ = conn.Close()
		}
	}()
	t.Cleanup(func() { _ = listener.Close(); <-ended })
	return e
}

func (e *echo) Write(p []byte) (int, error) { e.got.Add(int64(len(p))); return len(p), nil }

func through(t *testing.T, o Options) *Proxy {
	t.Helper()
	p, err := Listen(o)
	require.NoError(t, err)
	t.Cleanup(func() { assert.NoError(t, p.Close()) })
	return p
}

func dial(t *testing.T, p *Proxy) *net.TCPConn {
	t.Helper()
	conn, err := net.Dial("tcp", p.Addr())
	require.NoError(t, err)
	require.NoError(t, conn.SetDeadline(time.Now().Add(patience)))
	t.Cleanup(func() { _ = conn.Close() })
	return conn.(*net.TCPConn)
}

func fast() Source { return slots(1, Conditions{RTT: ms, UpBps: 1e9, DownBps: 1e9}) }

func TestAllBytesArriveInOrderAndTheEndToo(t *testing.T) {
	p := through(t, Options{Server: newEcho(t).Addr().String(), Source: slots(3, Conditions{RTT: 4 * ms, UpBps: 20e6, DownBps: 10e6, Loss: .001}), Seed: 1})
	conn := dial(t, p)
	sent := make([]byte, 1<<20)
	for i := range sent {
		sent[i] = byte(rand.Uint32())
	}
	go func() {
		_, _ = conn.Write(sent)
		_ = conn.CloseWrite()
	}()
	got, err := io.ReadAll(conn)
	require.NoError(t, err)
	assert.True(t, bytes.Equal(sent, got))
	counters := p.Counters()
	assert.EqualValues(t, len(sent), counters.UpBytes)
	assert.EqualValues(t, len(sent), counters.DownBytes)
	assert.EqualValues(t, 1, counters.Connections)
}

func TestACutHoldsWhatIsThereAndRestoreLetsItGo(t *testing.T) {
	server := newEcho(t)
	p := through(t, Options{Server: server.Addr().String(), Source: fast()})
	conn := dial(t, p)
	answer := make([]byte, 4)
	_, err := conn.Write([]byte("ping"))
	require.NoError(t, err)
	_, err = io.ReadFull(conn, answer)
	require.NoError(t, err)

	p.Cut()
	p.Cut() // twice is once
	assert.True(t, p.Now().Out())
	_, err = conn.Write([]byte("pong"))
	require.NoError(t, err, "the connection stays")
	require.NoError(t, conn.SetReadDeadline(time.Now().Add(100*time.Millisecond)))
	_, err = io.ReadFull(conn, answer)
	require.ErrorContains(t, err, "timeout")
	assert.EqualValues(t, 4, server.got.Load())

	p.Restore()
	assert.False(t, p.Now().Out())
	require.NoError(t, conn.SetReadDeadline(time.Now().Add(patience)))
	_, err = io.ReadFull(conn, answer)
	require.NoError(t, err)
	assert.Equal(t, "pong", string(answer))
}

func TestANewConnectionInAnOutageIsResetAfterAWhile(t *testing.T) {
	p := through(t, Options{Server: newEcho(t).Addr().String(), Source: fast(), ConnectTimeout: 50 * ms})
	p.Cut()
	conn := dial(t, p)
	_, err := conn.Read(make([]byte, 1))
	require.ErrorContains(t, err, "reset")
	assert.Equal(t, Counters{Refused: 1}, p.Counters())
}

func TestAServerThatIsNotThereResetsTheConnection(t *testing.T) {
	server := newEcho(t)
	p := through(t, Options{Server: server.Addr().String(), Source: fast()})
	require.NoError(t, server.Close())
	_, err := dial(t, p).Read(make([]byte, 1))
	require.ErrorContains(t, err, "reset")
}

func TestASenderFeelsTheLinkInsteadOfFillingMemory(t *testing.T) {
	server := newEcho(t)
	p := through(t, Options{Server: server.Addr().String(), Source: fast()})
	conn := dial(t, p)
	p.Cut()
	require.NoError(t, conn.SetWriteDeadline(time.Now().Add(500*time.Millisecond)))
	_, err := io.Copy(conn, io.LimitReader(zeros{}, 1<<30))
	require.ErrorContains(t, err, "timeout", "a gigabyte does not fit in between")
}

type zeros struct{}

func (zeros) Read(p []byte) (int, error) { return len(p), nil }

func TestCloseEndsConnectionsThatStall(t *testing.T) {
	p, err := Listen(Options{Server: newEcho(t).Addr().String(), Source: fast()})
	require.NoError(t, err)
	conn := dial(t, p)
	_, err = conn.Write([]byte("x"))
	require.NoError(t, err)
	_, err = conn.Read(make([]byte, 1))
	require.NoError(t, err)
	p.Cut()
	_, err = conn.Write([]byte("x"))
	require.NoError(t, err)
	require.NoError(t, p.Close())
	_, err = conn.Read(make([]byte, 1))
	require.Error(t, err)
}
