// SPDX-License-Identifier: Apache-2.0

package remote

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"google.golang.org/grpc/mem"
	"google.golang.org/protobuf/encoding/protowire"
	pb "google.golang.org/protobuf/proto"

	"edgex-offload/remote/proto"
)

func TestCodecShowsThePayloadInPlace(t *testing.T) {
	r := request("t")
	r.Payload = make([]byte, 100_000)
	data, err := newCodec().Marshal(r)
	require.NoError(t, err)
	require.Len(t, data, 2)
	assert.Same(t, &r.Payload[0], &data[1].ReadOnlyData()[0])

	var back proto.TaskRequest
	require.NoError(t, newCodec().Unmarshal(mem.BufferSlice{mem.SliceBuffer(data.Materialize())}, &back))
	assert.True(t, pb.Equal(r, &back))
}

func TestCodecLeavesOtherMessagesAlone(t *testing.T) {
	sent := &proto.ProbeResponse{Sequence: 7, QueueLength: 3}
	data, err := newCodec().Marshal(sent)
	require.NoError(t, err)
	var back proto.ProbeResponse
	require.NoError(t, newCodec().Unmarshal(data, &back))
	assert.True(t, pb.Equal(sent, &back))
}

// FuzzCodec: what protobuf itself reads and writes, ours does, whatever the bytes.
func FuzzCodec(f *testing.F) {
	whole, err := pb.Marshal(&proto.TaskRequest{Id: "t", Type: 2, Payload: []byte("xyz"), Priority: 1, DeadlineUnixNano: 5, Context: map[string]string{"model": "m"}})
	require.NoError(f, err)
	f.Add(whole)
	f.Add(whole[:len(whole)-3])
	f.Add(append(whole, whole...))
	f.Add(protowire.AppendVarint(protowire.AppendTag(nil, payloadField, protowire.VarintType), 7))
	f.Add([]byte{0x1a, 0xff, 0xff, 0xff, 0xff, 0x0f})
	f.Add([]byte{0x1b, 0x1c, 0x0a, 0x01, 0xff})
	f.Fuzz(func(t *testing.T, raw []byte) {
		var want, got proto.TaskRequest
		wantErr, gotErr := pb.Unmarshal(raw, &want), unmarshalRequest(raw, &got)
		require.Equal(t, wantErr == nil, gotErr == nil, "protobuf: %v, ours: %v", wantErr, gotErr)
		if wantErr != nil {
			return
		}
		require.True(t, pb.Equal(&want, &got), "protobuf: %v, ours: %v", &want, &got)
		want.ProtoReflect().SetUnknown(nil)
		data, err := newCodec().Marshal(&want)
		require.NoError(t, err)
		var back proto.TaskRequest
		require.NoError(t, pb.Unmarshal(data.Materialize(), &back))
		require.True(t, pb.Equal(&want, &back), "sent: %v, read: %v", &want, &back)
	})
}
