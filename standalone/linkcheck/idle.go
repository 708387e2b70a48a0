// SPDX-License-Identifier: Apache-2.0

package linkcheck

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"edgex-offload/runner"
	"edgex-offload/twin"
)

// IdleOptions of Idle.
type IdleOptions struct {
	// For is how long each kind of traffic is measured. Default 30 s.
	For  time.Duration
	Seed int64
}

// ProbeCost is what measuring a link takes with a kind of traffic.
type ProbeCost struct {
	Traffic Traffic `json:"traffic"`
	// Tasks were handed over, Answered of them by the cloud.
	Tasks    int `json:"tasks"`
	Answered int `json:"answered"`
	// Probes were sent; ProbeBytes is what they took as the box counts it, without the
	// headers of TCP and IP.
	Probes     uint64  `json:"probes"`
	ProbeBytes float64 `json:"probe_bytes_per_minute"`
	// WireBytes are those of all IP packets, both ways: the tasks with Busy, and with the
	// others nothing but probes and what keeps the connection.
	WireBytes float64 `json:"wire_bytes_per_minute"`
	// FirstBytes are the IP packets' of connecting and the first measurements, in Settling.
	FirstBytes float64       `json:"first_bytes"`
	Settling   time.Duration `json:"settling"`
}

const (
	// idleSettling lets the first measurements pass.
	idleSettling = 3 * time.Second
	// Busy sends a task of idleBytes every idleEvery: some 1.6 Mbit/s.
	idleEvery = 50 * time.Millisecond
	idleBytes = 10_000
)

// Idle counts what measuring a link of 10 Mbit/s takes: with no task, over a metered link
// with no task, with ten tasks a second that are decided and run on the box, and with twenty
// a second that are all sent.
func Idle(ctx context.Context, o IdleOptions) ([]ProbeCost, error) {
	if o.For == 0 {
		o.For = 30 * time.Second
	}
	if o.For < time.Second || o.For > time.Hour {
		return nil, fmt.Errorf("idle link: For: %v: allowed is 0 or 1s to 1h", o.For)
	}
	kinds := []Traffic{Unasked, Metered, Asked, Busy}
	costs, errs := make([]ProbeCost, len(kinds)), make([]error, len(kinds))
	var running sync.WaitGroup
	for i, traffic := range kinds { // side by side: each has a link of its own
		running.Go(func() { costs[i], errs[i] = probeCost(ctx, traffic, &o) })
	}
	running.Wait()
	if err := errors.Join(errs...); err != nil {
		return nil, fmt.Errorf("idle link: %w", err)
	}
	return costs, nil
}

func probeCost(ctx context.Context, traffic Traffic, o *IdleOptions) (cost ProbeCost, err error) {
	b, err := startSteady(ctx, traffic, steadyRate, o.Seed, "", steadyService)
	if err != nil {
		return cost, err
	}
	sendCtx, cancel := context.WithCancel(ctx)
	var sending sync.WaitGroup
	defer func() {
		cancel()
		sending.Wait()
		err = errors.Join(err, b.Close())
	}()
	sending.Go(func() { b.send(sendCtx, traffic.tasks(o.Seed)) })
	sleep(ctx, idleSettling)
	before := b.meter()
	sleep(ctx, o.For)
	after := b.meter()
	minutes := (after.at - before.at).Minutes()
	return ProbeCost{
		Traffic: traffic,
		Tasks:   int(after.tasks.Finished - before.tasks.Finished), Answered: int(after.tasks.Routes["cloud"] - before.tasks.Routes["cloud"]),
		Probes: after.link.Probes - before.link.Probes, ProbeBytes: float64(after.link.ProbeBytes-before.link.ProbeBytes) / minutes,
		WireBytes: float64(after.wire-before.wire) / minutes, FirstBytes: float64(before.wire), Settling: idleSettling,
	}, ctx.Err()
}

// tasks that are handed over again and again.
func (t Traffic) tasks(seed int64) []twin.LinkTask {
	switch t {
	case Busy:
		return []twin.LinkTask{{At: idleEvery, Model: "window", Bytes: idleBytes, Allowed: time.Second}}
	case Asked:
		return twin.LinkCheckWork(time.Minute, twin.LinkCheckEvery(steadyRate), uint64(seed)).Tasks
	default:
		return nil
	}
}

// reading is what was counted by a time.
type reading struct {
	at    time.Duration
	link  runner.LinkStatus
	tasks runner.Tasks
	wire  uint64 // bytes of IP packets
}

func (b *bench) meter() reading {
	r := reading{at: b.network.Elapsed(), link: b.link(), tasks: b.Runner.Status().Tasks}
	for _, c := range b.network.Counters() {
		r.wire += c.CameBytes
	}
	return r
}
