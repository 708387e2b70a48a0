// SPDX-License-Identifier: Apache-2.0

package remote

import (
	"context"
	"errors"
	"time"

	"google.golang.org/grpc/codes"

	"edgex-offload/remote/proto"
)

// MethodRPC is how a round trip is measured where the server knows Probe; ping.ICMP and
// ping.TCP are how it is elsewhere.
const MethodRPC = "rpc"

// errProbeless is the cause of a failure where the server said that it knows no Probe.
var errProbeless = errors.New("the server has no Probe")

// Probe makes one round trip of a small message, past the remote side's queue and models.
// Where the server said, over the connection that stands, that it has no Probe, it is a
// round trip of ICMP or TCP to its address instead. The error is an *Error.
func (c *Client) Probe(ctx context.Context) (ProbeReply, error) {
	ctx, cancel := c.bounded(ctx, time.Time{})
	defer cancel()
	if err := c.reachable(); err != nil {
		return ProbeReply{}, err
	}
	if c.path.probeless() {
		return c.ping(ctx)
	}
	start := time.Now()
	call := newCall(start)
	response, err := c.callProbe(ctx, call, probePadding, 0)
	elapsed := time.Since(start)
	var reply ProbeReply
	switch {
	case err == nil:
		reply = newProbeReply(response, elapsed)
	case errors.Is(err, errProbeless): // which came back over the link: a round trip too
		reply.RTT = elapsed
	default:
		return ProbeReply{}, err
	}
	reply.Method, reply.Socket = MethodRPC, c.Socket()
	reply.WireBytes = int(call.out.Load() + call.in.Load())
	return reply, nil
}

// callProbe makes the call and draws from its end what it says of the connection. The
// error is an *Error, with errProbeless as its cause where there is no Probe.
func (c *Client) callProbe(ctx context.Context, call *call, up, down int) (*proto.ProbeResponse, error) {
	defer c.path.hurry()()
	start, connection := time.Now(), c.path.number()
	request := newProbe(c.path.probes.Add(1), up, down)
	response, err := c.stub.Probe(context.WithValue(ctx, callKey{}, call), request)
	if err == nil {
		c.path.answered()
		return response, checkProbe(request, response)
	}
	failure := c.failure(ctx, call, err)
	if failure.Class == Refused && failure.Code == codes.Unimplemented {
		c.path.answered()
		c.path.withoutProbe.Store(connection)
		failure.cause = errProbeless
	}
	if failure.Class == Late {
		c.path.lost(start, time.Now(), c.config.DeadAfter)
	}
	return nil, failure
}

// ping measures the way to the server's address.
func (c *Client) ping(ctx context.Context) (ProbeReply, error) {
	rtt, method, err := c.pinger.Ping(ctx)
	if err == nil {
		return ProbeReply{RTT: rtt, Method: method, Socket: c.Socket()}, nil
	}
	failure := &Error{Class: Unreachable, Reason: c.config.Address + ": " + printable(err.Error(), maxMessageBytes), cause: err}
	if cause := ctx.Err(); cause != nil || errors.Is(err, context.DeadlineExceeded) {
		failure.Class = Late
	}
	return ProbeReply{}, failure
}
