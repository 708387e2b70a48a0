// SPDX-License-Identifier: Apache-2.0

package remote

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/encoding"
	healthpb "google.golang.org/grpc/health/grpc_health_v1"
	"google.golang.org/grpc/status"

	"edgex-offload/offload"
)

const (
	otherName = "test.Other"
	doMethod  = "/test.Other/Do"
)

// other is a service with one method, whose request says what it does: health's messages
// serve as any would.
func other(do func(ctx context.Context, what string, admit Admit) error) Service {
	return Service{
		Tasks: []string{doMethod},
		Register: func(registrar grpc.ServiceRegistrar, admit Admit) {
			registrar.RegisterService(&grpc.ServiceDesc{
				ServiceName: otherName, HandlerType: (*any)(nil),
				Methods: []grpc.MethodDesc{{MethodName: "Do", Handler: func(_ any, ctx context.Context, decode func(any) error, interceptor grpc.UnaryServerInterceptor) (any, error) {
					in := &healthpb.HealthCheckRequest{}
					if err := decode(in); err != nil {
						return nil, err
					}
					return interceptor(ctx, in, &grpc.UnaryServerInfo{FullMethod: doMethod}, func(ctx context.Context, _ any) (any, error) {
						return &healthpb.HealthCheckResponse{}, do(ctx, in.GetService(), admit)
					})
				}}},
			}, struct{}{})
		},
	}
}

func callOther(ctx context.Context, conn *grpc.ClientConn, what string) error {
	return conn.Invoke(ctx, doMethod, &healthpb.HealthCheckRequest{Service: what}, &healthpb.HealthCheckResponse{})
}

func connected(t *testing.T, address string) *grpc.ClientConn {
	t.Helper()
	conn, err := grpc.NewClient(address, grpc.WithTransportCredentials(insecure.NewCredentials()))
	require.NoError(t, err)
	t.Cleanup(func() { _ = conn.Close() })
	return conn
}

func TestAServicesCallsAreTasks(t *testing.T) {
	heard := make(chan Served, 16)
	service := other(func(ctx context.Context, what string, admit Admit) error {
		if what == "panics outside" {
			panic("x")
		}
		return admit(ctx, Call{ID: what, Model: "m", Priority: offload.High, Bytes: 5}, func(ctx context.Context) error {
			_, bounded := ctx.Deadline()
			switch {
			case !bounded:
				return errors.New("has no end")
			case what == "panics":
				panic("x")
			case what == "fails":
				return errors.New("out of memory")
			case what == "refuses":
				return status.Error(codes.InvalidArgument, "no")
			case what == "waits":
				<-ctx.Done()
				return ctx.Err()
			}
			return nil
		})
	})
	wrapped := 0
	service.Codec = func(next encoding.CodecV2) encoding.CodecV2 { wrapped++; return next }
	server, address := serve(t, ServerConfig{Services: []Service{service}, RunLimit: 200 * time.Millisecond, Observe: func(s Served) { heard <- s }})
	assert.Equal(t, 1, wrapped)
	conn := connected(t, address)
	for what, c := range map[string]struct {
		code codes.Code
		text string
		read bool
	}{
		"works":          {codes.OK, "", true},
		"panics":         {codes.Internal, "the model panicked: x", true},
		"panics outside": {codes.Internal, "the call panicked", false},
		"fails":          {codes.Internal, "out of memory", true},
		"refuses":        {codes.InvalidArgument, "no", true},
		"waits":          {codes.DeadlineExceeded, "", true},
	} {
		err := callOther(t.Context(), conn, what)
		require.Equal(t, c.code, status.Code(err), "%s: %v", what, err)
		if err != nil {
			require.ErrorContains(t, err, c.text, what)
		}
		s := <-heard
		assert.Equal(t, doMethod, s.Method, what)
		assert.Equal(t, c.code, s.Code, what)
		assert.Equal(t, c.read, s.Read, what)
		if c.read {
			assert.Equal(t, "m", s.Model)
			assert.Equal(t, 5, s.RequestBytes)
		}
		assert.False(t, s.Failed)
	}
	server.SetServing(true)
	state, err := healthpb.NewHealthClient(conn).Check(soon(t), &healthpb.HealthCheckRequest{Service: otherName})
	require.NoError(t, err)
	assert.Equal(t, healthpb.HealthCheckResponse_SERVING, state.GetStatus())
}

// A service's calls and the tasks wait for the same places and go through the same door.
func TestAServicesCallsShareTheTasksPlaces(t *testing.T) {
	block, entered := make(chan struct{}), make(chan struct{}, 1)
	service := other(func(ctx context.Context, what string, admit Admit) error {
		return admit(ctx, Call{ID: what, Model: "m"}, func(context.Context) error { return nil })
	})
	_, address := serve(t, ServerConfig{Workers: 1, QueueLimit: 1, Services: []Service{service}, Models: modelFunc(func(ctx context.Context, task offload.Task) (offload.Answer, error) {
		entered <- struct{}{}
		<-block
		return good(ctx, task)
	})})
	client, conn := dialed(t, ClientConfig{Address: address}), connected(t, address)
	result := make(chan error, 1)
	go func() { _, err := client.Offload(soon(t), task("t"), nil); result <- err }()
	<-entered
	late, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	require.Equal(t, codes.DeadlineExceeded, status.Code(callOther(late, conn, "too late")), "the only place is taken")
	close(block)
	require.NoError(t, <-result)
	require.NoError(t, callOther(soon(t), conn, "now"))
}
