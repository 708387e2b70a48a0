// SPDX-License-Identifier: Apache-2.0

package remote

import (
	"context"
	"net"
	"os"
	"runtime"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// breaking is a listener whose connections can all be broken.
type breaking struct {
	net.Listener
	last atomic.Pointer[net.Conn]
}

func (b *breaking) Accept() (net.Conn, error) {
	conn, err := b.Listener.Accept()
	if err == nil {
		b.last.Store(&conn)
	}
	return conn, err
}

func (b *breaking) breakOff() {
	if conn := b.last.Swap(nil); conn != nil {
		_ = (*conn).Close()
	}
}

// After a thousand connections that the server broke, each with a payload on its way,
// nothing of them is left.
func TestThousandReconnectsLeaveNothing(t *testing.T) {
	const rounds, warm = 1000, 20
	server, err := NewServer(ServerConfig{Models: modelFunc(good), Workers: 8})
	require.NoError(t, err)
	tcp, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	require.NoError(t, err)
	listener := &breaking{Listener: tcp}
	ended := make(chan error, 1)
	go func() { ended <- server.Serve(listener) }()
	t.Cleanup(func() { _ = server.Stop(cancelled()); require.NoError(t, <-ended) })
	client := dialed(t, ClientConfig{Address: tcp.Addr().String(), ReconnectMin: 10 * time.Millisecond, ReconnectMax: 10 * time.Millisecond})

	payload := make([]byte, 1<<20)
	var before state
	for round := range rounds {
		if round == warm {
			before = settled(t)
		}
		one := task("t")
		one.Payload = payload
		// Broken off when the payload is in the socket, before the answer, or after it.
		_, err := client.Offload(soon(t), one, listener.breakOff)
		listener.breakOff()
		assert.Contains(t, []Class{0, Unreachable}, ClassOf(err), "%v", err)
		require.Eventually(t, func() bool { return client.Connections() > uint64(round+1) }, 20*time.Second, 100*time.Microsecond)
		require.NoError(t, client.WaitReady(soon(t)))
	}
	after := settled(t)
	assert.LessOrEqual(t, after.goroutines, before.goroutines)
	assert.LessOrEqual(t, after.files, before.files)
	assert.Less(t, after.heap, before.heap+rounds*(4<<10), "bytes: not 4 KiB are kept of a connection")
	assert.Empty(t, client.path.outbox.all)
	require.NoError(t, client.Close())
}

// state is what could be left.
type state struct {
	goroutines, files int
	heap              uint64
}

// current is the state after the garbage was collected.
func current(t *testing.T) state {
	t.Helper()
	runtime.GC()
	var memory runtime.MemStats
	runtime.ReadMemStats(&memory)
	return state{goroutines: runtime.NumGoroutine(), files: openFiles(t), heap: memory.HeapAlloc}
}

// settled is the state when what ended has gone: the same several times in a row.
func settled(t *testing.T) state {
	t.Helper()
	last, same := state{}, 0
	require.Eventually(t, func() bool {
		now := current(t)
		if same++; now.goroutines != last.goroutines || now.files != last.files {
			same = 0
		}
		last = now
		return same == 5
	}, 20*time.Second, 10*time.Millisecond)
	return last
}

// openFiles is 0 where the system does not tell.
func openFiles(t *testing.T) int {
	t.Helper()
	files, err := os.ReadDir("/proc/self/fd")
	if os.IsNotExist(err) {
		return 0
	}
	require.NoError(t, err)
	return len(files)
}

// Close, in whatever moment, ends what was started and every call with it.
func TestCloseInTheMidstOfAll(t *testing.T) {
	_, address := serve(t, ServerConfig{Workers: 4, QueueLimit: 100})
	for round := range 50 {
		client := newClient(t, ClientConfig{Address: address, ReconnectMin: 10 * time.Millisecond})
		if round%5 != 0 { // else while it connects
			require.NoError(t, client.WaitReady(soon(t)))
		}
		ended := make(chan struct{})
		const calls = 12
		for i := range calls {
			go func() {
				one := task("t")
				one.Payload = make([]byte, 1<<20)
				switch i % 3 {
				case 0:
					_, _ = client.ProbeTrain(context.Background(), MaxTrain, MaxTrain)
				case 1:
					_, _ = client.Probe(context.Background())
				default:
					_, _ = client.Offload(context.Background(), one, nil)
				}
				ended <- struct{}{}
			}()
		}
		for range round % calls {
			<-ended
		}
		require.NoError(t, client.Close())
		for range calls - round%calls {
			<-ended
		}
		assert.False(t, client.Socket().Known())
	}
}
