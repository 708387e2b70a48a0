// SPDX-License-Identifier: Apache-2.0

package runner

import (
	"context"
	"time"

	"edgex-offload/offload"
	"edgex-offload/remote"
)

// probe measures the path to one target until ctx ends.
func (r *Runner) probe(ctx context.Context, target int) {
	tick := time.NewTicker(r.options.ProbeInterval)
	defer tick.Stop()
	for {
		if r.probeOnce(ctx, target) {
			r.probeRates(ctx, target)
		}
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
	}
}

// probeOnce measures the round trip and tells whether the probe came back.
func (r *Runner) probeOnce(ctx context.Context, target int) bool {
	bounded, cancel := context.WithTimeout(ctx, r.options.ProbeTimeout)
	defer cancel()
	r.event(offload.Event{Kind: offload.ProbeSent, Target: target})
	started := time.Now()
	reply, err := r.options.Targets[target].Remote.Probe(bounded)
	took := time.Since(started)
	if ctx.Err() != nil {
		return false
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.targets[target].probes++
	if err != nil {
		kind := offload.ProbeLost
		if remote.ClassOf(err) == remote.Unreachable {
			kind = offload.ProbeFailed
		}
		r.targets[target].lost++
		r.handle(offload.Event{Kind: kind, Target: target, Error: reason(err)})
		return false
	}
	r.handle(offload.Event{Kind: offload.ProbeDone, Target: target, RTT: onTheWay(took, reply)})
	return true
}

// onTheWay takes off what the server held a probe for. A server whose clock says that it
// was longer than the whole is not believed.
func onTheWay(took time.Duration, reply remote.ProbeReply) time.Duration {
	if held := reply.Sent.Sub(reply.Received); held > 0 && held < took {
		return took - held
	}
	return took
}

const (
	// A rate probe is what the link carries in rateProbeTime, so that the transfer can be
	// told from the round trip's variation, within these bounds. On a link of more than 25
	// Mbit/s it says little, and transfers matter little there.
	rateProbeTime                 = 20 * time.Millisecond
	leastRateProbe, mostRateProbe = 16 << 10, 64 << 10
	// rateProbeTimeout still lets a link of 30 kbit/s through.
	rateProbeTimeout = 5 * time.Second
)

// probeRates measures the rates that nothing has shown for a while, one way at a time.
func (r *Runner) probeRates(ctx context.Context, target int) {
	prober, ok := r.options.Targets[target].Remote.(RateProber)
	if !ok || r.options.RateInterval < 0 {
		return
	}
	now := time.Since(r.epoch)
	r.mu.Lock()
	link, _ := r.engine.Estimate(target)
	busy := r.engine.Target(target).InFlight > 0
	r.mu.Unlock()
	due := func(at time.Duration) bool { return at == 0 || now-at > r.options.RateInterval }
	if busy {
		return
	}
	if due(link.UpRateAt) {
		r.probeRate(ctx, prober, target, rateProbeBytes(link.UpRate), 0)
	}
	if due(link.DownRateAt) {
		r.probeRate(ctx, prober, target, 0, rateProbeBytes(link.DownRate))
	}
}

func rateProbeBytes(rate float64) int {
	return int(min(max(rate*rateProbeTime.Seconds(), leastRateProbe), mostRateProbe))
}

func (r *Runner) probeRate(ctx context.Context, prober RateProber, target, up, down int) {
	ctx, cancel := context.WithTimeout(ctx, rateProbeTimeout)
	defer cancel()
	started := time.Now()
	reply, err := prober.ProbeRate(ctx, up, down)
	took := time.Since(started)
	if err != nil {
		return // the next plain probe says what is wrong
	}
	r.event(offload.Event{
		Kind: offload.RateMeasured, Target: target,
		Bytes: up, BytesDown: reply.Padding, RTT: onTheWay(took, reply),
	})
}
