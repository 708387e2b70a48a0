// SPDX-License-Identifier: Apache-2.0

package remote

import (
	"context"
	"fmt"
	"log/slog"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	pb "google.golang.org/protobuf/proto"

	"edgex-offload/offload"
	"edgex-offload/remote/proto"
)

// newHandler is the service without a network around it.
func newHandler(config ServerConfig) *handler {
	if config.Models == nil {
		config.Models = modelFunc(good)
	}
	config.Log = slog.New(slog.DiscardHandler)
	config = config.withDefaults()
	return &handler{
		config: config,
		gate:   gate{places: config.Workers, limit: config.QueueLimit},
		times:  serviceTimes{byModel: make(map[modelKey]*runs)},
	}
}

func request(id string) *proto.TaskRequest {
	return &proto.TaskRequest{Id: id, Payload: []byte("x"), Context: map[string]string{"model": "surface"}}
}

func TestRequestsThatCannotBe(t *testing.T) {
	for name, c := range map[string]struct {
		change func(*proto.TaskRequest)
		reason string
	}{
		"no id":         {func(r *proto.TaskRequest) { r.Id = "" }, `id "": allowed is 1 to 128 bytes`},
		"long id":       {func(r *proto.TaskRequest) { r.Id = strings.Repeat("ä", 200) }, "id of 400 bytes"},
		"type":          {func(r *proto.TaskRequest) { r.Type = 6 }, "type 6: allowed are IMAGE_CLASSIFICATION (0), OBJECT_DETECTION (1), NLP_ANALYSIS (2), SIGNAL_CLASSIFICATION (3)"},
		"negative type": {func(r *proto.TaskRequest) { r.Type = -1 }, "type -1: allowed are"},
		"priority":      {func(r *proto.TaskRequest) { r.Priority = 4 }, "priority 4: allowed are LOW (0), MEDIUM (1), HIGH (2), CRITICAL (3)"},
		"no payload":    {func(r *proto.TaskRequest) { r.Payload = nil }, "payload of 0 bytes: allowed is 1 to"},
		"payload":       {func(r *proto.TaskRequest) { r.Payload = make([]byte, 64<<10) }, "payload of 65536 bytes: allowed is 1 to"},
		"deadline":      {func(r *proto.TaskRequest) { r.DeadlineUnixNano = -5 }, "deadline_unix_nano -5: allowed is 0 (none)"},
		"context key":   {func(r *proto.TaskRequest) { r.Context = map[string]string{strings.Repeat("k", 65): ""} }, "context key of 65 bytes"},
		"empty key":     {func(r *proto.TaskRequest) { r.Context = map[string]string{"": "v"} }, "context key of 0 bytes"},
		"context value": {func(r *proto.TaskRequest) { r.Context = map[string]string{"k": strings.Repeat("v", 1025)} }, `context["k"] of 1025 bytes`},
		"context entries": {func(r *proto.TaskRequest) {
			for i := range 33 {
				r.Context[fmt.Sprint(i)] = ""
			}
		}, "context of 34 entries: allowed is up to 32"},
	} {
		t.Run(name, func(t *testing.T) {
			h := newHandler(ServerConfig{MessageLimit: 64 << 10})
			r := request("t")
			c.change(r)
			_, err := h.OffloadTask(t.Context(), r)
			requireStatus(t, err, codes.InvalidArgument, c.reason)
		})
	}
}

func requireStatus(t *testing.T, err error, code codes.Code, reason string) {
	t.Helper()
	require.Equal(t, code, status.Code(err), "%v", err)
	require.ErrorContains(t, err, reason)
	assert.Less(t, len(err.Error()), 1000)
}

// takes is a model that runs for some time of the test's own clock.
func takes(d time.Duration) Models {
	return modelFunc(func(ctx context.Context, task offload.Task) (offload.Answer, error) {
		select {
		case <-time.After(d):
			return good(ctx, task)
		case <-ctx.Done():
			return offload.Answer{}, ctx.Err()
		}
	})
}

func TestTimesAreReportedApart(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHandler(ServerConfig{Models: takes(30 * time.Millisecond), Workers: 1})
		go func() { _, _ = h.OffloadTask(t.Context(), request("first")) }()
		time.Sleep(10 * time.Millisecond)
		response, err := h.OffloadTask(t.Context(), request("second"))
		require.NoError(t, err)
		assert.EqualValues(t, 20*time.Millisecond, response.GetQueueNano())
		assert.EqualValues(t, 30*time.Millisecond, response.GetDurationNano())
		assert.EqualValues(t, 50*time.Millisecond, response.GetSentUnixNano()-response.GetReceivedUnixNano())
	})
}

