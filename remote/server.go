// SPDX-License-Identifier: Apache-2.0

package remote

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"os"
	"runtime"
	"time"

	"golang.org/x/net/netutil"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/health"
	healthpb "google.golang.org/grpc/health/grpc_health_v1"
	"google.golang.org/grpc/keepalive"
	"google.golang.org/grpc/reflection"
	"google.golang.org/grpc/status"
	"google.golang.org/grpc/tap"

	"edgex-offload/endpoint"
	"edgex-offload/remote/proto"
)

// ServerConfig says what is served and within which bounds. Only Models is needed: a zero
// value takes the default that its field names.
type ServerConfig struct {
	Models Models
	// Name is TaskResponse.processed_by. Default the host's name.
	Name string
	// TLS is off unless TLS.Enabled.
	TLS endpoint.TLS
	// Workers is how many tasks run at a time. Default the number of CPUs. More than the
	// hardware runs in parallel makes each slower and none sooner.
	Workers int
	// QueueLimit is how many tasks wait beyond those that run. Default 4 × Workers. Raising
	// it answers more of a burst, later.
	QueueLimit int
	// MessageLimit bounds a request and a response, in bytes. Default 16 MiB.
	MessageLimit int
	// RunLimit bounds a task that has no deadline. Default 30 s.
	RunLimit time.Duration
	// Connections bounds the clients connected at a time. Default 256.
	Connections int
	// Congestion is TCP's congestion control for the answers, as ClientConfig.Congestion is
	// for the tasks.
	Congestion string
	// Services are served on the same port and within the same bounds.
	Services []Service
	// Log gets what an operator should see. Default slog.Default().
	Log *slog.Logger
	// Observe, when set, hears of each call of a task at its end. It must not block.
	Observe func(Served)
}

func (c ServerConfig) withDefaults() ServerConfig {
	if c.Name == "" {
		c.Name, _ = os.Hostname() // without one, processed_by stays empty
	}
	fill(&c.Workers, runtime.GOMAXPROCS(0))
	fill(&c.QueueLimit, 4*c.Workers)
	fill(&c.MessageLimit, DefaultMessageLimit)
	fill(&c.RunLimit, 30*time.Second)
	fill(&c.Connections, 256)
	fill(&c.Congestion, DefaultCongestion)
	if c.Log == nil {
		c.Log = slog.Default()
	}
	if c.Observe == nil {
		c.Observe = func(Served) {}
	}
	return c
}

// Validate names every field that is wrong, its value and what is allowed.
func (c ServerConfig) Validate() error {
	c = c.withDefaults()
	var errs error
	if c.Models == nil {
		errs = errors.New("Models nil: allowed is something that answers tasks")
	}
	return errors.Join(errs,
		checkName("Name", c.Name, false),
		c.TLS.ValidateServer(),
		between("Workers", c.Workers, 1, 1024),
		between("QueueLimit", c.QueueLimit, 1, 10000),
		between("MessageLimit", c.MessageLimit, 64<<10, 1<<30),
		between("RunLimit", c.RunLimit, 10*time.Millisecond, time.Hour),
		between("Connections", c.Connections, 1, 65536),
		ValidateCongestion("Congestion", c.Congestion),
	)
}

// Server serves EdgeAIService with health and reflection. Make it with NewServer.
type Server struct {
	handler *handler
	grpc    *grpc.Server
	health  *health.Server
}

