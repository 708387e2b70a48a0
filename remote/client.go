// SPDX-License-Identifier: Apache-2.0

package remote

import (
	"context"
	"fmt"
	"sync"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/backoff"
	"google.golang.org/grpc/connectivity"
	"google.golang.org/grpc/keepalive"

	"edgex-offload/offload"
	"edgex-offload/offload/link"
	"edgex-offload/remote/ping"
	"edgex-offload/remote/proto"
)

// Client offloads tasks to one target and probes the path to it. It connects in the
// background from NewClient on and again after each loss; a call never waits for that: it
// fails at once, as Unreachable, while there is no connection.
type Client struct {
	config ClientConfig
	conn   *grpc.ClientConn
	stub   proto.EdgeAIServiceClient
	path   path
	pinger *ping.Pinger // for a server without Probe

	stop    context.CancelFunc
	stopped sync.WaitGroup
}

// NewClient starts a client. An error means that the configuration is wrong, as in a
// certificate that cannot be read; a target that is not there is none.
func NewClient(config ClientConfig) (*Client, error) {
	if err := config.Validate(); err != nil {
		return nil, fmt.Errorf("remote client: %w", err)
	}
	c := &Client{config: config.withDefaults()}
	credentials, err := c.config.TLS.ClientCredentials()
	if err != nil {
		return nil, fmt.Errorf("remote client: %w", err)
	}
	c.conn, err = grpc.NewClient("passthrough:///"+c.config.Address,
		grpc.WithTransportCredentials(queueing{credentials, &c.path}),
		grpc.WithContextDialer(c.dial),
		grpc.WithStatsHandler(watcher{}),
		grpc.WithWriteBufferSize(0), // the send queue cuts and joins
		grpc.WithStaticStreamWindowSize(window),
		grpc.WithStaticConnWindowSize(window),
		grpc.WithIdleTimeout(0), // a link that is not kept open cannot be measured
		grpc.WithDisableServiceConfig(),
		grpc.WithDisableRetry(), // whether a task is worth a second try is the engine's decision
		grpc.WithConnectParams(grpc.ConnectParams{
			Backoff: backoff.Config{
				BaseDelay: c.config.ReconnectMin, MaxDelay: c.config.ReconnectMax,
				Multiplier: 1.6, Jitter: 0.2,
			},
			MinConnectTimeout: c.config.ConnectTimeout,
		}),
		// 10 s is the shortest interval gRPC allows; what notices a dead link sooner are
		// the probes (path.lost) and TCP_USER_TIMEOUT (tuneSocket).
		grpc.WithKeepaliveParams(keepalive.ClientParameters{
			Time: minKeepalive, Timeout: c.config.DeadAfter, PermitWithoutStream: true,
		}),
		grpc.WithDefaultCallOptions(
			grpc.ForceCodecV2(newCodec()),
			grpc.MaxCallRecvMsgSize(c.config.MessageLimit),
			grpc.MaxCallSendMsgSize(c.config.MessageLimit),
		),
	)
	if err != nil {
		return nil, fmt.Errorf("remote client for %s: %w", c.config.Address, err)
	}
	c.pinger = ping.New(c.config.Address, c.config.Dial)
	c.stub = proto.NewEdgeAIServiceClient(c.conn)
	ctx, stop := context.WithCancel(context.Background())
	c.stop = stop
	c.stopped.Go(func() { c.stayConnected(ctx) })
	return c, nil
}

// window is HTTP/2's flow control window of a stream and of a connection, in bytes. It is
// beyond what most links hold, so that TCP sets the pace, and fixed: gRPC's own measuring of
// it would send pings with each answer.
const window = 4 << 20

// minKeepalive is the shortest interval between pings that grpc-go lets a client have.
const minKeepalive = 10 * time.Second

// Address is the target's "host:port".
func (c *Client) Address() string { return c.config.Address }

// Close breaks the connection, which ends the calls under way, and waits for the
// client's goroutines. It does not wait for a link that stands still: gRPC, told first,
// would try to say goodbye over it for seconds.
func (c *Client) Close() error {
	c.stop()
	c.path.close()
	err := c.conn.Close()
	c.stopped.Wait()
	return err
}

