// SPDX-License-Identifier: Apache-2.0

package onnx

import (
	"encoding/binary"
	"fmt"
	"math"

	"google.golang.org/protobuf/proto"

	"edgex-offload/infer/onnx/onnxpb"
)

// Float32 makes a weight.
func Float32(name string, dims []int64, values []float32) *onnxpb.TensorProto {
	raw := make([]byte, 0, 4*len(values))
	for _, v := range values {
		raw = binary.LittleEndian.AppendUint32(raw, math.Float32bits(v))
	}
	return newTensor(name, onnxpb.TensorProto_FLOAT, dims, raw)
}

// Int64 makes a weight.
func Int64(name string, dims []int64, values []int64) *onnxpb.TensorProto {
	raw := make([]byte, 0, 8*len(values))
	for _, v := range values {
		raw = binary.LittleEndian.AppendUint64(raw, uint64(v))
	}
	return newTensor(name, onnxpb.TensorProto_INT64, dims, raw)
}

// Raw makes a weight of any type from its little-endian bytes.
func Raw(name string, of onnxpb.TensorProto_DataType, dims []int64, raw []byte) *onnxpb.TensorProto {
	return newTensor(name, of, dims, raw)
}

func newTensor(name string, of onnxpb.TensorProto_DataType, dims []int64, raw []byte) *onnxpb.TensorProto {
	return &onnxpb.TensorProto{Name: proto.String(name), DataType: proto.Int32(int32(of)), Dims: dims, RawData: raw}
}

// Float32s gives a float32 tensor's values, a copy. The error names the tensor.
func Float32s(t *onnxpb.TensorProto) ([]float32, error) {
	n, err := countOf(t, onnxpb.TensorProto_FLOAT)
	if err != nil {
		return nil, err
	}
	values := make([]float32, n)
	if len(t.GetRawData()) == 0 {
		copy(values, t.GetFloatData())
		return values, nil
	}
	for i := range values {
		values[i] = math.Float32frombits(binary.LittleEndian.Uint32(t.GetRawData()[4*i:]))
	}
	return values, nil
}

// Int64s gives an int64 tensor's values, a copy. The error names the tensor.
func Int64s(t *onnxpb.TensorProto) ([]int64, error) {
	n, err := countOf(t, onnxpb.TensorProto_INT64)
	if err != nil {
		return nil, err
	}
	values := make([]int64, n)
	if len(t.GetRawData()) == 0 {
		copy(values, t.GetInt64Data())
		return values, nil
	}
	for i := range values {
		values[i] = int64(binary.LittleEndian.Uint64(t.GetRawData()[8*i:]))
	}
	return values, nil
}

// Constant is a tensor whose value is in the file: a weight that is not an input as well, or a
// Constant node's; nil if it is neither.
func (m *Model) Constant(tensor string) *onnxpb.TensorProto {
	if t := m.weights[tensor]; t != nil {
		return t
	}
	if n := m.Producer(tensor); n != nil && IsOp(n, "Constant") {
		return Attribute(n, "value").GetT()
	}
	return nil
}

// IsExternal says whether a tensor's numbers lie in a file beside the graph.
func IsExternal(t *onnxpb.TensorProto) bool {
	return t.GetDataLocation() == onnxpb.TensorProto_EXTERNAL
}

// HasExternalData says whether any weight's numbers lie in a file beside the graph; name is the
// first one's.
func (m *Model) HasExternalData() (name string, is bool) {
	for _, t := range m.Graph().GetInitializer() {
		if IsExternal(t) {
			return t.GetName(), true
		}
	}
	return "", false
}

// countOf checks a tensor and says how many values it has.
func countOf(t *onnxpb.TensorProto, want onnxpb.TensorProto_DataType) (int, error) {
	switch {
	case t == nil:
		return 0, fmt.Errorf("no tensor where one of %s is needed", TypeName(int32(want)))
	case t.GetDataType() != int32(want):
		return 0, fmt.Errorf("tensor %q is of type %s: needed is %s", clip(t.GetName()), TypeName(t.GetDataType()), TypeName(int32(want)))
	case IsExternal(t) || t.GetSegment() != nil:
		return 0, fmt.Errorf("tensor %q lies in a file beside the graph: export the model with its weights inside", clip(t.GetName()))
	}
	if err := checkTensor(t); err != nil {
		return 0, err
	}
	n, _ := elements(t.GetDims()) // checked
	return int(n), nil
}

