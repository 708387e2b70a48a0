// SPDX-License-Identifier: Apache-2.0

package wire

import (
	"fmt"

	"google.golang.org/grpc/encoding"
	_ "google.golang.org/grpc/encoding/proto" // registers the codec that ours stands on
	"google.golang.org/grpc/mem"
	"google.golang.org/protobuf/encoding/protowire"
	pb "google.golang.org/protobuf/proto"

	"edgex-offload/infer/oip/inference"
)

// Numbers of raw_input_contents and raw_output_contents.
const (
	requestRaw  protowire.Number = 7
	responseRaw protowire.Number = 6
)

// Codec is gRPC's protobuf codec, except that the raw contents of tensors are not copied
// from and to messages, and that a message which would take more memory than allowed is
// refused before it is decoded. On a server it serves ModelInferRequest and
// ModelInferResponse, on a client Request and Response; all else goes to the next codec.
// It is safe for concurrent use.
type Codec struct {
	encoding.CodecV2
	limit int
}

// NewCodec stands on next, or on gRPC's own codec where that is nil. limit is how many bytes
// the decoded parts of a message other than raw contents may take.
func NewCodec(next encoding.CodecV2, limit int) Codec {
	if next == nil {
		next = encoding.GetCodecV2("proto")
	}
	return Codec{CodecV2: next, limit: limit}
}

// Marshal shows raw contents to the transport in place: they must not be changed until it
// let go of them.
func (c Codec) Marshal(v any) (mem.BufferSlice, error) {
	switch m := v.(type) {
	case *Request:
		return m.marshal(), nil
	case *inference.ModelInferResponse:
		raw := m.RawOutputContents
		m.RawOutputContents = nil
		head, err := pb.Marshal(m)
		m.RawOutputContents = raw
		if err != nil {
			return nil, err
		}
		return appendRaw(mem.BufferSlice{mem.SliceBuffer(head)}, responseRaw, raw), nil
	}
	return c.CodecV2.Marshal(v)
}

// Unmarshal reads a message whose raw contents are parts of the bytes that came. Those of a
// Response are let go of by Free.
func (c Codec) Unmarshal(data mem.BufferSlice, v any) error {
	switch m := v.(type) {
	case *Response:
		m.Free()
		m.buffer = data.MaterializeToBuffer(mem.DefaultBufferPool())
		raw, err := c.split(m.buffer.ReadOnlyData(), responseRaw, m.Raw[:0], &m.Message)
		m.Raw = raw
		return err
	case *inference.ModelInferRequest:
		raw, err := c.split(data.Materialize(), requestRaw, nil, m)
		m.RawInputContents = raw
		return err
	}
	return c.CodecV2.Unmarshal(data, v)
}

// split decodes a message but for the raw contents of its field number, which it appends to
// raw as parts of data.
func (c Codec) split(data []byte, number protowire.Number, raw [][]byte, head pb.Message) ([][]byte, error) {
	var rest []byte
	err := eachField(data, func(f field) error {
		if f.number != number || f.kind != protowire.BytesType {
			rest = append(rest, f.all...)
			return nil
		}
		if len(raw) == MaxTensors {
			return fmt.Errorf("more than %d raw contents: allowed are up to %d", MaxTensors, MaxTensors)
		}
		raw = append(raw, f.bytes)
		return nil
	})
	if err != nil {
		return nil, err
	}
	if err := checkCost(rest, c.limit); err != nil {
		return nil, err
	}
	return raw, pb.UnmarshalOptions{DiscardUnknown: true}.Unmarshal(rest, head)
}

func appendRaw(out mem.BufferSlice, number protowire.Number, raw [][]byte) mem.BufferSlice {
	for _, content := range raw {
		out = append(out, mem.SliceBuffer(lead(nil, number, len(content))), mem.SliceBuffer(content))
	}
	return out
}

// lead is what goes before the bytes of a field.
func lead(b []byte, number protowire.Number, size int) []byte {
	return protowire.AppendVarint(protowire.AppendTag(b, number, protowire.BytesType), uint64(size))
}

// field is one field of a message in protobuf's wire format.
type field struct {
	number protowire.Number
	kind   protowire.Type
	bytes  []byte // of BytesType
	all    []byte // with its tag
}

func eachField(b []byte, do func(field) error) error {
	for len(b) > 0 {
		number, kind, tag := protowire.ConsumeTag(b)
		if tag < 0 {
			return protowire.ParseError(tag)
		}
		size := protowire.ConsumeFieldValue(number, kind, b[tag:])
		if size < 0 {
			return protowire.ParseError(size)
		}
		f := field{number: number, kind: kind, all: b[:tag+size]}
		if kind == protowire.BytesType {
			f.bytes, _ = protowire.ConsumeBytes(b[tag:])
		}
		if err := do(f); err != nil {
			return err
		}
		b = b[tag+size:]
	}
	return nil
}
