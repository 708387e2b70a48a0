// SPDX-License-Identifier: Apache-2.0

package onnx_test

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"google.golang.org/protobuf/proto"

	"edgex-offload/infer/onnx"
	"edgex-offload/infer/onnx/onnxpb"
	"edgex-offload/infer/onnx/onnxtest"
)

func TestValuesOfTensors(t *testing.T) {
	values, err := onnx.Float32s(onnx.Float32("w", []int64{2}, []float32{1.5, -2}))
	require.NoError(t, err)
	assert.Equal(t, []float32{1.5, -2}, values)
	values, err = onnx.Float32s(&onnxpb.TensorProto{DataType: proto.Int32(1), Dims: []int64{2}, FloatData: []float32{3, 4}})
	require.NoError(t, err)
	assert.Equal(t, []float32{3, 4}, values)
	values, err = onnx.Float32s(&onnxpb.TensorProto{DataType: proto.Int32(1), Dims: []int64{0, 3}})
	require.NoError(t, err)
	assert.Empty(t, values)
	ints, err := onnx.Int64s(onnx.Int64("n", nil, []int64{-7}))
	require.NoError(t, err)
	assert.Equal(t, []int64{-7}, ints, "no dimensions are one value")
	ints, err = onnx.Int64s(&onnxpb.TensorProto{DataType: proto.Int32(7), Dims: []int64{1}, Int64Data: []int64{9}})
	require.NoError(t, err)
	assert.Equal(t, []int64{9}, ints)

	for says, tensor := range map[string]*onnxpb.TensorProto{
		"no tensor where one of float32 is needed":         nil,
		`tensor "n" is of type int64: needed is float32`:   onnx.Int64("n", nil, []int64{1}),
		`tensor "far" lies in a file beside the graph`:     {Name: proto.String("far"), DataType: proto.Int32(1), DataLocation: onnxpb.TensorProto_EXTERNAL.Enum()},
		`tensor "cut" lies in a file beside the graph`:     {Name: proto.String("cut"), DataType: proto.Int32(1), Dims: []int64{4}, Segment: &onnxpb.TensorProto_Segment{}},
		`tensor "odd" of float32 [2] has 3 bytes: needed `: {Name: proto.String("odd"), DataType: proto.Int32(1), Dims: []int64{2}, RawData: []byte{1, 2, 3}},
	} {
		_, err := onnx.Float32s(tensor)
		assert.ErrorContains(t, err, says)
	}
}

func TestElemTypes(t *testing.T) {
	b := onnxtest.New("types", 1)
	x := b.Input("x", 1, 4)
	relu := b.Node("Relu", nil, x)
	shape := b.Node("Shape", nil, relu)
	cast := b.Node("Cast", onnxtest.Attributes{"to": int(onnxpb.TensorProto_FLOAT16)}, relu)
	half := b.Node("Neg", nil, cast)
	top := b.Nodes("TopK", 2, nil, half, b.Ints(1))
	less := b.Node("Less", nil, relu, b.Scalar(0))
	scale, zero := b.Scalar(.1), b.Add(onnx.Raw("zero", onnxpb.TensorProto_INT8, nil, []byte{0}))
	quantised := b.Node("QuantizeLinear", nil, relu, scale, zero)
	back := b.Node("DequantizeLinear", nil, quantised, scale, zero)
	fixed := b.Node("Constant", onnxtest.Attributes{"value": onnx.Int64("", []int64{1}, []int64{3})})
	custom := b.Node("Own", nil, relu)
	b.Output(relu)
	m := b.Model()
	m.Producer(custom).Domain = proto.String("com.example")
	for name, want := range map[string]string{
		x: "float32", relu: "float32", shape: "int64", cast: "float16", half: "float16", top[0]: "float16", top[1]: "int64",
		less: "bool", quantised: "int8", back: "float32", fixed: "int64", custom: "undefined", "gone": "undefined",
	} {
		assert.Equal(t, want, onnx.TypeName(m.ElemType(name)), name)
	}
	assert.Equal(t, int64(3), m.Constant(fixed).GetDims()[0]+2)
	assert.Nil(t, m.Constant(relu))
	_, err := m.Extract([]string{custom}, []string{relu})
	assert.Error(t, err)
}
