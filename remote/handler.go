// SPDX-License-Identifier: Apache-2.0

package remote

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"runtime/debug"
	"time"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"edgex-offload/offload"
	"edgex-offload/remote/proto"
)

// Models answers tasks. An error that wraps one of ErrNoModel, ErrNotReady or ErrBadInput
// refuses the task with the status named there; any other error is a task that failed.
type Models interface {
	InferModel(ctx context.Context, task offload.Task) (offload.Answer, error)
}

var (
	// ErrNoModel: nothing here answers such tasks (NOT_FOUND).
	ErrNoModel = errors.New("no model")
	// ErrNotReady: the model is known and not loaded now (FAILED_PRECONDITION).
	ErrNotReady = errors.New("model not ready")
	// ErrBadInput: the payload is not what the model takes (INVALID_ARGUMENT).
	ErrBadInput = errors.New("bad input")
)

// handler implements the service on the gate and the models.
type handler struct {
	proto.UnimplementedEdgeAIServiceServer
	config ServerConfig
	gate   gate
	times  serviceTimes
}

// Probe answers at once.
func (h *handler) Probe(_ context.Context, r *proto.ProbeRequest) (*proto.ProbeResponse, error) {
	received := time.Now().UnixNano()
	running, waiting := h.gate.load()
	return &proto.ProbeResponse{
		Sequence:         r.GetSequence(),
		ReceivedUnixNano: received,
		QueueLength:      uint32(running + waiting),
		Padding:          make([]byte, min(r.GetAnswerPadding(), MaxProbePadding)),
		SentUnixNano:     time.Now().UnixNano(),
	}, nil
}

// OffloadTask runs one task, or refuses it with a reason.
func (h *handler) OffloadTask(ctx context.Context, r *proto.TaskRequest) (*proto.TaskResponse, error) {
	received := time.Now()
	served := servedIn(ctx)
	served.Read, served.Kind, served.Model = true, offload.Kind(r.GetType()), r.GetContext()[contextModel]
	served.RequestBytes = len(r.GetPayload())
	response, err := h.serve(ctx, r, received, served)
	if err != nil {
		return nil, err
	}
	response.ReceivedUnixNano = received.UnixNano()
	response.SentUnixNano = time.Now().UnixNano()
	return response, nil
}

func (h *handler) serve(ctx context.Context, r *proto.TaskRequest, received time.Time, served *Served) (*proto.TaskResponse, error) {
	if err := checkRequest(r, h.config.MessageLimit); err != nil {
		return nil, status.Error(codes.InvalidArgument, err.Error())
	}
	task := newTask(ctx, r, received)
	var answer offload.Answer
	refusal, err := h.admit(ctx, task, received, served, func(ctx context.Context) (err error) {
		answer, err = h.config.Models.InferModel(ctx, task)
		return err
	})
	if refusal != nil {
		return nil, refusal
	}
	response := &proto.TaskResponse{
		TaskId:       r.GetId(),
		ProcessedBy:  h.config.Name,
		QueueNano:    served.Queue.Nanoseconds(),
		DurationNano: served.Execution.Nanoseconds(),
	}
	if err == nil {
		response.Output, err = encodeAnswer(answer)
	}
	if err == nil {
		response.Success = true
		return response, nil
	}
	served.Failed = true
	response.ErrorMessage = printable(err.Error(), maxMessageBytes)
	return response, nil
}

// admit runs a task as soon as there is a place for it and within its time. A refusal is a
// status: it was not run, or cut off; a failure is what run says itself.
func (h *handler) admit(ctx context.Context, task offload.Task, received time.Time, served *Served, run func(context.Context) error) (refusal, failure error) {
	ctx, cancel := h.bounded(ctx, task.Deadline)
	defer cancel()
	if err := h.wait(ctx, task); err != nil {
		return err, nil
	}
	defer h.gate.leave()
	served.Queue = time.Since(received)

	start := time.Now()
	err := h.contain(ctx, task, run)
	served.Execution = time.Since(start)
	if err == nil {
		h.times.learn(task, served.Execution, time.Now())
		return nil, nil
	}
	if refusal := refusalOf(ctx, err); refusal != nil {
		return refusal, nil
	}
	return nil, err
}

