// SPDX-License-Identifier: Apache-2.0

package ort

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"edgex-offload/infer"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// newRuntime needs the library; without it the test is skipped.
func newRuntime(tb testing.TB, o Options) *Runtime {
	tb.Helper()
	if _, err := Find(""); err != nil {
		tb.Skip(err)
	}
	r, err := New(o)
	require.NoError(tb, err)
	tb.Cleanup(func() { assert.NoError(tb, r.Close()) })
	return r
}

// signal is a spec for a tensor of this shape after the batch.
func signal(shape ...int) infer.Spec {
	return infer.Spec{Decoder: infer.Classification, Input: infer.Input{Type: "signal", Shape: shape}}
}

func image(w, h int, layout, color string) infer.Spec {
	return infer.Spec{Decoder: infer.Classification, Input: infer.Input{Type: "image", Width: w, Height: h, Layout: layout, Color: color}}
}

func load(tb testing.TB, r *Runtime, model []byte, spec infer.Spec) infer.Graph {
	tb.Helper()
	g, err := r.Load(context.Background(), infer.Source{ONNX: model, Spec: spec})
	require.NoError(tb, err)
	tb.Cleanup(func() { assert.NoError(tb, g.Close()) })
	return g
}

// run feeds values and returns copies of the outputs.
func run(ctx context.Context, g infer.Graph, values ...float32) (outputs []infer.Tensor, err error) {
	err = g.Run(ctx, 1, func(in [][]float32) error {
		copy(in[0], values)
		return nil
	}, func(out []infer.Tensor) error {
		for _, o := range out {
			o.Data = append([]float32(nil), o.Data...)
			outputs = append(outputs, o)
		}
		return nil
	})
	return outputs, err
}

var relu = onnxModel(
	[]node{{op: "Relu", in: []string{"x"}, out: []string{"y"}}},
	[]io{{name: "x", dims: []any{"N", 4}}}, []io{{name: "y", dims: []any{"N", 4}}},
)

func TestRun(t *testing.T) {
	g := load(t, newRuntime(t, Options{}), relu, signal(4))
	got, err := run(context.Background(), g, -1, 2, -3, 4)
	require.NoError(t, err)
	assert.Equal(t, []infer.Tensor{{Name: "y", Shape: []int64{1, 4}, Data: []float32{0, 2, 0, 4}}}, got)
}

func TestOutputsOfFixedShapeAreWrittenInPlace(t *testing.T) {
	g := load(t, newRuntime(t, Options{}), relu, signal(4))
	var at [2]*float32
	for i := range at {
		require.NoError(t, g.Run(context.Background(), 1, func([][]float32) error { return nil }, func(out []infer.Tensor) error {
			at[i] = &out[0].Data[0]
			return nil
		}))
	}
	assert.Same(t, at[0], at[1])
}

func TestOutputsOfVaryingShape(t *testing.T) {
	model := onnxModel([]node{
		{op: "NonZero", in: []string{"x"}, out: []string{"i"}},
		{op: "Cast", in: []string{"i"}, out: []string{"y"}, attr: map[string]int{"to": onnxFloat}},
	}, []io{{name: "x", dims: []any{1, 4}}}, []io{{name: "y", dims: []any{2, "found"}}})
	g := load(t, newRuntime(t, Options{}), model, signal(4))
	got, err := run(context.Background(), g, 0, 5, 0, 5)
	require.NoError(t, err)
	assert.Equal(t, []infer.Tensor{{Name: "y", Shape: []int64{2, 2}, Data: []float32{0, 0, 1, 3}}}, got)
	got, err = run(context.Background(), g, 0, 0, 0, 5)
	require.NoError(t, err)
	assert.Equal(t, []int64{2, 1}, got[0].Shape)
}

func TestInputsThatAreWeightsAreTakenOff(t *testing.T) {
	model := onnxModel(
		[]node{{op: "Add", in: []string{"x", "w"}, out: []string{"y"}}},
		[]io{{name: "w", dims: []any{4}}, {name: "x", dims: []any{1, 4}}}, []io{{name: "y", dims: []any{1, 4}}},
		weight{"w", []float32{10, 20, 30, 40}},
	)
	h, err := parseGraph(model)
	require.NoError(t, err)
	require.Len(t, h.inputs, 2)
	stripped, err := parseGraph(h.rewrite(model, nil, nil))
	require.NoError(t, err)
	require.Len(t, stripped.inputs, 1)
	assert.Equal(t, "x", stripped.inputs[0].name)
	assert.Equal(t, h.outputs, stripped.outputs)
	assert.Equal(t, h.weights, stripped.weights)

	got, err := run(context.Background(), load(t, newRuntime(t, Options{}), model, signal(4)), 1, 2, 3, 4)
	require.NoError(t, err)
	assert.Equal(t, []float32{11, 22, 33, 44}, got[0].Data)
}

