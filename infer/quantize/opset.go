// SPDX-License-Identifier: Apache-2.0

package quantize

import (
	"fmt"
	"math"
	"slices"

	"google.golang.org/protobuf/proto"

	"edgex-offload/infer/onnx"
	"edgex-offload/infer/onnx/onnxpb"
)

// The first opset whose QuantizeLinear and DequantizeLinear know an axis, that which the
// first of them came with, and the version of the file format that goes with the former
// (https://github.com/onnx/onnx/blob/main/docs/Versioning.md).
const (
	axisOpset  = 13
	leastOpset = 10
	axisIR     = 7
)

// opset is the version of ONNX's own operators.
func (n *network) opset() int64 {
	for _, o := range n.model.OpsetImport {
		if o.GetDomain() == "" || o.GetDomain() == "ai.onnx" {
			return o.GetVersion()
		}
	}
	return 1
}

// upgrade brings a graph to opset 13, if what it has of older ones can be written so. It
// says whether scales may be per channel.
func (n *network) upgrade() (bool, error) {
	from := n.opset()
	if from >= axisOpset {
		return true, nil
	}
	err := n.rewriteFor(from)
	switch {
	case err == nil:
		n.setOpset(axisOpset)
		return true, n.index()
	case from >= leastOpset:
		return false, nil // scales per tensor do
	}
	return false, fmt.Errorf("the graph has opset %d: quantized are graphs of %d and later, and %w: export the model with opset %d or later", from, leastOpset, err, axisOpset)
}

func (n *network) setOpset(v int64) {
	n.model.OpsetImport = slices.DeleteFunc(n.model.OpsetImport, func(o *onnxpb.OperatorSetIdProto) bool {
		return o.GetDomain() == "" || o.GetDomain() == "ai.onnx"
	})
	n.model.OpsetImport = append(n.model.OpsetImport, &onnxpb.OperatorSetIdProto{Domain: proto.String(""), Version: proto.Int64(v)})
	n.model.IrVersion = proto.Int64(max(n.model.GetIrVersion(), axisIR))
}

// rewriteFor writes each node as opset 13 has it. It changes nothing if it fails.
func (n *network) rewriteFor(from int64) error {
	for _, node := range n.graph.Node {
		if !n.rewritable(node, from) {
			return fmt.Errorf("its %s (%s) means another thing in opset %d", node.GetOpType(), nameOf(node), axisOpset)
		}
	}
	for _, node := range n.graph.Node {
		n.rewrite(node)
	}
	return nil
}

// unchanged are operators that mean the same from opset 7 to 13: newer versions only take
// more types, or more attributes and inputs that may be left out.
func unchanged(op string) bool {
	return slices.Contains([]string{
		"Abs", "Acos", "Add", "And", "ArgMax", "ArgMin", "Asin", "Atan", "AveragePool", "BatchNormalization", "Cast", "Ceil", "Concat",
		"Constant", "ConstantOfShape", "Conv", "ConvTranspose", "Cos", "DepthToSpace", "Div", "Elu", "Equal", "Erf", "Exp",
		"Expand", "Flatten", "Floor", "Gather", "Gemm", "GlobalAveragePool", "GlobalMaxPool", "Greater", "HardSigmoid",
		"Identity", "InstanceNormalization", "LRN", "LeakyRelu", "Less", "Log", "MatMul", "Max", "MaxPool", "Mean", "Min",
		"Mul", "Neg", "NonZero", "Not", "Or", "PRelu", "Pow", "Reciprocal", "ReduceL1", "ReduceL2", "ReduceMax", "ReduceMean",
		"ReduceMin", "ReduceProd", "Relu", "Reshape", "Selu", "Shape", "Sigmoid", "Sign", "Sin", "Size", "Softplus",
		"Softsign", "SpaceToDepth", "Sqrt", "Sub", "Sum", "Tan", "Tanh", "Tile", "Transpose", "Where", "Xor",
	}, op)
}

