// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"sync"

	"edgex-offload/infer"
	"edgex-offload/infer/ort"
	"edgex-offload/offload"
	"edgex-offload/remote"
)

// service is the running whole.
type service struct {
	config     config
	log        *slog.Logger
	runtime    *ort.Runtime
	repository *infer.Repository
	server     *remote.Server
	changed    chan struct{} // a model became ready, failed or went away
}

// run serves until ctx ends, then drains. An error means that it could not start, or that
// a listener broke.
func run(ctx context.Context, c config, log *slog.Logger) (err error) {
	s := &service{config: c, log: log, changed: make(chan struct{}, 1)}
	if s.runtime, err = ort.New(ort.Options{
		Library: c.ONNXRuntime.Library, Providers: c.ONNXRuntime.Providers,
		FP16: c.ONNXRuntime.FP16, INT8: c.ONNXRuntime.INT8, EngineCache: c.ONNXRuntime.EngineCache,
		ProviderOptions: c.ONNXRuntime.ProviderOptions, Threads: c.ONNXRuntime.Threads, Log: logf{log},
	}); err != nil {
		return err
	}
	defer func() { err = errors.Join(err, s.runtime.Close()) }()
	backend, closeServer, err := backends(c, s.runtime)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, closeServer()) }()
	key, err := c.Models.publicKey()
	if err != nil {
		return err
	}
	if s.repository, err = infer.Open(infer.Options{
		Dir: c.Models.Dir, Place: infer.Cloud, Backend: backend, Concurrency: c.Limits.Workers,
		Rescan: c.Models.Rescan, DrainTimeout: c.Models.DrainTimeout, Canary: infer.Canary(c.Models.Canary), PublicKey: key,
		OnChange: s.modelsChanged, Log: logf{log},
	}); err != nil {
		return err
	}
	defer func() { err = errors.Join(err, s.repository.Close()) }()
	metrics := newMetrics(s)
	if s.server, err = remote.NewServer(remote.ServerConfig{
		Models: models{s.repository}, Name: c.Name, TLS: c.TLS.files(), Workers: c.Limits.Workers,
		QueueLimit: c.Limits.QueueLimit, MessageLimit: c.Limits.MessageBytes, RunLimit: c.Limits.RunLimit,
		Connections: c.Limits.Connections, Congestion: c.Congestion, Log: log, Observe: metrics.observe,
		Services: s.oipServices(),
	}); err != nil {
		return err
	}
	return s.serve(ctx, metrics.handler())
}

// serve owns the listeners and the goroutine of each, and returns when all ended.
func (s *service) serve(ctx context.Context, metrics http.Handler) error {
	listener, err := listen(ctx, "Address", s.config.Address)
	if err != nil {
		return err
	}
	web, err := s.listenHTTP(ctx, metrics)
	if err != nil {
		return errors.Join(err, listener.Close())
	}
	ctx, stop := context.WithCancelCause(ctx)
	defer stop(nil)
	var running sync.WaitGroup
	running.Go(func() { s.followModels(ctx) })
	running.Go(func() { s.reportModels(ctx) })
	running.Go(func() {
		if err := s.server.Serve(listener); err != nil {
			stop(fmt.Errorf("gRPC: %w", err))
		}
	})
	running.Go(func() {
		if err := web.serve(); err != nil {
			stop(fmt.Errorf("HTTP: %w", err))
		}
	})
	s.log.Info("cloud-service listens", "version", version, "address", listener.Addr().String(), "tls", s.config.TLS.Enabled,
		"mtls", s.config.TLS.CA != "", "http", web.address(), "models", s.config.Models.Dir)

	<-ctx.Done()
	s.drain()
	web.close()
	running.Wait()
	if cause := context.Cause(ctx); !errors.Is(cause, context.Canceled) {
		return cause
	}
	return nil
}

// drain lets the tasks under way end, for as long as DrainTimeout allows.
func (s *service) drain() {
	running, waiting := s.server.Load()
	s.log.Info("cloud-service stops", "running", running, "waiting", waiting, "within", s.config.DrainTimeout)
	ctx, cancel := context.WithTimeout(context.Background(), s.config.DrainTimeout)
	defer cancel()
	if s.server.Stop(ctx) != nil {
		s.log.Warn("tasks were broken off", "after", s.config.DrainTimeout)
	}
}

func (s *service) modelsChanged() {
	select {
	case s.changed <- struct{}{}:
	default: // followModels looks anyway
	}
}

// followModels keeps health in line with the models.
func (s *service) followModels(ctx context.Context) {
	for {
		select {
		case <-ctx.Done():
			return
		case <-s.changed:
			ready := s.ready()
			s.server.SetServing(ready > 0)
			s.log.Debug("models changed", "ready", ready)
		}
	}
}

// reportModels says once how the first loading went.
func (s *service) reportModels(ctx context.Context) {
	err := s.repository.Wait(ctx)
	if ctx.Err() != nil {
		return
	}
	if s.ready() > 0 {
		s.log.Info("models were loaded", "ready", s.ready(), "failed", s.count(infer.Failed))
		return
	}
	if err == nil && len(s.repository.Models()) == 0 {
		err = errors.New("the folder holds none")
	}
	s.log.Warn("no model is ready: tasks are refused until one is; /healthz says what each lacks",
		"models", s.config.Models.Dir, "failed", s.count(infer.Failed), "error", err)
}

// ready is how many models answer now.
func (s *service) ready() int { return s.count(infer.Ready) }

func (s *service) count(state infer.State) int {
	n := 0
	for _, m := range s.repository.Models() {
		if m.State == state {
			n++
		}
	}
	return n
}

// models serves the repository's models on the wire, whose words for errors differ.
type models struct{ *infer.Repository }

// InferModel answers a task with the best model that is ready for it.
func (m models) InferModel(ctx context.Context, task offload.Task) (offload.Answer, error) {
	answer, err := m.Repository.InferModel(ctx, task)
	for _, words := range []struct{ here, wire error }{
		{infer.ErrInput, remote.ErrBadInput},
		{infer.ErrNoModel, remote.ErrNoModel},
		{infer.ErrNotReady, remote.ErrNotReady},
		{infer.ErrClosed, remote.ErrNotReady},
		{infer.ErrBusy, remote.ErrNotReady},
	} {
		if errors.Is(err, words.here) {
			return answer, refused{err, words.wire}
		}
	}
	return answer, err
}

// refused reads as err and is wire to errors.Is.
type refused struct {
	error
	wire error
}

func (r refused) Unwrap() []error { return []error{r.error, r.wire} }

// logf lets infer log through slog.
type logf struct{ log *slog.Logger }

func (l logf) Infof(format string, args ...any) { l.log.Info(fmt.Sprintf(format, args...)) }
func (l logf) Warnf(format string, args ...any) { l.log.Warn(fmt.Sprintf(format, args...)) }

func listen(ctx context.Context, key, address string) (net.Listener, error) {
	listener, err := (&net.ListenConfig{}).Listen(ctx, "tcp", address)
	if err != nil {
		return nil, fmt.Errorf("%s %q: %w; choose another with %s", key, address, err, setting{key: key}.env())
	}
	return listener, nil
}
