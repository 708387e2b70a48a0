// SPDX-License-Identifier: Apache-2.0

//go:build linux

package tun

import (
	"context"
	"encoding/binary"
	"io"
	"net"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/sync/errgroup"

	"edgex-offload/standalone/emulator"
)

// ping sends a small datagram there and back and returns how long it took.
func ping(t testing.TB, conn net.Conn) time.Duration {
	t.Helper()
	buffer := make([]byte, 64)
	began := time.Now()
	_, err := conn.Write(buffer)
	require.NoError(t, err)
	_, err = conn.Read(buffer)
	require.NoError(t, err)
	return time.Since(began)
}

// within is how far the best of several measurements may be off on a busy machine.
const within = 20 * ms

func TestRoundTrip(t *testing.T) {
	const rtt = 40 * ms
	conn := echoed(t, start(t, Options{Source: steady{RTT: rtt, UpBps: 1e7, DownBps: 1e7}}))
	best := time.Hour
	for range 10 {
		took := ping(t, conn)
		require.GreaterOrEqual(t, took, rtt, "never early")
		best = min(best, took)
	}
	assert.Less(t, best, rtt+within)
}

// TestReplay pings over a recorded link, and holds each round trip to the truth of the
// slots it went through.
func TestReplay(t *testing.T) {
	file, err := os.Open(shared(t, "traces/d04_5g_n78_urban.csv"))
	require.NoError(t, err)
	defer func() { _ = file.Close() }()
	trace, err := emulator.ReadTrace(file)
	require.NoError(t, err)
	n := start(t, Options{Source: trace.Start()})
	conn := echoed(t, n)
	var off []time.Duration
	for n.Elapsed() < 2*time.Second {
		began := n.Elapsed()
		took := ping(t, conn)
		least := n.At(began + took).RTT
		for at := began; at < began+took; at += emulator.Slot / 2 {
			least = min(least, n.At(at).RTT)
		}
		require.GreaterOrEqual(t, took, least)
		off = append(off, took-least)
	}
	for slot := range 40 {
		assert.Equal(t, trace.Slots[slot], n.At(time.Duration(slot)*emulator.Slot))
	}
	assert.Less(t, slices.Min(off), within)
}

// shared finds data that is not part of the project, and skips without it.
func shared(t testing.TB, name string) string {
	t.Helper()
	folder, err := os.Getwd()
	require.NoError(t, err)
	for !exists(filepath.Join(folder, "go.mod")) {
		require.NotEqual(t, folder, filepath.Dir(folder), "go.mod")
		folder = filepath.Dir(folder)
	}
	path := filepath.Join(folder, "..", "shared", name)
	if !exists(path) {
		t.Skipf("no ../shared/%s", name)
	}
	return path
}

func exists(path string) bool { _, err := os.Stat(path); return err == nil }

// TestBulk sends TCP data through a slow link. It cannot be faster than the rate, and
// congestion control fills it.
func TestBulk(t *testing.T) {
	const rate, size = 1e6, 600_000
	for _, congestion := range []string{"cubic", "reno"} {
		t.Run(congestion, func(t *testing.T) {
			n := start(t, Options{Source: steady{RTT: 20 * ms, UpBps: rate, DownBps: rate}, CongestionControl: congestion})
			from, to := connected(t, n)
			began := n.Elapsed()
			var group errgroup.Group
			group.Go(func() error {
				_, err := from.Write(make([]byte, size))
				return err
			})
			_, err := io.ReadFull(to, make([]byte, size))
			took := n.Elapsed() - began
			require.NoError(t, err)
			require.NoError(t, group.Wait())
			goodput := size / took.Seconds()
			assert.Less(t, goodput, rate)
			assert.Greater(t, goodput, rate/3, "of a rate of %g", rate)
			for _, c := range n.Counters() {
				assert.Zero(t, c.Dropped[Oversize]+c.Dropped[NotIPv4]+c.Dropped[Refused])
			}
		})
	}
}

// numbered sends numbered datagrams up and returns a function that receives one.
func numbered(t testing.TB, n *Network) (send func(int), receive func() int) {
	t.Helper()
	server, err := n.Server().ListenPacket(t.Context(), "udp", ":0")
	require.NoError(t, err)
	t.Cleanup(func() { _ = server.Close() })
	require.NoError(t, server.SetReadDeadline(time.Now().Add(patience)))
	conn, err := n.Client().Dial(t.Context(), "udp", server.LocalAddr().String())
	require.NoError(t, err)
	t.Cleanup(func() { _ = conn.Close() })
	buffer := make([]byte, datagram)
	send = func(i int) {
		binary.BigEndian.PutUint32(buffer, uint32(i))
		_, err := conn.Write(buffer)
		require.NoError(t, err)
	}
	receive = func() int {
		_, _, err := server.ReadFrom(buffer)
		require.NoError(t, err)
		return int(binary.BigEndian.Uint32(buffer))
	}
	return send, receive
}