// WaitReady returns when there is a connection, or why there is none when ctx ends first.
// It is for callers that have nothing better to do; Offload and Probe do not need it.
func (c *Client) WaitReady(ctx context.Context) error {
	for {
		state := c.conn.GetState()
		if state == connectivity.Ready {
			return nil
		}
		if !c.conn.WaitForStateChange(ctx, state) {
			ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), time.Second)
			defer cancel()
			_, err := c.Probe(ctx) // fails at once, and knows why
			return err
		}
	}
}

// Socket is what the kernel says of the connection now: zero while there is none, and on a
// platform that does not tell. It costs less than a microsecond.
func (c *Client) Socket() link.Socket { return c.path.socket() }

// Connections counts the connections that were made so far.
func (c *Client) Connections() uint64 { return c.path.connections.Load() }

// Offload sends a task and waits for its answer until ctx ends, or the task's deadline
// where ctx has none, or ClientConfig.CallTimeout where neither has one. sent, which may
// be nil, is called once, when the payload has been written to the socket and no more than
// a few milliseconds of it wait in the kernel: the next task may follow then without one
// standing behind the other. It must not block; it is not called when the task does not get
// that far, nor after Offload returned. The error is an *Error.
func (c *Client) Offload(ctx context.Context, task offload.Task, sent func()) (Reply, error) {
	ctx, cancel := c.bounded(ctx, task.Deadline)
	defer cancel()
	request, err := newRequest(ctx, task, c.config.MessageLimit)
	if err != nil {
		return Reply{}, err
	}
	if err := c.reachable(); err != nil {
		return Reply{}, err
	}
	out := c.path.outbox.put(request.GetPayload(), task.Priority, sent)
	defer out.end()
	if task.Priority == offload.Critical || len(task.Payload) <= smallMessage {
		defer c.path.hurry()()
	}
	start := time.Now()
	call := newCall(start)
	response, err := c.stub.OffloadTask(context.WithValue(ctx, callKey{}, call), request)
	if err != nil {
		return Reply{}, c.failure(ctx, call, err)
	}
	elapsed := time.Since(start)
	out.written() // it was, if there is an answer, whoever made it
	reply, err := newReply(task, response, elapsed)
	reply.Socket = c.Socket()
	reply.RequestBytes, reply.ResponseBytes = int(call.out.Load()), int(call.in.Load())
	return reply, err
}

// bounded gives a context that ends in any case.
func (c *Client) bounded(ctx context.Context, deadline time.Time) (context.Context, context.CancelFunc) {
	if _, ok := ctx.Deadline(); ok {
		return context.WithCancel(ctx)
	}
	if !deadline.IsZero() {
		return context.WithDeadline(ctx, deadline)
	}
	return context.WithTimeout(ctx, c.config.CallTimeout)
}

// reachable is an error while the first connection is being made, as a call would wait for
// that. After an attempt that failed a call fails at once by itself, and knows why.
func (c *Client) reachable() error {
	switch state := c.conn.GetState(); state {
	case connectivity.Ready, connectivity.TransientFailure:
		return nil
	default:
		return &Error{Class: Unreachable, Reason: fmt.Sprintf("%s: not connected (%s)", c.config.Address, state)}
	}
}

// stayConnected asks for a new connection whenever there is none: by itself gRPC would
// wait for the next call, and that call would pay for it.
func (c *Client) stayConnected(ctx context.Context) {
	for {
		state, look := c.conn.GetState(), context.CancelFunc(func() {})
		wait := ctx
		switch state {
		case connectivity.Idle:
			c.conn.Connect()
			wait, look = context.WithTimeout(ctx, askAgain)
		case connectivity.Shutdown:
			return
		}
		changed := c.conn.WaitForStateChange(wait, state)
		look()
		if !changed && ctx.Err() != nil {
			return
		}
	}
}

// askAgain is when an idle channel is asked to connect once more: gRPC takes no notice while
// it still puts the connection before away, and nothing else would ask.
const askAgain = 100 * time.Millisecond
