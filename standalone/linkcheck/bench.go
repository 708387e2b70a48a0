// SPDX-License-Identifier: Apache-2.0

package linkcheck

import (
	"context"
	"errors"
	"time"

	"edgex-offload/offload"
	"edgex-offload/runner"
	"edgex-offload/standalone/emulator"
	"edgex-offload/standalone/emulator/tun"
	"edgex-offload/standalone/testbed"
)

// connectWithin bounds the first connection; a trace may begin with an outage.
const connectWithin = 30 * time.Second

// setup is what a bench is made from.
type setup struct {
	source     emulator.Source
	seed       int64
	congestion string
	settings   offload.Settings
	models     []offload.Model
	metered    bool
	// service is how long the cloud takes for a task that reaches it now.
	service func(task offload.Task) time.Duration
}

// bench is a box and a cloud at the two ends of a link, running.
type bench struct {
	*testbed.Testbed
	network *tun.Network
}

// start makes one and returns when box and cloud are connected. The link's time runs from
// before that.
func start(ctx context.Context, s setup) (*bench, error) {
	network, err := tun.New(tun.Options{Source: s.source, Seed: s.seed, CongestionControl: s.congestion})
	if err != nil {
		return nil, err
	}
	bed, err := testbed.Connect(ctx, testbed.Options{
		Link: testbed.OverIP(network), Models: cloud{s.service}, Congestion: s.congestion, Within: connectWithin,
	})
	if err != nil {
		return nil, err
	}
	if err := bed.Run(runner.Options{
		Settings: s.settings, Models: s.models, Local: box{}, Workers: 4,
		Targets: []runner.Target{{Name: "cloud", Remote: bed.Client, Metered: s.metered}},
	}); err != nil {
		return nil, errors.Join(err, bed.Close())
	}
	return &bench{Testbed: bed, network: network}, nil
}

// task is one of middling priority that is captured now.
func (b *bench) task(id, model string, bytes int, allowed time.Duration) offload.Task {
	return b.Task(id, model, offload.Medium, bytes, allowed)
}

// link is what the box knows of the link now.
func (b *bench) link() runner.LinkStatus { return b.Runner.Links(false)[0] }

// box runs what is not sent, in no time.
type box struct{}

func (box) Infer(_ context.Context, variant string, _ offload.Task) (offload.Answer, error) {
	return offload.Answer{Label: "ok", Confidence: 1, Model: variant}, nil
}

// cloud answers after the time that a task takes there, with some 200 bytes.
type cloud struct {
	service func(offload.Task) time.Duration
}

func (c cloud) InferModel(ctx context.Context, task offload.Task) (offload.Answer, error) {
	timer := time.NewTimer(c.service(task))
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-ctx.Done():
		return offload.Answer{}, ctx.Err()
	}
	return offload.Answer{
		Label: "defect", Confidence: .9, Model: task.Model + "-large/1",
		Objects: []offload.Object{{Label: "scratch", Confidence: .9, X: 100.5, Y: 200.5, W: 30.25, H: 40.75}},
	}, nil
}
