// SPDX-License-Identifier: Apache-2.0

package remote

import (
	"context"
	"log/slog"
	"net"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"edgex-offload/offload"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// modelFunc answers tasks in tests.
type modelFunc func(context.Context, offload.Task) (offload.Answer, error)

func (f modelFunc) InferModel(ctx context.Context, task offload.Task) (offload.Answer, error) {
	return f(ctx, task)
}

// good answers everything at once.
func good(context.Context, offload.Task) (offload.Answer, error) {
	return offload.Answer{Label: "good", Confidence: .9, Model: "surface-large/1"}, nil
}

// serve runs a server for the test and returns its address.
func serve(tb testing.TB, config ServerConfig) (*Server, string) {
	tb.Helper()
	if config.Models == nil {
		config.Models = modelFunc(good)
	}
	config.Log = slog.New(slog.DiscardHandler)
	server, err := NewServer(config)
	require.NoError(tb, err)
	listener, err := (&net.ListenConfig{}).Listen(context.Background(), "tcp", "127.0.0.1:0")
	require.NoError(tb, err)
	ended := make(chan error, 1)
	go func() { ended <- server.Serve(listener) }()
	tb.Cleanup(func() {
		_ = server.Stop(cancelled())
		require.NoError(tb, <-ended)
	})
	return server, listener.Addr().String()
}

// dialed is a client that is connected.
func dialed(tb testing.TB, config ClientConfig) *Client {
	tb.Helper()
	client := newClient(tb, config)
	require.NoError(tb, client.WaitReady(soon(tb)))
	return client
}

func newClient(tb testing.TB, config ClientConfig) *Client {
	tb.Helper()
	client, err := NewClient(config)
	require.NoError(tb, err)
	tb.Cleanup(func() { _ = client.Close() })
	return client
}

// soon bounds what must happen, far beyond what it takes.
func soon(tb testing.TB) context.Context {
	tb.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	tb.Cleanup(cancel)
	return ctx
}

func cancelled() context.Context {
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	return ctx
}

func task(id string) offload.Task {
	return offload.Task{
		ID: id, Kind: offload.ImageClassification, Priority: offload.High, Model: "surface",
		Source: "camera-1/Frame", Payload: []byte("a picture"), Truth: "secret",
		Context: map[string]string{"content-type": "image/jpeg"},
	}
}
