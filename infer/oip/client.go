// SPDX-License-Identifier: Apache-2.0

package oip

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/backoff"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"edgex-offload/endpoint"
	"edgex-offload/infer"
	"edgex-offload/infer/oip/inference"
	"edgex-offload/infer/oip/wire"
)

// DefaultMessageBytes is the largest request and answer, in bytes, when nothing else is
// configured: 40 pictures of 640 × 640 as FP32 are 197 MB, one is 5 MB.
const DefaultMessageBytes = 64 << 20

// Options of a Client. Only Address is needed: a zero value takes the default that its field
// names.
type Options struct {
	// Address is the model server's host:port, which speaks gRPC; Triton's is 8001.
	Address string
	// TLS is off unless TLS.Enabled.
	TLS endpoint.TLS
	// ConnectTimeout bounds an attempt to connect, and each question about a model. Default
	// 2 s.
	ConnectTimeout time.Duration
	// CallTimeout bounds an inference whose task has no deadline. Default 30 s.
	CallTimeout time.Duration
	// CheckInterval is the pause between two looks at whether the model is ready there.
	// Default 2 s: a shorter one notices sooner that it is not, for some 100 bytes each.
	CheckInterval time.Duration
	// MessageBytes bounds a request and an answer. Default 64 MiB.
	MessageBytes int
	// Describe reads the inputs and outputs of a model.onnx, as ort.PortsOf does. Without
	// it a file beside a model.yaml is not compared.
	Describe func(onnx []byte) (inputs, outputs []infer.Port, err error)
}

func (o Options) withDefaults() Options {
	o.ConnectTimeout = cmp.Or(o.ConnectTimeout, 2*time.Second)
	o.CallTimeout = cmp.Or(o.CallTimeout, 30*time.Second)
	o.CheckInterval = cmp.Or(o.CheckInterval, 2*time.Second)
	o.MessageBytes = cmp.Or(o.MessageBytes, DefaultMessageBytes)
	return o
}

// Validate names every field that is wrong, its value and what is allowed.
func (o Options) Validate() error {
	o = o.withDefaults()
	between := func(key string, value, low, high time.Duration) error {
		if value < low || value > high {
			return fmt.Errorf("%s %v: allowed is %v to %v", key, value, low, high)
		}
		return nil
	}
	errs := []error{
		endpoint.ValidateAddress("Address", o.Address, false),
		o.TLS.ValidateClient(),
		between("ConnectTimeout", o.ConnectTimeout, 10*time.Millisecond, time.Minute),
		between("CallTimeout", o.CallTimeout, 10*time.Millisecond, time.Hour),
		between("CheckInterval", o.CheckInterval, 10*time.Millisecond, time.Hour),
	}
	if o.MessageBytes < 64<<10 || o.MessageBytes > 1<<30 {
		errs = append(errs, fmt.Errorf("MessageBytes %d: allowed is 65536 to 1073741824 bytes", o.MessageBytes))
	}
	return errors.Join(errs...)
}

// Client is an infer.Backend on one model server.
type Client struct {
	opts   Options
	line   *line
	conn   *grpc.ClientConn
	server inference.GRPCInferenceServiceClient
}

// New checks the options. It does not connect: the first model does.
func New(opts Options) (*Client, error) {
	if err := opts.Validate(); err != nil {
		return nil, fmt.Errorf("oip: %w", err)
	}
	c := &Client{opts: opts.withDefaults()}
	c.line = newLine(c.opts.ConnectTimeout)
	credentials, err := c.opts.TLS.ClientCredentials()
	if err != nil {
		return nil, fmt.Errorf("oip: %w", err)
	}
	c.conn, err = grpc.NewClient("passthrough:///"+c.opts.Address,
		grpc.WithTransportCredentials(credentials),
		grpc.WithContextDialer(c.line.dial),
		grpc.WithConnectParams(grpc.ConnectParams{
			Backoff:           backoff.Config{BaseDelay: 100 * time.Millisecond, Multiplier: 1.6, Jitter: .2, MaxDelay: 2 * time.Second},
			MinConnectTimeout: c.opts.ConnectTimeout,
		}),
		grpc.WithIdleTimeout(0), // the checks keep it in use
		grpc.WithNoProxy(),
		grpc.WithDisableServiceConfig(),
		grpc.WithDefaultCallOptions(
			grpc.ForceCodecV2(wire.NewCodec(nil, c.opts.MessageBytes)),
			grpc.MaxCallRecvMsgSize(c.opts.MessageBytes),
			grpc.MaxCallSendMsgSize(c.opts.MessageBytes),
		),
	)
	if err != nil {
		return nil, fmt.Errorf("oip: %w", err)
	}
	c.server = inference.NewGRPCInferenceServiceClient(c.conn)
	return c, nil
}

// Close ends the connection. The graphs are closed before.
func (c *Client) Close() error { return c.conn.Close() }

// provider names the server in a status and in errors.
func (c *Client) provider() string { return "oip " + c.opts.Address }