func TestTaskThatCanNoLongerBeInTimeIsRefusedAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHandler(ServerConfig{Models: takes(30 * time.Millisecond), Workers: 1})
		_, err := h.OffloadTask(t.Context(), request("teaches how long it takes"))
		require.NoError(t, err)

		start := time.Now()
		ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
		defer cancel()
		_, err = h.OffloadTask(ctx, request("short"))
		requireStatus(t, err, codes.DeadlineExceeded, `task "short" can no longer be in time: 20.0 ms left on arrival, model "surface" needs at least 30.0 ms here`)
		assert.Zero(t, time.Since(start), "without waiting for the deadline")

		other := request("other model")
		other.Context["model"] = "faces"
		_, err = h.OffloadTask(ctx, other)
		requireStatus(t, err, codes.DeadlineExceeded, "deadline exceeded") // unknown there, so it was tried

		long, cancel := context.WithTimeout(t.Context(), 40*time.Millisecond)
		defer cancel()
		_, err = h.OffloadTask(long, request("long"))
		require.NoError(t, err)

		// One slow run must not shut the door for ever: nothing runs, so nothing is learned.
		time.Sleep(learnedFor + time.Millisecond)
		ctx, cancel = context.WithTimeout(t.Context(), 20*time.Millisecond)
		defer cancel()
		h.config.Models = modelFunc(good)
		_, err = h.OffloadTask(ctx, request("later"))
		require.NoError(t, err)
	})
}

func TestTaskGivesUpItsWaitWhenItsModelNeedsWhatIsLeft(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHandler(ServerConfig{Models: takes(30 * time.Millisecond), Workers: 1})
		_, err := h.OffloadTask(t.Context(), request("teaches"))
		require.NoError(t, err)
		go func() { _, _ = h.OffloadTask(t.Context(), request("runs")) }()
		synctest.Wait()
		ctx, cancel := context.WithTimeout(t.Context(), 45*time.Millisecond)
		defer cancel()
		start := time.Now()
		_, err = h.OffloadTask(ctx, request("waits"))
		requireStatus(t, err, codes.DeadlineExceeded, "30.0 ms left after waiting 15.0 ms for one of 1 places")
		assert.Equal(t, 15*time.Millisecond, time.Since(start))
	})
}

func TestAbsoluteDeadlineCountsWhereTheCallHasNone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHandler(ServerConfig{Models: takes(time.Hour), RunLimit: time.Minute})
		r := request("past")
		r.DeadlineUnixNano = time.Now().Add(-time.Second).UnixNano()
		_, err := h.OffloadTask(t.Context(), r)
		requireStatus(t, err, codes.DeadlineExceeded, "-1000.0 ms left on arrival")

		ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
		defer cancel()
		start := time.Now()
		_, err = h.OffloadTask(ctx, r) // a client whose clock is behind: its timeout counts
		requireStatus(t, err, codes.DeadlineExceeded, "")
		assert.Equal(t, 5*time.Second, time.Since(start))

		start = time.Now()
		_, err = h.OffloadTask(t.Context(), request("no deadline"))
		requireStatus(t, err, codes.DeadlineExceeded, "")
		assert.Equal(t, time.Minute, time.Since(start), "RunLimit bounds it")
	})
}

func TestFullQueueRefusesTheLeastImportant(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHandler(ServerConfig{Models: takes(10 * time.Millisecond), Workers: 1, QueueLimit: 1})
		results := make(map[string]chan error)
		send := func(id string, priority proto.Priority) {
			result := make(chan error, 1)
			results[id] = result
			r := request(id)
			r.Priority = priority
			go func() { _, err := h.OffloadTask(t.Context(), r); result <- err }()
			synctest.Wait()
		}
		send("runs", proto.Priority_LOW)
		send("waits", proto.Priority_LOW)
		send("same", proto.Priority_LOW)
		requireStatus(t, <-results["same"], codes.ResourceExhausted, "1 tasks run and 1 wait, all at least as important")
		send("urgent", proto.Priority_CRITICAL)
		requireStatus(t, <-results["waits"], codes.ResourceExhausted, "a more important task took the last of 1 places")
		require.NoError(t, <-results["runs"])
		require.NoError(t, <-results["urgent"])
		running, waiting := h.gate.load()
		assert.Zero(t, running+waiting)
	})
}

// FuzzRequest is what any client may send as a request.
func FuzzRequest(f *testing.F) {
	for _, r := range []*proto.TaskRequest{request("t"), {Id: "\n", Type: 9}, {Id: "x", Priority: -1, DeadlineUnixNano: -1}} {
		raw, err := pb.Marshal(r)
		require.NoError(f, err)
		f.Add(raw)
	}
	h := newHandler(ServerConfig{MessageLimit: 64 << 10, Workers: 1})
	f.Fuzz(func(t *testing.T, raw []byte) {
		var r proto.TaskRequest
		if pb.Unmarshal(raw, &r) != nil {
			return
		}
		response, err := h.OffloadTask(t.Context(), &r)
		if err != nil {
			assert.Contains(t, []codes.Code{codes.InvalidArgument, codes.DeadlineExceeded}, status.Code(err))
			assert.Less(t, len(err.Error()), 1000)
			return
		}
		assert.True(t, response.GetSuccess() && response.GetTaskId() == r.GetId())
		running, waiting := h.gate.load()
		assert.Zero(t, running+waiting)
	})
}
