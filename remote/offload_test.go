// SPDX-License-Identifier: Apache-2.0

package remote

import (
	"context"
	"errors"
	"fmt"
	"net"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"google.golang.org/grpc/codes"

	"edgex-offload/offload"
)

func TestTaskReachesTheModelAndItsAnswerComesBack(t *testing.T) {
	got := make(chan offload.Task, 1)
	_, address := serve(t, ServerConfig{Name: "cloud-1", Models: modelFunc(func(ctx context.Context, task offload.Task) (offload.Answer, error) {
		got <- task
		return good(ctx, task)
	})})
	client := dialed(t, ClientConfig{Address: address})
	sent := 0
	sendTask := task("t1")
	sendTask.Deadline = time.Now().Add(time.Minute)
	reply, err := client.Offload(context.Background(), sendTask, func() { sent++ })
	require.NoError(t, err)

	assert.Equal(t, 1, sent, "sent is called once")
	assert.Equal(t, offload.Answer{Label: "good", Confidence: .9, Model: "surface-large/1"}, reply.Answer)
	assert.Equal(t, "cloud-1", reply.ProcessedBy)
	assert.Positive(t, reply.Execution)
	assert.Greater(t, reply.RequestBytes, len(sendTask.Payload))
	assert.Positive(t, reply.ResponseBytes)
	assert.False(t, reply.Implausible)
	assert.GreaterOrEqual(t, reply.Sent.Sub(reply.Received), reply.Execution+reply.Queue)

	seen := <-got
	assert.Equal(t, "surface", seen.Model)
	assert.Equal(t, "camera-1/Frame", seen.Source)
	assert.Equal(t, offload.High, seen.Priority)
	assert.Equal(t, []byte("a picture"), seen.Payload)
	assert.Equal(t, "image/jpeg", seen.Context["content-type"])
	assert.WithinDuration(t, sendTask.Deadline, seen.Deadline, 30*time.Second)
	assert.Empty(t, seen.Truth)
	assert.NotContains(t, fmt.Sprint(seen), "secret", "the truth never travels")
	assert.Equal(t, map[string]string{"content-type": "image/jpeg"}, sendTask.Context, "the caller's map is not changed")
}

func TestProbe(t *testing.T) {
	_, address := serve(t, ServerConfig{})
	client := dialed(t, ClientConfig{Address: address})
	reply, err := client.Probe(soon(t))
	require.NoError(t, err)
	assert.False(t, reply.Received.IsZero())
	assert.False(t, reply.Sent.Before(reply.Received))
	assert.Zero(t, reply.QueueLength)
	assert.False(t, reply.Implausible)
	assert.GreaterOrEqual(t, reply.RTT, reply.Sent.Sub(reply.Received))
}

// What a model's error means to the box: whether the task may do better elsewhere.
func TestModelErrors(t *testing.T) {
	for name, c := range map[string]struct {
		err    error
		class  Class
		code   codes.Code
		last   bool
		reason string
	}{
		"failed":    {errors.New("tensor\nhas the wrong rank"), Failed, codes.OK, false, "tensor has the wrong rank"},
		"no model":  {fmt.Errorf("%w: nose", ErrNoModel), Refused, codes.NotFound, true, "no model: nose"},
		"not ready": {fmt.Errorf("%w: surface loads", ErrNotReady), Refused, codes.FailedPrecondition, true, "surface loads"},
		"bad input": {fmt.Errorf("%w: not a JPEG", ErrBadInput), Refused, codes.InvalidArgument, false, "not a JPEG"},
		"long":      {errors.New(strings.Repeat("ä", 4000)), Failed, codes.OK, false, "ää"},
	} {
		t.Run(name, func(t *testing.T) {
			_, address := serve(t, ServerConfig{Models: modelFunc(func(context.Context, offload.Task) (offload.Answer, error) {
				return offload.Answer{}, c.err
			})})
			_, err := dialed(t, ClientConfig{Address: address}).Offload(soon(t), task("t"), nil)
			requireError(t, err, c.class, c.code, c.reason)
			assert.Less(t, len(err.Error()), 1000)
			assert.True(t, LinkWorks(err))
			assert.Equal(t, c.last, IsLasting(err))
		})
	}
}

