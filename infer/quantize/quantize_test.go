// SPDX-License-Identifier: Apache-2.0

package quantize

import (
	"context"
	"math"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"google.golang.org/protobuf/proto"
	"pgregory.net/rapid"

	"edgex-offload/infer/onnx/onnxpb"
	"edgex-offload/infer/onnx/onnxtest"
	"edgex-offload/infer/ort/orttest"
)

// calibrated quantizes a graph on noise.
func calibrated(t require.TestingT, tb testing.TB, model []byte, o Options, shape ...int) (*Calibrated, []Sample) {
	o.Backend, o.Spec = orttest.Runtime(tb), signal(shape...)
	samples := noise(3, 6, shape...)
	c, err := Calibrate(context.Background(), model, samples, o)
	require.NoError(t, err)
	return c, samples
}

// A graph of whatever is fused stays within a few percent of the float32 one.
func TestGraphsOnIntegers(t *testing.T) {
	for name, c := range map[string]struct {
		build   func(b *onnxtest.Builder, x string) string
		layers  int
		most    float64        // error of the output
		integer map[string]int // kinds of nodes that stand between integers: DequantizeLinear before, QuantizeLinear after
	}{
		"convolution, Relu": {func(b *onnxtest.Builder, x string) string {
			return b.Node("Relu", nil, square(b, x, 4, 8, 3, 1, 1, 1, true))
		}, 1, .03, map[string]int{"Conv": 1, "Relu": 0}},
		"Relu6 and a depthwise one": {func(b *onnxtest.Builder, x string) string {
			y := b.Relu6(square(b, x, 4, 8, 3, 1, 1, 1, true))
			return b.Relu6(square(b, y, 8, 8, 3, 1, 1, 8, false))
		}, 2, .05, map[string]int{"Conv": 2, "Clip": 0}},
		"groups": {func(b *onnxtest.Builder, x string) string {
			return square(b, square(b, x, 4, 8, 3, 1, 1, 2, true), 8, 8, 3, 1, 1, 4, true)
		}, 2, .05, map[string]int{"Conv": 2}},
		"a residual": {func(b *onnxtest.Builder, x string) string {
			y := b.Node("Relu", nil, square(b, x, 4, 8, 3, 1, 1, 1, true))
			z := b.Node("Relu", nil, b.Node("Add", nil, y, square(b, y, 8, 8, 3, 1, 1, 1, true)))
			return square(b, z, 8, 4, 1, 1, 0, 1, true)
		}, 3, .05, map[string]int{"Conv": 3, "Add": 1, "Relu": 0}},
		"SiLU, pools, Concat, Resize": {func(b *onnxtest.Builder, x string) string {
			y := square(b, x, 4, 8, 3, 1, 1, 1, true)
			y = b.Node("Mul", nil, y, b.Node("Sigmoid", nil, y))
			pool := onnxtest.Attributes{"kernel_shape": []int{2, 2}, "strides": []int{2, 2}}
			y = b.Node("Concat", onnxtest.Attributes{"axis": 1}, b.Node("MaxPool", pool, y), b.Node("AveragePool", pool, y))
			y = b.Node("Resize", onnxtest.Attributes{"mode": "nearest"}, y, "", b.Weight([]float32{1, 1, 2, 2}, 4))
			return square(b, y, 16, 4, 1, 1, 0, 1, true)
		}, 2, .08, map[string]int{"Conv": 2, "Sigmoid": 1, "Mul": 1, "Concat": 1, "AveragePool": 1}},
		"LeakyRelu, a gain from the file, Split": {func(b *onnxtest.Builder, x string) string {
			y := b.Node("LeakyRelu", nil, square(b, x, 4, 8, 3, 1, 1, 1, true))
			y = b.Node("Mul", nil, y, b.Random(1, .1, 1, 8, 1, 1))
			parts := b.Nodes("Split", 2, onnxtest.Attributes{"axis": 1}, y)
			return b.Node("Add", nil, square(b, parts[0], 4, 4, 1, 1, 0, 1, true), square(b, parts[1], 4, 4, 1, 1, 0, 1, true))
		}, 3, .06, map[string]int{"Conv": 3, "LeakyRelu": 1, "Mul": 1, "Add": 0}},
		"a dense layer that gives float32": {func(b *onnxtest.Builder, x string) string {
			y := b.Node("Flatten", nil, square(b, x, 4, 8, 3, 1, 1, 1, true))
			y = b.Node("Relu", nil, b.Node("Gemm", onnxtest.Attributes{"transB": 1}, y, b.Random(0, .1, 64, 512), b.Random(0, .1, 64)))
			y = b.Node("MatMul", nil, y, b.Random(0, .1, 64, 256))
			return b.Node("Softmax", nil, y)
		}, 3, .06, map[string]int{"Conv": 1, "MatMul": 0, "Softmax": 0}},
		"weights that are used twice, and a tensor read twice": {func(b *onnxtest.Builder, x string) string {
			w := b.Random(0, .3, 4, 4, 3, 3)
			pads := onnxtest.Attributes{"pads": []int{1, 1, 1, 1}}
			y := b.Node("Relu", nil, b.Node("Conv", pads, x, w))
			return b.Node("Add", nil, b.Node("Conv", pads, y, w), b.Node("Sin", nil, y))
		}, 2, .05, map[string]int{"Conv": 2}},
		"weights that are computed stay": {func(b *onnxtest.Builder, x string) string {
			w := b.Node("Mul", nil, b.Random(0, .3, 4, 4, 1, 1), b.Node("ReduceMean", nil, x))
			return b.Node("Conv", nil, square(b, x, 4, 4, 3, 1, 1, 1, true), w)
		}, 1, .06, map[string]int{"Conv": 1}},
		"weights that are all 0, and a large bias": {func(b *onnxtest.Builder, x string) string {
			w := make([]float32, 8*4)
			for i := range 12 {
				w[i] = .1
			}
			bias := b.Weight([]float32{1e4, .3, 0, -.2, 1, 2, 3, 4}, 8)
			return b.Node("Conv", nil, x, b.Weight(w, 8, 4, 1, 1), bias)
		}, 1, .01, map[string]int{"Conv": 1}},
	} {
		t.Run(name, func(t *testing.T) {
			b := onnxtest.New("graph", 7)
			b.Output(c.build(b, b.Input("x", onnxtest.Dynamic, 4, 8, 8)))
			model := file(b)
			k, samples := calibrated(t, t, model, Options{Method: MinMax}, 4, 8, 8)
			assert.Len(t, k.Layers(), c.layers)
			for _, form := range []Form{{}, {Columns: true}} {
				made, err := k.Model(form)
				require.NoError(t, err)
				found := onIntegers(t, made)
				for op, n := range c.integer {
					assert.Equal(t, n, found[op], "%s: %v", op, found)
				}
				for _, s := range samples {
					want := outputs(t, k.opts.Backend.(runtime), k.opts.Spec, model, s)
					got := outputs(t, k.opts.Backend.(runtime), k.opts.Spec, made, s)
					assert.Less(t, apart(want[0], got[0]), c.most)
				}
			}
			same, err := k.Model(Form{})
			require.NoError(t, err)
			again, err := k.Model(Form{})
			require.NoError(t, err)
			assert.Equal(t, same, again, "the same bytes")
		})
	}
}

