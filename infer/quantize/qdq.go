// SPDX-License-Identifier: Apache-2.0

package quantize

import (
	"slices"

	"google.golang.org/protobuf/proto"

	"edgex-offload/infer/onnx"
	"edgex-offload/infer/onnx/onnxpb"
)

// writer puts QuantizeLinear and DequantizeLinear around what is planned.
type writer struct {
	*plan
	learnt *Calibrated
	form   Form

	scales     map[string]scale      // by tensor
	names      map[scale][2]string   // of step and zero point
	columns    map[nodeProto]columns // the layers that are written so
	quantizers map[string]nodeProto  // by what they read
}

// write turns the network into its integer version.
func (w *writer) write() error {
	w.findScales()
	tensors := w.tensors()
	for _, node := range w.layers() {
		w.writeLayer(node)
	}
	for _, node := range w.n.graph.Node {
		if w.in[node] && w.classes[node] == element {
			w.writeConstants(node)
		}
	}
	made, fedBy := w.readers(tensors)
	w.absorb()
	for _, name := range made {
		w.writeMade(name)
	}
	for _, f := range fedBy {
		w.writeFed(f)
	}
	for _, node := range w.layers() {
		if c, is := w.columns[node]; is {
			w.writeColumns(node, c)
		}
	}
	return w.n.sweep()
}

// findScales gives each tensor its scale; what is only moved keeps the one it has.
func (w *writer) findScales() {
	for _, name := range w.tensors() {
		maker := w.n.maker[name]
		if maker != nil && w.in[maker] && w.classes[maker] == same {
			w.scales[name] = w.scales[input(maker, 0)]
			continue
		}
		method := w.form.Method
		if !w.readAsIntegers(name) {
			method = MinMax
		}
		w.scales[name] = w.learnt.ranges[name][method].scale()
	}
}

// readAsIntegers says whether another step on integers comes after a tensor. One that ends
// them is an output of the network, or near one, where the rare large values are what counts:
// the score of the one place in a picture where there is something.
func (w *writer) readAsIntegers(name string) bool {
	return slices.ContainsFunc(w.n.users[name], func(user nodeProto) bool {
		return w.in[user] && (w.classes[user] != same || slices.ContainsFunc(user.Output, w.readAsIntegers))
	})
}

// writeLayer gives a layer integer weights.
func (w *writer) writeLayer(node nodeProto) {
	in := w.scales[input(node, 0)].step
	var l layer
	axis := int64(0)
	withBias := true
	if standard(node, "MatMul") {
		l, axis, withBias = w.n.matrix(node), 1, false
	} else {
		l, _ = w.n.layerOf(node) // constantLayer looked
	}
	if standard(node, "Gemm") {
		l, axis = rowsFirst(l, intOf(node, "transB", 0) != 0), 1
		dropAttributes(node, "transB")
	}
	if standard(node, "Conv") {
		if c, ok := columnsOf(node, l.dims, w.learnt.shapes[input(node, 0)], w.learnt.shapes[w.clampedTo(output(node))]); ok && w.form.Columns {
			w.columns[node] = c
			l = c.spread(l)
		}
	}
	base := output(node)
	weight, bias := kernelOf(l, axis, in, w.learnt.opts, w.learnt.perChannel, withBias).put(w.n, base)
	setInput(node, 1, weight)
	if bias != "" {
		setInput(node, 2, bias)
	}
}

// rowsFirst writes a Gemm's weights as the other way round, if they are transposed: ONNX
// Runtime's kernel wants the channels last.
func rowsFirst(l layer, transposed bool) layer {
	if !transposed {
		return l
	}
	rows, columns := int(l.dims[0]), int(l.dims[1])
	l.weights = swapped(l.weights, rows, columns)
	l.dims = []int64{l.dims[1], l.dims[0]}
	l.of = func(i int) int { return i % rows }
	return l
}

