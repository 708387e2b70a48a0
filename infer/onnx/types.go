// SPDX-License-Identifier: Apache-2.0

package onnx

import (
	"fmt"

	"google.golang.org/protobuf/proto"

	"edgex-offload/infer/onnx/onnxpb"
)

// TypeName names an element type as numpy does, as "float32".
func TypeName(of int32) string {
	names := [...]string{
		"undefined", "float32", "uint8", "int8", "uint16", "int16", "int32", "int64", "string", "bool", "float16", "float64",
		"uint32", "uint64", "complex64", "complex128", "bfloat16", "float8e4m3fn", "float8e4m3fnuz", "float8e5m2", "float8e5m2fnuz", "uint4", "int4",
	}
	if of >= 0 && int(of) < len(names) {
		return names[of]
	}
	return fmt.Sprintf("type %d", of)
}

// bitsOf is the size of a value; 0 for strings and what is not known.
func bitsOf(of int32) int {
	bits := [...]int{0, 32, 8, 8, 16, 16, 32, 64, 0, 8, 16, 64, 32, 64, 64, 128, 16, 8, 8, 8, 8, 4, 4}
	if of >= 0 && int(of) < len(bits) {
		return bits[of]
	}
	return 0
}

// ElemType is a tensor's element type (an onnxpb.TensorProto_DataType): what the file declares,
// else what follows from the nodes before it; 0 where neither says.
func (m *Model) ElemType(tensor string) int32 {
	known := map[string]int32{}
	// A long chain without declarations is walked from its beginning: the order has all that a
	// node reads before it.
	if declared := m.declared(tensor); declared != 0 {
		return declared
	}
	last, made := m.producer[tensor]
	if !made {
		return 0
	}
	for _, at := range m.order {
		n := m.Graph().GetNode()[at]
		for i, name := range n.GetOutput() {
			if known[name] = m.declared(name); known[name] == 0 {
				known[name] = m.outputType(n, i, func(input string) int32 {
					if of := known[input]; of != 0 {
						return of
					}
					return m.declared(input)
				})
			}
		}
		if at == last {
			break
		}
	}
	return known[tensor]
}

func (m *Model) declared(tensor string) int32 {
	if t := m.weights[tensor]; t != nil {
		return t.GetDataType()
	}
	return m.values[tensor].GetType().GetTensorType().GetElemType()
}

// outputType is the type of a node's output by the operator's rules
// (https://onnx.ai/onnx/operators/). Most have the type of their first input.
func (m *Model) outputType(n *onnxpb.NodeProto, output int, typeOf func(string) int32) int32 {
	of := func(i int) int32 {
		if i < len(n.GetInput()) && n.GetInput()[i] != "" {
			return typeOf(n.GetInput()[i])
		}
		return 0
	}
	or := func(t int32, other onnxpb.TensorProto_DataType) int32 {
		if t != 0 {
			return t
		}
		return int32(other)
	}
	if !isDomain(n.GetDomain(), "") {
		return 0
	}
	switch n.GetOpType() {
	case "Cast":
		return int32(Attribute(n, "to").GetI())
	case "Constant":
		return constantType(n)
	case "ConstantOfShape":
		return or(Attribute(n, "value").GetT().GetDataType(), onnxpb.TensorProto_FLOAT)
	case "Shape", "Size", "ArgMax", "ArgMin", "NonZero", "NonMaxSuppression":
		return int32(onnxpb.TensorProto_INT64)
	case "Equal", "Greater", "GreaterOrEqual", "Less", "LessOrEqual", "And", "Or", "Xor", "Not", "IsNaN", "IsInf":
		return int32(onnxpb.TensorProto_BOOL)
	case "ConvInteger", "MatMulInteger":
		return int32(onnxpb.TensorProto_INT32)
	case "Where", "DequantizeLinear", "CastLike":
		return of(1)
	case "OneHot":
		return of(2)
	case "QuantizeLinear":
		return or(of(2), onnxpb.TensorProto_UINT8)
	case "QLinearConv", "QLinearMatMul":
		return of(7)
	case "DynamicQuantizeLinear":
		return int32([]onnxpb.TensorProto_DataType{onnxpb.TensorProto_UINT8, onnxpb.TensorProto_FLOAT, onnxpb.TensorProto_UINT8}[min(output, 2)])
	case "If", "Loop", "Scan", "SequenceAt", "SequenceConstruct", "SequenceEmpty", "SplitToSequence", "ConcatFromSequence", "Optional", "OptionalGetElement", "EyeLike", "RandomNormal", "RandomUniform", "Multinomial", "Bernoulli", "StringNormalizer", "TfIdfVectorizer":
		return 0
	case "MaxPool", "TopK", "Unique":
		if output > 0 {
			return int32(onnxpb.TensorProto_INT64)
		}
	case "Dropout":
		if output > 0 {
			return int32(onnxpb.TensorProto_BOOL)
		}
	}
	return of(0)
}

func constantType(n *onnxpb.NodeProto) int32 {
	for _, a := range n.GetAttribute() {
		switch a.GetName() {
		case "value":
			return a.GetT().GetDataType()
		case "value_float", "value_floats":
			return int32(onnxpb.TensorProto_FLOAT)
		case "value_int", "value_ints":
			return int32(onnxpb.TensorProto_INT64)
		case "value_string", "value_strings":
			return int32(onnxpb.TensorProto_STRING)
		}
	}
	return 0
}

// TensorValue declares a tensor. A dimension below 0 is dynamic, the first one named N; dims nil
// leaves the shape open.
func TensorValue(name string, of int32, dims []int64) *onnxpb.ValueInfoProto {
	return BatchValue(name, of, dims, "N")
}

// BatchValue is TensorValue with a name of its own for the first dimension, if that is dynamic:
// dimensions of one name have one size.
func BatchValue(name string, of int32, dims []int64, batch string) *onnxpb.ValueInfoProto {
	t := &onnxpb.TypeProto_Tensor{ElemType: proto.Int32(of)}
	if dims != nil {
		t.Shape = &onnxpb.TensorShapeProto{}
	}
	for i, d := range dims {
		dim := &onnxpb.TensorShapeProto_Dimension{Value: &onnxpb.TensorShapeProto_Dimension_DimValue{DimValue: d}}
		if d < 0 {
			param := fmt.Sprintf("%s_%d", name, i)
			if i == 0 {
				param = batch
			}
			dim.Value = &onnxpb.TensorShapeProto_Dimension_DimParam{DimParam: param}
		}
		t.Shape.Dim = append(t.Shape.Dim, dim)
	}
	return &onnxpb.ValueInfoProto{Name: proto.String(name), Type: &onnxpb.TypeProto{Value: &onnxpb.TypeProto_TensorType{TensorType: t}}}
}

// BatchName is what a value calls its first dimension, if that is dynamic; empty if it does not.
func BatchName(v *onnxpb.ValueInfoProto) string {
	for _, d := range v.GetType().GetTensorType().GetShape().GetDim() {
		return d.GetDimParam()
	}
	return ""
}

// Dims are the dimensions that a value declares, -1 for a dynamic one; nil if it declares none.
func Dims(v *onnxpb.ValueInfoProto) []int64 {
	shape := v.GetType().GetTensorType().GetShape()
	if shape == nil {
		return nil
	}
	dims := make([]int64, len(shape.GetDim()))
	for i, d := range shape.GetDim() {
		dims[i] = -1
		if v, is := d.GetValue().(*onnxpb.TensorShapeProto_Dimension_DimValue); is && v.DimValue > 0 {
			dims[i] = v.DimValue
		}
	}
	return dims
}
