// SPDX-License-Identifier: Apache-2.0

package oip

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"edgex-offload/endpoint"
	"edgex-offload/infer"
	"edgex-offload/infer/oip/inference"
)

func TestRun(t *testing.T) {
	f := newTriton()
	c := f.client(t, nil)
	g := load(t, c, signal())
	assert.Equal(t, infer.About{
		Provider: "oip " + c.opts.Address, Batches: true, MostBatch: 8,
		Inputs:  []infer.Port{{Name: "x", Type: "float32", Shape: []int64{-1, 4}}},
		Outputs: []infer.Port{{Name: "y", Type: "float32", Shape: []int64{-1, 1}}},
	}, g.About())
	for range 2 {
		got, err := run(t.Context(), g, 1, 1, 2, 3, 4)
		require.NoError(t, err)
		assert.Equal(t, []infer.Tensor{{Name: "y", Shape: []int64{1, 1}, Data: []float32{10}}}, got)
		got, err = run(t.Context(), g, 2, 1, 2, 3, 4, 10, 20, 30, 40)
		require.NoError(t, err)
		assert.Equal(t, []infer.Tensor{{Name: "y", Shape: []int64{2, 1}, Data: []float32{10, 100}}}, got)
	}
	r := f.requests[0]
	assert.Equal(t, "y", r.GetOutputs()[0].GetName(), "no other output is asked for")
	assert.Equal(t, []int64{1, 4}, r.GetInputs()[0].GetShape())
	_, err := run(t.Context(), g, 9)
	assert.ErrorContains(t, err, "takes up to 8 (max_batch_size)")
	_, err = run(t.Context(), g, 0)
	assert.ErrorContains(t, err, "a batch of 0")
}

// What servers say of a model in different ways, and how it is then called.
func TestTypesAndShapesOfServers(t *testing.T) {
	for name, c := range map[string]struct {
		in, out  *inference.ModelMetadataResponse_TensorMetadata
		maxBatch int32
		typed    bool
		sent     []int64
		batches  bool
	}{
		"Triton with batches":          {tensor("x", "FP32", -1, 4), tensor("y", "FP32", -1, 1), 8, false, []int64{1, 4}, true},
		"Triton of one":                {tensor("x", "FP32", -1, 4), tensor("y", "FP32", -1, 1), 1, false, []int64{1, 4}, false},
		"Triton, complete shapes":      {tensor("x", "FP32", 1, 4), tensor("y", "FP32", 1, 1), 0, false, []int64{1, 4}, false},
		"Triton, batch not shown":      {tensor("x", "FP32", 4), tensor("y", "FP32", 1), 4, false, []int64{1, 4}, true},
		"no batch at all":              {tensor("x", "FP32", 4), tensor("y", "FP32", 1), 0, false, []int64{4}, false},
		"no batch, not Triton":         {tensor("x", "FP32", 4), tensor("y", "FP32", 1), -1, false, []int64{4}, false},
		"not Triton":                   {tensor("x", "FP32", -1, 4), tensor("y", "FP32", -1, 1), -1, false, []int64{1, 4}, true},
		"everything free":              {tensor("x", "FP32", -1, -1), tensor("y", "FP32", -1, -1), 0, false, []int64{1, 4}, true},
		"half precision":               {tensor("x", "FP16", -1, 4), tensor("y", "FP16", -1, 1), 8, false, []int64{1, 4}, true},
		"bytes in, whole numbers out":  {tensor("x", "UINT8", -1, 4), tensor("y", "INT64", -1, 1), 8, false, []int64{1, 4}, true},
		"typed contents":               {tensor("x", "INT32", -1, 4), tensor("y", "FP64", -1, 1), 8, true, []int64{1, 4}, true},
		"typed contents of whole ones": {tensor("x", "INT8", -1, 4), tensor("y", "UINT8", -1, 1), 8, true, []int64{1, 4}, true},
	} {
		t.Run(name, func(t *testing.T) {
			f := newTriton()
			f.metadata.Inputs[0], f.metadata.Outputs[0], f.maxBatch, f.typed = c.in, c.out, c.maxBatch, c.typed
			g := load(t, f.client(t, nil), signal())
			got, err := run(t.Context(), g, 1, 1, 2, 3, 4)
			require.NoError(t, err)
			assert.Equal(t, []infer.Tensor{{Name: "y", Shape: []int64{1, 1}, Data: []float32{10}}}, got)
			assert.Equal(t, c.sent, f.requests[0].GetInputs()[0].GetShape())
			assert.Equal(t, c.batches, g.About().Batches)
			if c.batches {
				got, err = run(t.Context(), g, 3, 1, 1, 1, 1, 2, 2, 2, 2, 3, 3, 3, 3)
				require.NoError(t, err)
				assert.Equal(t, []float32{4, 8, 12}, got[0].Data)
				return
			}
			_, err = run(t.Context(), g, 2)
			assert.ErrorContains(t, err, "takes one at a time")
		})
	}
}