// writeConstants gives a step the numbers in the file as integers.
func (w *writer) writeConstants(node nodeProto) {
	for i, name := range node.Input {
		c := w.n.weights[name]
		if c == nil || !slices.Contains(dataInputs(node, element), name) {
			continue
		}
		list, err := onnx.Float32s(c)
		if err != nil {
			continue
		}
		r := Range{}
		for _, v := range list {
			r.Low, r.High = min(r.Low, v), max(r.High, v)
		}
		s := r.scale()
		ints := make([]uint8, len(list))
		for k, v := range list {
			ints[k] = s.quantize(v)
		}
		step, zero := w.scaleNames(s)
		node.Input[i] = w.n.dequantize(name, 0, w.n.addWeight(uint8Tensor(name+"_uint8", c.Dims, ints)), step, zero)
	}
}

// quantize is QuantizeLinear of one value: half to even, saturating.
func (s scale) quantize(v float32) uint8 {
	return uint8(min(max(clampTo(float64(v)/float64(s.step), 1<<30)+float64(s.zero), 0), steps))
}

// fed is a float32 tensor that nodes on integers read.
type fed struct {
	name  string
	nodes []nodeProto
}

// readers tells the tensors that are made as integers from those that are made so for some.
func (w *writer) readers(tensors []string) (made []string, list []fed) {
	for _, name := range tensors {
		if w.made(name) {
			made = append(made, name)
			continue
		}
		f := fed{name: name}
		for _, node := range w.n.users[name] {
			if w.in[node] && slices.Contains(dataInputs(node, w.classes[node]), name) {
				f.nodes = append(f.nodes, node)
			}
		}
		list = append(list, f)
	}
	return made, list
}

// absorb has what comes before a clamp make what the clamp makes: the range cuts as it did.
func (w *writer) absorb() {
	gone := map[nodeProto]bool{}
	for _, node := range w.n.graph.Node {
		if !w.in[node] || w.classes[node] != clamp {
			continue
		}
		maker := w.n.maker[input(node, 0)]
		maker.Output[0] = output(node)
		w.n.maker[output(node)] = maker
		gone[node] = true
	}
	w.n.drop(gone)
}

// writeMade has a tensor pass through integers on its way to all that read it.
func (w *writer) writeMade(name string) {
	maker := w.n.maker[name]
	raw := w.n.free(name + "_raw")
	for i, out := range maker.Output {
		if out == name {
			maker.Output[i] = raw
		}
	}
	w.n.maker[raw] = maker
	ints := w.quantized(raw, name)
	w.dequantized(ints, name, name)
	// The shape of integers is the same, and asking for it must not keep the floats alive.
	for _, user := range w.n.users[name] {
		if standard(user, "Shape") {
			user.Input[0] = ints
		}
	}
}

// writeFed has some read a tensor by way of integers.
func (w *writer) writeFed(f fed) {
	out := w.n.free(f.name + "_dequantized")
	w.dequantized(w.quantized(f.name, f.name), f.name, out)
	for _, node := range f.nodes {
		for i, in := range node.Input {
			if in == f.name {
				node.Input[i] = out
			}
		}
	}
}

// quantized adds a node that makes integers of a tensor, with the scale of one of that name.
func (w *writer) quantized(from, of string) string {
	out := w.n.free(of + "_uint8")
	step, zero := w.scaleNames(w.scales[of])
	node := newNode("QuantizeLinear", out, []string{from, step, zero}, []string{out})
	w.n.maker[out] = node
	w.quantizers[from] = node
	w.n.graph.Node = append(w.n.graph.Node, node)
	return out
}

func (w *writer) dequantized(ints, of, out string) {
	step, zero := w.scaleNames(w.scales[of])
	node := newNode("DequantizeLinear", out+"_dequantize", []string{ints, step, zero}, []string{out})
	w.n.maker[out] = node
	w.n.graph.Node = append(w.n.graph.Node, node)
}

// scaleNames adds a scale once.
func (w *writer) scaleNames(s scale) (step, zero string) {
	if names, is := w.names[s]; is {
		return names[0], names[1]
	}
	step = w.n.addWeight(onnx.Float32("activation_step", nil, []float32{s.step}))
	zero = w.n.addWeight(uint8Tensor("activation_zero", nil, []uint8{s.zero}))
	w.names[s] = [2]string{step, zero}
	return step, zero
}

func newNode(op, name string, inputs, outputs []string) nodeProto {
	return &onnxpb.NodeProto{OpType: proto.String(op), Name: proto.String(name), Input: inputs, Output: outputs}
}