const (
	datagram = 72
	headers  = 28 // of IPv4 and UDP
)

// eventually waits until the link's counters are as they must become.
func eventually(t testing.TB, n *Network, become func(up Counters) bool) {
	t.Helper()
	require.Eventually(t, func() bool { return become(n.Counters()[up]) }, patience, ms)
}

func TestLossIsThatOfTheSchedule(t *testing.T) {
	const packets, loss, seed = 200, .2, 7
	n := start(t, Options{Source: steady{RTT: ms, UpBps: 1e9, DownBps: 1e9, Loss: loss}, Seed: seed})
	send, receive := numbered(t, n)
	lost := lostOf(seed, packets, loss)
	for i := range packets {
		send(i)
	}
	for i := range packets {
		if !slices.Contains(lost, i) {
			require.Equal(t, i, receive())
		}
	}
	got := n.Counters()[up]
	assert.EqualValues(t, packets, got.CamePackets)
	assert.EqualValues(t, packets*(datagram+headers), got.CameBytes)
	assert.EqualValues(t, len(lost), got.Dropped[Lost])
}

func TestOutage(t *testing.T) {
	for name, hold := range map[string]bool{"drops": false, "holds": true} {
		t.Run(name, func(t *testing.T) {
			const packets = 5
			n := start(t, Options{Source: steady{RTT: 2 * ms, UpBps: 1e6, DownBps: 1e6}, HoldOutages: hold})
			send, receive := numbered(t, n)
			at := n.Cut()
			require.Eventually(t, func() bool { return n.Now().Out() }, patience, ms)
			assert.GreaterOrEqual(t, n.Elapsed(), at)
			assert.False(t, n.At(at-1).Out())
			for i := range packets {
				send(i)
			}
			if hold {
				eventually(t, n, func(up Counters) bool { return up.WaitingPackets == packets })
			} else {
				eventually(t, n, func(up Counters) bool { return up.Dropped[Outage] == packets })
			}
			n.Restore()
			require.Eventually(t, func() bool { return !n.Now().Out() }, patience, ms)
			send(packets)
			for i := range packets + 1 {
				if hold || i == packets {
					assert.Equal(t, i, receive())
				}
			}
		})
	}
}

func TestFullQueueDrops(t *testing.T) {
	n := start(t, Options{Source: steady{}, QueueBytes: 20 * (datagram + headers)})
	send, receive := numbered(t, n)
	for i := range 30 {
		send(i)
	}
	eventually(t, n, func(up Counters) bool { return up.WaitingPackets == 20 && up.Dropped[QueueFull] == 10 })
	n.Set(steady{UpBps: 1e6})
	for i := range 20 {
		assert.Equal(t, i, receive())
	}
}

func TestReordering(t *testing.T) {
	const packets = 200
	n := start(t, Options{Source: steady{RTT: ms, UpBps: 1e9}, Reorder: .1, ReorderDelay: 200 * ms})
	send, receive := numbered(t, n)
	for i := range packets {
		send(i)
	}
	var got []int
	for range packets {
		got = append(got, receive())
	}
	assert.NotZero(t, n.Counters()[up].Reordered)
	assert.False(t, slices.IsSorted(got))
	slices.Sort(got)
	assert.Len(t, slices.Compact(got), packets, "each once")
}

func TestCongestionControl(t *testing.T) {
	from, to := connected(t, start(t, Options{Source: steady{UpBps: 1e6, DownBps: 1e6}, CongestionControl: "cubic"}))
	for _, conn := range []net.Conn{from, to} {
		assert.Equal(t, "cubic", congestionOf(t, conn))
	}
	_, err := New(Options{Source: steady{}, CongestionControl: "none"})
	assert.ErrorContains(t, err, `CongestionControl: "none": allowed is`)
}

func TestProcess(t *testing.T) {
	n := start(t, Options{Source: steady{}})
	for _, end := range []*Namespace{n.Client(), n.Server()} {
		inside, err := os.Readlink(end.Path())
		require.NoError(t, err)
		assert.Equal(t, inside, namespaceOfProcess(t, end))
		home, err := os.Readlink("/proc/thread-self/ns/net")
		require.NoError(t, err)
		assert.NotEqual(t, inside, home)
	}
}

