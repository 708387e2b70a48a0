// SPDX-License-Identifier: Apache-2.0

package quantize

import (
	"slices"

	"google.golang.org/protobuf/proto"

	"edgex-offload/infer/onnx"
	"edgex-offload/infer/onnx/onnxpb"
)

// How many input and output channels ONNX Runtime's direct integer convolution takes at once
// on x86 (MLAS, FilterInputChannelPackCount and FilterOutputChannelPackCount). Others gather
// their input first, which for a picture's three channels takes longer than the arithmetic.
const (
	packIn, packOut = 4, 16
	mostColumns     = 8
)

// columns is a convolution over groups of a picture's columns in place of columns: with the
// channels last, columns that lie side by side are one column of more channels without that
// a byte moves. Each output column of it holds several of the convolution's own.
type columns struct {
	channels, height, width   int64 // of the input
	filters, rows, taps       int64 // of the kernel
	stride                    int64
	left                      int64 // pad
	outHeight, outWidth       int64
	outs, ins, kernel, width2 int64 // columns at once, out and in; kernel and width in groups
}

// columnsOf says how a convolution over few channels is written so; false if it cannot be.
func columnsOf(node *onnxpb.NodeProto, dims, in, out []int64) (columns, bool) {
	c := columns{}
	if len(dims) != 4 || len(in) != 4 || len(out) != 4 || dims[1] > packIn || intOf(node, "group", 1) != 1 {
		return c, false
	}
	ints := func(name string, otherwise []int64) []int64 {
		if a := onnx.Attribute(node, name); a != nil && len(a.Ints) == len(otherwise) {
			return a.Ints
		}
		return otherwise
	}
	auto := onnx.Attribute(node, "auto_pad")
	if dilations := ints("dilations", []int64{1, 1}); !slices.Equal(dilations, []int64{1, 1}) || auto != nil && string(auto.S) != "NOTSET" {
		return c, false
	}
	strides, pads := ints("strides", []int64{1, 1}), ints("pads", make([]int64, 4))
	if strides[1] < 1 || strides[1] > mostColumns { // the kernel would be mostly zeros
		return c, false
	}
	c = columns{
		channels: in[1], height: in[2], width: in[3], filters: dims[0], rows: dims[2], taps: dims[3],
		stride: strides[1], left: pads[1], outHeight: out[2], outWidth: out[3],
	}
	for outs := int64(1); outs <= mostColumns; outs *= 2 {
		c.outs, c.ins = outs, outs*c.stride
		if c.fits() {
			return c, true
		}
	}
	return c, false
}

// fits works out the groups, and says whether they come out even.
func (c *columns) fits() bool {
	if c.outWidth%c.outs != 0 || c.channels*c.ins%packIn != 0 || c.filters*c.outs%packOut != 0 {
		return false
	}
	span := (c.outs-1)*c.stride + c.taps // input columns behind one group of output columns
	c.kernel = (span + c.ins - 1) / c.ins
	c.width2 = c.outWidth/c.outs + c.kernel - 1
	return c.right() >= 0
}

// right is how many columns of padding the last group takes.
func (c columns) right() int64 { return c.width2*c.ins - c.width - c.left }

// spread writes the layer for groups: each of its output columns has the kernel shifted by
// as many strides, and 0 elsewhere.
func (c columns) spread(l layer) layer {
	wide := layer{
		dims:     []int64{c.outs * c.filters, c.ins * c.channels, c.rows, c.kernel},
		channels: int(c.outs * c.filters),
	}
	per := int(wide.dims[1] * wide.dims[2] * wide.dims[3])
	wide.of = func(i int) int { return i / per }
	wide.weights = make([]float32, wide.channels*per)
	for i, v := range l.weights {
		tap := int64(i) % c.taps
		row := int64(i) / c.taps % c.rows
		channel := int64(i) / (c.taps * c.rows) % c.channels
		filter := int64(i) / (c.taps * c.rows * c.channels)
		for out := range c.outs {
			column := tap + out*c.stride
			at := (((out*c.filters+filter)*wide.dims[1]+column%c.ins*c.channels+channel)*c.rows+row)*c.kernel + column/c.ins
			wide.weights[at] = v
		}
	}
	for range c.outs {
		wide.bias = append(wide.bias, l.bias...)
	}
	return wide
}

// writeColumns has a convolution whose weights are spread read and make groups of columns.
func (w *writer) writeColumns(node *onnxpb.NodeProto, c columns) {
	before, after := w.n.maker[node.Input[0]], w.quantizers[node.Output[0]]
	ints, zero := before.Input[0], before.Input[2]
	x := w.step("Pad", ints+"_wide", ints, w.n.addWeight(onnx.Int64(ints+"_pads", []int64{8}, []int64{0, 0, 0, c.left, 0, 0, 0, c.right()})), zero)
	x = w.regroup(x, ints, []int64{0, c.height, c.width2, c.ins * c.channels})
	node.Input[0] = w.step("DequantizeLinear", ints+"_columns_float", x, before.Input[1], zero)

	made := after.Output[0]
	after.Output[0] = w.n.free(made + "_columns")
	x = w.regroup(after.Output[0], made, []int64{0, c.outHeight, c.outWidth, c.filters})
	w.n.maker[x].Output[0] = made

	pads := slices.Clone(onnxInts(node, "pads", 4))
	pads[1], pads[3] = 0, 0
	strides := slices.Clone(onnxInts(node, "strides", 2))
	strides[1] = 1
	setInts(node, "kernel_shape", []int64{c.rows, c.kernel})
	setInts(node, "strides", strides)
	setInts(node, "pads", pads)
}

// regroup gives columns another grouping; dims are with the channels last.
func (w *writer) regroup(x, name string, dims []int64) string {
	x = w.step("Transpose", name+"_last", x)
	setInts(w.n.maker[x], "perm", []int64{0, 2, 3, 1})
	x = w.step("Reshape", name+"_grouped", x, w.n.addWeight(onnx.Int64(name+"_groups", []int64{4}, dims)))
	x = w.step("Transpose", name+"_first", x)
	setInts(w.n.maker[x], "perm", []int64{0, 3, 1, 2})
	return x
}

// step adds a node with one output.
func (w *writer) step(op, name string, inputs ...string) string {
	out := w.n.free(name)
	node := newNode(op, out, inputs, []string{out})
	w.n.maker[out] = node
	w.n.graph.Node = append(w.n.graph.Node, node)
	return out
}

func onnxInts(node *onnxpb.NodeProto, name string, count int) []int64 {
	if a := onnx.Attribute(node, name); a != nil && len(a.Ints) == count {
		return a.Ints
	}
	list := make([]int64, count)
	if name == "strides" {
		for i := range list {
			list[i] = 1
		}
	}
	return list
}

func setInts(node *onnxpb.NodeProto, name string, list []int64) {
	dropAttributes(node, name)
	node.Attribute = append(node.Attribute, &onnxpb.AttributeProto{
		Name: proto.String(name), Type: onnxpb.AttributeProto_INTS.Enum(), Ints: list,
	})
}
