// SPDX-License-Identifier: Apache-2.0

package remote

import (
	"context"
	"runtime/debug"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/encoding"
	"google.golang.org/grpc/status"

	"edgex-offload/offload"
	"edgex-offload/remote/proto"
)

// Service is a further gRPC service on a Server's port.
type Service struct {
	// Register puts it on the server. Whatever its calls cost beyond a look at what is known
	// goes through admit.
	Register func(registrar grpc.ServiceRegistrar, admit Admit)
	// Tasks are the full names of the methods that cost as much as a task, as
	// "/package.Service/Method". They are let in by the tasks' door and told to
	// ServerConfig.Observe.
	Tasks []string
	// Codec, when set, reads and writes the service's messages, and hands all others to next.
	Codec func(next encoding.CodecV2) encoding.CodecV2
}

// Admit runs a call where and when a task would run: it waits for a place among the tasks,
// the most important first, and is not begun when it can no longer be in time. What it
// returns is a gRPC status: a refusal's, or what run returned; INTERNAL where that is none.
// run's context ends at the call's deadline, or after ServerConfig.RunLimit where it has
// none; a panic in it is contained.
type Admit func(ctx context.Context, call Call, run func(ctx context.Context) error) error

// Call is what a Service has admitted.
type Call struct {
	// ID is what a refusal calls it by.
	ID string
	// Model is what it runs; that a call cannot be in time is learned from the model's
	// earlier calls.
	Model    string
	Priority offload.Priority
	// Bytes of its payload.
	Bytes int
}

// foreign is the kind of a Service's calls, to keep their service times from those of tasks.
const foreign offload.Kind = -1

// admitCall implements Admit.
func (h *handler) admitCall(ctx context.Context, call Call, run func(ctx context.Context) error) error {
	received := time.Now()
	served := servedIn(ctx)
	served.Read, served.Model, served.RequestBytes = true, call.Model, call.Bytes
	task := offload.Task{ID: call.ID, Kind: foreign, Model: call.Model, Priority: call.Priority, Created: received}
	task.Deadline, _ = ctx.Deadline()
	refusal, failure := h.admit(ctx, task, received, served, run)
	if refusal != nil {
		return refusal
	}
	if _, ok := status.FromError(failure); ok { // nil is OK
		return failure
	}
	return status.Error(codes.Internal, printable(failure.Error(), maxMessageBytes))
}

// containCall turns a panic in a call into its status, so that it ends no other.
func (h *handler) containCall(ctx context.Context, request any, info *grpc.UnaryServerInfo, next grpc.UnaryHandler) (answer any, err error) {
	defer func() {
		if cause := recover(); cause != nil {
			h.config.Log.Error("a call panicked", "method", info.FullMethod, "cause", cause, "stack", string(debug.Stack()))
			err = status.Error(codes.Internal, "the call panicked; the server's log has more")
		}
	}()
	return next(ctx, request)
}

// taskMethods are the full names of the methods whose calls are tasks.
type taskMethods map[string]bool

func tasksOf(services []Service) taskMethods {
	tasks := taskMethods{proto.EdgeAIService_OffloadTask_FullMethodName: true}
	for _, s := range services {
		for _, name := range s.Tasks {
			tasks[name] = true
		}
	}
	return tasks
}

// served begins the account of a call.
func (t taskMethods) served(method string) *Served {
	if method == proto.EdgeAIService_OffloadTask_FullMethodName {
		return &Served{}
	}
	return &Served{Method: method}
}

func codecOf(services []Service) encoding.CodecV2 {
	var c encoding.CodecV2 = newCodec()
	for _, s := range services {
		if s.Codec != nil {
			c = s.Codec(c)
		}
	}
	return c
}
