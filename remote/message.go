// SPDX-License-Identifier: Apache-2.0

package remote

import (
	"context"
	"fmt"
	"maps"
	"time"

	"google.golang.org/grpc/codes"

	"edgex-offload/offload"
	"edgex-offload/remote/proto"
)

const (
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

func newProbe(sequence uint64, up, down int) *proto.ProbeRequest {
	return &proto.ProbeRequest{Sequence: sequence, Padding: make([]byte, up), AnswerPadding: uint32(down)}
}

// checkProbe refuses an answer to another probe.
func checkProbe(request *proto.ProbeRequest, r *proto.ProbeResponse) error {
	if r.GetSequence() == request.GetSequence() {
		return nil
	}
	return &Error{Class: BadAnswer, Reason: fmt.Sprintf(
		"probe %d was answered with sequence %d", request.GetSequence(), r.GetSequence())}
}

// newProbeReply reads a response to a probe that took elapsed.
func newProbeReply(r *proto.ProbeResponse, elapsed time.Duration) ProbeReply {
	received, sent, ok := plausibleClock(r.GetReceivedUnixNano(), r.GetSentUnixNano(), elapsed)
	return ProbeReply{
		RTT: elapsed, Received: received, Sent: sent, Implausible: !ok,
		QueueLength: int(r.GetQueueLength()),
	}
}
