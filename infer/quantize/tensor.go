// SPDX-License-Identifier: Apache-2.0

package quantize

import (
	"encoding/binary"

	"edgex-offload/infer/onnx"
	"edgex-offload/infer/onnx/onnxpb"
)

func int32Tensor(name string, dims []int64, list []int32) *onnxpb.TensorProto {
	raw := make([]byte, 0, 4*len(list))
	for _, v := range list {
		raw = binary.LittleEndian.AppendUint32(raw, uint32(v))
	}
	return onnx.Raw(name, onnxpb.TensorProto_INT32, dims, raw)
}

func int8Tensor(name string, dims []int64, list []int8) *onnxpb.TensorProto {
	raw := make([]byte, len(list))
	for i, v := range list {
		raw[i] = byte(v)
	}
	return onnx.Raw(name, onnxpb.TensorProto_INT8, dims, raw)
}

func uint8Tensor(name string, dims []int64, list []uint8) *onnxpb.TensorProto {
	return onnx.Raw(name, onnxpb.TensorProto_UINT8, dims, list)
}
