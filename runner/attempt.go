// SPDX-License-Identifier: Apache-2.0

package runner

import (
	"context"
	"errors"
	"fmt"
	"runtime/debug"
	"time"

	"edgex-offload/offload"
	"edgex-offload/remote"
)

// start runs one attempt in a goroutine of its own; the engine bounds how many there are.
// The event that tells its end is always sent, also when the work panics.
func (r *Runner) start(a offload.Action, run func(context.Context, offload.Action, offload.Task) offload.Event) {
	ctx, cancel := context.WithDeadline(context.Background(), a.Until)
	r.cancels[a.Attempt] = cancel
	task := *a.Task
	task.Truth = "" // for scoring alone
	r.work.Go(func() {
		ev := r.contained(func() offload.Event { return run(ctx, a, task) }, a)
		cancel()
		ev.Attempt = a.Attempt
		r.mu.Lock()
		defer r.mu.Unlock()
		delete(r.cancels, a.Attempt)
		r.handle(ev)
	})
}

// contained turns a panic into the attempt's failure.
func (r *Runner) contained(run func() offload.Event, a offload.Action) (ev offload.Event) {
	defer func() {
		if p := recover(); p != nil {
			r.logger.Error("attempt panicked", "task", a.Task.ID, "panic", p, "stack", string(debug.Stack()))
			kind := offload.LocalDone
			if a.Kind == offload.SendRemote {
				kind = offload.RemoteFailed
			}
			ev = offload.Event{Kind: kind, Error: fmt.Sprintf("panic: %v", p)}
		}
	}()
	return run()
}

func (r *Runner) runLocal(ctx context.Context, a offload.Action, task offload.Task) offload.Event {
	started := time.Now()
	answer, err := r.options.Local.Infer(ctx, a.Variant, task)
	ev := offload.Event{Kind: offload.LocalDone, Execution: time.Since(started)}
	if err != nil {
		ev.Error = err.Error()
		return ev
	}
	ev.Answer = &answer
	return ev
}

func (r *Runner) runRemote(ctx context.Context, a offload.Action, task offload.Task) offload.Event {
	sent := func() { r.event(offload.Event{Kind: offload.PayloadSent, Attempt: a.Attempt}) }
	reply, err := r.options.Targets[a.Target].Remote.Offload(ctx, task, sent)
	if err != nil {
		return offload.Event{Kind: failure(err), Error: reason(err), Lasting: remote.IsLasting(err)}
	}
	return offload.Event{
		Kind: offload.RemoteDone, Answer: &reply.Answer, Execution: reply.Execution, Queue: reply.Queue,
		Bytes: reply.ResponseBytes, ProcessedBy: reply.ProcessedBy,
		Held: stamps(reply.Received, reply.Sent), Socket: reply.Socket, Implausible: reply.Implausible,
	}
}

// failure tells an answer that is a no from no answer.
func failure(err error) offload.EventKind {
	switch remote.ClassOf(err) {
	case remote.Unreachable, remote.Late:
		return offload.RemoteFailed
	default:
		return offload.RemoteRefused
	}
}

func reason(err error) string {
	if e, ok := errors.AsType[*remote.Error](err); ok {
		return e.Reason
	}
	return err.Error()
}