func image(w, h int, layout, color string, scale float64) infer.Spec {
	return infer.Spec{
		OIP: infer.Served{Model: "m"}, Decoder: infer.Classification,
		Input: infer.Input{Type: "image", Width: w, Height: h, Layout: layout, Color: color, Scale: scale},
	}
}

func TestLoadComparesTheServersModelWithModelYaml(t *testing.T) {
	named, outputs, ssd, other, version := signal(), signal(), signal(), signal(), signal()
	named.Input.Name = "data"
	outputs.Outputs = []string{"z"}
	ssd.Decoder = infer.SSD
	other.OIP.Model = "n"
	version.OIP = infer.Served{Model: "n", Version: "7"}
	x, y := tensor("x", "FP32", -1, 4), tensor("y", "FP32", -1, 1)
	type list = []*inference.ModelMetadataResponse_TensorMetadata
	for name, c := range map[string]struct {
		in, out list
		spec    infer.Spec
		want    []string
	}{
		"unknown model":   {list{x}, list{y}, other, []string{`model "n" is not there, or not ready`, "correct oip.model"}},
		"unknown version": {list{x}, list{y}, version, []string{`model "n" version "7" is not there`}},
		"no input":        {nil, list{y}, signal(), []string{"the model has 0 inputs", "input.name"}},
		"input's name":    {list{x}, list{y}, named, []string{`input.name is "data"`, `has "x"`}},
		"two inputs":      {list{x, tensor("z", "FP32", 1)}, list{y}, signal(), []string{`2 inputs ("x", "z")`, "input.name"}},
		"input's type":    {list{tensor("x", "BYTES", -1, 4)}, list{y}, signal(), []string{`input "x" is of type "BYTES"`, "allowed are BOOL, UINT8"}},
		"input's size":    {list{tensor("x", "FP32", -1, 5)}, list{y}, signal(), []string{`input.shape[0] is 4, the server has 5`}},
		"input's rank":    {list{tensor("x", "FP32", -1, 2, 2)}, list{y}, signal(), []string{"input.shape has 1 dimensions, the server's 2"}},
		"batch":           {list{tensor("x", "FP32", 16, 4)}, list{y}, signal(), []string{"the server's batch is 16: allowed is 1 or any"}},
		"width, height":   {list{tensor("x", "FP32", -1, 3, 480, 640)}, list{y}, image(480, 640, "NCHW", "RGB", 1), []string{"input.height is 640 in input.layout NCHW, the server has 480", "input.width is 480 in input.layout NCHW, the server has 640"}},
		"layout":          {list{tensor("x", "FP32", -1, 8, 8, 3)}, list{y}, image(8, 8, "NCHW", "RGB", 1), []string{"input.color is RGB, which has 3 channels in input.layout NCHW, the server has 8", "input.width is 8 in input.layout NCHW, the server has 3"}},
		"hidden batch":    {list{tensor("x", "FP32", 3, 8, 9)}, list{y}, image(8, 8, "NCHW", "RGB", 1), []string{"input.width is 8 in input.layout NCHW, the server has 9"}},
		"scale":           {list{tensor("x", "UINT8", -1, 3, 8, 8)}, list{y}, image(8, 8, "NCHW", "RGB", 1./255), []string{"input.scale is 0.003922", "UINT8", "set input.scale: 1"}},
		"no output":       {list{x}, nil, signal(), []string{"the graph has no output"}},
		"output's name":   {list{x}, list{y}, outputs, []string{`outputs[0] is "z"`, `has "y"`}},
		"output's type":   {list{x}, list{tensor("y", "BYTES", -1, 1)}, signal(), []string{`output "y" is of type "BYTES"`, "name another in outputs"}},
		"outputs of ssd":  {list{x}, list{y}, ssd, []string{"outputs: [scores, boxes]"}},
	} {
		t.Run(name, func(t *testing.T) {
			f := newTriton()
			f.metadata.Inputs, f.metadata.Outputs = c.in, c.out
			_, err := f.client(t, nil).Load(t.Context(), infer.Source{Spec: c.spec})
			require.ErrorIs(t, err, infer.ErrBackend, "the server may be put right")
			for _, w := range c.want {
				assert.ErrorContains(t, err, w)
			}
			assert.NotContains(t, err.Error(), "backend unavailable")
		})
	}
}

