// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync/atomic"
	"time"

	"github.com/edgexfoundry/go-mod-core-contracts/v3/clients/logger"
	"golang.org/x/sync/errgroup"

	"edgex-offload/app-service/config"
	"edgex-offload/app-service/supply"
	"edgex-offload/cascade"
	"edgex-offload/infer"
	"edgex-offload/infer/oip"
	"edgex-offload/infer/ort"
	"edgex-offload/remote"
	"edgex-offload/runner"
)

// box is what runs tasks: the models here, the targets elsewhere, and the runner that
// decides between them. Models load and targets connect in the background: nothing that
// is missing keeps it from starting.
type box struct {
	backend *ort.Runtime
	server  *oip.Client // nil where no model server is configured
	models  *infer.Repository
	// cascades run on the runner.
	cascades *cascade.Set
	clients  []*remote.Client
	targets  []string // their names
	runner   *runner.Runner
	supply   *supply.Watch

	network network // what policy dqn asks

	changed chan struct{} // has room for one: the models changed since they were last told
	tried   atomic.Bool   // each model was tried once
}

// newBox starts loading and connecting. An error is about the configuration.
func newBox(plan config.Plan, lc logger.LoggingClient) (_ *box, err error) {
	b := &box{changed: make(chan struct{}, 1)}
	defer func() {
		if err != nil {
			err = errors.Join(err, b.close())
		}
	}()
	plan.Backend.Log = lc
	if b.backend, err = ort.New(plan.Backend); err != nil {
		return nil, err
	}
	backends := infer.Backends{infer.ONNX: b.backend}
	if plan.ModelServer.Address != "" {
		if b.server, err = oip.New(plan.ModelServer); err != nil {
			return nil, fmt.Errorf("%s.Models.OIP: %w", config.Section, err)
		}
		backends[infer.OIP] = b.server
	}
	plan.Models.Backend, plan.Models.OnChange, plan.Models.Log = backends, b.modelsChanged, lc
	if b.models, err = infer.Open(plan.Models); err != nil {
		return nil, err
	}
	var targets []runner.Target
	for _, t := range plan.Targets {
		client, err := remote.NewClient(t.Client)
		if err != nil {
			return nil, fmt.Errorf("%s.Targets.%s: %w", config.Section, t.Name, err)
		}
		b.clients = append(b.clients, client)
		b.targets = append(b.targets, t.Name)
		targets = append(targets, runner.Target{
			Name: t.Name, Remote: client, Metered: t.Metered, PricePerMB: t.PricePerMB, PricePerCall: t.PricePerCall,
		})
	}
	b.network = network{file: plan.Network, backend: b.backend, lc: lc}
	if err := b.network.read(); err != nil {
		return nil, err
	}
	b.runner, err = runner.New(runner.Options{
		Settings: plan.Live.Engine, Power: plan.Power, Local: b.models, Targets: targets,
		Workers: plan.Workers, Probing: plan.Probing, DecisionLog: plan.DecisionLog, Logger: newLogger(lc),
	})
	if err != nil {
		return b, err
	}
	b.supply = &supply.Watch{
		Read: plan.Supply.Read, Of: plan.Clock, OnGPU: onGPU(b.models), Tell: b.runner.SetBox, Log: newLogger(lc),
	}
	b.cascades, err = newCascades(plan, b.runner, lc)
	return b, err
}

// onGPU tells whether a model here runs on something other than the processor. Of one that a
// model server runs it is not known.
func onGPU(models *infer.Repository) func() bool {
	return func() bool {
		return slices.ContainsFunc(models.Models(), func(s infer.Status) bool {
			return s.State == infer.Ready && s.Provider != "" && s.Provider != ort.CPU && !strings.HasPrefix(s.Provider, "oip ")
		})
	}
}

// newCascades reads the folder; what is wrong in it is told in the log and in the status.
func newCascades(plan config.Plan, engine cascade.Engine, lc logger.LoggingClient) (*cascade.Set, error) {
	run, err := cascade.NewRunner(engine, cascade.Options{})
	if err != nil {
		return nil, err
	}
	return cascade.NewSet(cascade.SetOptions{Folder: plan.Cascades, Runner: run, Records: plan.DecisionLog, Log: lc})
}

// modelsChanged is called by the models' own goroutine and does not block.
func (b *box) modelsChanged() {
	select {
	case b.changed <- struct{}{}:
	default: // whoever takes the one that is there sees this change too
	}
}

// run drives tasks until ctx ends, and returns when they and all goroutines have ended.
func (b *box) run(ctx context.Context) error {
	var group errgroup.Group
	group.Go(func() error { return b.runner.Run(ctx) })
	group.Go(func() error { b.tellModels(ctx); return nil })
	group.Go(func() error { b.watchSupply(ctx); return nil })
	group.Go(func() error { b.followCascades(ctx); return nil })
	group.Go(func() error { b.network.load(ctx, b.runner.SetNetwork); return nil })
	group.Go(func() error {
		_ = b.models.Wait(ctx) // what it says is read by problem
		b.tried.Store(ctx.Err() == nil)
		return nil
	})
	return group.Wait()
}

// tellModels keeps the runner informed of which models are ready.
func (b *box) tellModels(ctx context.Context) {
	for {
		b.runner.SetModels(b.models.OffloadModels())
		select {
		case <-ctx.Done():
			return
		case <-b.changed:
		}
	}
}

// watchSupply keeps the runner informed of what the box runs on and how fast it may.
func (b *box) watchSupply(ctx context.Context) {
	tick := time.NewTicker(supply.Interval)
	defer tick.Stop()
	b.supply.Run(ctx, tick.C)
}

// followCascades takes up what changes in the cascades' folder.
func (b *box) followCascades(ctx context.Context) {
	const interval = 10 * time.Second // as for models
	tick := time.NewTicker(interval)
	defer tick.Stop()
	b.cascades.Follow(ctx, tick.C)
}

// problem says why the models folder cannot be read; "" if it can, or is still being read.
func (b *box) problem() string {
	if !b.tried.Load() {
		return ""
	}
	if err := b.models.Wait(context.Background()); err != nil { // returns at once: they were tried
		return err.Error()
	}
	return ""
}

func (b *box) close() error {
	var errs []error
	for _, client := range b.clients {
		errs = append(errs, client.Close())
	}
	errs = append(errs, b.network.close())
	if b.models != nil {
		errs = append(errs, b.models.Close())
	}
	if b.server != nil {
		errs = append(errs, b.server.Close())
	}
	if b.backend != nil { // outlives the models that use it
		errs = append(errs, b.backend.Close())
	}
	return errors.Join(errs...)
}
