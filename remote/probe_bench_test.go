// SPDX-License-Identifier: Apache-2.0

package remote_test

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"edgex-offload/standalone/emulator"
)

// BenchmarkTrain is what trains of 14 KB say of a link that is known, idle before each.
//
//	go test ./remote -run '^$' -bench Train -benchtime 15x
func BenchmarkTrain(b *testing.B) {
	for _, link := range []struct {
		name     string
		rtt      time.Duration
		up, down float64
	}{
		{"1-2Mbit-80ms", 80 * time.Millisecond, 1, 2},
		{"5-20Mbit-50ms", 50 * time.Millisecond, 5, 20},
		{"20-50Mbit-20ms", 20 * time.Millisecond, 20, 50},
	} {
		b.Run(link.name, func(b *testing.B) {
			p := newPlant(b, mbit(link.rtt, link.up, link.down), "")
			var up, down []time.Duration // for 1 MB
			atLeast := 0
			for b.Loop() {
				r, err := p.client.ProbeTrain(context.Background(), 14_000, 14_000)
				require.NoError(b, err)
				up = append(up, r.UpSpread*1e6/time.Duration(r.Up))
				down = append(down, r.DownSpread*1e6/time.Duration(r.Down))
				if r.UpAtLeast || r.DownAtLeast {
					atLeast++
				}
			}
			b.ReportMetric(0, "ns/op")
			b.ReportMetric(8/at(up, .5).Seconds(), "up-Mbit/s")
			b.ReportMetric(8/at(down, .5).Seconds(), "down-Mbit/s")
			b.ReportMetric(float64(atLeast), "at-least")
		})
	}
}

// BenchmarkProbeCost is what a probe takes on the link, in bytes of IP packets both ways,
// acknowledgements included.
//
//	go test ./remote -run '^$' -bench ProbeCost -benchtime 20x
func BenchmarkProbeCost(b *testing.B) {
	p := newPlant(b, mbit(50*time.Millisecond, 5, 20), "")
	bytes := func() uint64 {
		c := p.network.Counters()
		return c[emulator.Up].CameBytes + c[emulator.Down].CameBytes
	}
	_, err := p.client.Probe(context.Background())
	require.NoError(b, err)
	time.Sleep(100 * time.Millisecond) // until the last acknowledgement of the start
	before := bytes()
	for b.Loop() {
		_, err := p.client.Probe(context.Background())
		require.NoError(b, err)
		time.Sleep(100 * time.Millisecond) // with one of its own, as probes have that are rare
	}
	b.ReportMetric(float64(bytes()-before)/float64(b.N), "bytes/probe")
}