// NewServer prepares a server that says NOT_SERVING until SetServing(true). An error means
// that the configuration is wrong.
func NewServer(config ServerConfig) (*Server, error) {
	if err := config.Validate(); err != nil {
		return nil, fmt.Errorf("remote server: %w", err)
	}
	config = config.withDefaults()
	credentials, err := config.TLS.ServerCredentials()
	if err != nil {
		return nil, fmt.Errorf("remote server: %w", err)
	}
	s := &Server{
		handler: &handler{
			config: config,
			gate:   gate{places: config.Workers, limit: config.QueueLimit},
			times:  serviceTimes{byModel: make(map[modelKey]*runs)},
		},
		health: health.NewServer(),
	}
	tasks := tasksOf(config.Services)
	s.grpc = grpc.NewServer(
		grpc.Creds(credentials),
		grpc.ForceServerCodecV2(codecOf(config.Services)),
		grpc.MaxRecvMsgSize(config.MessageLimit),
		grpc.MaxSendMsgSize(config.MessageLimit),
		grpc.MaxHeaderListSize(16<<10),
		grpc.StaticStreamWindowSize(window),
		grpc.StaticConnWindowSize(window),
		grpc.ConnectionTimeout(10*time.Second),
		grpc.WaitForHandlers(true),
		grpc.UnaryInterceptor(s.handler.containCall),
		grpc.StatsHandler(observer{tasks, config.Observe}),
		grpc.InTapHandle(newDoor(config, tasks).enter),
		grpc.KeepaliveEnforcementPolicy(keepalive.EnforcementPolicy{MinTime: minKeepalive / 2, PermitWithoutStream: true}),
		grpc.KeepaliveParams(keepalive.ServerParameters{Time: 30 * time.Second, Timeout: 10 * time.Second}),
	)
	proto.RegisterEdgeAIServiceServer(s.grpc, s.handler)
	for _, service := range config.Services {
		service.Register(s.grpc, s.handler.admitCall)
	}
	healthpb.RegisterHealthServer(s.grpc, s.health)
	reflection.Register(s.grpc)
	s.SetServing(false)
	return s, nil
}

// Serve answers on listener, which it closes, until Stop.
func (s *Server) Serve(listener net.Listener) error {
	tuneListener(listener, s.handler.config.Congestion)
	return s.grpc.Serve(netutil.LimitListener(listener, s.handler.config.Connections))
}

// SetServing is what the health service says from now on. Tasks are taken either way: the
// models say what they cannot answer.
func (s *Server) SetServing(serving bool) {
	state := healthpb.HealthCheckResponse_NOT_SERVING
	if serving {
		state = healthpb.HealthCheckResponse_SERVING
	}
	s.health.SetServingStatus("", state)
	for name := range s.grpc.GetServiceInfo() {
		s.health.SetServingStatus(name, state)
	}
}

// Load is how many tasks run and wait now.
func (s *Server) Load() (running, waiting int) { return s.handler.gate.load() }

// Stop takes no new task and waits for those under way until ctx ends, then breaks them
// off. It returns when all are over, with ctx's error if any was broken off.
func (s *Server) Stop(ctx context.Context) error {
	s.health.Shutdown()
	drained := make(chan struct{})
	go func() {
		defer close(drained)
		s.grpc.GracefulStop()
	}()
	select {
	case <-drained:
		return nil
	case <-ctx.Done():
		s.grpc.Stop()
		<-drained
		return ctx.Err()
	}
}

// door bounds the calls that are under way in any stage before their message is read, and
// with it the memory that callers can make this process take: room × MessageLimit.
type door struct {
	tasks, others chan struct{}
	areTasks      taskMethods
	observe       func(Served)
}

// newDoor leaves twice the room of workers and queue, so that an important task is let in
// to displace a lesser one that waits, and room for each client's probe.
func newDoor(config ServerConfig, tasks taskMethods) *door {
	return &door{
		tasks:    make(chan struct{}, 2*(config.Workers+config.QueueLimit)),
		others:   make(chan struct{}, config.Connections),
		areTasks: tasks,
		observe:  config.Observe,
	}
}

// enter is gRPC's tap: it sees a call's headers, and its refusal costs no payload.
func (d *door) enter(ctx context.Context, info *tap.Info) (context.Context, error) {
	room, isTask := d.others, d.areTasks[info.FullMethodName]
	if isTask {
		room = d.tasks
	}
	select {
	case room <- struct{}{}:
		context.AfterFunc(ctx, func() { <-room })
		return ctx, nil
	default:
		if isTask {
			refused := d.areTasks.served(info.FullMethodName)
			refused.Code = codes.ResourceExhausted
			d.observe(*refused)
		}
		return nil, status.Errorf(codes.ResourceExhausted, "%d calls are being received, wait or run: no room for one more", cap(room))
	}
}
