// SPDX-License-Identifier: Apache-2.0

package onnx

import (
	"errors"
	"fmt"

	"google.golang.org/protobuf/encoding/protowire"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"

	"edgex-offload/infer/onnx/onnxpb"
)

// Bounds of a file.
const (
	// MaxBytes is what one file may hold; protobuf itself ends at twice that.
	MaxBytes = 1 << 30
	// maxDepth of messages within each other: a subgraph in a subgraph takes three.
	maxDepth = 100
	// spare is what decoding may take beyond the file's own size, so that a small file of empty
	// messages cannot fill the memory.
	spare = 256 << 20
)

// ErrFormat is in the chain of every error about a file that is no ONNX file, or a damaged one.
var ErrFormat = errors.New("not an ONNX file, or damaged")

// Parse reads and checks an ONNX file. It keeps nothing of data.
func Parse(data []byte) (*Model, error) {
	if len(data) > MaxBytes {
		return nil, fmt.Errorf("the graph has %d bytes: allowed are up to %d", len(data), MaxBytes)
	}
	p := &onnxpb.ModelProto{}
	e := expansion{left: spare + int64(len(data))}
	if err := e.message(data, p.ProtoReflect().Descriptor(), 0); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrFormat, err)
	}
	if err := (proto.UnmarshalOptions{RecursionLimit: maxDepth}).Unmarshal(data, p); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrFormat, err)
	}
	return New(p)
}

// Marshal writes the model; the same model gives the same bytes.
func (m *Model) Marshal() ([]byte, error) {
	data, err := proto.MarshalOptions{Deterministic: true}.Marshal(m.Proto)
	if err != nil {
		return nil, fmt.Errorf("write ONNX: %w", err)
	}
	if len(data) > MaxBytes {
		return nil, fmt.Errorf("write ONNX: %d bytes: allowed are up to %d", len(data), MaxBytes)
	}
	return data, nil
}

// expansion counts what decoded messages take before they are decoded.
type expansion struct{ left int64 }

// What one takes decoded, in bytes, about.
const (
	messageBytes = 256
	stringBytes  = 32
	numberBytes  = 8
)

func (e *expansion) take(n int64) error {
	if e.left -= n; e.left < 0 {
		return errors.New("it would take many times its own size in memory")
	}
	return nil
}

func (e *expansion) message(b []byte, d protoreflect.MessageDescriptor, depth int) error {
	if depth > maxDepth {
		return fmt.Errorf("more than %d messages within each other", maxDepth)
	}
	for len(b) > 0 {
		number, kind, size := protowire.ConsumeTag(b)
		if size < 0 {
			return protowire.ParseError(size)
		}
		length := protowire.ConsumeFieldValue(number, kind, b[size:])
		if length < 0 {
			return protowire.ParseError(length)
		}
		if err := e.field(b[size:size+length], kind, d.Fields().ByNumber(number), depth); err != nil {
			return err
		}
		b = b[size+length:]
	}
	return nil
}

func (e *expansion) field(value []byte, kind protowire.Type, field protoreflect.FieldDescriptor, depth int) error {
	if field == nil || kind != protowire.BytesType {
		return e.take(numberBytes)
	}
	body, _ := protowire.ConsumeBytes(value) // its length was checked
	switch field.Kind() {
	case protoreflect.MessageKind:
		if err := e.take(messageBytes); err != nil {
			return err
		}
		return e.message(body, field.Message(), depth+1)
	case protoreflect.StringKind, protoreflect.BytesKind:
		return e.take(int64(len(body)) + stringBytes)
	case protoreflect.FloatKind, protoreflect.DoubleKind:
		return e.take(int64(len(body)))
	}
	return e.take(numberBytes * int64(len(body))) // packed varints, of one byte at least
}