func TestAddressesAreChecked(t *testing.T) {
	n := start(t, Options{Source: steady{}})
	ctx := t.Context()
	for address, want := range map[string]string{
		"localhost:1":       `host: "localhost": allowed is an IPv4 address`,
		"[::1]:1":           `host: "::1": allowed is an IPv4 address`,
		"192.0.2.2:http":    `port: "http": allowed is 0 to 65535`,
		"192.0.2.2:65536":   `port: "65536": allowed is 0 to 65535`,
		"192.0.2.2":         "missing port",
		"192.0.2.2:1:2":     "too many colons",
		"192.0.2.2%eth0:80": "allowed is an IPv4 address",
	} {
		_, err := n.Client().Dial(ctx, "tcp", address)
		require.ErrorContains(t, err, want, address)
		_, err = n.Client().Listen(ctx, "tcp", address)
		require.ErrorContains(t, err, want, address)
		_, err = n.Client().ListenPacket(ctx, "udp", address)
		require.ErrorContains(t, err, want, address)
	}
}

func TestDialEndsWithItsContext(t *testing.T) {
	n := start(t, Options{Source: steady{}}) // nothing gets through
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error)
	go func() {
		_, err := n.Client().Dial(ctx, "tcp", n.Server().Address()+":1")
		ended <- err
	}()
	eventually(t, n, func(up Counters) bool { return up.CamePackets > 0 })
	cancel()
	assert.ErrorContains(t, <-ended, "cancel")
}

// TestCloseLeavesNothing: no goroutine, no device, no namespace.
func TestCloseLeavesNothing(t *testing.T) {
	n := start(t, Options{Source: steady{RTT: ms, UpBps: 1e6, DownBps: 1e6}})
	ends := []*Namespace{n.Client(), n.Server()}
	var files []*os.File // keep the namespaces, to look into them
	var names []string
	for _, end := range ends {
		file, err := os.Open(end.Path())
		require.NoError(t, err)
		files = append(files, file)
		name, err := os.Readlink(end.Path())
		require.NoError(t, err)
		names = append(names, name)
		require.Equal(t, []string{"lo", deviceName}, devices(t, file))
	}
	runtime.GC() // visits the threads
	require.NoError(t, n.Close())
	require.NoError(t, n.Close(), "more than once")
	for i, end := range ends {
		assert.Equal(t, []string{"lo"}, devices(t, files[i]))
		require.NoError(t, files[i].Close())
		assert.Empty(t, end.Path())
		require.ErrorIs(t, end.Do(func() error { panic("in a closed namespace") }), ErrClosed)
		_, err := end.Dial(t.Context(), "tcp", "192.0.2.2:1")
		require.ErrorIs(t, err, ErrClosed)
	}
	for _, link := range links(t, "/proc/self/fd/*", "/proc/self/task/*/ns/net") {
		assert.NotContains(t, names, link)
	}
}

func TestManyNetworksLeaveNoFile(t *testing.T) {
	open := func() int { return len(links(t, "/proc/self/fd/*")) }
	start(t, Options{Source: steady{}}) // what the runtime opens once
	before := open()
	for range 10 {
		n, err := New(Options{Source: steady{}})
		require.NoError(t, err)
		require.NoError(t, n.Client().Do(func() error { return nil }))
		n.Counters()
		require.NoError(t, n.Close())
	}
	assert.Equal(t, before, open())
}

// links are what the symbolic links of patterns lead to; those that vanish are passed by.
func links(t testing.TB, patterns ...string) (to []string) {
	t.Helper()
	for _, pattern := range patterns {
		paths, err := filepath.Glob(pattern)
		require.NoError(t, err)
		for _, path := range paths {
			if link, err := os.Readlink(path); err == nil {
				to = append(to, link)
			}
		}
	}
	return to
}

func TestNetworksDoNotMeet(t *testing.T) {
	var conns []net.Conn
	for i := range 5 {
		rtt := time.Duration(i) * 10 * ms
		conns = append(conns, echoed(t, start(t, Options{Source: steady{RTT: rtt, UpBps: 1e6, DownBps: 1e6}})))
	}
	for range 5 {
		for i, conn := range conns {
			assert.GreaterOrEqual(t, ping(t, conn), time.Duration(i)*10*ms)
		}
	}
}

func TestAvailableSaysWhatIsMissing(t *testing.T) {
	if err := Available(); err != nil {
		assert.True(t, strings.HasPrefix(err.Error(), "tun: "), err)
	}
}