// onIntegers counts the nodes that are given integers and give integers.
func onIntegers(t *testing.T, model []byte) map[string]int {
	t.Helper()
	n, err := parse(model)
	require.NoError(t, err)
	found := map[string]int{}
	for _, node := range n.graph.Node {
		before, after := n.maker[input(node, 0)], n.users[output(node)]
		if before != nil && standard(before, "DequantizeLinear") && len(after) == 1 && standard(after[0], "QuantizeLinear") {
			found[node.GetOpType()]++
		}
	}
	return found
}

// Groups of columns are the same arithmetic: the same steps, the same integers.
func TestColumnsAreExactlyTheConvolution(t *testing.T) {
	rapid.Check(t, func(r *rapid.T) {
		channels := rapid.SampledFrom([]int{1, 3, 4}).Draw(r, "channels")
		filters := rapid.SampledFrom([]int{2, 4, 8, 12, 16, 20}).Draw(r, "filters")
		kernel, stride := rapid.IntRange(1, 5).Draw(r, "kernel"), rapid.IntRange(1, 3).Draw(r, "stride")
		pad := rapid.IntRange(0, kernel/2).Draw(r, "pad")
		height, width := rapid.IntRange(5, 9).Draw(r, "height"), rapid.SampledFrom([]int{8, 12, 16, 17, 24, 32}).Draw(r, "width")
		b := onnxtest.New("columns", rapid.Uint64().Draw(r, "seed"))
		x := b.Input("x", onnxtest.Dynamic, int64(channels), int64(height), int64(width))
		b.Output(b.Node("Relu", nil, square(b, x, channels, filters, kernel, stride, pad, 1, true)))
		k, samples := calibrated(r, t, file(b), Options{}, channels, height, width)
		plain, err := k.Model(Form{})
		require.NoError(r, err)
		grouped, err := k.Model(Form{Columns: true})
		require.NoError(r, err)
		for _, s := range samples[:2] {
			want := outputs(r, k.opts.Backend.(runtime), k.opts.Spec, plain, s)
			assert.Equal(r, want, outputs(r, k.opts.Backend.(runtime), k.opts.Spec, grouped, s))
		}
	})
}

