// SPDX-License-Identifier: Apache-2.0

package remote

import (
	"fmt"

	"google.golang.org/grpc/encoding"
	_ "google.golang.org/grpc/encoding/proto" // registers the codec that ours stands on
	"google.golang.org/grpc/mem"
	"google.golang.org/protobuf/encoding/protowire"
	pb "google.golang.org/protobuf/proto"

	"edgex-offload/remote/proto"
)

// payloadField is TaskRequest.payload.
const payloadField protowire.Number = 3

// codec is gRPC's protobuf codec, except that the payload of a TaskRequest is not copied
// from and to the message: of a picture's 100 KB that copy, and the garbage that it makes,
// was most of the cost of a call. The bytes on the wire are the same, but for the order of
// the fields. It keeps no state.
type codec struct{ encoding.CodecV2 }

func newCodec() codec { return codec{encoding.GetCodecV2("proto")} }

// Marshal shows the payload to the transport in place; a Task's payload is not changed
// once it was handed over, so that it may be read even after the call was given up.
func (c codec) Marshal(v any) (mem.BufferSlice, error) {
	r, ok := v.(*proto.TaskRequest)
	if !ok || len(r.GetPayload()) == 0 {
		return c.CodecV2.Marshal(v)
	}
	head, err := pb.Marshal(&proto.TaskRequest{
		Id: r.GetId(), Type: r.GetType(), Priority: r.GetPriority(),
		DeadlineUnixNano: r.GetDeadlineUnixNano(), Context: r.GetContext(),
	})
	if err != nil {
		return nil, err
	}
	head = protowire.AppendTag(head, payloadField, protowire.BytesType)
	head = protowire.AppendVarint(head, uint64(len(r.GetPayload())))
	return mem.BufferSlice{mem.SliceBuffer(head), mem.SliceBuffer(r.GetPayload())}, nil
}

// Unmarshal brings a request's bytes together once, and lets the payload be a part of them.
func (c codec) Unmarshal(data mem.BufferSlice, v any) error {
	r, ok := v.(*proto.TaskRequest)
	if !ok {
		return c.CodecV2.Unmarshal(data, v)
	}
	return unmarshalRequest(data.Materialize(), r)
}

// unmarshalRequest reads raw into r, which keeps a part of it. As everywhere in protobuf
// the last of several payloads counts.
func unmarshalRequest(raw []byte, r *proto.TaskRequest) error {
	var rest, payload []byte
	for len(raw) > 0 {
		number, kind, n := protowire.ConsumeField(raw)
		if n < 0 {
			return fmt.Errorf("TaskRequest: %w", protowire.ParseError(n))
		}
		if number == payloadField && kind == protowire.BytesType {
			_, _, tag := protowire.ConsumeTag(raw)
			payload, _ = protowire.ConsumeBytes(raw[tag:])
		} else {
			rest = append(rest, raw[:n]...)
		}
		raw = raw[n:]
	}
	if err := pb.Unmarshal(rest, r); err != nil {
		return err
	}
	r.Payload = payload
	return nil
}
