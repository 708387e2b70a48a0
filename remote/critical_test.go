// SPDX-License-Identifier: Apache-2.0

package remote_test

import (
	"context"
	"fmt"
	"log/slog"
	"net"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"edgex-offload/offload"
	"edgex-offload/remote"
	"edgex-offload/standalone/emulator"
	"edgex-offload/standalone/emulator/tun"
)

const (
	payloadBytes  = 100_000
	criticalBytes = 2_000
)

// patience bounds what must happen, far beyond what it takes.
const patience = 20 * time.Second

// steady is a link that does not change.
type steady emulator.Conditions

func (s steady) Next() emulator.Conditions { return emulator.Conditions(s) }

func mbit(rtt time.Duration, up, down float64) steady {
	return steady{RTT: rtt, UpBps: up * 1e6 / 8, DownBps: down * 1e6 / 8}
}

// plant is a client and a server with a link between them.
type plant struct {
	network  *tun.Network
	client   *remote.Client
	critical func() // called when a critical task has come in
}

func newPlant(tb testing.TB, link emulator.Source, congestion string) *plant {
	tb.Helper()
	if err := tun.Available(); err != nil {
		tb.Skip(err)
	}
	network, err := tun.New(tun.Options{Source: link, Seed: 1, CongestionControl: congestion})
	require.NoError(tb, err)
	p := &plant{network: network, critical: func() {}}
	server, err := remote.NewServer(remote.ServerConfig{Models: p, Workers: 64, Log: slog.New(slog.DiscardHandler)})
	require.NoError(tb, err)
	listener, err := network.Server().Listen(context.Background(), "tcp", ":0")
	require.NoError(tb, err)
	ended := make(chan error, 1)
	go func() { ended <- server.Serve(listener) }()
	p.client, err = remote.NewClient(remote.ClientConfig{
		Address: listener.Addr().String(), Congestion: congestion,
		Dial: func(ctx context.Context, net, address string) (net.Conn, error) {
			return network.Client().Dial(ctx, net, address)
		},
	})
	require.NoError(tb, err)
	tb.Cleanup(func() {
		_ = p.client.Close()
		ctx, cancel := context.WithTimeout(context.Background(), time.Second)
		defer cancel()
		_ = server.Stop(ctx)
		require.NoError(tb, <-ended)
		require.NoError(tb, network.Close())
	})
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	require.NoError(tb, p.client.WaitReady(ctx))
	return p
}

// InferModel answers at once.
func (p *plant) InferModel(_ context.Context, task offload.Task) (offload.Answer, error) {
	if task.Priority == offload.Critical {
		p.critical()
	}
	return offload.Answer{Label: "good"}, nil
}

// send offloads a task and gives what the call took.
func (p *plant) send(tb testing.TB, id string, size int, priority offload.Priority, sent func()) time.Duration {
	start := time.Now()
	_, err := p.client.Offload(context.Background(), offload.Task{
		ID: id, Priority: priority, Payload: make([]byte, size),
	}, sent)
	if err != nil {
		tb.Error(err)
	}
	return time.Since(start)
}

// megabyte hands over ten payloads, each when the one before was sent, and calls midst with
// the third.
func (p *plant) megabyte(tb testing.TB, midst func()) {
	var running sync.WaitGroup
	for i := range 10 {
		if i == 3 {
			running.Go(midst)
		}
		next := make(chan struct{})
		running.Go(func() { p.send(tb, fmt.Sprint(i), payloadBytes, offload.Low, func() { close(next) }) })
		<-next
	}
	running.Wait()
}

// What a critical task stands behind is counted where the link begins: of the bytes that go
// in after its call, and arrive before it, there are some ten kilobytes at most, whatever
// waits here. gRPC by itself would put fifty there, the kernel another hundred or more. What
// came before the call and has not arrived is what the congestion control put there, or the
// brake let it: twice of what the path holds, not a buffer's fill.
func TestCriticalTaskPassesAMegabyte(t *testing.T) {
	const most, mostBefore = 16 << 10, 96 << 10
	for _, congestion := range []string{"bbr", "cubic"} {
		t.Run(congestion, func(t *testing.T) {
			t.Parallel()
			p := newPlant(t, mbit(50*time.Millisecond, 5, 20), congestion)
			var ahead, under []int
			arrived := uint64(0)
			p.critical = func() { arrived = p.network.Counters()[emulator.Up].ArrivedBytes }
			for range 3 {
				p.megabyte(t, func() {
					up := p.network.Counters()[emulator.Up]
					before := up.CameBytes
					under = append(under, int(before-up.ArrivedBytes))
					p.send(t, "c", criticalBytes, offload.Critical, nil)
					ahead = append(ahead, int(int64(arrived-before))-criticalBytes)
				})
			}
			slices.Sort(ahead)
			slices.Sort(under)
			t.Log("bytes ahead:", ahead, "and before them:", under)
			assert.Less(t, ahead[len(ahead)/2], most)
			assert.Less(t, under[len(under)/2], mostBefore)
		})
	}
}