// movedInputs are attributes that became inputs, from their place on.
func movedInputs(op string) (first int, names []string) {
	switch op {
	case "Squeeze", "Unsqueeze", "ReduceSum":
		return 1, []string{"axes"}
	case "Split":
		return 1, []string{"split"}
	case "Slice":
		return 1, []string{"starts", "ends", "axes"}
	case "Pad":
		return 1, []string{"pads", "value"}
	case "Clip":
		return 1, []string{"min", "max"}
	}
	return 0, nil
}

func (n *network) rewritable(node *onnxpb.NodeProto, from int64) bool {
	if !standard(node, node.GetOpType()) {
		return true // another set of operators, whose version stays
	}
	if _, names := movedInputs(node.GetOpType()); names != nil {
		return true
	}
	switch op := node.GetOpType(); op {
	case "Softmax", "LogSoftmax":
		// Before 13 all dimensions from axis on are one, by default from 1 on.
		rank, known := n.rank(node, from)
		return known && (axisOf(node, 1, rank) == rank-1)
	case "Dropout":
		return !n.masked(node)
	case "Upsample":
		return input(node, 1) != "" && (onnx.Attribute(node, "mode") == nil || string(onnx.Attribute(node, "mode").S) == "nearest")
	case "Resize":
		return from >= 11
	default:
		return unchanged(op)
	}
}

func axisOf(node *onnxpb.NodeProto, otherwise int64, rank int64) int64 {
	axis := intOf(node, "axis", otherwise)
	if axis < 0 {
		axis += rank
	}
	return axis
}

// rank looks for the number of dimensions of what a Softmax is given.
func (n *network) rank(node *onnxpb.NodeProto, from int64) (int64, bool) {
	if axis := intOf(node, "axis", 1); axis == -1 && from >= 11 {
		return axis + 1, true // the last one, whatever the rank
	}
	for _, tensor := range []string{input(node, 0), output(node)} {
		if dims, known := n.shapes()[tensor]; known {
			return int64(len(dims)), true
		}
		if maker := n.maker[tensor]; maker != nil && standard(maker, "Gemm", "Flatten") {
			return 2, true
		}
	}
	return 0, false
}

// shapes are those that the file declares.
func (n *network) shapes() map[string][]*onnxpb.TensorShapeProto_Dimension {
	all := map[string][]*onnxpb.TensorShapeProto_Dimension{}
	for _, list := range [][]*onnxpb.ValueInfoProto{n.graph.ValueInfo, n.graph.Input, n.graph.Output} {
		for _, v := range list {
			if shape := v.GetType().GetTensorType().GetShape(); shape != nil {
				all[v.GetName()] = shape.Dim
			}
		}
	}
	return all
}

func (n *network) rewrite(node *onnxpb.NodeProto) {
	first, names := movedInputs(node.GetOpType())
	for i, name := range names {
		if a := onnx.Attribute(node, name); a != nil && standard(node, node.GetOpType()) {
			setInput(node, first+i, n.addWeight(asInput(a, output(node)+"_"+name)))
		}
	}
	dropAttributes(node, names...)
	switch {
	case standard(node, "Softmax", "LogSoftmax"):
		setInt(node, "axis", -1)
	case standard(node, "Dropout"):
		node.OpType = proto.String("Identity")
		node.Attribute, node.Input, node.Output = nil, node.Input[:1], node.Output[:1]
	case standard(node, "Upsample"):
		// Upsample repeats pixels, counted from the upper left corner.
		node.OpType = proto.String("Resize")
		node.Input = []string{node.Input[0], "", node.Input[1]}
		setText(node, "mode", "nearest")
		setText(node, "coordinate_transformation_mode", "asymmetric")
		setText(node, "nearest_mode", "floor")
	case standard(node, "BatchNormalization"):
		dropAttributes(node, "spatial")
	}
}

// asInput is an attribute as a tensor. ONNX writes "to the end" as the largest number.
func asInput(a *onnxpb.AttributeProto, name string) *onnxpb.TensorProto {
	if a.F != nil {
		v := a.GetF()
		if math.IsInf(float64(v), 0) {
			v = float32(math.Copysign(math.MaxFloat32, float64(v)))
		}
		return onnx.Float32(name, nil, []float32{v})
	}
	return onnx.Int64(name, []int64{int64(len(a.Ints))}, a.Ints)
}
