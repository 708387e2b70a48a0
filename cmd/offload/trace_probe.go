// SPDX-License-Identifier: Apache-2.0

package main

import (
	"cmp"
	"context"
	"fmt"
	"slices"
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
)

// probed is the far end of a link, a *remote.Client.
type probed interface {
	WaitReady(ctx context.Context) error
	Probe(ctx context.Context) (remote.ProbeReply, error)
	ProbeTrain(ctx context.Context, up, down int) (remote.TrainReply, error)
}

// prober measures a target by itself. Round trips overlap, as one that is late must not
// keep the next from being measured; rates are probed one at a time.
type prober struct {
	target    probed
	every     time.Duration
	rateEvery time.Duration // 0 is never

	quiet   atomic.Int64 // no probes of the round trip until then, Unix nanoseconds
	bytes   atomic.Int64
	atLeast [2]atomic.Bool        // the last rates up and down are lower bounds
	failure atomic.Pointer[error] // the last
}

// probeBytes is about what one round trip takes: payload, gRPC, HTTP/2, TCP and IP, with
// acknowledgements, both ways.
const probeBytes = 600

const (
	trainsAtATime = 3
	// trainPayload fits into the ten segments that TCP sends at once at first (RFC 6928).
	trainPayload = 11_700
	// trainBytes is about what a train takes, both ways, with headers and acknowledgements.
	trainBytes = 2 * trainPayload * 5 / 4
)

func (p *prober) account() string {
	text := fmt.Sprintf("about %.1f MB sent and received", float64(p.bytes.Load())/1e6)
	for i, direction := range [2]string{"up", "down"} {
		if p.atLeast[i].Load() {
			text += ", " + direction + " is at least that"
		}
	}
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

// rates probes the rates now and then.
func (p *prober) rates(ctx context.Context, out chan<- []runner.LinkSample) {
	tick := time.NewTicker(p.rateEvery)
	defer tick.Stop()
	var last [2]float64 // kbit/s; 0 is unknown
	for {
		began := time.Now()
		for i, figures := range p.trains(ctx) {
			if len(figures) == 0 {
				continue
			}
			figure := figures[len(figures)/2]
			p.atLeast[i].Store(figure.atLeast)
			if !figure.atLeast || figure.kbps > last[i] {
				last[i] = figure.kbps
			}
			p.send(ctx, out, began, runner.LinkSample{Kind: [2]string{"up", "down"}[i], Kbps: last[i]})
		}
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
	}
}

// trained is what a train showed of a direction.
type trained struct {
	kbps    float64
	atLeast bool // the link may carry more
}

// trains sends some trains, one after the other, and sorts what they showed up and down:
// one that a stall held up arrives as a heap, and would by itself show any rate.
func (p *prober) trains(ctx context.Context) (figures [2][]trained) {
	ctx, cancel := context.WithTimeout(ctx, probeTimeout)
	defer cancel()
	p.quiet.Store(time.Now().Add(quietFor).UnixNano())
	defer p.quiet.Store(0)
	for range trainsAtATime {
		p.bytes.Add(trainBytes)
		train, err := p.target.ProbeTrain(ctx, trainPayload, trainPayload)
		if err != nil {
			break
		}
		for i, one := range [2]struct {
			bytes   int
			spread  time.Duration
			atLeast bool
		}{{train.Up, train.UpSpread, train.UpAtLeast}, {train.Down, train.DownSpread, train.DownAtLeast}} {
			if one.bytes > 0 && one.spread > 0 {
				figures[i] = append(figures[i], trained{float64(one.bytes) * 8 / 1000 / one.spread.Seconds(), one.atLeast})
			}
		}
	}
	for _, list := range figures {
		slices.SortFunc(list, func(a, b trained) int { return cmp.Compare(a.kbps, b.kbps) })
	}
	return figures
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