// The integer kernel computes what Jacob et al. 2018 (2.2) say, within one step of rounding.
func TestIntegerArithmetic(t *testing.T) {
	b := onnxtest.New("reference", 5)
	x := b.Input("x", 1, 3, 6, 6)
	b.Output(b.Node("Relu", nil, square(b, x, 3, 4, 3, 1, 0, 1, true)))
	model := file(b)
	k, samples := calibrated(t, t, model, Options{Method: MinMax}, 3, 6, 6)
	n, _, err := ready(model)
	require.NoError(t, err)
	conv := n.graph.Node[0]
	l, ok := n.layerOf(conv)
	require.True(t, ok)
	in := k.ranges["x"][MinMax].scale()
	out := k.ranges[n.graph.Output[0].GetName()][MinMax].scale()
	ints := kernelOf(l, 0, in.step, Options{}, true, true)
	made, err := k.Model(Form{})
	require.NoError(t, err)
	got := outputs(t, k.opts.Backend.(runtime), k.opts.Spec, made, samples[0])[0]
	at := func(c, y, x int) int32 { return int32(in.quantize(samples[0][0][(c*6+y)*6+x])) - int32(in.zero) }
	for f := range 4 {
		for y := range 4 {
			for x := range 4 {
				sum := ints.bias[f]
				for c := range 3 {
					for ky := range 3 {
						for kx := range 3 {
							sum += at(c, y+ky, x+kx) * int32(ints.ints[((f*3+c)*3+ky)*3+kx])
						}
					}
				}
				scaled := math.RoundToEven(float64(sum) * float64(in.step) * float64(ints.steps[f]) / float64(out.step))
				want := min(max(scaled+float64(out.zero), 0), steps) - float64(out.zero)
				assert.InDelta(t, want*float64(out.step), float64(got[(f*4+y)*4+x]), 1.01*float64(out.step))
			}
		}
	}
}

func TestKeptAndReducedLayers(t *testing.T) {
	b := onnxtest.New("keep", 1)
	x := b.Input("x", 1, 4, 8, 8)
	first := square(b, x, 4, 8, 3, 1, 1, 1, true)
	b.Output(square(b, first, 8, 8, 3, 1, 1, 1, true))
	model := file(b)
	k, _ := calibrated(t, t, model, Options{Keep: []string{first}, ReduceRange: true}, 4, 8, 8)
	assert.NotContains(t, k.Layers(), first)
	made, err := k.Model(Form{})
	require.NoError(t, err)
	assert.Equal(t, 1, onIntegers(t, made)["Conv"])
	n, err := parse(made)
	require.NoError(t, err)
	for _, w := range n.graph.Initializer {
		if w.GetDataType() == int32(onnxpb.TensorProto_INT8) {
			for _, v := range w.RawData {
				assert.LessOrEqual(t, math.Abs(float64(int8(v))), float64(reducedWeightEnd))
			}
		}
	}
	_, err = Calibrate(t.Context(), model, noise(1, 1, 4, 8, 8), Options{Backend: orttest.Runtime(t), Spec: signal(4, 8, 8), Keep: []string{"conv_x"}})
	assert.ErrorContains(t, err, `keep "conv_x": the graph has no such node; its layers are `+first)
}