// elements multiplies dimensions; false if one is negative or the tensor too large.
func elements(dims []int64) (int64, bool) {
	const most = MaxBytes * 2 // of a type of four bits
	n, zero := int64(1), false
	for _, d := range dims {
		switch {
		case d < 0:
			return 0, false
		case d == 0:
			zero = true
		case d > most/n:
			return 0, false
		default:
			n *= d
		}
	}
	if zero {
		return 0, true
	}
	return n, true
}

// checkTensor sees that a tensor has as much data as its shape says.
func checkTensor(t *onnxpb.TensorProto) error {
	fail := func(format string, args ...any) error {
		return fmt.Errorf("tensor %q of %s %v "+format, append([]any{clip(t.GetName()), TypeName(t.GetDataType()), t.GetDims()}, args...)...)
	}
	if len(t.GetDims()) > maxRank {
		return fmt.Errorf("tensor %q has %d dimensions: allowed are up to %d", clip(t.GetName()), len(t.GetDims()), maxRank)
	}
	n, ok := elements(t.GetDims())
	if !ok {
		return fail("is too large, or has a negative dimension")
	}
	if IsExternal(t) || t.GetSegment() != nil {
		return nil // what it has is elsewhere
	}
	bits := bitsOf(t.GetDataType())
	typed, known := typedCount(t)
	if bits > 0 && (len(t.GetRawData()) > 0 || typed == 0) {
		if want := (n*int64(bits) + 7) / 8; int64(len(t.GetRawData())) != want {
			return fail("has %d bytes: needed are %d", len(t.GetRawData()), want)
		}
		return nil
	}
	if known && int64(typed) != n {
		return fail("has %d values: needed are %d", typed, n)
	}
	return nil
}

// maxRank of a tensor; ONNX Runtime's operators end before.
const maxRank = 64

// typedCount is how many values lie in the field of the tensor's type instead of in its raw data;
// false for a type that packs them in ways not known here.
func typedCount(t *onnxpb.TensorProto) (n int, known bool) {
	switch onnxpb.TensorProto_DataType(t.GetDataType()) {
	case onnxpb.TensorProto_FLOAT:
		return len(t.GetFloatData()), true
	case onnxpb.TensorProto_COMPLEX64:
		return len(t.GetFloatData()) / 2, true
	case onnxpb.TensorProto_DOUBLE:
		return len(t.GetDoubleData()), true
	case onnxpb.TensorProto_COMPLEX128:
		return len(t.GetDoubleData()) / 2, true
	case onnxpb.TensorProto_INT64:
		return len(t.GetInt64Data()), true
	case onnxpb.TensorProto_UINT32, onnxpb.TensorProto_UINT64:
		return len(t.GetUint64Data()), true
	case onnxpb.TensorProto_STRING:
		return len(t.GetStringData()), true
	case onnxpb.TensorProto_UINT4, onnxpb.TensorProto_INT4:
		return len(t.GetInt32Data()), false
	}
	return len(t.GetInt32Data()), bitsOf(t.GetDataType()) > 0
}

// checkTensors checks the weights and the attributes' tensors of a graph and of its subgraphs.
func checkTensors(g *onnxpb.GraphProto, depth int) error {
	if depth > maxSubgraphs {
		return fmt.Errorf("subgraphs lie more than %d deep in each other", maxSubgraphs)
	}
	for _, t := range g.GetInitializer() {
		if err := checkTensor(t); err != nil {
			return err
		}
	}
	for i, n := range g.GetNode() {
		for _, a := range n.GetAttribute() {
			for _, t := range append([]*onnxpb.TensorProto{a.GetT()}, a.GetTensors()...) {
				if t == nil {
					continue
				}
				if err := checkTensor(t); err != nil {
					return fmt.Errorf("%s: attribute %q: %w", nodeText(i, n), clip(a.GetName()), err)
				}
			}
		}
		for _, sub := range subgraphs(n) {
			if err := checkTensors(sub, depth+1); err != nil {
				return err
			}
		}
	}
	return nil
}
