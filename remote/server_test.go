// SPDX-License-Identifier: Apache-2.0

package remote

import (
	"context"
	"fmt"
	"log/slog"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials/insecure"
	healthpb "google.golang.org/grpc/health/grpc_health_v1"
	reflectionpb "google.golang.org/grpc/reflection/grpc_reflection_v1"
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
		"type":          {func(r *proto.TaskRequest) { r.Type = 4 }, "type 4: allowed are IMAGE_CLASSIFICATION (0), OBJECT_DETECTION (1), NLP_ANALYSIS (2), SIGNAL_CLASSIFICATION (3)"},
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

func TestObserveHearsOfEachCall(t *testing.T) {
	heard := make(chan Served, 16)
	_, address := serve(t, ServerConfig{MessageLimit: 64 << 10, Observe: func(s Served) { heard <- s }, Models: modelFunc(func(ctx context.Context, task offload.Task) (offload.Answer, error) {
		if task.ID == "bad" {
			panic("x")
		}
		return good(ctx, task)
	})})
	client := dialed(t, ClientConfig{Address: address})
	_, err := client.Probe(soon(t)) // is no task
	require.NoError(t, err)
	_, err = client.Offload(soon(t), task("t"), nil)
	require.NoError(t, err)
	ok := <-heard
	assert.True(t, ok.Read && !ok.Failed && ok.Code == codes.OK, "%+v", ok)
	assert.Equal(t, "surface", ok.Model)
	assert.Equal(t, len(task("t").Payload), ok.RequestBytes)
	assert.True(t, ok.Queue > 0 && ok.Execution > 0, "%+v", ok)

	_, err = client.Offload(soon(t), task("bad"), nil)
	require.Error(t, err)
	failed := <-heard
	assert.True(t, failed.Read && failed.Failed && failed.Code == codes.OK, "%+v", failed)

	large := task("large")
	large.Payload = make([]byte, 1<<20)
	_, err = client.Offload(soon(t), large, nil)
	requireError(t, err, Refused, codes.ResourceExhausted, "received message larger than max")
	assert.Equal(t, Served{Code: codes.ResourceExhausted}, <-heard)
	assert.Empty(t, heard)
}

// The door refuses before a payload is read, and is open again when calls end.
func TestNoMoreTasksAreReceivedThanThereIsRoomFor(t *testing.T) {
	block, entered := make(chan struct{}), make(chan struct{}, 4)
	var refused, answered atomic.Int32
	count := func(s Served) {
		switch s.Code {
		case codes.OK:
			answered.Add(1)
		case codes.ResourceExhausted:
			refused.Add(1)
		}
	}
	_, address := serve(t, ServerConfig{Workers: 1, QueueLimit: 1, Observe: count, Models: modelFunc(func(ctx context.Context, task offload.Task) (offload.Answer, error) {
		entered <- struct{}{}
		<-block
		return good(ctx, task)
	})})
	client := dialed(t, ClientConfig{Address: address})
	results := make(chan error, 8)
	for i := range 8 {
		go func() { _, err := client.Offload(soon(t), task(fmt.Sprint(i)), nil); results <- err }()
	}
	<-entered
	for range 6 { // one runs, one waits
		requireError(t, <-results, Refused, codes.ResourceExhausted, "")
	}
	close(block)
	require.NoError(t, <-results)
	require.NoError(t, <-results)
	require.Eventually(t, func() bool { return answered.Load() == 2 && refused.Load() == 6 }, 20*time.Second, time.Millisecond, "each call was counted")
	require.Eventually(t, func() bool {
		_, err := client.Offload(soon(t), task("again"), nil)
		return err == nil
	}, 20*time.Second, time.Millisecond)
}

func TestHealthAndReflection(t *testing.T) {
	server, address := serve(t, ServerConfig{})
	conn, err := grpc.NewClient(address, grpc.WithTransportCredentials(insecure.NewCredentials()))
	require.NoError(t, err)
	defer conn.Close()
	for _, service := range []string{"", "edge_ai.EdgeAIService"} {
		for _, serving := range []bool{false, true} {
			server.SetServing(serving)
			response, err := healthpb.NewHealthClient(conn).Check(soon(t), &healthpb.HealthCheckRequest{Service: service})
			require.NoError(t, err)
			assert.Equal(t, serving, response.GetStatus() == healthpb.HealthCheckResponse_SERVING)
		}
	}
	ctx, cancel := context.WithCancel(soon(t))
	defer cancel()
	stream, err := reflectionpb.NewServerReflectionClient(conn).ServerReflectionInfo(ctx)
	require.NoError(t, err)
	require.NoError(t, stream.Send(&reflectionpb.ServerReflectionRequest{MessageRequest: &reflectionpb.ServerReflectionRequest_ListServices{}}))
	response, err := stream.Recv()
	require.NoError(t, err)
	assert.Contains(t, response.String(), "edge_ai.EdgeAIService")
}

func TestStopLetsTasksEnd(t *testing.T) {
	running, block := make(chan struct{}), make(chan struct{})
	server, address := serve(t, ServerConfig{Models: modelFunc(func(ctx context.Context, task offload.Task) (offload.Answer, error) {
		close(running)
		<-block
		return good(ctx, task)
	})})
	client := dialed(t, ClientConfig{Address: address})
	result := make(chan error, 1)
	go func() { _, err := client.Offload(soon(t), task("t"), nil); result <- err }()
	<-running
	stopped := make(chan error, 1)
	go func() { stopped <- server.Stop(soon(t)) }()
	require.Eventually(t, func() bool { _, err := client.Probe(soon(t)); return ClassOf(err) == Unreachable }, 20*time.Second, time.Millisecond, "nothing new is taken")
	close(block)
	require.NoError(t, <-result)
	require.NoError(t, <-stopped)
}

func TestConfigurationErrorsNameFieldValueAndAllowed(t *testing.T) {
	for reason, config := range map[string]ServerConfig{
		"Models nil":                              {},
		"Workers -1: allowed is 1 to 1024":        {Models: modelFunc(good), Workers: -1},
		"QueueLimit 20000: allowed is 1 to":       {Models: modelFunc(good), QueueLimit: 20000},
		"MessageLimit 1: allowed is 65536 to":     {Models: modelFunc(good), MessageLimit: 1},
		`TLS.Cert ""`:                             {Models: modelFunc(good), TLS: TLSConfig{Enabled: true}},
		"TLS.Enabled false: allowed with":         {Models: modelFunc(good), TLS: TLSConfig{Cert: "a", Key: "b"}},
		`TLS.ServerName "x": allowed on a client`: {Models: modelFunc(good), TLS: TLSConfig{Enabled: true, Cert: "a", Key: "b", ServerName: "x"}},
		`TLS.Cert "a" with TLS.Key "b": open a`:   {Models: modelFunc(good), TLS: TLSConfig{Enabled: true, Cert: "a", Key: "b"}},
	} {
		_, err := NewServer(config)
		assert.ErrorContains(t, err, reason)
	}
	for reason, config := range map[string]ClientConfig{
		`Address "": allowed is host:port`:              {},
		`Address "cloud": allowed is host:port`:         {Address: "cloud"},
		`Address ":1": the host is missing`:             {Address: ":1"},
		`port "0": allowed is 1 to 65535`:               {Address: "a:0"},
		`port "http": allowed is`:                       {Address: "a:http"},
		"ReconnectMax 1ms: allowed is 150ms to":         {Address: "a:1", ReconnectMax: time.Millisecond},
		"DeadAfter 1ms: allowed is 100ms to":            {Address: "a:1", DeadAfter: time.Millisecond},
		`TLS.Cert "a" with TLS.Key "": allowed is both`: {Address: "a:1", TLS: TLSConfig{Enabled: true, Cert: "a"}},
		"TLS.CA: open nowhere.pem: no such file":        {Address: "a:1", TLS: TLSConfig{Enabled: true, CA: "nowhere.pem"}},
		`TLS.CA "server_test.go": holds no certificate`: {Address: "a:1", TLS: TLSConfig{Enabled: true, CA: "server_test.go"}},
	} {
		_, err := NewClient(config)
		assert.ErrorContains(t, err, reason)
	}
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
