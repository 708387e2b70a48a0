// SPDX-License-Identifier: Apache-2.0

package remote

import (
	"context"
	"fmt"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials/insecure"
	healthpb "google.golang.org/grpc/health/grpc_health_v1"
	reflectionpb "google.golang.org/grpc/reflection/grpc_reflection_v1"

	"edgex-offload/endpoint"
	"edgex-offload/offload"
)

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
		`TLS.Cert ""`:                             {Models: modelFunc(good), TLS: endpoint.TLS{Enabled: true}},
		"TLS.Enabled false: allowed with":         {Models: modelFunc(good), TLS: endpoint.TLS{Cert: "a", Key: "b"}},
		`TLS.ServerName "x": allowed on a client`: {Models: modelFunc(good), TLS: endpoint.TLS{Enabled: true, Cert: "a", Key: "b", ServerName: "x"}},
		`TLS.Cert "a" with TLS.Key "b": open a`:   {Models: modelFunc(good), TLS: endpoint.TLS{Enabled: true, Cert: "a", Key: "b"}},
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
		`Congestion "B B R": allowed is system, or`:     {Address: "a:1", Congestion: "B B R"},
		"DeadAfter 1ms: allowed is 100ms to":            {Address: "a:1", DeadAfter: time.Millisecond},
		`TLS.Cert "a" with TLS.Key "": allowed is both`: {Address: "a:1", TLS: endpoint.TLS{Enabled: true, Cert: "a"}},
		"TLS.CA: open nowhere.pem: no such file":        {Address: "a:1", TLS: endpoint.TLS{Enabled: true, CA: "nowhere.pem"}},
		`TLS.CA "server_test.go": holds no certificate`: {Address: "a:1", TLS: endpoint.TLS{Enabled: true, CA: "server_test.go"}},
	} {
		_, err := NewClient(config)
		assert.ErrorContains(t, err, reason)
	}
}