func TestLoadComparesTheServersModelWithTheFile(t *testing.T) {
	port := func(name, kind string, shape ...int64) []infer.Port {
		return []infer.Port{{Name: name, Type: kind, Shape: shape}}
	}
	for name, c := range map[string]struct {
		in, out []infer.Port
		err     error
		want    string
	}{
		"the same":       {port("x", "float32", -1, 4), port("y", "float32", -1, 1), nil, ""},
		"batch of one":   {port("x", "float32", 1, 4), port("y", "float32", 1, 1), nil, ""},
		"unknown shape":  {port("x", "float32"), port("y", "float32"), nil, ""},
		"input's name":   {port("a", "float32", -1, 4), nil, nil, `model.onnx has input "a"`},
		"input's type":   {port("x", "float16", -1, 4), nil, nil, `model.onnx has input "x" as float16 [-1 4]`},
		"input's shape":  {port("x", "float32", -1, 5), nil, nil, "they are different models"},
		"output's shape": {port("x", "float32", -1, 4), port("y", "float32", -1, 2), nil, `output "y" as float32 [-1 2]`},
		"damaged":        {nil, nil, errors.New("not an ONNX file"), "not an ONNX file"},
	} {
		t.Run(name, func(t *testing.T) {
			f := newTriton()
			client := f.client(t, func(o *Options) {
				o.Describe = func([]byte) ([]infer.Port, []infer.Port, error) { return c.in, c.out, c.err }
			})
			g, err := client.Load(t.Context(), infer.Source{Spec: signal(), ONNX: []byte("x")})
			if c.want == "" {
				require.NoError(t, err)
				require.NoError(t, g.Close())
				return
			}
			assert.ErrorContains(t, err, c.want)
		})
	}
}

func TestWrongAnswersAreErrors(t *testing.T) {
	type out = inference.ModelInferResponse_InferOutputTensor
	answer := func(o *out, raw ...[]byte) *inference.ModelInferResponse {
		return &inference.ModelInferResponse{Outputs: []*out{o}, RawOutputContents: raw}
	}
	for name, c := range map[string]struct {
		answer *inference.ModelInferResponse
		want   string
	}{
		"no output":    {&inference.ModelInferResponse{}, `lacks output "y"`},
		"type":         {answer(&out{Name: "y", Datatype: "FP64", Shape: []int64{1, 1}}, make([]byte, 8)), `is of type "FP64": the model's is FP32`},
		"rank":         {answer(&out{Name: "y", Datatype: "FP32", Shape: []int64{1}}, make([]byte, 4)), "has shape [1] for a batch of 1"},
		"batch":        {answer(&out{Name: "y", Datatype: "FP32", Shape: []int64{2, 1}}, make([]byte, 8)), "has shape [2 1] for a batch of 1"},
		"size":         {answer(&out{Name: "y", Datatype: "FP32", Shape: []int64{1, 2}}, make([]byte, 8)), "has shape [1 2]"},
		"negative":     {answer(&out{Name: "y", Datatype: "FP32", Shape: []int64{1, -1}}, nil), "has shape [1 -1]"},
		"bytes":        {answer(&out{Name: "y", Datatype: "FP32", Shape: []int64{1, 1}}, make([]byte, 3)), "it has 3 bytes: needed are 4"},
		"raw contents": {answer(&out{Name: "y", Datatype: "FP32", Shape: []int64{1, 1}}, make([]byte, 4), nil), "1 outputs and 2 raw contents"},
		"no contents":  {answer(&out{Name: "y", Datatype: "FP32", Shape: []int64{1, 1}}), "are 0 values: needed are 1"},
	} {
		t.Run(name, func(t *testing.T) {
			f := newTriton()
			g := load(t, f.client(t, nil), signal())
			f.set(func(f *triton) { f.answer = c.answer })
			_, err := run(t.Context(), g, 1)
			require.ErrorContains(t, err, c.want)
			assert.NotErrorIs(t, err, infer.ErrBackend)
		})
	}
}