// newTask reads a request that was checked. The time that the call has left, which the
// client sent as a duration, comes before the absolute deadline: that one is the client's
// clock, which need not agree with this one.
func newTask(ctx context.Context, r *proto.TaskRequest, received time.Time) offload.Task {
	task := offload.Task{
		ID:       r.GetId(),
		Kind:     offload.Kind(r.GetType()),
		Priority: offload.Priority(r.GetPriority()),
		Source:   r.GetContext()[contextSource],
		Model:    r.GetContext()[contextModel],
		Payload:  r.GetPayload(),
		Created:  received,
		Context:  r.GetContext(),
	}
	if deadline, ok := ctx.Deadline(); ok {
		task.Deadline = deadline
	} else if r.GetDeadlineUnixNano() != 0 {
		task.Deadline = time.Unix(0, r.GetDeadlineUnixNano())
	}
	return task
}

// bounded gives a context that ends in any case, at the task's deadline where it has one.
func (h *handler) bounded(ctx context.Context, deadline time.Time) (context.Context, context.CancelFunc) {
	if deadline.IsZero() {
		return context.WithTimeout(ctx, h.config.RunLimit)
	}
	return context.WithDeadline(ctx, deadline)
}

// wait returns when the task may run. A task that can no longer be in time is refused as
// soon as that is clear: now, or when its wait has used up the time that its model needs.
func (h *handler) wait(ctx context.Context, task offload.Task) error {
	now := time.Now()
	needs := h.times.atLeast(task, now)
	if !task.Deadline.IsZero() {
		if left := task.Deadline.Sub(now); left <= needs {
			return late(task, left, needs, "on arrival")
		}
		var cancel context.CancelFunc
		ctx, cancel = context.WithDeadline(ctx, task.Deadline.Add(-needs))
		defer cancel()
	}
	err := h.gate.enter(ctx, task.Priority, task.Deadline)
	switch {
	case err == nil:
		return nil
	case errors.Is(err, errNoRoom):
		return status.Error(codes.ResourceExhausted, err.Error())
	case errors.Is(ctx.Err(), context.Canceled):
		return status.Error(codes.Canceled, "the caller gave up while the task waited")
	case task.Deadline.IsZero():
		return status.Errorf(codes.ResourceExhausted, "%s: waited %s without a place; a task without a deadline gets no longer", task.ID, h.config.RunLimit)
	}
	return late(task, time.Until(task.Deadline), needs, fmt.Sprintf("after waiting %s for one of %d places", ms(time.Since(now)), h.gate.places))
}

func late(task offload.Task, left, needs time.Duration, when string) error {
	if needs == 0 {
		return status.Errorf(codes.DeadlineExceeded, "task %s is too late: %s left %s", quote(task.ID), ms(left), when)
	}
	return status.Errorf(codes.DeadlineExceeded, "task %s can no longer be in time: %s left %s, model %s needs at least %s here",
		quote(task.ID), ms(left), when, quote(task.Model), ms(needs))
}

// ms is a duration in milliseconds, as the reasons give it.
func ms(d time.Duration) string { return fmt.Sprintf("%.1f ms", float64(d)/float64(time.Millisecond)) }

// contain runs the model and turns a panic in it into a task that failed.
func (h *handler) contain(ctx context.Context, task offload.Task, run func(context.Context) error) (err error) {
	defer func() {
		if cause := recover(); cause != nil {
			h.config.Log.Error("a model panicked", "task", task.ID, "model", task.Model, "cause", cause, "stack", string(debug.Stack()))
			err = fmt.Errorf("the model panicked: %v", cause)
		}
	}()
	return run(ctx)
}

func encodeAnswer(answer offload.Answer) ([]byte, error) {
	if err := CheckAnswer(answer); err != nil {
		return nil, fmt.Errorf("the model's answer: %w", err)
	}
	output, err := json.Marshal(answer)
	if err == nil && len(output) > MaxOutputBytes {
		err = fmt.Errorf("the model's answer of %d bytes: allowed is up to %d", len(output), MaxOutputBytes)
	}
	return output, err
}

// refusalOf is the status for an error with which a task was refused or cut off, and nil
// for one with which it failed.
func refusalOf(ctx context.Context, err error) error {
	var code codes.Code
	switch {
	case errors.Is(ctx.Err(), context.DeadlineExceeded):
		code = codes.DeadlineExceeded
	case ctx.Err() != nil:
		code = codes.Canceled
	case errors.Is(err, ErrNoModel):
		code = codes.NotFound
	case errors.Is(err, ErrNotReady):
		code = codes.FailedPrecondition
	case errors.Is(err, ErrBadInput):
		code = codes.InvalidArgument
	default:
		return nil
	}
	return status.Error(code, printable(err.Error(), maxMessageBytes))
}
