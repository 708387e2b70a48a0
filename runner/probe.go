// SPDX-License-Identifier: Apache-2.0

package runner

import (
	"context"
	"time"

	"edgex-offload/offload"
)

// probe measures the path to one target until ctx ends.
func (r *Runner) probe(ctx context.Context, target int) {
	tick := time.NewTicker(r.options.ProbeInterval)
	defer tick.Stop()
	for {
		r.probeOnce(ctx, target)
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
	}
}

func (r *Runner) probeOnce(ctx context.Context, target int) {
	bounded, cancel := context.WithTimeout(ctx, r.options.ProbeTimeout)
	defer cancel()
	r.event(offload.Event{Kind: offload.ProbeSent, Target: target})
	started := time.Now()
	reply, err := r.options.Targets[target].Remote.Probe(bounded)
	took := time.Since(started)
	if ctx.Err() != nil {
		return
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.targets[target].probes++
	if err != nil {
		r.targets[target].lost++
		r.handle(offload.Event{Kind: offload.ProbeLost, Target: target, Error: reason(err)})
		return
	}
	// What the server held it for is not the network's; a server whose clock says that it
	// was longer than the whole is not believed.
	if held := reply.Sent.Sub(reply.Received); held > 0 && held < took {
		took -= held
	}
	r.handle(offload.Event{Kind: offload.ProbeDone, Target: target, RTT: took})
}