// A text's model has several inputs, by names that exporters differ in.
func TestAModelOfTextIsFedByName(t *testing.T) {
	spec := infer.Spec{OIP: infer.Served{Model: "m"}, Decoder: infer.Classification, Input: infer.Input{Type: "text", MaxTokens: 4}}
	f := newTriton()
	f.metadata.Inputs = []*inference.ModelMetadataResponse_TensorMetadata{tensor("input_mask", "INT64", -1, 4), tensor("input_ids", "INT64", -1, 4)}
	c := f.client(t, nil)
	g := load(t, c, spec)
	require.NoError(t, g.Run(t.Context(), 1, func(in [][]float32) error {
		copy(in[0], []float32{101, 7, 8, 102})
		copy(in[1], []float32{1, 1, 1, 1})
		return nil
	}, func(out []infer.Tensor) error {
		assert.Equal(t, []float32{218}, out[0].Data, "the ids come first, whatever the server's order is")
		return nil
	}))
	assert.Equal(t, "input_ids", f.requests[0].GetInputs()[0].GetName())

	f.set(func(f *triton) { f.metadata.Inputs = f.metadata.Inputs[:1] })
	_, err := c.Load(t.Context(), infer.Source{Spec: spec})
	assert.ErrorContains(t, err, `input "input_ids" is what input.type text feeds`)
	f.set(func(f *triton) {
		f.metadata.Inputs = append(f.metadata.Inputs, tensor("input_ids", "INT64", -1, 4), tensor("extra", "INT64", -1))
	})
	_, err = c.Load(t.Context(), infer.Source{Spec: spec})
	assert.ErrorContains(t, err, `the model also wants "extra"`)
}

// A shape may claim more than a message can hold: there is no memory for it.
func TestAShapeWithoutItsValuesTakesNoMemory(t *testing.T) {
	f := newTriton()
	f.metadata.Outputs[0].Shape = []int64{-1, -1}
	g := load(t, f.client(t, nil), signal())
	for _, shape := range [][]int64{{1, 1 << 24}, {1, 1 << 62}} {
		f.set(func(f *triton) {
			f.answer = &inference.ModelInferResponse{Outputs: []*inference.ModelInferResponse_InferOutputTensor{{Name: "y", Datatype: "FP32", Shape: shape}}}
		})
		_, err := run(t.Context(), g, 1)
		require.ErrorContains(t, err, `output "y"`)
	}
}

func TestErrorsOfTheServer(t *testing.T) {
	for code, c := range map[codes.Code]struct {
		want    string
		backend bool
	}{
		codes.InvalidArgument:   {`refuses what model "m" is sent: "because"`, false},
		codes.ResourceExhausted: {"no room now, or a message is too large (MessageBytes here is 67108864)", false},
		codes.NotFound:          {`has no model "m"`, true},
		codes.Unavailable:       {"cannot be reached, or is not ready", true},
		codes.Internal:          {`model "m": Internal: "because"`, false},
		codes.DeadlineExceeded:  {"no answer in time", true},
		codes.Unimplemented:     {"does not speak the Open Inference Protocol over gRPC", true},
	} {
		t.Run(code.String(), func(t *testing.T) {
			f := newTriton()
			g := load(t, f.client(t, nil), signal())
			f.set(func(f *triton) { f.fail = status.Error(code, "because") })
			_, err := run(t.Context(), g, 1)
			require.ErrorContains(t, err, c.want)
			assert.Equal(t, c.backend, errors.Is(err, infer.ErrBackend))
			assert.Equal(t, code == codes.DeadlineExceeded, errors.Is(err, context.DeadlineExceeded))
			f.set(func(f *triton) { f.fail = nil })
			_, err = run(t.Context(), g, 1)
			assert.NoError(t, err)
		})
	}
}

