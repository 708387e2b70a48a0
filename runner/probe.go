// SPDX-License-Identifier: Apache-2.0

package runner

import (
	"context"
	"time"

	"edgex-offload/offload"
	"edgex-offload/offload/link"
	"edgex-offload/remote"
)

// sendProbe measures the path to a target in a goroutine of its own, for who holds the lock;
// the engine bounds how many there are.
func (r *Runner) sendProbe(a offload.Action) {
	if r.stopped {
		return
	}
	ctx, cancel := context.WithDeadline(context.Background(), a.Until)
	l := &r.links[a.Target]
	if l.probes == nil {
		l.probes = map[uint64]context.CancelFunc{}
	}
	l.probes[a.Probe] = cancel
	r.work.Go(func() {
		defer cancel()
		ev := offload.Event{Target: a.Target, Probe: a.Probe}
		spent, err := r.measure(ctx, a, &ev)
		if err != nil {
			ev.Kind, ev.Error = offload.ProbeLost, reason(err)
			if remote.ClassOf(err) == remote.Unreachable {
				ev.Kind = offload.ProbeFailed
			}
		}
		r.mu.Lock()
		defer r.mu.Unlock()
		delete(l.probes, a.Probe)
		l.probeBytes += uint64(spent.bytes)
		if spent.method != "" {
			l.method = spent.method
		}
		r.handle(ev)
	})
}

// spending is what a probe took and how it was made.
type spending struct {
	bytes  int
	method string
}

// measure makes one probe or train and fills in what it showed.
func (r *Runner) measure(ctx context.Context, a offload.Action, ev *offload.Event) (spending, error) {
	target := r.options.Targets[a.Target].Remote
	if prober, ok := target.(TrainProber); ok && a.Bytes+a.BytesDown > 0 {
		reply, err := prober.ProbeTrain(ctx, a.Bytes, a.BytesDown)
		ev.Kind = offload.TrainDone
		ev.Bytes, ev.Spread, ev.AtLeast = reply.Up, reply.UpSpread, reply.UpAtLeast
		ev.BytesDown, ev.SpreadDown, ev.AtLeastDown = reply.Down, reply.DownSpread, reply.DownAtLeast
		ev.Socket, ev.Implausible = reply.Socket, reply.Implausible
		return spending{bytes: reply.WireBytes}, err
	}
	started := time.Now()
	reply, err := target.Probe(ctx)
	if reply.RTT == 0 {
		reply.RTT = time.Since(started)
	}
	ev.Kind, ev.RTT = offload.ProbeDone, reply.RTT
	ev.Held, ev.Socket = stamps(reply.Received, reply.Sent), reply.Socket
	return spending{bytes: reply.WireBytes, method: reply.Method}, err
}

// stamps are a target's clock readings as the core takes them.
func stamps(received, sent time.Time) (s link.Stamps) {
	if !received.IsZero() {
		s.Received = received.UnixNano()
	}
	if !sent.IsZero() {
		s.Sent = sent.UnixNano()
	}
	return s
}