// Of a payload that is given up on the way, what gRPC still had is not sent.
func TestPayloadGivenUpIsNotSentOn(t *testing.T) {
	t.Parallel()
	p := newPlant(t, mbit(20*time.Millisecond, 8, 20), "bbr")
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() {
		_, err := p.client.Offload(ctx, offload.Task{ID: "t", Payload: make([]byte, 10*payloadBytes)}, nil)
		ended <- err
	}()
	arrived := func() uint64 { return p.network.Counters()[emulator.Up].ArrivedBytes }
	require.Eventually(t, func() bool { return arrived() > payloadBytes }, patience, time.Millisecond)
	cancel()
	require.Equal(t, remote.Late, remote.ClassOf(<-ended))
	require.Eventually(t, func() bool { s := p.client.Socket(); return s.Unsent+s.Unacked == 0 }, patience, 10*time.Millisecond)
	assert.Less(t, arrived(), uint64(5*payloadBytes))
	p.send(t, "next", criticalBytes, offload.Critical, nil)
}

// Over a link that stands still Close does not wait, whatever waits here.
func TestCloseOverALinkThatStandsStill(t *testing.T) {
	t.Parallel()
	p := newPlant(t, mbit(20*time.Millisecond, 8, 20), "bbr")
	ended := make(chan error, 1)
	go func() {
		_, err := p.client.Offload(context.Background(), offload.Task{ID: "t", Payload: make([]byte, 10*payloadBytes)}, nil)
		ended <- err
	}()
	arrived := func() uint64 { return p.network.Counters()[emulator.Up].ArrivedBytes }
	require.Eventually(t, func() bool { return arrived() > payloadBytes }, patience, time.Millisecond)
	p.network.Cut()
	require.NoError(t, p.client.Close())
	require.Equal(t, remote.Unreachable, remote.ClassOf(<-ended))
	assert.False(t, p.client.Socket().Known())
}

// BenchmarkCriticalBehindMegabyte is a critical task of 2 KB that comes while a megabyte is
// being sent in payloads of 100 KB: what its round trip takes longer than alone.
//
//	go test ./remote -run '^$' -bench CriticalBehindMegabyte -benchtime 15x
func BenchmarkCriticalBehindMegabyte(b *testing.B) {
	for _, link := range []struct {
		name string
		link steady
	}{
		{"5Mbit-50ms", mbit(50*time.Millisecond, 5, 20)},
		{"LAN-100Mbit-2ms", mbit(2*time.Millisecond, 100, 100)},
	} {
		for _, congestion := range []string{"bbr", "cubic", "reno"} {
			b.Run(link.name+"/"+congestion, func(b *testing.B) {
				p := newPlant(b, link.link, congestion)
				var alone, behind, whole []time.Duration
				round := 0
				for b.Loop() {
					round++
					alone = append(alone, p.send(b, "a", criticalBytes, offload.Critical, nil))
					start := time.Now()
					p.megabyte(b, func() {
						// at another place of the payload in each round
						time.Sleep(time.Duration(round*37%100) * payloadBytes * time.Second / 100 / time.Duration(link.link.UpBps))
						behind = append(behind, p.send(b, "c", criticalBytes, offload.Critical, nil))
					})
					whole = append(whole, time.Since(start))
				}
				b.ReportMetric(0, "ns/op")
				b.ReportMetric(ms(at(alone, .5)), "alone-p50-ms")
				b.ReportMetric(ms(at(behind, .5)-at(alone, .5)), "delay-p50-ms")
				b.ReportMetric(ms(at(behind, .95)-at(alone, .5)), "delay-p95-ms")
				b.ReportMetric(ms(at(behind, 1)-at(alone, .5)), "delay-max-ms")
				b.ReportMetric(10*payloadBytes*8/1e6/at(whole, .5).Seconds(), "bulk-Mbit/s")
			})
		}
	}
}

func at(times []time.Duration, quantile float64) time.Duration {
	slices.Sort(times)
	return times[int(quantile*float64(len(times)-1))]
}

func ms(d time.Duration) float64 { return float64(d) / float64(time.Millisecond) }
