// SPDX-License-Identifier: Apache-2.0

package remote

import (
	"context"
	"fmt"
	"io"
	"net"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// BenchmarkOffloadTask is one caller with a picture of 100 KB over loopback, and in the
// same run the same bytes over a bare TCP connection. Besides the mean (ns/op) it prints
// both medians and their ratio.
//
//	go test ./remote -run '^$' -bench OffloadTask -benchtime 5000x
func BenchmarkOffloadTask(b *testing.B) {
	_, address := serve(b, ServerConfig{})
	client := dialed(b, ClientConfig{Address: address})
	one := task("t")
	one.Payload = make([]byte, 100_000)
	raw := rawTCP(b, len(one.Payload))

	var grpcTimes, rawTimes []time.Duration
	b.SetBytes(int64(len(one.Payload)))
	b.ReportAllocs()
	for b.Loop() {
		start := time.Now()
		_, err := client.Offload(context.Background(), one, nil)
		grpcTimes = append(grpcTimes, time.Since(start))
		require.NoError(b, err)
		b.StopTimer()
		rawTimes = append(rawTimes, raw(one.Payload))
		b.StartTimer()
	}
	ours, bare := median(grpcTimes), median(rawTimes)
	b.ReportMetric(float64(ours.Microseconds()), "p50-µs")
	b.ReportMetric(float64(bare.Microseconds()), "rawTCP-p50-µs")
	b.ReportMetric(float64(ours)/float64(bare), "×rawTCP")
}

func median(times []time.Duration) time.Duration {
	slices.Sort(times)
	return times[len(times)/2]
}

// rawTCP gives a round trip over a bare connection: size bytes there, 100 bytes back.
func rawTCP(b *testing.B, size int) func([]byte) time.Duration {
	b.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(b, err)
	var running sync.WaitGroup
	running.Go(func() {
		conn, err := listener.Accept()
		if err != nil {
			return
		}
		defer conn.Close()
		in, out := make([]byte, size), make([]byte, 100)
		for {
			if _, err := io.ReadFull(conn, in); err != nil {
				return
			}
			if _, err := conn.Write(out); err != nil {
				return
			}
		}
	})
	conn, err := net.Dial("tcp", listener.Addr().String())
	require.NoError(b, err)
	b.Cleanup(func() { _ = conn.Close(); _ = listener.Close(); running.Wait() })
	answer := make([]byte, 100)
	return func(payload []byte) time.Duration {
		start := time.Now()
		_, err := conn.Write(payload)
		if err == nil {
			_, err = io.ReadFull(conn, answer)
		}
		if err != nil {
			b.Error(fmt.Errorf("raw TCP: %w", err))
		}
		return time.Since(start)
	}
}