func TestNamedOutputsComeInTheirOrder(t *testing.T) {
	model := onnxModel([]node{
		{op: "Relu", in: []string{"x"}, out: []string{"a"}},
		{op: "Neg", in: []string{"x"}, out: []string{"b"}},
	}, []io{{name: "x", dims: []any{1, 2}}}, []io{{name: "a", dims: []any{1, 2}}, {name: "b", dims: []any{1, 2}}})
	r := newRuntime(t, Options{})
	spec := signal(2)
	got, err := run(context.Background(), load(t, r, model, spec), -1, 2)
	require.NoError(t, err)
	require.Len(t, got, 1, "what the decoder does not read is not computed")
	assert.Equal(t, "a", got[0].Name)
	spec.Outputs = []string{"b", "a"}
	got, err = run(context.Background(), load(t, r, model, spec), -1, 2)
	require.NoError(t, err)
	assert.Equal(t, []float32{1, -2}, got[0].Data)
	assert.Equal(t, []float32{0, 2}, got[1].Data)
}

func TestLoadSaysWhatToChange(t *testing.T) {
	r := newRuntime(t, Options{})
	of := func(dims ...any) []byte {
		return onnxModel([]node{{op: "Relu", in: []string{"x"}, out: []string{"y"}}}, []io{{name: "x", dims: dims}}, []io{{name: "y", dims: dims}})
	}
	texts := onnxModel([]node{{op: "Identity", in: []string{"x"}, out: []string{"y"}}}, []io{{name: "x", elemType: 8, dims: []any{1, 4}}}, []io{{name: "y", elemType: 8, dims: []any{1, 4}}})
	bytes := onnxModel([]node{{op: "Identity", in: []string{"x"}, out: []string{"y"}}}, []io{{name: "x", elemType: 2, dims: []any{1, 4, 4, 3}}}, []io{{name: "y", elemType: 2, dims: []any{1, 4, 4, 3}}})
	tokens := onnxModel([]node{{op: "Cast", in: []string{"x"}, out: []string{"y"}, attr: map[string]int{"to": 8}}}, []io{{name: "x", dims: []any{1, 4}}}, []io{{name: "y", elemType: 8, dims: []any{1, 4}}})
	scaled := image(4, 4, "NHWC", "RGB")
	scaled.Input.Scale = 1. / 255
	two := onnxModel([]node{{op: "Add", in: []string{"x", "z"}, out: []string{"y"}}}, []io{{name: "x", dims: []any{1, 4}}, {name: "z", dims: []any{1, 4}}}, []io{{name: "y", dims: []any{1, 4}}})
	unknown := onnxModel([]node{{op: "Frobnicate", in: []string{"x"}, out: []string{"y"}}}, []io{{name: "x", dims: []any{1, 4}}}, []io{{name: "y", dims: []any{1, 4}}})
	named := signal(4)
	named.Input.Name = "data"
	output := signal(4)
	output.Outputs = []string{"scores"}
	ssd := signal(4)
	ssd.Decoder = infer.SSD
	cases := []struct {
		name  string
		model []byte
		spec  infer.Spec
		want  []string
	}{
		{"not ONNX", []byte("hello, this is text"), signal(4), []string{"not an ONNX file"}},
		{"nothing", nil, signal(4), []string{"not an ONNX file"}},
		{"cut off", relu[:len(relu)-9], signal(4), []string{"not an ONNX file"}},
		{"unknown operator", unknown, signal(4), []string{"cannot load the graph", "Frobnicate"}},
		{"width and height", of(1, 3, 240, 320), image(240, 320, "NCHW", "RGB"), []string{"[1 3 240 320]", "[1 3 320 240]", "correct input.height, input.width"}},
		{"layout", of(1, 240, 320, 3), image(320, 240, "NCHW", "RGB"), []string{"correct input.layout: it is NHWC"}},
		{"other layout", of("N", 3, 240, 320), image(320, 240, "NHWC", "RGB"), []string{"[N 3 240 320]", "correct input.layout: it is NCHW"}},
		{"colour", of(1, 1, 28, 28), image(28, 28, "NCHW", "RGB"), []string{"correct input.color"}},
		{"batch", of(4, 3, 8, 8), image(8, 8, "NCHW", "RGB"), []string{"the batch has to be 1 or dynamic"}},
		{"no image", of(1, 28), image(28, 28, "NCHW", "GRAY"), []string{"is input.type signal?"}},
		{"signal", of(1, 3, 1024), signal(3, 512), []string{"correct input.shape"}},
		{"signal's rank", of(1, 3, 1024), signal(3072), []string{"give input.shape the 2 dimensions"}},
		{"input's type", texts, signal(4), []string{`input "x" is of type string`, "float32"}},
		{"bytes of a scaled picture", bytes, scaled, []string{`input "x" is of type uint8, but input.scale is 0.003922: set input.scale: 1`}},
		{"output's type", tokens, signal(4), []string{`output "y" is of type string`, "name another"}},
		{"two inputs", two, signal(4), []string{`2 inputs ("x", "z")`}},
		{"input's name", relu, named, []string{`input.name is "data": the graph's input is "x"`}},
		{"output's name", relu, output, []string{`outputs[0] is "scores": the graph has "y"`}},
		{"outputs of ssd", relu, ssd, []string{"outputs: [scores, boxes]"}},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			_, err := r.Load(context.Background(), infer.Source{ONNX: c.model, Spec: c.spec})
			require.Error(t, err)
			assert.NotErrorIs(t, err, infer.ErrBackend)
			for _, w := range c.want {
				assert.ErrorContains(t, err, w)
			}
		})
	}
}

