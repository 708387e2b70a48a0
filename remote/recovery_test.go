// SPDX-License-Identifier: Apache-2.0

package remote_test

import (
	"context"
	"fmt"
	"sync"
	"testing"
	"time"

	"edgex-offload/offload"
)

// BenchmarkRecovery is how long after an outage the first probe is answered, which are sent
// as an idle link's are: every 250 ms, each given up after 1 s. With "payloads", some were on
// their way when the link went.
//
//	go test ./remote -run '^$' -bench Recovery -benchtime 10x
func BenchmarkRecovery(b *testing.B) {
	for _, outage := range []time.Duration{time.Second, 3 * time.Second, 6 * time.Second} {
		for _, busy := range []bool{false, true} {
			name := map[bool]string{false: "idle", true: "payloads"}[busy]
			b.Run(fmt.Sprintf("%v/%s", outage, name), func(b *testing.B) {
				p := newPlant(b, mbit(50*time.Millisecond, 5, 20), "cubic")
				var took []time.Duration
				for round := 0; b.Loop(); round++ {
					took = append(took, p.recover(b, outage+time.Duration(round*37%100)*10*time.Millisecond, busy))
				}
				b.ReportMetric(0, "ns/op")
				b.ReportMetric(ms(at(took, .5)), "p50-ms")
				b.ReportMetric(ms(at(took, .9)), "p90-ms")
				b.ReportMetric(float64(p.client.Connections()), "connections")
			})
		}
	}
}

// recover cuts the link for a while and gives what it took from its return to an answer.
func (p *plant) recover(tb testing.TB, outage time.Duration, busy bool) time.Duration {
	tb.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	var running sync.WaitGroup
	defer running.Wait()
	defer cancel()
	answers := make(chan time.Duration, 1000) // when they came, by the network's clock
	running.Go(func() { p.probe(ctx, answers) })
	for range 4 {
		<-answers // all is well
	}
	if busy {
		running.Go(func() {
			_, _ = p.client.Offload(ctx, offload.Task{ID: "t", Payload: make([]byte, 4*payloadBytes)}, nil)
		})
		<-answers
	}
	p.network.Cut()
	time.Sleep(outage)
	back := p.network.Restore()
	for {
		if at := <-answers; at > back {
			return at - back
		}
	}
}

// probe asks again and again, each time without waiting for those that are late.
func (p *plant) probe(ctx context.Context, answers chan<- time.Duration) {
	const interval, timeout = 250 * time.Millisecond, time.Second
	var running sync.WaitGroup
	defer running.Wait()
	for ctx.Err() == nil {
		running.Go(func() {
			ctx, cancel := context.WithTimeout(ctx, timeout)
			defer cancel()
			if _, err := p.client.Probe(ctx); err == nil {
				answers <- p.network.Elapsed()
			}
		})
		time.Sleep(interval)
	}
}
