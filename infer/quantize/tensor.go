// SPDX-License-Identifier: Apache-2.0

package quantize

import (
	"encoding/binary"
	"fmt"
	"math"

	"google.golang.org/protobuf/proto"

	"edgex-offload/infer/onnx/onnxpb"
)

// maxValues bounds the values of one weight: 1 GiB of float32.
const maxValues = 1 << 28

// values counts what a tensor of this shape holds; -1 if that is no shape.
func values(dims []int64) int64 {
	n := int64(1)
	for _, d := range dims {
		if d < 0 || d > maxValues {
			return -1
		}
		if n *= d; n > maxValues {
			return -1
		}
	}
	return n
}

// floats are the values of a float32 tensor.
func floats(t *onnxpb.TensorProto) ([]float32, error) {
	n := values(t.Dims)
	switch {
	case t.GetDataType() != int32(onnxpb.TensorProto_FLOAT):
		return nil, fmt.Errorf("weight %q is of type %s: needed is FLOAT", t.GetName(), onnxpb.TensorProto_DataType(t.GetDataType()))
	case n >= 0 && int64(len(t.FloatData)) == n && len(t.RawData) == 0:
		return append([]float32(nil), t.FloatData...), nil
	case n < 0 || int64(len(t.RawData)) != 4*n:
		return nil, fmt.Errorf("weight %q of shape %v has %d bytes: it is damaged", t.GetName(), t.Dims, len(t.RawData)+4*len(t.FloatData))
	}
	list := make([]float32, n)
	for i := range list {
		list[i] = math.Float32frombits(binary.LittleEndian.Uint32(t.RawData[4*i:]))
	}
	return list, nil
}

// integers are the values of an int64 or int32 tensor.
func integers(t *onnxpb.TensorProto) ([]int64, error) {
	n := values(t.Dims)
	var list []int64
	switch kind := onnxpb.TensorProto_DataType(t.GetDataType()); {
	case n < 0:
	case kind == onnxpb.TensorProto_INT64 && int64(len(t.RawData)) == 8*n:
		for i := range n {
			list = append(list, int64(binary.LittleEndian.Uint64(t.RawData[8*i:])))
		}
	case kind == onnxpb.TensorProto_INT64:
		list = append(list, t.Int64Data...)
	case kind == onnxpb.TensorProto_INT32 && int64(len(t.RawData)) == 4*n:
		for i := range n {
			list = append(list, int64(int32(binary.LittleEndian.Uint32(t.RawData[4*i:]))))
		}
	case kind == onnxpb.TensorProto_INT32:
		for _, v := range t.Int32Data {
			list = append(list, int64(v))
		}
	default:
		return nil, fmt.Errorf("tensor %q is of type %s: needed are whole numbers", t.GetName(), kind)
	}
	if int64(len(list)) != n {
		return nil, fmt.Errorf("tensor %q of shape %v has %d values: it is damaged", t.GetName(), t.Dims, len(list))
	}
	return list, nil
}

func tensorOf(name string, kind onnxpb.TensorProto_DataType, dims []int64, raw []byte) *onnxpb.TensorProto {
	return &onnxpb.TensorProto{Name: proto.String(name), DataType: proto.Int32(int32(kind)), Dims: dims, RawData: raw}
}

func floatTensor(name string, dims []int64, list []float32) *onnxpb.TensorProto {
	raw := make([]byte, 0, 4*len(list))
	for _, v := range list {
		raw = binary.LittleEndian.AppendUint32(raw, math.Float32bits(v))
	}
	return tensorOf(name, onnxpb.TensorProto_FLOAT, dims, raw)
}

func int32Tensor(name string, dims []int64, list []int32) *onnxpb.TensorProto {
	raw := make([]byte, 0, 4*len(list))
	for _, v := range list {
		raw = binary.LittleEndian.AppendUint32(raw, uint32(v))
	}
	return tensorOf(name, onnxpb.TensorProto_INT32, dims, raw)
}

func int64Tensor(name string, dims []int64, list []int64) *onnxpb.TensorProto {
	raw := make([]byte, 0, 8*len(list))
	for _, v := range list {
		raw = binary.LittleEndian.AppendUint64(raw, uint64(v))
	}
	return tensorOf(name, onnxpb.TensorProto_INT64, dims, raw)
}

func int8Tensor(name string, dims []int64, list []int8) *onnxpb.TensorProto {
	raw := make([]byte, len(list))
	for i, v := range list {
		raw[i] = byte(v)
	}
	return tensorOf(name, onnxpb.TensorProto_INT8, dims, raw)
}

func uint8Tensor(name string, dims []int64, list []uint8) *onnxpb.TensorProto {
	return tensorOf(name, onnxpb.TensorProto_UINT8, dims, list)
}