func TestTheContextEndsARun(t *testing.T) {
	f := newTriton()
	c := f.client(t, nil)
	g := load(t, c, signal())
	before, cancel := context.WithCancel(t.Context())
	cancel()
	_, err := run(before, g, 1)
	assert.ErrorIs(t, err, context.Canceled)

	f.set(func(f *triton) { f.block, f.entered = make(chan struct{}), make(chan struct{}, 1) })
	during, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { _, err := run(during, g, 1); ended <- err }()
	<-f.entered
	cancel()
	err = <-ended
	assert.ErrorIs(t, err, context.Canceled)
	assert.NotErrorIs(t, err, infer.ErrBackend)

	// Without a deadline of the task's the call has its own.
	c.opts.CallTimeout = 20 * time.Millisecond
	_, err = run(t.Context(), g, 1)
	assert.ErrorIs(t, err, context.DeadlineExceeded)
	assert.ErrorIs(t, err, infer.ErrBackend, "a server that does not answer is none")
	f.set(func(f *triton) { close(f.block); f.block = nil })
}

func TestMessagesAreBounded(t *testing.T) {
	f := newTriton()
	f.metadata.Inputs[0].Shape, f.maxBatch = []int64{-1, 1024}, 0
	spec := signal()
	spec.Input.Shape = []int{1024}
	g := load(t, f.client(t, func(o *Options) { o.MessageBytes = 64 << 10 }), spec)
	_, err := run(t.Context(), g, 17)
	assert.ErrorContains(t, err, "a batch of 17, of 4096 bytes each: allowed are up to 65536 in all (MessageBytes)")
	_, err = run(t.Context(), g, 1<<62)
	assert.ErrorContains(t, err, "MessageBytes")
	f.set(func(f *triton) {
		f.answer = &inference.ModelInferResponse{RawOutputContents: [][]byte{make([]byte, 70<<10)}}
	})
	_, err = run(t.Context(), g, 1)
	assert.ErrorContains(t, err, "received message larger than max")
}

// The first input has room and the second has not: the memory is used again all the same.
func TestABatchThatIsTooLargeLeavesTheNextAlone(t *testing.T) {
	f := newTriton()
	f.maxBatch = 0
	f.metadata.Inputs = []*inference.ModelMetadataResponse_TensorMetadata{tensor("input_ids", "INT64", -1, 1024), tensor("input_mask", "INT64", -1, 1024)}
	spec := infer.Spec{OIP: infer.Served{Model: "m"}, Decoder: infer.Classification, Input: infer.Input{Type: "text", MaxTokens: 1024}}
	g := load(t, f.client(t, func(o *Options) { o.MessageBytes = 64 << 10 }), spec)
	_, err := run(t.Context(), g, 1, 1)
	require.NoError(t, err)
	_, err = run(t.Context(), g, 6, 1)
	require.ErrorContains(t, err, "a batch of 6")
	_, err = run(t.Context(), g, 1, 1)
	require.NoError(t, err)
	last := f.requests[len(f.requests)-1]
	assert.Equal(t, 8*1024, len(last.GetRawInputContents()[0])) //nolint:testifylint // Len would print all of it
}

func TestManyAtOnce(t *testing.T) {
	f := newTriton()
	g := load(t, f.client(t, nil), signal())
	var all sync.WaitGroup
	for i := range 8 {
		all.Go(func() {
			for k := range 50 {
				v, batch := float32(i*1000+k), 1+k%3
				values := make([]float32, 4*batch)
				for n := range values {
					values[n] = v
				}
				got, err := run(t.Context(), g, batch, values...)
				if err != nil || len(got[0].Data) != batch || got[0].Data[batch-1] != 4*v {
					t.Errorf("%v: %v, %v", v, got, err)
					return
				}
			}
		})
	}
	all.Wait()
}

