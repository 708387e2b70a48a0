// SPDX-License-Identifier: Apache-2.0

package testbed

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
)

// cloudPlaces are so many that no task waits for one: the cloud has room for all.
const cloudPlaces = 256

// Options of Connect.
type Options struct {
	// Link is closed with the Testbed.
	Link Link
	// Models answer in the cloud.
	Models remote.Models
	// Congestion is TCP's congestion control at both ends, by the kernel's name. Empty leaves
	// the client's and the server's own default.
	Congestion string
	// Within bounds the first connection.
	Within time.Duration
}

// Testbed is a box and a cloud at the two ends of a link.
type Testbed struct {
	// Client is the box's connection.
	Client *remote.Client
	// Runner is there after Run.
	Runner *runner.Runner

	link    Link
	server  *remote.Server
	work    sync.WaitGroup
	stop    context.CancelFunc // ends the runner
	served  chan error
	payload [maxPayload]byte
}

// maxPayload is above the largest task of any check.
const maxPayload = 1 << 20

// Connect starts the cloud and the client and returns when they are connected. The link's
// time runs from before that. The link is closed also where it fails.
func Connect(ctx context.Context, o Options) (_ *Testbed, err error) {
	t := &Testbed{link: o.Link}
	fillRandomly(t.payload[:])
	defer func() {
		if err != nil {
			err = errors.Join(err, t.Close())
		}
	}()
	if err := t.serve(ctx, o); err != nil {
		return nil, err
	}
	waiting, cancel := context.WithTimeout(ctx, o.Within)
	defer cancel()
	if err := t.Client.WaitReady(waiting); err != nil {
		return nil, fmt.Errorf("no connection over the link within %v: %w", o.Within, err)
	}
	return t, nil
}

// serve starts the cloud and the client.
func (t *Testbed) serve(ctx context.Context, o Options) error {
	server, err := remote.NewServer(remote.ServerConfig{
		Models: o.Models, Name: "cloud", Workers: cloudPlaces, QueueLimit: cloudPlaces,
		Congestion: o.Congestion, Log: slog.New(slog.DiscardHandler),
	})
	if err != nil {
		return err
	}
	listener, address, err := t.link.Listen(ctx)
	if err != nil {
		return err
	}
	t.server, t.served = server, make(chan error, 1)
	go func() { t.served <- server.Serve(listener) }()
	t.Client, err = remote.NewClient(remote.ClientConfig{Address: address, Congestion: o.Congestion, Dial: t.link.Dial})
	return err
}

// Run makes a runner and drives it until Close. Call it once.
func (t *Testbed) Run(o runner.Options) (err error) {
	if t.Runner, err = runner.New(o); err != nil {
		return err
	}
	ctx, stop := context.WithCancel(context.Background())
	t.stop = stop
	t.work.Go(func() { _ = t.Runner.Run(ctx) }) // it always returns nil
	return nil
}

// Close ends everything and waits for it; what ran is broken off.
func (t *Testbed) Close() error {
	var errs []error
	if t.stop != nil {
		t.stop()
		t.work.Wait()
	}
	if t.Client != nil {
		errs = append(errs, t.Client.Close())
	}
	if t.server != nil {
		now, cancel := context.WithCancel(context.Background())
		cancel()
		_ = t.server.Stop(now) // says only that something was broken off
		errs = append(errs, <-t.served)
	}
	return errors.Join(append(errs, t.link.Close())...)
}

// Task is one that is captured now, whose payload no other shares: the client knows
// payloads by where they lie.
func (t *Testbed) Task(id, model string, priority offload.Priority, bytes int, allowed time.Duration) offload.Task {
	payload := make([]byte, bytes)
	copy(payload, t.payload[:])
	now := time.Now()
	return offload.Task{
		ID: id, Source: id, Model: model, Priority: priority, Payload: payload,
		Created: now, Deadline: now.Add(allowed),
	}
}

// fillRandomly makes bytes that nothing on the way could compress.
func fillRandomly(b []byte) {
	random := rand.New(rand.NewPCG(1, 2))
	for i := range b {
		b[i] = byte(random.Uint32())
	}
}
