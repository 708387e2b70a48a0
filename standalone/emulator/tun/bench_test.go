// SPDX-License-Identifier: Apache-2.0

//go:build linux

package tun

import (
	"context"
	"encoding/binary"
	"io"
	"math"
	"net"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"golang.org/x/sync/errgroup"
	"golang.org/x/sys/unix"
)

// BenchmarkDelay measures what the emulation adds to a delay of 5 ms, up to the time at
// which the kernel has the packet: when the receiver wakes is not the link's matter.
func BenchmarkDelay(b *testing.B) {
	const delay = 5 * ms
	n := start(b, Options{Source: steady{RTT: 2 * delay, UpBps: math.Inf(1)}})
	server, err := n.Server().ListenPacket(b.Context(), "udp", ":0")
	require.NoError(b, err)
	defer func() { _ = server.Close() }()
	conn, err := n.Client().Dial(b.Context(), "udp", server.LocalAddr().String())
	require.NoError(b, err)
	defer func() { _ = conn.Close() }()
	arrived := stamped(b, server.(*net.UDPConn))
	added := make([]time.Duration, 0, b.N)
	for b.Loop() {
		began := time.Now().UnixNano()
		_, err := conn.Write(make([]byte, 64))
		require.NoError(b, err)
		added = append(added, time.Duration(arrived()-began)-delay)
	}
	slices.Sort(added)
	late := n.Counters()[up].Late
	for name, q := range map[string]float64{"p50": .5, "p99": .99} {
		b.ReportMetric(float64(added[int(q*float64(len(added)-1))].Microseconds()), name+"-added-us")
		b.ReportMetric(float64(late.Quantile(q).Microseconds()), name+"-late-us")
	}
}

// stamped returns a function that receives a datagram and tells when the kernel had it,
// in nanoseconds of Unix time.
func stamped(t testing.TB, conn *net.UDPConn) (receive func() int64) {
	t.Helper()
	raw, err := conn.SyscallConn()
	require.NoError(t, err)
	var failed error
	require.NoError(t, raw.Control(func(fd uintptr) {
		failed = unix.SetsockoptInt(int(fd), unix.SOL_SOCKET, unix.SO_TIMESTAMPNS, 1)
	}))
	require.NoError(t, failed)
	buffer, control := make([]byte, MTU), make([]byte, unix.CmsgSpace(16))
	return func() int64 {
		_, k, _, _, err := conn.ReadMsgUDP(buffer, control)
		require.NoError(t, err)
		messages, err := unix.ParseSocketControlMessage(control[:k])
		require.NoError(t, err)
		require.Len(t, messages, 1)
		data := messages[0].Data // seconds and nanoseconds
		return int64(binary.NativeEndian.Uint64(data))*int64(time.Second) + int64(binary.NativeEndian.Uint64(data[8:]))
	}
}

// echoed is a connection to a server on the other side that sends datagrams back.
func echoed(t testing.TB, n *Network) net.Conn {
	t.Helper()
	ctx := t.Context()
	server, err := n.Server().ListenPacket(ctx, "udp", ":0")
	require.NoError(t, err)
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		buffer := make([]byte, 2*MTU)
		for {
			k, from, err := server.ReadFrom(buffer)
			if err != nil {
				return
			}
			_, _ = server.WriteTo(buffer[:k], from)
		}
	}()
	t.Cleanup(func() { _ = server.Close(); <-ended })
	conn, err := n.Client().Dial(ctx, "udp", server.LocalAddr().String())
	require.NoError(t, err)
	t.Cleanup(func() { _ = conn.Close() })
	require.NoError(t, conn.SetDeadline(time.Now().Add(patience)))
	return conn
}

// BenchmarkBulk carries TCP data as fast as it goes, 1 MiB an operation.
func BenchmarkBulk(b *testing.B) {
	const size = 1 << 20
	n := start(b, Options{Source: steady{RTT: ms, UpBps: 1e9, DownBps: 1e9}, QueueBytes: 4 << 20, CongestionControl: "cubic"})
	from, to := connected(b, n)
	data := make([]byte, size)
	var group errgroup.Group
	group.Go(func() error { _, err := io.Copy(io.Discard, to); return err })
	b.SetBytes(size)
	before := cpuTime(b)
	for b.Loop() {
		_, err := from.Write(data)
		require.NoError(b, err)
	}
	require.NoError(b, from.Close())
	require.NoError(b, group.Wait())
	spent := cpuTime(b) - before
	c := n.Counters()
	packets := float64(c[0].ArrivedPackets + c[1].ArrivedPackets)
	b.ReportMetric(packets/b.Elapsed().Seconds(), "packets/s")
	b.ReportMetric(float64(spent.Nanoseconds())/packets, "cpu-ns/packet")
	b.ReportMetric(float64(c[0].Late.Quantile(.99).Microseconds()), "p99-late-us")
}

// connected is a TCP connection from the client to the server.
func connected(t testing.TB, n *Network) (from, to net.Conn) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	listener, err := n.Server().Listen(ctx, "tcp", ":0")
	require.NoError(t, err)
	defer func() { _ = listener.Close() }()
	from, err = n.Client().Dial(ctx, "tcp", listener.Addr().String())
	require.NoError(t, err)
	t.Cleanup(func() { _ = from.Close() })
	to, err = listener.Accept()
	require.NoError(t, err)
	t.Cleanup(func() { _ = to.Close() })
	return from, to
}

// cpuTime is what this process has used.
func cpuTime(t testing.TB) time.Duration {
	t.Helper()
	var used unix.Rusage
	require.NoError(t, unix.Getrusage(unix.RUSAGE_SELF, &used))
	return time.Duration(used.Utime.Nano() + used.Stime.Nano())
}
