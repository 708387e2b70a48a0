// SPDX-License-Identifier: Apache-2.0

package remote

import (
	"context"
	"time"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/stats"
	"google.golang.org/grpc/status"

	"edgex-offload/offload"
)

// Served is what became of one OffloadTask call, or of one that a Service lists in Tasks,
// for counters.
type Served struct {
	// Code is codes.OK for an answer and for a task that ran and failed; Failed tells them
	// apart.
	Code   codes.Code
	Failed bool
	// Read is false for a call that was refused before its task was read: there was no
	// room, or the message was too large or no task. The fields below are zero then.
	Read bool
	// Method is the full name of a Service's call; "" for OffloadTask. It has no Kind.
	Method string
	Kind   offload.Kind
	Model  string // as the task asked for it
	// Queue is the time waited and Execution the time run; 0 where it did not come to it.
	Queue, Execution time.Duration
	RequestBytes     int
}

type servedKey struct{}

// servedIn is the call's own Served, which the handler fills.
func servedIn(ctx context.Context) *Served {
	if served, ok := ctx.Value(servedKey{}).(*Served); ok {
		return served
	}
	return &Served{} // nobody observes
}

// observer tells of each task's call that came in, at its end. It is gRPC's stats handler,
// as only that sees the calls which end before the handler is reached.
type observer struct {
	tasks   taskMethods
	observe func(Served)
}

func (o observer) TagRPC(ctx context.Context, info *stats.RPCTagInfo) context.Context {
	if !o.tasks[info.FullMethodName] {
		return ctx
	}
	return context.WithValue(ctx, servedKey{}, o.tasks.served(info.FullMethodName))
}

func (o observer) HandleRPC(ctx context.Context, event stats.RPCStats) {
	served, ok := ctx.Value(servedKey{}).(*Served)
	if end, isEnd := event.(*stats.End); ok && isEnd {
		served.Code = status.Code(end.Error)
		o.observe(*served)
	}
}

func (o observer) TagConn(ctx context.Context, _ *stats.ConnTagInfo) context.Context { return ctx }
func (o observer) HandleConn(context.Context, stats.ConnStats)                       {}
