// SPDX-License-Identifier: Apache-2.0

package remote_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"edgex-offload/offload"
	"edgex-offload/standalone/emulator"
)

// BenchmarkBulk is what payloads of 100 KB, one behind the other, get of a link, against
// what a bare TCP connection gets of it: the same bytes, over the same seconds of the link,
// in turns. A ratio of 1 is as fast.
//
//	go test ./remote -run '^$' -bench Bulk -benchtime 5x
func BenchmarkBulk(b *testing.B) {
	for _, link := range []struct {
		name   string
		source func(testing.TB) emulator.Source
		length time.Duration // of a transfer, about
	}{
		{"5Mbit-50ms", always(mbit(50*time.Millisecond, 5, 20)), 4 * time.Second},
		{"LAN-100Mbit-2ms", always(mbit(2*time.Millisecond, 100, 100)), time.Second},
		{"300Mbit-30ms", always(mbit(30*time.Millisecond, 300, 300)), 2 * time.Second},
		{"wifi", profile("wifi"), 8 * time.Second},
		{"wifi-d07", recorded("d07_wifi_robot_static.csv"), 8 * time.Second},
		{"lte-d03", recorded("d03_lte_att_2016.csv"), 8 * time.Second},
		{"satellite-d09", recorded("d09_starlink_road.csv"), 8 * time.Second},
	} {
		for _, congestion := range []string{"cubic", "bbr"} {
			b.Run(link.name+"/"+congestion, func(b *testing.B) {
				p := newPlant(b, link.source(b), congestion)
				bare := p.bare(b)
				bytes := int(rateOf(link.source(b)) * link.length.Seconds())
				var ours, theirs []time.Duration
				for b.Loop() {
					p.network.Set(link.source(b))
					theirs = append(theirs, bare(bytes))
					p.network.Set(link.source(b))
					ours = append(ours, p.bulk(b, bytes))
				}
				b.ReportMetric(0, "ns/op")
				b.ReportMetric(float64(bytes)*8/1e6/at(ours, .5).Seconds(), "Mbit/s")
				b.ReportMetric(float64(bytes)*8/1e6/at(theirs, .5).Seconds(), "bare-Mbit/s")
				b.ReportMetric(sum(theirs).Seconds()/sum(ours).Seconds(), "ratio")
			})
		}
	}
}

func always(link steady) func(testing.TB) emulator.Source {
	return func(testing.TB) emulator.Source { return link }
}

func profile(name string) func(testing.TB) emulator.Source {
	return func(tb testing.TB) emulator.Source {
		p, err := emulator.ProfileNamed(name)
		require.NoError(tb, err)
		return p.Start(1)
	}
}

// recorded is a link of the traces beside the repository.
func recorded(name string) func(testing.TB) emulator.Source {
	return func(tb testing.TB) emulator.Source {
		dir, err := os.Getwd()
		require.NoError(tb, err)
		for ; ; dir = filepath.Dir(dir) {
			if _, err := os.Stat(filepath.Join(dir, "go.mod")); err == nil {
				break
			}
		}
		file, err := os.Open(filepath.Join(dir, "..", "shared", "traces", name))
		if errors.Is(err, os.ErrNotExist) {
			tb.Skip(err)
		}
		require.NoError(tb, err)
		defer file.Close()
		trace, err := emulator.ReadTrace(file)
		require.NoError(tb, err)
		return trace.Start()
	}
}

// rateOf is the mean rate of the first half minute towards the server, in bytes per second.
func rateOf(source emulator.Source) float64 {
	const slots = int(30 * time.Second / emulator.Slot)
	total := 0.
	for range slots {
		if c := source.Next(); !c.Out() {
			total += c.UpBps
		}
	}
	return total / float64(slots)
}

// bulk sends so many bytes in payloads, each handed over when the one before was sent, until
// all are answered.
func (p *plant) bulk(tb testing.TB, bytes int) time.Duration {
	start := time.Now()
	var running sync.WaitGroup
	for i := 0; i < bytes; i += payloadBytes {
		next := make(chan struct{})
		running.Go(func() {
			p.send(tb, fmt.Sprint(i), min(payloadBytes, bytes-i), offload.Low, sync.OnceFunc(func() { close(next) }))
		})
		<-next
	}
	running.Wait()
	return time.Since(start)
}

// bare is a connection over the link as TCP makes it. The function that it gives sends so
// many bytes, until one comes back at their end.
func (p *plant) bare(tb testing.TB) func(bytes int) time.Duration {
	listener, err := p.network.Server().Listen(context.Background(), "tcp", ":0")
	require.NoError(tb, err)
	dial := p.network.Client().Dial
	conn, err := dial(context.Background(), "tcp", listener.Addr().String())
	require.NoError(tb, err)
	far, err := listener.Accept()
	require.NoError(tb, err)
	tb.Cleanup(func() { _, _, _ = conn.Close(), far.Close(), listener.Close() })
	return func(bytes int) time.Duration {
		start := time.Now()
		var reading sync.WaitGroup
		reading.Go(func() {
			if _, err := io.CopyN(io.Discard, far, int64(bytes)); err != nil {
				tb.Error(err)
			}
			_, _ = far.Write([]byte{1})
		})
		piece := make([]byte, payloadBytes)
		for left := bytes; left > 0; left -= min(left, payloadBytes) {
			if _, err := conn.Write(piece[:min(left, payloadBytes)]); err != nil {
				tb.Error(err)
				break
			}
		}
		if _, err := io.ReadFull(conn, piece[:1]); err != nil {
			tb.Error(err)
		}
		reading.Wait()
		return time.Since(start)
	}
}

func sum(times []time.Duration) (total time.Duration) {
	for _, t := range times {
		total += t
	}
	return total
}
