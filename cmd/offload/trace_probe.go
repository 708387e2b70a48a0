// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"edgex-offload/remote"
	"edgex-offload/runner"
)

const (
	// probeTimeout is when a probe is lost. A longer one would tell longer stalls as such,
	// and would know later that a connection is dead.
	probeTimeout = 4 * time.Second
	// quietFor is how long round trips are not probed for a rate's sake: they would wait
	// behind its bytes.
	quietFor = 500 * time.Millisecond
	// A train of bytes should take trainTime, within these sizes.
	trainTime             = 100 * time.Millisecond
	leastTrain, mostTrain = 8 << 10, 64 << 10
)

// probed is the far end of a link.
type probed interface {
	// WaitReady returns when there is a connection, or ctx ends.
	WaitReady(ctx context.Context) error
	Probe(ctx context.Context) (remote.ProbeReply, error)
	// Rates sends so many bytes and has so many sent back; kbit/s, 0 where it cannot tell.
	Rates(ctx context.Context, up, down int) (upKbps, downKbps float64, err error)
}

// prober measures a target by itself. Round trips overlap, as one that is late must not
// keep the next from being measured; rates are probed one at a time.
type prober struct {
	target    probed
	every     time.Duration
	rateEvery time.Duration // 0 is never

	quiet   atomic.Int64 // no probes of the round trip until then, Unix nanoseconds
	bytes   atomic.Int64
	failure atomic.Pointer[error] // the last
}

// probeBytes is about what one round trip takes: payload, gRPC, HTTP/2, TCP and IP, with
// acknowledgements, both ways.
const probeBytes = 600

func (p *prober) account() string {
	text := fmt.Sprintf("about %.1f MB sent and received", float64(p.bytes.Load())/1e6)
	if failure := p.failure.Load(); failure != nil {
		text += ", last error: " + (*failure).Error()
	}
	return text
}

func (p *prober) sample(ctx context.Context, out chan<- []runner.LinkSample) error {
	// A link that is down at first is recorded as such, but connecting is not an outage.
	ready, cancel := context.WithTimeout(ctx, probeTimeout)
	_ = p.target.WaitReady(ready)
	cancel()
	var under sync.WaitGroup
	defer under.Wait()
	if p.rateEvery > 0 {
		under.Go(func() { p.rates(ctx, out) })
	}
	free := make(chan struct{}, probeTimeout/p.every+1)
	tick := time.NewTicker(p.every)
	defer tick.Stop()
	for {
		if time.Now().UnixNano() >= p.quiet.Load() {
			select {
			case free <- struct{}{}:
				under.Go(func() {
					p.probe(ctx, out)
					<-free
				})
			default: // as many as can be are under way
			}
		}
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
	}
}

// probe makes one round trip.
func (p *prober) probe(ctx context.Context, out chan<- []runner.LinkSample) {
	bounded, cancel := context.WithTimeout(ctx, probeTimeout)
	defer cancel()
	p.bytes.Add(probeBytes)
	began := time.Now()
	reply, err := p.target.Probe(bounded)
	took := time.Since(began)
	if ctx.Err() != nil {
		return // it is not known whether it would have come back
	}
	if err != nil && !remote.LinkWorks(err) {
		p.failure.Store(&err)
		p.send(ctx, out, began, runner.LinkSample{Kind: "lost", RTTMs: milliseconds(took)})
		return
	}
	p.failure.Store(nil)
	// The time that it spent at the far end is not the link's, if it can be true.
	if there := reply.Sent.Sub(reply.Received); there > 0 && there < took {
		took -= there
	}
	p.send(ctx, out, began, runner.LinkSample{Kind: "rtt", RTTMs: milliseconds(took)})
}

// rates probes the rates now and then, each time with about as much as the link carries in
// trainTime.
func (p *prober) rates(ctx context.Context, out chan<- []runner.LinkSample) {
	tick := time.NewTicker(p.rateEvery)
	defer tick.Stop()
	size := [2]int{2 * leastTrain, 2 * leastTrain}
	for {
		began := time.Now()
		p.quiet.Store(began.Add(quietFor).UnixNano())
		bounded, cancel := context.WithTimeout(ctx, probeTimeout)
		up, down, err := p.target.Rates(bounded, size[0], size[1])
		cancel()
		p.quiet.Store(0)
		p.bytes.Add(int64(size[0] + size[1]))
		if err == nil {
			for i, kbps := range []float64{up, down} {
				if kbps > 0 {
					p.send(ctx, out, began, runner.LinkSample{Kind: []string{"up", "down"}[i], Kbps: kbps})
					size[i] = trainSize(kbps)
				}
			}
		}
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
	}
}

func trainSize(kbps float64) int {
	return int(min(max(kbps*1000/8*trainTime.Seconds(), leastTrain), mostTrain))
}

// send gives up where nobody takes it any more.
func (p *prober) send(ctx context.Context, out chan<- []runner.LinkSample, began time.Time, s runner.LinkSample) {
	s.AtNs = began.UnixNano()
	select {
	case out <- []runner.LinkSample{s}:
	case <-ctx.Done():
	}
}

func milliseconds(d time.Duration) float64 { return float64(d) / float64(time.Millisecond) }
