// SPDX-License-Identifier: Apache-2.0

package stack

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	"edgex-offload/standalone/broker"
	"edgex-offload/standalone/emulator"
	"edgex-offload/standalone/metadata"
	"edgex-offload/standalone/process"
)

const (
	logsFolder = "logs"
	// readyLimit is how long a service may take to answer, modelsLimit how long its
	// models may take to load.
	readyLimit  = 30 * time.Second
	modelsLimit = 2 * time.Minute
)

// Stack is everything, running.
type Stack struct {
	// Link lies between app-service and cloud-service.
	Link *emulator.Proxy
	// Bus is the message bus.
	Bus *broker.Broker

	options  Options
	task     task
	source   emulator.Source
	at       addresses
	http     *http.Client
	metadata *metadata.Server
	log      *os.File // of metadata

	mu       sync.Mutex
	children map[string]*process.Process

	frames, events atomic.Int64
	stopped        sync.Once
}

// Start runs everything, and returns when the first frame may come.
func Start(ctx context.Context, o Options) (*Stack, error) {
	s, err := prepare(ctx, o)
	if err != nil {
		return nil, err
	}
	for _, step := range []func(context.Context) error{
		s.startDesk, s.startLink, s.startModels, s.startDevices,
	} {
		if err := step(ctx); err != nil {
			return nil, errors.Join(err, s.Stop())
		}
	}
	return s, nil
}

// prepare checks the options and fills the run directory.
func prepare(ctx context.Context, o Options) (*Stack, error) {
	for _, path := range []*string{&o.Home, &o.Bin, &o.Dir, &o.Models} {
		if *path == "" {
			continue
		}
		absolute, err := filepath.Abs(*path)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", *path, err)
		}
		*path = absolute
	}
	if o.Progress == nil {
		o.Progress = func(string, ...any) {}
	}
	if err := o.Validate(); err != nil {
		return nil, err
	}
	source, err := o.Link.Source()
	if err != nil {
		return nil, err
	}
	task, err := o.findTask()
	if err != nil {
		return nil, err
	}
	if err := os.MkdirAll(filepath.Join(o.Dir, logsFolder), 0o700); err != nil {
		return nil, fmt.Errorf("run directory: %w", err)
	}
	if err := o.writeDevices(ctx, task); err != nil {
		return nil, err
	}
	return &Stack{
		options: o, task: task, source: source, children: map[string]*process.Process{},
		http: &http.Client{Timeout: 5 * time.Second, Transport: &http.Transport{}},
	}, nil
}

// startDesk starts what a site has and this machine has not: broker and core-metadata.
func (s *Stack) startDesk(context.Context) error {
	var err error
	if s.Bus, err = broker.Start(s.free("MQTT broker", s.options.Ports.Broker)); err != nil {
		return err
	}
	s.at.broker = s.Bus.Port()
	for filter, count := range map[string]*atomic.Int64{
		"edgex/events/device/" + deviceKey + "/+/+/Frame":  &s.frames,
		"edgex/events/device/" + deviceKey + "/+/+/Window": &s.frames,
		"edgex/events/device/" + appKey + "/#":             &s.events,
	} {
		if _, err := s.Bus.Subscribe(filter, func(string, []byte) { count.Add(1) }); err != nil {
			return err
		}
	}
	if s.log, err = os.Create(filepath.Join(s.options.Dir, logsFolder, "core-metadata.log")); err != nil {
		return fmt.Errorf("run directory: %w", err)
	}
	s.metadata, err = metadata.Start(metadata.Options{
		Port: s.free("core-metadata", s.options.Ports.Metadata), Bus: s.Bus, Log: slog.New(slog.NewTextHandler(s.log, nil)),
	})
	if err != nil {
		return err
	}
	s.at.metadata = s.metadata.Port()
	s.options.Progress("MQTT broker on port %d, development core-metadata on port %d", s.at.broker, s.at.metadata)
	return nil
}

func (s *Stack) startLink(context.Context) error {
	s.at.cloud = s.free(CloudService, s.options.Ports.Cloud)
	s.at.cloudHTTP = s.free(CloudService, s.options.Ports.CloudHTTP)
	s.at.device = s.free(DeviceService, s.options.Ports.Device)
	s.at.app = s.free(AppService, s.options.Ports.App)
	var err error
	s.Link, err = emulator.Listen(emulator.Options{
		Port: s.free("link", s.options.Ports.Link), Server: net.JoinHostPort("127.0.0.1", strconv.Itoa(s.at.cloud)),
		Source: s.source, Seed: s.options.Link.Seed,
	})
	if err != nil {
		return err
	}
	s.at.link = s.Link.Addr()
	s.options.Progress("emulated link %q on %s, between app-service and cloud-service", s.options.Link.Name(), s.at.link)
	return nil
}

// startModels starts the services that run models, and waits until they are loaded. The
// cloud is there first, as it usually is: the box counts no probe as lost then.
func (s *Stack) startModels(ctx context.Context) error {
	for _, service := range []string{CloudService, AppService} {
		if err := s.start(ctx, service); err != nil {
			return err
		}
	}
	s.options.Progress("cloud-service on port %d, app-service on port %d; loading models of %s", s.at.cloud, s.at.app, s.options.modelsFolder())
	return s.loadModels(ctx)
}

func (s *Stack) startDevices(ctx context.Context) error {
	if err := s.start(ctx, DeviceService); err != nil {
		return err
	}
	s.options.Progress("device-service on port %d", s.at.device)
	return nil
}

// start runs a service and waits until it answers.
func (s *Stack) start(ctx context.Context, service string) error {
	if err := s.run(service); err != nil {
		return err
	}
	url := map[string]string{
		DeviceService: s.url(s.at.device, "/api/v3/ping"),
		AppService:    s.url(s.at.app, "/api/v3/ping"),
		CloudService:  s.url(s.at.cloudHTTP, "/healthz"),
	}[service]
	return s.child(service).Ready(ctx, readyLimit, func(ctx context.Context) error { return s.get(ctx, url, nil) })
}

func (s *Stack) run(service string) error {
	child, err := process.Start(process.Spec{
		Name: service,
		Path: filepath.Join(s.options.Bin, service),
		Args: s.options.arguments(service),
		Env:  s.options.environment(service, s.at, s.task),
		Log:  filepath.Join(s.options.Dir, logsFolder, service+".log"),
	})
	if err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.children[service] = child
	return nil
}

func (s *Stack) child(service string) *process.Process {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.children[service]
}

// free is the wanted port, or 0 for any when it is taken.
func (s *Stack) free(what string, wanted int) int {
	for _, port := range []int{wanted, 0} {
		listener, err := net.Listen("tcp", net.JoinHostPort("127.0.0.1", strconv.Itoa(port)))
		if err != nil {
			s.options.Progress("port %d is taken: %s gets another", wanted, what)
			continue
		}
		port = listener.Addr().(*net.TCPAddr).Port
		_ = listener.Close()
		return port
	}
	return 0
}

func (s *Stack) url(port int, path string) string {
	return "http://127.0.0.1:" + strconv.Itoa(port) + path
}
