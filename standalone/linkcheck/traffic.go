// SPDX-License-Identifier: Apache-2.0

package linkcheck

import (
	"context"
	"strconv"
	"sync"
	"time"

	"edgex-offload/offload"
	"edgex-offload/standalone/emulator"
	"edgex-offload/twin"
)

// Traffic is what the box does while its link is watched.
type Traffic string

// The kinds of traffic.
const (
	// Busy sends every task.
	Busy Traffic = "busy"
	// Asked decides every task, and runs all on the box: only probes measure.
	Asked Traffic = "asked"
	// Unasked has no task; Metered has none either, over a link that is paid by the byte.
	Unasked Traffic = "idle"
	Metered Traffic = "metered"
)

// engine is what an engine with such traffic is made from.
func (t Traffic) engine() (offload.Settings, []offload.Model) {
	settings, models := twin.LinkCheckSettings(), twin.LinkCheckModels()
	if t != Busy {
		twin.Asked(&settings, models)
	}
	return settings, models
}

// steady is a link that does not change.
type steady emulator.Conditions

func (s steady) Next() emulator.Conditions { return emulator.Conditions(s) }

// startSteady makes a bench with a kind of traffic over a link of 40 ms and a rate in bytes
// per second each way. Each task takes service in the cloud.
func startSteady(ctx context.Context, t Traffic, rate float64, seed int64, congestion string, service time.Duration) (*bench, error) {
	settings, models := t.engine()
	return start(ctx, setup{
		source: link(rate), seed: seed, congestion: congestion, settings: settings, models: models,
		metered: t == Metered, service: func(offload.Task) time.Duration { return service },
	})
}

func link(rate float64) steady {
	return steady{RTT: steadyRTT, UpBps: rate, DownBps: rate}
}

const (
	steadyRTT     = twin.ScriptRTT
	steadyRate    = twin.ScriptRate
	steadyService = 15 * time.Millisecond
)

// send hands tasks over, each after the one before by its pause, and begins anew after the
// last, until ctx ends; then it waits for all of them.
func (b *bench) send(ctx context.Context, tasks []twin.LinkTask) {
	var running sync.WaitGroup
	defer running.Wait()
	if len(tasks) == 0 {
		return
	}
	for n, next := 0, time.Now(); ; n++ {
		i := n % len(tasks)
		t, pause := &tasks[i], tasks[i].At
		if i > 0 {
			pause -= tasks[i-1].At
		}
		next = next.Add(pause)
		if !sleep(ctx, time.Until(next)) {
			return
		}
		running.Go(func() { b.Runner.Do(ctx, b.task(strconv.Itoa(n), t.Model, t.Bytes, t.Allowed)) })
	}
}
