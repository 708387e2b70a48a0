// SPDX-License-Identifier: Apache-2.0

package tun_test

import (
	"context"
	"fmt"
	"net"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/health"
	"google.golang.org/grpc/health/grpc_health_v1"

	"edgex-offload/standalone/emulator"
	"edgex-offload/standalone/emulator/tun"
)

// A gRPC call over an LTE link.
func ExampleNew() {
	if err := tun.Available(); err != nil {
		fmt.Println("no link here:", err)
		return
	}
	took, err := callOverLTE(context.Background())
	fmt.Println(took, err)
}

func callOverLTE(ctx context.Context) (took time.Duration, err error) {
	lte, err := emulator.ProfileNamed("lte")
	if err != nil {
		return 0, err
	}
	link, err := tun.New(tun.Options{Source: lte.Start(1), Seed: 1, HoldOutages: true})
	if err != nil {
		return 0, err
	}
	defer func() { err = first(err, link.Close()) }()

	listener, err := link.Server().Listen(ctx, "tcp", ":0")
	if err != nil {
		return 0, err
	}
	server := grpc.NewServer()
	grpc_health_v1.RegisterHealthServer(server, health.NewServer())
	served := make(chan error, 1)
	go func() { served <- server.Serve(listener) }()
	defer func() { server.Stop(); err = first(err, <-served) }()

	// gRPC connects in goroutines of its own: the dialer brings them into the namespace.
	client, err := grpc.NewClient("passthrough:///"+listener.Addr().String(),
		grpc.WithTransportCredentials(insecure.NewCredentials()),
		grpc.WithContextDialer(func(ctx context.Context, address string) (net.Conn, error) {
			return link.Client().Dial(ctx, "tcp", address)
		}))
	if err != nil {
		return 0, err
	}
	defer func() { err = first(err, client.Close()) }()

	began := time.Now()
	_, err = grpc_health_v1.NewHealthClient(client).Check(ctx, &grpc_health_v1.HealthCheckRequest{})
	return time.Since(began), err
}

func first(errs ...error) error {
	for _, err := range errs {
		if err != nil {
			return err
		}
	}
	return nil
}

func TestGRPC(t *testing.T) {
	if err := tun.Available(); err != nil {
		t.Skip(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	took, err := callOverLTE(ctx)
	require.NoError(t, err)
	// A handshake and a call, over a link whose state of the least delay has 38 ms.
	require.Greater(t, took, 2*38*time.Millisecond)
}
