// SPDX-License-Identifier: Apache-2.0

package linkcheck

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"sync"
	"time"

	"edgex-offload/offload"
	"edgex-offload/remote"
	"edgex-offload/runner"
	"edgex-offload/standalone/emulator"
	"edgex-offload/standalone/emulator/tun"
)

const (
	// cloudPlaces are so many that no task waits for one: the link is what is checked.
	cloudPlaces = 256
	// connectWithin bounds the first connection; a trace may begin with an outage.
	connectWithin = 30 * time.Second
)

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
	network *tun.Network
	server  *remote.Server
	client  *remote.Client
	runner  *runner.Runner

	work    sync.WaitGroup
	stop    context.CancelFunc // ends the runner
	served  chan error
	payload [maxPayload]byte
}

// maxPayload is above the largest task of a check.
const maxPayload = 1 << 20

// start makes one and returns when box and cloud are connected. The link's time runs from
// before that.
func start(ctx context.Context, s setup) (_ *bench, err error) {
	b := &bench{}
	fillRandomly(b.payload[:])
	b.network, err = tun.New(tun.Options{Source: s.source, Seed: s.seed, CongestionControl: s.congestion})
	if err != nil {
		return nil, err
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, b.close())
		}
	}()
	if err := b.serve(ctx, s); err != nil {
		return nil, err
	}
	b.runner, err = runner.New(runner.Options{
		Settings: s.settings, Models: s.models, Local: box{}, Workers: 4,
		Targets: []runner.Target{{Name: "cloud", Remote: b.client, Metered: s.metered}},
	})
	if err != nil {
		return nil, err
	}
	waiting, cancel := context.WithTimeout(ctx, connectWithin)
	defer cancel()
	if err := b.client.WaitReady(waiting); err != nil {
		return nil, fmt.Errorf("no connection over the link within %v: %w", connectWithin, err)
	}
	running, stop := context.WithCancel(context.Background())
	b.stop = stop
	b.work.Go(func() { _ = b.runner.Run(running) }) // it always returns nil
	return b, nil
}

// serve starts the cloud and the client.
func (b *bench) serve(ctx context.Context, s setup) error {
	quiet := slog.New(slog.DiscardHandler)
	server, err := remote.NewServer(remote.ServerConfig{
		Models: cloud{s.service}, Name: "cloud", Workers: cloudPlaces, QueueLimit: cloudPlaces,
		Congestion: s.congestion, Log: quiet,
	})
	if err != nil {
		return err
	}
	listener, err := b.network.Server().Listen(ctx, "tcp", ":0")
	if err != nil {
		return err
	}
	b.server, b.served = server, make(chan error, 1)
	go func() { b.served <- server.Serve(listener) }()
	b.client, err = remote.NewClient(remote.ClientConfig{
		Address: listener.Addr().String(), Congestion: s.congestion, Dial: b.network.Client().Dial,
	})
	return err
}

// close ends everything and waits for it; what ran is broken off.
func (b *bench) close() error {
	var errs []error
	if b.stop != nil {
		b.stop()
		b.work.Wait()
	}
	if b.client != nil {
		errs = append(errs, b.client.Close())
	}
	if b.server != nil {
		now, cancel := context.WithCancel(context.Background())
		cancel()
		_ = b.server.Stop(now) // says only that something was broken off
		errs = append(errs, <-b.served)
	}
	return errors.Join(append(errs, b.network.Close())...)
}

// task is one whose payload no other shares: the client knows payloads by where they lie.
func (b *bench) task(id, model string, bytes int, allowed time.Duration) offload.Task {
	now := time.Now()
	payload := make([]byte, bytes)
	copy(payload, b.payload[:])
	return offload.Task{
		ID: id, Source: id, Model: model, Priority: offload.Medium, Payload: payload,
		Created: now, Deadline: now.Add(allowed),
	}
}

// link is what the box knows of the link now.
func (b *bench) link() runner.LinkStatus { return b.runner.Links(false)[0] }

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

// fillRandomly makes bytes that nothing on the way could compress.
func fillRandomly(b []byte) {
	random := rand.New(rand.NewPCG(1, 2))
	for i := range b {
		b[i] = byte(random.Uint32())
	}
}