func TestPanicInAModelFailsItsTaskAlone(t *testing.T) {
	_, address := serve(t, ServerConfig{Workers: 1, Models: modelFunc(func(ctx context.Context, task offload.Task) (offload.Answer, error) {
		if task.ID == "bad" {
			panic("index out of range")
		}
		return good(ctx, task)
	})})
	client := dialed(t, ClientConfig{Address: address})
	_, err := client.Offload(soon(t), task("bad"), nil)
	requireError(t, err, Failed, codes.OK, "the model panicked: index out of range")
	_, err = client.Offload(soon(t), task("next"), nil)
	require.NoError(t, err, "the place is free again")
}

func TestModelAnswerOutOfBoundsIsAFailureOfTheModel(t *testing.T) {
	_, address := serve(t, ServerConfig{Models: modelFunc(func(context.Context, offload.Task) (offload.Answer, error) {
		return offload.Answer{Label: "x", Confidence: 7}, nil
	})})
	_, err := dialed(t, ClientConfig{Address: address}).Offload(soon(t), task("t"), nil)
	requireError(t, err, Failed, codes.OK, "confidence 7: allowed is 0 to 1")
}

func TestClientInvalidTaskIsNotSent(t *testing.T) {
	_, address := serve(t, ServerConfig{})
	client := dialed(t, ClientConfig{Address: address, MessageLimit: 64 << 10})
	for name, c := range map[string]struct {
		change func(*offload.Task)
		reason string
	}{
		"no id":         {func(t *offload.Task) { t.ID = "" }, `id "": allowed is 1 to 128 bytes`},
		"long id":       {func(t *offload.Task) { t.ID = strings.Repeat("i", 129) }, "id of 129 bytes"},
		"no payload":    {func(t *offload.Task) { t.Payload = nil }, "payload of 0 bytes"},
		"large payload": {func(t *offload.Task) { t.Payload = make([]byte, 64<<10) }, "payload of 65536 bytes: allowed is 1 to"},
		"kind":          {func(t *offload.Task) { t.Kind = 99 }, "type 99: allowed are IMAGE_CLASSIFICATION (0)"},
		"priority":      {func(t *offload.Task) { t.Priority = -1 }, "priority -1: allowed are LOW (0)"},
		"text":          {func(t *offload.Task) { t.Source = "a\xff" }, `context["source"] "a\xff": allowed is UTF-8`},
	} {
		t.Run(name, func(t *testing.T) {
			bad := task("t")
			c.change(&bad)
			sent := false
			_, err := client.Offload(soon(t), bad, func() { sent = true })
			requireError(t, err, Invalid, codes.InvalidArgument, c.reason)
			assert.False(t, sent)
		})
	}
}

func TestLateCallIsNotARefusal(t *testing.T) {
	_, address := serve(t, ServerConfig{Models: modelFunc(func(ctx context.Context, _ offload.Task) (offload.Answer, error) {
		<-ctx.Done()
		return offload.Answer{}, ctx.Err()
	})})
	client := dialed(t, ClientConfig{Address: address})

	ctx, cancel := context.WithCancel(soon(t))
	_, err := client.Offload(ctx, task("t"), cancel)
	requireError(t, err, Late, codes.Canceled, "context canceled")
	require.ErrorIs(t, err, context.Canceled)
	assert.False(t, LinkWorks(err))

	_, err = client.Offload(cancelled(), task("t"), func() { t.Error("sent") })
	requireError(t, err, Late, codes.OK, "not sent")
}

