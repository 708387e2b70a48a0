// SPDX-License-Identifier: Apache-2.0

package quantize

import (
	"slices"

	"google.golang.org/protobuf/proto"

	"edgex-offload/infer/onnx"
	"edgex-offload/infer/onnx/onnxpb"
)

func intOf(node *onnxpb.NodeProto, name string, otherwise int64) int64 {
	if a := onnx.Attribute(node, name); a != nil && a.I != nil {
		return a.GetI()
	}
	return otherwise
}

func floatOf(node *onnxpb.NodeProto, name string, otherwise float32) float32 {
	if a := onnx.Attribute(node, name); a != nil && a.F != nil {
		return a.GetF()
	}
	return otherwise
}

func dropAttributes(node *onnxpb.NodeProto, names ...string) {
	node.Attribute = slices.DeleteFunc(node.Attribute, func(a *onnxpb.AttributeProto) bool { return slices.Contains(names, a.GetName()) })
}

func setInt(node *onnxpb.NodeProto, name string, v int64) {
	dropAttributes(node, name)
	node.Attribute = append(node.Attribute, &onnxpb.AttributeProto{
		Name: proto.String(name), Type: onnxpb.AttributeProto_INT.Enum(), I: proto.Int64(v),
	})
}

func setText(node *onnxpb.NodeProto, name, text string) {
	dropAttributes(node, name)
	node.Attribute = append(node.Attribute, &onnxpb.AttributeProto{
		Name: proto.String(name), Type: onnxpb.AttributeProto_STRING.Enum(), S: []byte(text),
	})
}

// input is the name of a node's i-th input; empty if it is left out.
func input(node *onnxpb.NodeProto, i int) string {
	if i < len(node.Input) {
		return node.Input[i]
	}
	return ""
}

func setInput(node *onnxpb.NodeProto, i int, name string) {
	for len(node.Input) <= i {
		node.Input = append(node.Input, "")
	}
	node.Input[i] = name
}

// output is the name of a node's first output.
func output(node *onnxpb.NodeProto) string {
	if len(node.Output) == 0 {
		return ""
	}
	return node.Output[0]
}