// Load asks the server for the model that the spec names, and sees that it is what the spec
// says. Every error may be cured on the server, so each wraps infer.ErrBackend.
func (c *Client) Load(ctx context.Context, source infer.Source) (infer.Graph, error) {
	name := source.Spec.OIP
	about, err := c.ask(ctx, name)
	if err != nil {
		return nil, curable{err}
	}
	plan, err := newPlan(source.Spec, about, c.provider())
	if err == nil {
		err = c.compare(source.ONNX, about)
	}
	if err != nil {
		return nil, curable{err}
	}
	return newGraph(c, name, plan, source.Lost), nil
}

// answers is what the server says of a model.
type answers struct {
	inputs, outputs []*inference.ModelMetadataResponse_TensorMetadata
	// maxBatch is Triton's limit of a batch: 0 is none beyond 1, and its shapes as shown are
	// complete; -1 is unknown.
	maxBatch int
}

// maxPorts bounds the inputs and outputs that a server says a model has.
const maxPorts = 256

func (c *Client) ask(ctx context.Context, name infer.Served) (answers, error) {
	ctx, cancel := context.WithTimeout(ctx, c.opts.ConnectTimeout)
	defer cancel()
	if err := c.ready(ctx, name); err != nil {
		return answers{}, err
	}
	meta, err := c.server.ModelMetadata(ctx, &inference.ModelMetadataRequest{Name: name.Model, Version: name.Version})
	if err != nil {
		return answers{}, c.explain(ctx, name, err)
	}
	if n := max(len(meta.GetInputs()), len(meta.GetOutputs())); n > maxPorts {
		return answers{}, fmt.Errorf("%s: %s has %d inputs or outputs: allowed are up to %d", c.provider(), title(name), n, maxPorts)
	}
	a := answers{inputs: meta.GetInputs(), outputs: meta.GetOutputs(), maxBatch: -1}
	config, err := c.server.ModelConfig(ctx, &inference.ModelConfigRequest{Name: name.Model, Version: name.Version})
	switch {
	case err == nil:
		a.maxBatch = int(config.GetConfig().GetMaxBatchSize())
	case status.Code(err) == codes.Unavailable || ctx.Err() != nil:
		return answers{}, c.explain(ctx, name, err)
	} // else it is not Triton, or keeps its configuration to itself
	return a, nil
}

// ready says why a model is not ready; nil if it is.
func (c *Client) ready(ctx context.Context, name infer.Served) error {
	r, err := c.server.ModelReady(ctx, &inference.ModelReadyRequest{Name: name.Model, Version: name.Version})
	switch {
	case err != nil:
		return c.explain(ctx, name, err)
	case !r.GetReady():
		return fmt.Errorf("%s: %s is not there, or not ready: load it there, or correct oip.model and oip.version", c.provider(), title(name))
	}
	return nil
}

// explain turns a status into what an operator can do about it.
func (c *Client) explain(ctx context.Context, name infer.Served, err error) error {
	says := clip(status.Convert(err).Message())
	switch code := status.Code(err); {
	case ctx.Err() != nil:
		return fmt.Errorf("%s: %w: no answer in time: %s", c.provider(), ctx.Err(), says)
	case code == codes.DeadlineExceeded: // the server's clock was first
		return fmt.Errorf("%s: %w: no answer in time: %s", c.provider(), context.DeadlineExceeded, says)
	case code == codes.Unavailable:
		return fmt.Errorf("%s: cannot be reached, or is not ready: %s", c.provider(), says)
	case code == codes.NotFound:
		return fmt.Errorf("%s: has no %s: load it there, or correct oip.model and oip.version: %s", c.provider(), title(name), says)
	case code == codes.InvalidArgument:
		return fmt.Errorf("%s: refuses what %s is sent: %s", c.provider(), title(name), says)
	case code == codes.ResourceExhausted:
		return fmt.Errorf("%s: %s has no room now, or a message is too large (MessageBytes here is %d): %s", c.provider(), title(name), c.opts.MessageBytes, says)
	case code == codes.Unimplemented:
		return fmt.Errorf("%s: does not speak the Open Inference Protocol over gRPC: is it another port? Triton's is 8001: %s", c.provider(), says)
	default:
		return fmt.Errorf("%s: %s: %s: %s", c.provider(), title(name), code, says)
	}
}

// title is a model's name and version for an error.
func title(name infer.Served) string {
	if name.Version == "" {
		return fmt.Sprintf("model %q", name.Model)
	}
	return fmt.Sprintf("model %q version %q", name.Model, name.Version)
}

// clip keeps what a server says short enough for a line of log.
func clip(text string) string {
	const most = 300
	if len(text) > most {
		text = text[:most] + "…"
	}
	return fmt.Sprintf("%q", text)
}

// curable reads as the error it holds, and another attempt may cure it.
type curable struct{ error }

func (c curable) Unwrap() []error { return []error{c.error, infer.ErrBackend} }
