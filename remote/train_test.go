// SPDX-License-Identifier: Apache-2.0

package remote

import (
	"context"
	"math"
	"net"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/types/dynamicpb"
	"pgregory.net/rapid"

	"edgex-offload/remote/ping"
	"edgex-offload/remote/proto"
)

func TestTrain(t *testing.T) {
	_, address := serve(t, ServerConfig{})
	client := dialed(t, ClientConfig{Address: address})
	for _, c := range []struct{ up, down, upMost, downMost int }{
		{0, 0, 0, 0},
		{MaxTrain, 0, MaxTrain, 0},
		{0, MaxTrain, 0, MaxTrain},
		{1, 1, 100, 100},
		{4000, 8000, 4000, 8000},
		{math.MaxInt, math.MaxInt, MaxTrain, MaxTrain},
		{-1, math.MinInt, 0, 0},
	} {
		reply, err := client.ProbeTrain(soon(t), c.up, c.down)
		require.NoError(t, err)
		assert.False(t, reply.Implausible)
		assert.LessOrEqual(t, reply.Up, c.upMost, "%+v", c)
		assert.LessOrEqual(t, reply.Down, c.downMost, "%+v", c)
		assert.Equal(t, reply.Up > 0, reply.UpSpread > 0)
		assert.Equal(t, c.downMost > 0, reply.Down > 0 && reply.DownSpread > 0)
		assert.Equal(t, c.upMost+c.downMost > 0, reply.RTT > 0)
	}
	require.NoError(t, client.Close())
	_, err := client.ProbeTrain(soon(t), 1000, 0)
	assert.Equal(t, Unreachable, ClassOf(err))
}

func TestTrainGivenUpEnds(t *testing.T) {
	_, address := serve(t, ServerConfig{})
	client := dialed(t, ClientConfig{Address: address})
	_, err := client.ProbeTrain(cancelled(), 8000, 8000)
	require.Equal(t, Late, ClassOf(err), "%v", err)
}

// What a server's clock may say of a train of four that took 100 ms.
func TestTrainTimesFromOutside(t *testing.T) {
	at := func(times ...int64) []car {
		train := make([]car, len(times))
		for i, received := range times {
			train[i] = car{received: received, arrived: time.Duration(97+i) * time.Millisecond, up: 1000}
		}
		return train
	}
	const now = int64(1_777_777_777_000_000_000)
	ms := time.Millisecond.Nanoseconds()
	for name, c := range map[string]struct {
		train       []car
		up          int
		spread      time.Duration
		implausible bool
	}{
		"none":             {nil, 0, 0, false},
		"as sent":          {at(now, now+ms, now+2*ms, now+3*ms), 3000, 3 * time.Millisecond, false},
		"in another order": {at(now+3*ms, now, now+2*ms, now+ms), 3000, 3 * time.Millisecond, false},
		"at once":          {at(now, now, now, now), 0, 0, false},
		"not reported":     {at(0, 0, 0, 0), 0, 0, false},
		"in part":          {at(0, now, now, now), 0, 0, true},
		"negative":         {at(-4, -3, -2, -1), 0, 0, true},
		"a step back":      {at(now, now+ms, now-int64(time.Hour), now), 0, 0, true},
		"a step forth":     {at(now, now+ms, now+int64(time.Hour), now), 0, 0, true},
		"the extremes":     {at(math.MinInt64, math.MaxInt64, 0, 1), 0, 0, true},
		"most":             {at(1, math.MaxInt64, math.MaxInt64, 1), 0, 0, true},
	} {
		t.Run(name, func(t *testing.T) {
			var reply TrainReply
			reply.readUp(c.train, 0)
			reply.readDown(c.train)
			assert.Equal(t, c.up, reply.Up)
			assert.Equal(t, c.spread, reply.UpSpread)
			assert.Equal(t, c.implausible, reply.Implausible)
		})
	}
}

func TestTrainThatWasPacedSaysAtLeast(t *testing.T) {
	train := []car{{received: 1e9, arrived: 50e6, up: 1000, down: 1000}, {received: 1e9 + 1e6, arrived: 51e6, up: 1000, down: 1000}}
	for pace, want := range map[float64]bool{0: false, 1e6: true, 1.4e6: true, 2e6: false} { // it came at 1 MB/s
		var reply TrainReply
		reply.readUp(train, pace)
		assert.Equal(t, want, reply.UpAtLeast, "paced at %g", pace)
	}
	var reply TrainReply
	reply.readDown(train) // BBR begins with 2.89 × 14,480 bytes in 50 ms, 0.84 MB/s
	assert.True(t, reply.DownAtLeast)
	train[1].arrived = 60e6
	reply.readDown(train)
	assert.False(t, reply.DownAtLeast)
}

