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

// settings of an engine with such traffic.
func (t Traffic) settings() offload.Settings {
	s := twin.LinkCheckSettings()
	if t != Busy {
		s.Policy = offload.PolicyLocal
	}
	return s
}

// models the box has as well, unless all is to be sent.
func (t Traffic) models() []offload.Model {
	models := twin.LinkCheckModels()
	for i := range models {
		if m := &models[i]; t != Busy {
			m.Local = []offload.Variant{{Name: m.Name + "-small/1", Accuracy: .8, Service: time.Millisecond}}
		}
	}
	return models
}

// steady is a link that does not change.
type steady emulator.Conditions

func (s steady) Next() emulator.Conditions { return emulator.Conditions(s) }

// startSteady makes a bench with a kind of traffic over a link of 40 ms and a rate in bytes
// per second each way. Each task takes service in the cloud.
func startSteady(ctx context.Context, t Traffic, rate float64, seed int64, congestion string, service time.Duration) (*bench, error) {
	return start(ctx, setup{
		source: link(rate), seed: seed, congestion: congestion, settings: t.settings(), models: t.models(),
		metered: t == Metered, service: func(offload.Task) time.Duration { return service },
	})
}

func link(rate float64) steady {
	return steady{RTT: steadyRTT, UpBps: rate, DownBps: rate}
}

const (
	steadyRTT     = 40 * time.Millisecond
	steadyRate    = 10e6 / 8 // bytes per second
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
		running.Go(func() { b.runner.Do(ctx, b.task(strconv.Itoa(n), t.Model, t.Bytes, t.Allowed)) })
	}
}