// Older graphs are brought to opset 13; what cannot be gets one step per layer, or an error.
func TestOldOpsets(t *testing.T) {
	for name, c := range map[string]struct {
		opset      int64
		end        func(b *onnxtest.Builder, x string) string
		perChannel bool
		says       string
	}{
		"9, Clip and Squeeze with attributes": {9, func(b *onnxtest.Builder, x string) string {
			y := b.Node("Clip", onnxtest.Attributes{"min": float32(0), "max": float32(6)}, x)
			return b.Node("Unsqueeze", onnxtest.Attributes{"axes": []int{0}}, b.Node("Upsample", onnxtest.Attributes{"mode": "nearest"}, y, b.Weight([]float32{1, 1, 2, 2}, 4)))
		}, true, ""},
		"12, Dropout and Softmax over the last": {12, func(b *onnxtest.Builder, x string) string {
			return b.Node("Softmax", onnxtest.Attributes{"axis": -1}, b.Node("Dropout", onnxtest.Attributes{}, x))
		}, true, ""},
		"11, Softmax over all": {11, func(b *onnxtest.Builder, x string) string {
			return b.Node("Softmax", onnxtest.Attributes{"axis": 1}, x)
		}, false, ""},
		"9, Softmax over all": {9, func(b *onnxtest.Builder, x string) string {
			return b.Node("Softmax", onnxtest.Attributes{"axis": 1}, x)
		}, false, "the graph has opset 9: quantized are graphs of 10 and later, and its Softmax"},
		"8, Scan, which later changed": {8, func(b *onnxtest.Builder, x string) string { return b.Node("Hardmax", nil, x) }, false, "export the model with opset 13 or later"},
	} {
		t.Run(name, func(t *testing.T) {
			b := onnxtest.New("old", 1)
			b.Output(c.end(b, square(b, b.Input("x", 1, 4, 8, 8), 4, 8, 3, 1, 1, 1, true)))
			p := b.Proto()
			p.OpsetImport = []*onnxpb.OperatorSetIdProto{{Version: proto.Int64(c.opset)}}
			model, err := proto.Marshal(p)
			require.NoError(t, err)
			k, err := Calibrate(t.Context(), model, noise(1, 2, 4, 8, 8), Options{Backend: orttest.Runtime(t), Spec: signal(4, 8, 8)})
			if c.says != "" {
				require.ErrorContains(t, err, c.says)
				return
			}
			require.NoError(t, err)
			assert.Equal(t, c.perChannel, k.perChannel)
			made, err := k.Model(Form{Columns: true})
			require.NoError(t, err)
			s := noise(2, 1, 4, 8, 8)[0]
			want := outputs(t, k.opts.Backend.(runtime), k.opts.Spec, model, s)
			assert.Less(t, apart(want[0], outputs(t, k.opts.Backend.(runtime), k.opts.Spec, made, s)[0]), .1)
		})
	}
}

func TestWhatIsRefused(t *testing.T) {
	plain := func(end func(b *onnxtest.Builder, y string) string) []byte {
		b := onnxtest.New("refused", 1)
		b.Output(end(b, b.Input("x", 1, 4, 8, 8)))
		return file(b)
	}
	conv := func(b *onnxtest.Builder, x string) string { return square(b, x, 4, 4, 3, 1, 1, 1, true) }
	good := plain(conv)
	backend := orttest.Runtime(t)
	k, err := Calibrate(t.Context(), good, noise(1, 2, 4, 8, 8), Options{Backend: backend, Spec: signal(4, 8, 8)})
	require.NoError(t, err)
	quantized, err := k.Model(Form{})
	require.NoError(t, err)
	bad := noise(1, 2, 4, 8, 8)
	bad[1][0][5] = float32(math.Inf(1))
	for says, c := range map[string]struct {
		model   []byte
		samples []Sample
		method  Method
	}{
		"not an ONNX file, or damaged":                  {[]byte("no"), nil, ""},
		"there is nothing to quantize":                  {plain(func(b *onnxtest.Builder, x string) string { return b.Node("Relu", nil, x) }), nil, ""},
		"it is quantized already":                       {quantized, nil, ""},
		"samples: none: at least one is needed":         {good, []Sample{}, ""},
		`method "best": allowed are ["auto" "mse"`:      {good, nil, "best"},
		`sample 1: tensor "x" has a value of +Inf`:      {good, bad, ""},
		"a sample has 2 inputs: the graph has 1":        {good, []Sample{{nil, nil}}, ""},
		"of a sample has 3 values: the graph's has 256": {good, []Sample{{make([]float32, 3)}}, ""},
	} {
		samples := c.samples
		if samples == nil {
			samples = noise(1, 1, 4, 8, 8)
		}
		_, err := Calibrate(t.Context(), c.model, samples, Options{Backend: backend, Spec: signal(4, 8, 8), Method: c.method})
		assert.ErrorContains(t, err, says)
	}
}

// FuzzReady takes any bytes through all that needs no run.
func FuzzReady(f *testing.F) {
	f.Add(onnxtest.Bytes(onnxtest.Residual(1, 8, 3)))
	f.Add(onnxtest.Bytes(onnxtest.ConvBNRelu(1, 8, 3)))
	b := onnxtest.New("seed", 1)
	x := square(b, b.Input("x", 1, 4, 8, 8), 4, 8, 3, 1, 1, 1, true)
	b.Output(b.Node("Reshape", nil, b.Node("Clip", nil, x, b.Scalar(0), b.Scalar(6)), b.Node("Shape", nil, x)))
	p := b.Proto()
	p.OpsetImport[0].Version = proto.Int64(9)
	old, err := proto.Marshal(p)
	require.NoError(f, err)
	f.Add(old)
	f.Fuzz(func(t *testing.T, model []byte) {
		n, perChannel, err := ready(model)
		if err != nil {
			return
		}
		c := &Calibrated{n: n, perChannel: perChannel, opts: Options{Method: MinMax}}
		for _, form := range []Form{{}, {Columns: true}} {
			if made, err := c.Model(form); err == nil {
				_, err := parse(made)
				require.NoError(t, err)
			}
		}
	})
}