// long takes hundreds of milliseconds: matrices multiplied again and again.
func long() []byte {
	var nodes []node
	last := "x"
	for i := range 400 {
		next := fmt.Sprintf("m%d", i)
		nodes = append(nodes, node{op: "MatMul", in: []string{last, "x"}, out: []string{next}})
		last = next
	}
	shape := []any{1, 256, 256}
	return onnxModel(nodes, []io{{name: "x", dims: shape}}, []io{{name: last, dims: shape}})
}

func TestTheContextEndsARun(t *testing.T) {
	g := load(t, newRuntime(t, Options{}), long(), signal(256, 256))
	before, cancel := context.WithCancel(context.Background())
	cancel()
	_, err := run(before, g)
	assert.ErrorIs(t, err, context.Canceled)

	between, cancel := context.WithCancel(context.Background())
	err = g.Run(between, 1, func([][]float32) error { cancel(); return nil }, func([]infer.Tensor) error { return errors.New("was run") })
	assert.ErrorIs(t, err, context.Canceled)

	// Without an end in the midst of it the run would succeed.
	during, cancel := context.WithTimeout(context.Background(), 5*time.Millisecond)
	defer cancel()
	_, err = run(during, g)
	assert.ErrorIs(t, err, context.DeadlineExceeded)

	_, err = run(context.Background(), g)
	assert.NoError(t, err, "the next run has nothing of it")
}

func TestManyAtOnce(t *testing.T) {
	g := load(t, newRuntime(t, Options{}), relu, signal(4))
	var all sync.WaitGroup
	for i := range 8 {
		all.Go(func() {
			for k := range 200 {
				want := float32(i*1000 + k)
				got, err := run(context.Background(), g, want, -want, want, -want)
				if err != nil || got[0].Data[0] != want || got[0].Data[1] != 0 {
					t.Errorf("%v: %v, %v", want, got, err)
					return
				}
			}
		})
	}
	all.Wait()
}

func TestAnErrorOfFillOrReadIsRunsOwn(t *testing.T) {
	g := load(t, newRuntime(t, Options{}), relu, signal(4))
	bad := errors.New("bad")
	fine := func([][]float32) error { return nil }
	assert.ErrorIs(t, g.Run(context.Background(), 1, func([][]float32) error { return bad }, nil), bad)
	assert.ErrorIs(t, g.Run(context.Background(), 1, fine, func([]infer.Tensor) error { return bad }), bad)
}

func FuzzParseGraph(f *testing.F) {
	f.Add(relu)
	f.Add(onnxModel(nil, []io{{name: "w", dims: []any{4}}}, []io{{name: "w", dims: []any{"a", 0}}}, weight{"w", []float32{1}}))
	f.Add([]byte{0x3a, 0xff, 0xff, 0xff, 0xff, 0x0f})
	f.Fuzz(func(t *testing.T, model []byte) {
		h, err := parseGraph(model)
		if err != nil {
			return
		}
		again, err := parseGraph(h.rewrite(model, nil, nil))
		if err != nil {
			t.Fatal(err)
		}
		for _, in := range again.inputs {
			if h.weights[in.name] {
				t.Fatalf("%q is an input still", in.name)
			}
		}
		_, _ = h.pickInputs(infer.Input{Type: "image", Width: 4, Height: 4, Layout: "NHWC", Color: "RGB"})
		ins, err := h.pickInputs(infer.Input{Type: "signal", Shape: []int{4}})
		if err != nil {
			return
		}
		outs, err := h.pickOutputs(infer.Spec{Decoder: infer.SSD})
		if err != nil {
			return
		}
		if _, err := parseGraph(h.rewrite(model, ins, outs)); err != nil {
			t.Fatal(err)
		}
		_, _ = ports(ins), batches(ins, outs)
	})
}

// What Graph.Run adds to the binding's own Run, on a graph that does next to nothing.
func BenchmarkRun(b *testing.B) {
	g := load(b, newRuntime(b, Options{}), relu, signal(4))
	b.Run("graph", func(b *testing.B) {
		ctx, cancel := context.WithCancel(context.Background())
		defer cancel()
		fill, read := func([][]float32) error { return nil }, func([]infer.Tensor) error { return nil }
		b.ReportAllocs()
		for b.Loop() {
			if err := g.Run(ctx, 1, fill, read); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("bare", func(b *testing.B) {
		s, is := g.(*graph)
		require.True(b, is)
		slot, err := s.take(1)
		require.NoError(b, err)
		defer s.put(slot)
		b.ReportAllocs()
		for b.Loop() {
			if err := s.session.Run(slot.in, slot.out); err != nil {
				b.Fatal(err)
			}
		}
	})
}