// Whatever the server's clock says, a figure is one of this side's time.
func TestTrainIsBounded(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		train := make([]car, rapid.IntRange(1, 13).Draw(t, "cars"))
		for i := range train {
			train[i] = car{
				received: rapid.OneOf(rapid.Int64(), rapid.Int64Range(1e18, 1e18+1e9)).Draw(t, "received"),
				arrived:  time.Duration(rapid.Int64Range(1, 1e9).Draw(t, "arrived")),
				up:       1000, down: 1000,
			}
		}
		var reply TrainReply
		reply.readUp(train, 1e6)
		reply.readDown(train)
		most := lastArrival(train)
		if reply.UpSpread < 0 || reply.UpSpread > most || reply.DownSpread < 0 || reply.DownSpread > most {
			t.Fatalf("%+v in %v", reply, most)
		}
		if (reply.Up > 0) != (reply.UpSpread > 0) || reply.Implausible && reply.Up != 0 || reply.Up > 1000*(len(train)-1) {
			t.Fatalf("%+v", reply)
		}
	})
}

func TestServerWithoutProbeIsPinged(t *testing.T) {
	wire := newOldWire(t)
	address := wire.serve(t, func(_, response *dynamicpb.Message) error { return nil })
	tun := newTunnel(t, address)
	client := dialed(t, ClientConfig{Address: tun.address, ReconnectMin: 10 * time.Millisecond})
	methods := func() string {
		reply, err := client.Probe(soon(t))
		require.NoError(t, err)
		assert.Positive(t, reply.RTT)
		return reply.Method
	}
	assert.Equal(t, MethodRPC, methods(), "which it answers that it has none")
	before := client.path.probes.Load()
	for range 5 {
		assert.Contains(t, []string{ping.ICMP, ping.TCP}, methods())
		reply, err := client.ProbeTrain(soon(t), MaxTrain, MaxTrain)
		require.NoError(t, err)
		assert.Zero(t, reply.Up+reply.Down)
	}
	assert.Equal(t, before, client.path.probes.Load(), "it is not asked again")

	client.path.mu.Lock()
	_ = client.path.current.Close()
	client.path.mu.Unlock()
	require.Eventually(t, func() bool { return client.Connections() == 2 }, 20*time.Second, time.Millisecond)
	require.NoError(t, client.WaitReady(soon(t)))
	assert.Equal(t, MethodRPC, methods(), "behind a new connection there may be another server")
	assert.Equal(t, before+1, client.path.probes.Load())
}

// A train to a server without Probe is one question for each of its messages, once.
func TestTrainWithoutProbeIsNoStorm(t *testing.T) {
	var asked atomic.Int64
	server := grpc.NewServer(grpc.UnknownServiceHandler(func(any, grpc.ServerStream) error {
		asked.Add(1)
		return status.Error(codes.Unimplemented, "what is that?")
	}))
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	ended := make(chan error, 1)
	go func() { ended <- server.Serve(listener) }()
	t.Cleanup(func() { server.Stop(); require.NoError(t, <-ended) })
	client := dialed(t, ClientConfig{Address: listener.Addr().String()})
	for range 10 {
		reply, err := client.ProbeTrain(soon(t), MaxTrain, MaxTrain)
		require.NoError(t, err)
		assert.Zero(t, reply.Up+reply.Down)
	}
	assert.LessOrEqual(t, asked.Load(), int64(carsOf(MaxTrain)))
}

// A server whose clock is absurd is probed all the same.
func TestAbsurdClock(t *testing.T) {
	for name, now := range map[string]func() int64{
		"least":   func() int64 { return math.MinInt64 },
		"most":    func() int64 { return math.MaxInt64 },
		"year 1":  func() int64 { return -62135596800000000 },
		"forward": steps(func(n int64) int64 { return 1e18 + n*int64(time.Hour) }),
		"back":    steps(func(n int64) int64 { return 1e18 - n*int64(time.Hour) }),
	} {
		t.Run(name, func(t *testing.T) {
			client := dialed(t, ClientConfig{Address: serveClock(t, now)})
			for range 3 {
				reply, err := client.Probe(soon(t))
				require.NoError(t, err)
				assert.Equal(t, name != "most", reply.Implausible, "%v %v", reply.Received, reply.Sent)
				train, err := client.ProbeTrain(soon(t), MaxTrain, MaxTrain)
				require.NoError(t, err)
				assert.Equal(t, name != "most", train.Implausible)
				assert.Zero(t, train.Up)
				assert.Positive(t, train.Down, "which is of this side's clock")
			}
		})
	}
}

func steps(at func(n int64) int64) func() int64 {
	var n atomic.Int64
	return func() int64 { return at(n.Add(1)) }
}

// clockServer answers probes by a clock of its own.
type clockServer struct {
	proto.UnimplementedEdgeAIServiceServer
	now func() int64
}

func (s clockServer) Probe(_ context.Context, r *proto.ProbeRequest) (*proto.ProbeResponse, error) {
	return &proto.ProbeResponse{
		Sequence: r.GetSequence(), ReceivedUnixNano: s.now(), SentUnixNano: s.now(),
		Padding: make([]byte, r.GetAnswerPadding()),
	}, nil
}

func serveClock(t *testing.T, now func() int64) string {
	t.Helper()
	server := grpc.NewServer()
	proto.RegisterEdgeAIServiceServer(server, clockServer{now: now})
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	ended := make(chan error, 1)
	go func() { ended <- server.Serve(listener) }()
	t.Cleanup(func() { server.Stop(); require.NoError(t, <-ended) })
	return listener.Addr().String()
}