// A server that goes away is told at once when a call fails, and otherwise at the next check.
func TestALostServerIsTold(t *testing.T) {
	for _, byCall := range []bool{true, false} {
		t.Run(fmt.Sprint("by a call ", byCall), func(t *testing.T) {
			f := newTriton()
			address, stop := f.start(t, "", nil)
			c := newClient(t, address, func(o *Options) {
				if !byCall {
					o.CheckInterval = 10 * time.Millisecond
				}
			})
			lost := make(chan error, 1)
			g, err := c.Load(t.Context(), infer.Source{Spec: signal(), Lost: func(err error) {
				select {
				case lost <- err:
				default:
				}
			}})
			require.NoError(t, err)
			defer g.Close()
			stop()
			if byCall {
				_, err = run(t.Context(), g, 1)
				require.ErrorIs(t, err, infer.ErrBackend)
			}
			assert.ErrorContains(t, <-lost, "cannot be reached")

			again, _ := f.start(t, address, nil)
			require.Equal(t, address, again)
			require.Eventually(t, func() bool { _, err := run(t.Context(), g, 1); return err == nil }, 20*time.Second, 5*time.Millisecond, "it heals by itself")
		})
	}
}

func TestAModelThatIsUnloadedThereIsTold(t *testing.T) {
	f := newTriton()
	c := f.client(t, func(o *Options) { o.CheckInterval = 10 * time.Millisecond })
	lost := make(chan error, 100)
	g, err := c.Load(t.Context(), infer.Source{Spec: signal(), Lost: func(err error) {
		select {
		case lost <- err:
		default:
		}
	}})
	require.NoError(t, err)
	defer g.Close()
	f.set(func(f *triton) { f.unready = true })
	assert.ErrorContains(t, <-lost, `model "m" is not there, or not ready`)
	_, err = c.Load(t.Context(), infer.Source{Spec: signal()})
	assert.ErrorIs(t, err, infer.ErrBackend)
}

func TestNothingWaitsForAServerThatIsNotThere(t *testing.T) {
	c := newClient(t, "127.0.0.1:1", nil)
	_, err := c.Load(t.Context(), infer.Source{Spec: signal()})
	require.ErrorIs(t, err, infer.ErrBackend)
	assert.ErrorContains(t, err, "oip 127.0.0.1:1: cannot be reached")
}

// A host that vanished leaves a connection on which nothing is ever heard.
func TestASilentConnectionIsMadeAnew(t *testing.T) {
	l := newLine(time.Second)
	l.listen()() // nothing there yet
	f := newTriton()
	address, _ := f.start(t, "", nil)
	conn, err := l.dial(t.Context(), address)
	require.NoError(t, err)
	endIfSilent := l.listen()
	_, err = conn.Read(make([]byte, 1)) // the server's settings
	require.NoError(t, err)
	endIfSilent()
	_, err = conn.Write([]byte("x"))
	require.NoError(t, err, "it was heard of")
	l.listen()()
	_, err = conn.Write([]byte("x"))
	assert.ErrorContains(t, err, "use of closed")
}

func TestOptionsAreChecked(t *testing.T) {
	for want, o := range map[string]Options{
		`Address "": allowed is host:port`:           {},
		`Address ":8001": the host is missing`:       {Address: ":8001"},
		"TLS.Enabled false: allowed with":            {Address: "a:1", TLS: endpoint.TLS{CA: "x"}},
		"TLS.CA: open nowhere.pem":                   {Address: "a:1", TLS: endpoint.TLS{Enabled: true, CA: "nowhere.pem"}},
		"ConnectTimeout 1ms: allowed is 10ms to 1m":  {Address: "a:1", ConnectTimeout: time.Millisecond},
		"CallTimeout 2h0m0s: allowed is 10ms to 1h":  {Address: "a:1", CallTimeout: 2 * time.Hour},
		"CheckInterval 1ms: allowed is 10ms to 1h":   {Address: "a:1", CheckInterval: time.Millisecond},
		"MessageBytes 1: allowed is 65536 to 107374": {Address: "a:1", MessageBytes: 1},
	} {
		_, err := New(o)
		assert.ErrorContains(t, err, want)
	}
}
