// SPDX-License-Identifier: Apache-2.0

package remote

import (
	"math"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	pb "google.golang.org/protobuf/proto"

	"edgex-offload/offload"
	"edgex-offload/remote/proto"
)

// What a server may report of its times to a call of 100 ms.
func TestTimesFromOutside(t *testing.T) {
	const elapsed = 100 * time.Millisecond
	now := time.Date(2026, 5, 1, 0, 0, 0, 0, time.UTC).UnixNano()
	ms := time.Millisecond.Nanoseconds()
	for name, c := range map[string]struct {
		execution, queue, received, sent int64
		service, clock                   bool
	}{
		"nothing":                {0, 0, 0, 0, true, true},
		"all":                    {60 * ms, 40 * ms, now, now + 100*ms, true, true},
		"another year":           {0, 0, 5, 6, true, true},
		"received alone":         {0, 0, now, 0, true, true},
		"negative execution":     {-1, 0, 0, 0, false, true},
		"negative queue":         {0, -1, 0, 0, false, true},
		"longer than the call":   {101 * ms, 0, 0, 0, false, true},
		"both longer together":   {60 * ms, 41 * ms, 0, 0, false, true},
		"overflowing sum":        {math.MaxInt64, math.MaxInt64, 0, 0, false, true},
		"least":                  {math.MinInt64, math.MinInt64, math.MinInt64, math.MinInt64, false, false},
		"most":                   {math.MaxInt64, 0, math.MaxInt64, math.MaxInt64, false, true},
		"year 1":                 {0, 0, -62135596800000000, -62135596800000000, true, false},
		"sent before received":   {0, 0, now, now - 1, true, false},
		"held beyond the call":   {0, 0, now, now + 101*ms, true, false},
		"from least to most":     {0, 0, math.MinInt64, math.MaxInt64, true, false},
		"from most to least":     {0, 0, math.MaxInt64, math.MinInt64, true, false},
		"stepped back meanwhile": {0, 0, now, now - int64(time.Hour), true, false},
	} {
		t.Run(name, func(t *testing.T) {
			reply, err := newReply(offload.Task{ID: "t"}, &proto.TaskResponse{
				TaskId: "t", Success: true, Output: []byte("cat"),
				DurationNano: c.execution, QueueNano: c.queue, ReceivedUnixNano: c.received, SentUnixNano: c.sent,
			}, elapsed)
			require.NoError(t, err, "the answer is worth no less")
			assert.Equal(t, !c.service || !c.clock, reply.Implausible)
			if c.service {
				assert.EqualValues(t, c.execution, reply.Execution)
				assert.EqualValues(t, c.queue, reply.Queue)
			} else {
				assert.Zero(t, reply.Execution+reply.Queue)
			}
			assert.Equal(t, c.received == 0, reply.Received.IsZero())
			assert.Equal(t, c.sent == 0, reply.Sent.IsZero())

			probe := newProbeReply(&proto.ProbeResponse{ReceivedUnixNano: c.received, SentUnixNano: c.sent}, elapsed)
			assert.Equal(t, !c.clock, probe.Implausible)
			assert.Equal(t, reply.Received, probe.Received)
			assert.Equal(t, reply.Sent, probe.Sent)
			assert.Equal(t, elapsed, probe.RTT)
		})
	}
}

// FuzzProbeResponse is what any server may send as an answer to a probe.
func FuzzProbeResponse(f *testing.F) {
	for _, r := range []*proto.ProbeResponse{
		{Sequence: 7, ReceivedUnixNano: 5, SentUnixNano: 6, QueueLength: 1, Padding: []byte("x")},
		{Sequence: 7, ReceivedUnixNano: math.MaxInt64, SentUnixNano: math.MinInt64, QueueLength: math.MaxUint32},
		{Sequence: 8},
	} {
		raw, err := pb.Marshal(r)
		require.NoError(f, err)
		f.Add(raw)
	}
	f.Fuzz(func(t *testing.T, raw []byte) {
		var r proto.ProbeResponse
		if pb.Unmarshal(raw, &r) != nil {
			return
		}
		if err := checkProbe(&proto.ProbeRequest{Sequence: 7}, &r); r.GetSequence() != 7 {
			require.Equal(t, BadAnswer, ClassOf(err))
			return
		}
		reply := newProbeReply(&r, time.Second)
		if !reply.Implausible && !reply.Received.IsZero() && !reply.Sent.IsZero() {
			held := reply.Sent.Sub(reply.Received)
			assert.True(t, held >= 0 && held <= time.Second, "%v", held)
		}
		assert.GreaterOrEqual(t, reply.QueueLength, 0)
	})
}
