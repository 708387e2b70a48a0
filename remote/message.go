// SPDX-License-Identifier: Apache-2.0

package remote

import (
	"context"
	"fmt"
	"maps"
	"time"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"edgex-offload/offload"
	"edgex-offload/remote/proto"
)

const (
	unimplemented = codes.Unimplemented
	// probePadding brings a probe's message to 64 bytes: with the headers of gRPC and TCP
	// it stays one small packet.
	probePadding = 52
	// contextModel and contextSource are the entries of TaskRequest.context that carry
	// what has no field of its own.
	contextModel, contextSource = "model", "source"
)

// newRequest puts a task on the wire, all but its Truth, which no remote side may see.
func newRequest(ctx context.Context, task offload.Task, limit int) (*proto.TaskRequest, error) {
	if err := ctx.Err(); err != nil {
		return nil, &Error{Class: Late, Reason: "not sent: " + err.Error(), cause: err}
	}
	request := &proto.TaskRequest{
		Id:       task.ID,
		Type:     proto.TaskType(task.Kind),
		Payload:  task.Payload,
		Priority: proto.Priority(task.Priority),
		Context:  maps.Clone(task.Context),
	}
	if request.Context == nil {
		request.Context = make(map[string]string, 2)
	}
	if task.Model != "" {
		request.Context[contextModel] = task.Model
	}
	if task.Source != "" {
		request.Context[contextSource] = task.Source
	}
	if !task.Deadline.IsZero() {
		request.DeadlineUnixNano = task.Deadline.UnixNano()
	}
	if err := checkRequest(request, limit); err != nil {
		return nil, &Error{Class: Invalid, Code: codes.InvalidArgument, Reason: "task: " + err.Error(), cause: err}
	}
	return request, nil
}

func newProbe(sequence uint64) *proto.ProbeRequest {
	return &proto.ProbeRequest{Sequence: sequence, Padding: make([]byte, probePadding)}
}

func newProbeReply(sequence uint64, response *proto.ProbeResponse) (ProbeReply, error) {
	if response.GetSequence() != sequence {
		return ProbeReply{}, &Error{Class: BadAnswer, Reason: fmt.Sprintf(
			"probe %d was answered with sequence %d", sequence, response.GetSequence())}
	}
	return ProbeReply{
		Received:    fromUnixNano(response.GetReceivedUnixNano()),
		Sent:        fromUnixNano(response.GetSentUnixNano()),
		QueueLength: int(response.GetQueueLength()),
	}, nil
}

func fromUnixNano(n int64) time.Time {
	if n <= 0 {
		return time.Time{}
	}
	return time.Unix(0, n)
}

// failure says what a call that ended without a response means.
func (c *Client) failure(ctx context.Context, call *call, err error) *Error {
	st := status.Convert(err)
	e := &Error{Code: st.Code(), Reason: fmt.Sprintf("%s: %s", c.config.Address, st.Message())}
	heard := call.answered.Load()
	switch {
	case ctx.Err() != nil && !(heard && isRefusal(st.Code())):
		e.Class, e.cause = Late, ctx.Err()
	case st.Code() == codes.DeadlineExceeded && !heard:
		e.Class, e.cause = Late, context.DeadlineExceeded
	case st.Code() == codes.Canceled && !heard:
		e.Class, e.cause = Late, context.Canceled
	case !heard && st.Code() == codes.ResourceExhausted:
		// gRPC itself refuses a message beyond its limit, on either side of the wire.
		e.Class = Refused
	case heard && isRefusal(st.Code()):
		e.Class = Refused
	case st.Code() == codes.Internal || st.Code() == codes.Unknown || st.Code() == codes.DataLoss:
		e.Class = Failed
		if !heard {
			e.Class = Unreachable
		}
	default:
		e.Class = Unreachable
	}
	return e
}

// isRefusal tells the status codes with which a server says that it will not run the task.
func isRefusal(code codes.Code) bool {
	switch code {
	case codes.InvalidArgument, codes.NotFound, codes.AlreadyExists, codes.PermissionDenied,
		codes.Unauthenticated, codes.ResourceExhausted, codes.FailedPrecondition, codes.Aborted,
		codes.OutOfRange, codes.Unimplemented, codes.DeadlineExceeded:
		return true
	default:
		return false
	}
}