func TestCallTimeoutBoundsATaskWithoutDeadline(t *testing.T) {
	_, address := serve(t, ServerConfig{Models: modelFunc(func(ctx context.Context, _ offload.Task) (offload.Answer, error) {
		<-ctx.Done()
		return offload.Answer{}, ctx.Err()
	})})
	client := dialed(t, ClientConfig{Address: address, CallTimeout: 30 * time.Millisecond})
	_, err := client.Offload(context.Background(), task("t"), nil)
	require.Error(t, err)
	assert.Contains(t, []Class{Late, Refused}, ClassOf(err), "whichever side's timer rings first")
}

func TestUnreachableFailsAtOnceAndHeals(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	address := listener.Addr().String()
	require.NoError(t, listener.Close())

	client := newClient(t, ClientConfig{Address: address, ReconnectMin: 10 * time.Millisecond, ReconnectMax: 20 * time.Millisecond})
	_, err = client.Offload(soon(t), task("t"), func() { t.Error("sent") })
	require.Equal(t, Unreachable, ClassOf(err), "%v", err)
	_, err = client.Probe(soon(t))
	require.Equal(t, Unreachable, ClassOf(err), "%v", err)
	assert.ErrorContains(t, client.WaitReady(cancelled()), address)

	for round := range 3 { // comes, goes and comes back on the same port
		server, err := NewServer(ServerConfig{Models: modelFunc(good)})
		require.NoError(t, err)
		listener, err = net.Listen("tcp", address)
		require.NoError(t, err)
		ended := make(chan error, 1)
		go func() { ended <- server.Serve(listener) }()
		require.NoError(t, client.WaitReady(soon(t)))
		_, err = client.Offload(soon(t), task("t"), nil)
		require.NoError(t, err, "round %d", round)
		require.NoError(t, server.Stop(soon(t)))
		require.NoError(t, <-ended)
		require.Eventually(t, func() bool { _, err := client.Probe(soon(t)); return ClassOf(err) == Unreachable }, 20*time.Second, time.Millisecond)
	}
	require.Eventually(t, func() bool {
		_, err := client.Offload(soon(t), task("t"), nil)
		return ClassOf(err) == Unreachable && strings.Contains(err.Error(), "connection refused")
	}, 20*time.Second, time.Millisecond, "the reason is told")
}

func TestConnectionThatBreaksEndsItsCalls(t *testing.T) {
	running := make(chan struct{})
	server, address := serve(t, ServerConfig{Models: modelFunc(func(ctx context.Context, _ offload.Task) (offload.Answer, error) {
		close(running)
		<-ctx.Done()
		return offload.Answer{}, ctx.Err()
	})})
	client := dialed(t, ClientConfig{Address: address})
	ended := make(chan error, 1)
	go func() { _, err := client.Offload(soon(t), task("t"), nil); ended <- err }()
	<-running
	require.ErrorIs(t, server.Stop(cancelled()), context.Canceled)
	requireError(t, <-ended, Unreachable, codes.Unavailable, address)
}

func TestManyCallersAtOnce(t *testing.T) {
	_, address := serve(t, ServerConfig{Workers: 4, QueueLimit: 100})
	client := dialed(t, ClientConfig{Address: address})
	var sent atomic.Int64
	errs := make(chan error)
	const calls = 64
	for i := range calls {
		go func() {
			_, err := client.Offload(soon(t), task(fmt.Sprint(i)), func() { sent.Add(1) })
			errs <- err
		}()
	}
	for range calls {
		require.NoError(t, <-errs)
	}
	assert.EqualValues(t, calls, sent.Load())
}

func requireError(t *testing.T, err error, class Class, code codes.Code, reason string) {
	t.Helper()
	e, ok := errors.AsType[*Error](err)
	require.True(t, ok, "%v", err)
	require.Equal(t, class, e.Class, "%v", err)
	require.Equal(t, code, e.Code, "%v", err)
	require.Contains(t, e.Error(), reason)
}
