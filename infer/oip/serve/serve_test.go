// SPDX-License-Identifier: Apache-2.0

package serve

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	pb "google.golang.org/protobuf/proto"

	"edgex-offload/infer"
	"edgex-offload/infer/oip/inference"
	"edgex-offload/infer/oip/wire"
)

// backend makes graphs that double their input of [N, 2] and add its sum.
type backend struct{ about infer.About }

func (b backend) Load(context.Context, infer.Source) (infer.Graph, error) { return b, nil }
func (b backend) About() infer.About                                      { return b.about }
func (b backend) Close() error                                            { return nil }

func (b backend) Run(_ context.Context, batch int, fill func([][]float32) error, read func([]infer.Tensor) error) error {
	in := make([]float32, 2*batch)
	if err := fill([][]float32{in}); err != nil {
		return err
	}
	double, sum := make([]float32, len(in)), make([]float32, batch)
	for i, v := range in {
		if v == 13 {
			return errors.New("unlucky")
		}
		double[i] = 2 * v
		sum[i/2] += v
	}
	return read([]infer.Tensor{
		{Name: "double", Shape: []int64{int64(batch), 2}, Data: double},
		{Name: "sum", Shape: []int64{int64(batch)}, Data: sum},
	})
}

func about(in, out string, batches bool) infer.About {
	first := int64(1)
	if batches {
		first = -1
	}
	return infer.About{
		Provider: "test", Batches: batches,
		Inputs:  []infer.Port{{Name: "x", Type: in, Shape: []int64{first, 2}}},
		Outputs: []infer.Port{{Name: "double", Type: out, Shape: []int64{first, 2}}, {Name: "sum", Type: out, Shape: []int64{first}}},
	}
}

const pair = `
kind: SIGNAL_CLASSIFICATION
input: {type: signal, shape: [2]}
decoder: classification
labels: [a, b]
`

// service has "pair", which is ready, "broken", and "far", which runs on the box alone.
func service(t *testing.T, a infer.About, change func(*Options)) *Service {
	t.Helper()
	dir := t.TempDir()
	for name, yaml := range map[string]string{"pair": pair, "broken": "kind: X", "far": pair + "runs_on: [box]\n"} {
		path := filepath.Join(dir, name, "1")
		require.NoError(t, os.MkdirAll(path, 0o755))
		require.NoError(t, os.WriteFile(filepath.Join(path, infer.SpecFile), []byte(yaml), 0o600))
		require.NoError(t, os.WriteFile(filepath.Join(path, infer.GraphFile), nil, 0o600))
	}
	r, err := infer.Open(infer.Options{Dir: dir, Backend: backend{a}, Place: infer.Cloud, Rescan: time.Hour})
	require.NoError(t, err)
	t.Cleanup(func() { assert.NoError(t, r.Close()) })
	require.NoError(t, r.Wait(t.Context()))
	o := Options{Models: r, Name: "test", Version: "1.2", MessageLimit: 64 << 10, Admit: admitted}
	if change != nil {
		change(&o)
	}
	return New(o)
}

func admitted(ctx context.Context, _, _ string, _ int, run func(context.Context) error) error {
	return run(ctx)
}

// request asks for pair's doubles of 1, 2.
func request() *inference.ModelInferRequest {
	raw := make([]byte, 8)
	wire.Put(raw, wire.FP32, []float32{1, 2})
	return &inference.ModelInferRequest{
		ModelName: "pair", Id: "7", RawInputContents: [][]byte{raw},
		Inputs: []*inference.ModelInferRequest_InferInputTensor{{Name: "x", Datatype: "FP32", Shape: []int64{1, 2}}},
	}
}

func requireStatus(t *testing.T, err error, code codes.Code, want string) {
	t.Helper()
	require.Equal(t, code, status.Code(err), "%v", err)
	require.ErrorContains(t, err, want)
}

func TestHealthAndMetadata(t *testing.T) {
	s, ctx := service(t, about("float16", "int64", true), nil), t.Context()
	live, err := s.ServerLive(ctx, nil)
	require.NoError(t, err)
	assert.True(t, live.GetLive())
	ready, err := s.ServerReady(ctx, nil)
	require.NoError(t, err)
	assert.True(t, ready.GetReady())
	server, err := s.ServerMetadata(ctx, nil)
	require.NoError(t, err)
	assert.True(t, pb.Equal(&inference.ServerMetadataResponse{Name: "test", Version: "1.2", Extensions: []string{"model_repository"}}, server))
	for name, want := range map[string]bool{"pair": true, "broken": false, "far": false, "none": false} {
		ready, err := s.ModelReady(ctx, &inference.ModelReadyRequest{Name: name})
		require.NoError(t, err)
		assert.Equal(t, want, ready.GetReady(), name)
	}
	model, err := s.ModelMetadata(ctx, &inference.ModelMetadataRequest{Name: "pair", Version: "1"})
	require.NoError(t, err)
	type meta = inference.ModelMetadataResponse_TensorMetadata
	assert.True(t, pb.Equal(&inference.ModelMetadataResponse{
		Name: "pair", Versions: []string{"1"}, Platform: "onnxruntime_onnx",
		Inputs:  []*meta{{Name: "x", Datatype: "FP16", Shape: []int64{-1, 2}}},
		Outputs: []*meta{{Name: "double", Datatype: "INT64", Shape: []int64{-1, 2}}, {Name: "sum", Datatype: "INT64", Shape: []int64{-1}}},
	}, model), "%v", model)
	config, err := s.ModelConfig(ctx, &inference.ModelConfigRequest{Name: "pair"})
	require.NoError(t, err)
	assert.Zero(t, config.GetConfig().GetMaxBatchSize())
	for name, c := range map[string]struct {
		version string
		code    codes.Code
		want    string
	}{
		"none": {"", codes.NotFound, `no such model: model "none"`}, "pair": {"2", codes.NotFound, `pair has no version "2"`},
		"broken": {"", codes.Unavailable, "kind is"}, "far": {"", codes.Unavailable, "it runs on box alone"},
	} {
		_, err := s.ModelMetadata(ctx, &inference.ModelMetadataRequest{Name: name, Version: c.version})
		requireStatus(t, err, c.code, c.want)
		_, err = s.ModelConfig(ctx, &inference.ModelConfigRequest{Name: name, Version: c.version})
		requireStatus(t, err, c.code, c.want)
		_, err = s.ModelInfer(ctx, &inference.ModelInferRequest{ModelName: name, ModelVersion: c.version})
		requireStatus(t, err, c.code, c.want)
	}
}

func TestModelInfer(t *testing.T) {
	s := service(t, about("float32", "float32", true), nil)
	r := request()
	r.Parameters = map[string]*inference.InferParameter{"priority": {ParameterChoice: &inference.InferParameter_Int64Param{Int64Param: 1}}}
	got, err := s.ModelInfer(t.Context(), r)
	require.NoError(t, err)
	type out = inference.ModelInferResponse_InferOutputTensor
	bytes := func(values ...float32) []byte {
		b := make([]byte, 4*len(values))
		wire.Put(b, wire.FP32, values)
		return b
	}
	assert.True(t, pb.Equal(&inference.ModelInferResponse{
		ModelName: "pair", ModelVersion: "1", Id: "7",
		Outputs:           []*out{{Name: "double", Datatype: "FP32", Shape: []int64{1, 2}}, {Name: "sum", Datatype: "FP32", Shape: []int64{1}}},
		RawOutputContents: [][]byte{bytes(2, 4), bytes(3)},
	}, got), "%v", got)

	// A batch in typed contents, one output.
	r = request()
	r.RawInputContents = nil
	r.Inputs[0].Shape, r.Inputs[0].Contents = []int64{2, 2}, &inference.InferTensorContents{Fp32Contents: []float32{1, 2, 3, 4}}
	r.Outputs = []*inference.ModelInferRequest_InferRequestedOutputTensor{{Name: "sum"}}
	got, err = s.ModelInfer(t.Context(), r)
	require.NoError(t, err)
	assert.True(t, pb.Equal(&inference.ModelInferResponse{
		ModelName: "pair", ModelVersion: "1", Id: "7",
		Outputs: []*out{{Name: "sum", Datatype: "FP32", Shape: []int64{2}, Contents: &inference.InferTensorContents{Fp32Contents: []float32{3, 7}}}},
	}, got), "%v", got)
}

func TestTypesOfAGraph(t *testing.T) {
	s := service(t, about("uint8", "float16", false), nil)
	r := request()
	r.RawInputContents = nil
	r.Inputs[0].Datatype, r.Inputs[0].Contents = "UINT8", &inference.InferTensorContents{UintContents: []uint32{200, 55}}
	got, err := s.ModelInfer(t.Context(), r)
	require.NoError(t, err)
	require.Len(t, got.GetRawOutputContents(), 2, "half precision has no typed contents")
	values := make([]float32, 2)
	wire.Get(values, wire.FP16, got.GetRawOutputContents()[0])
	assert.Equal(t, []float32{400, 110}, values)
}

func TestRequestsAreChecked(t *testing.T) {
	s := service(t, about("float32", "float32", true), nil)
	parameter := map[string]*inference.InferParameter{
		"sequence_id": {ParameterChoice: &inference.InferParameter_Int64Param{Int64Param: 3}}, "shared_memory_region": {ParameterChoice: &inference.InferParameter_StringParam{StringParam: "x"}},
		"classification": {ParameterChoice: &inference.InferParameter_Int64Param{Int64Param: 3}},
	}
	type req = inference.ModelInferRequest
	type asked = inference.ModelInferRequest_InferRequestedOutputTensor
	for name, c := range map[string]struct {
		change func(r *req)
		want   string
	}{
		"id":              {func(r *req) { r.Id = strings.Repeat("x", 257) }, "id of 257 bytes: allowed are up to 256"},
		"sequence":        {func(r *req) { r.Parameters = parameter }, `parameter "sequence_id" of the request is not served here`},
		"no input":        {func(r *req) { r.Inputs = nil }, `0 inputs: the model takes 1: "x"`},
		"input's name":    {func(r *req) { r.Inputs[0].Name = "y" }, `input "x" is missing`},
		"shared memory":   {func(r *req) { r.Inputs[0].Parameters = parameter }, `parameter "shared_memory_region" of input "x"`},
		"type":            {func(r *req) { r.Inputs[0].Datatype = "FP64" }, `input "x" is of type "FP64": the model takes FP32`},
		"rank":            {func(r *req) { r.Inputs[0].Shape = []int64{2} }, `input "x" has shape [2]: the model takes [-1 2]`},
		"size":            {func(r *req) { r.Inputs[0].Shape = []int64{1, 3} }, "has shape [1 3]"},
		"no batch":        {func(r *req) { r.Inputs[0].Shape = []int64{0, 2} }, "has shape [0 2]"},
		"negative":        {func(r *req) { r.Inputs[0].Shape = []int64{-1, 2} }, "has shape [-1 2]"},
		"huge":            {func(r *req) { r.Inputs[0].Shape = []int64{1 << 62, 2} }, "has shape [4611686018427387904 2]"},
		"many dimensions": {func(r *req) { r.Inputs[0].Shape = make([]int64, 1000) }, "the model takes [-1 2]"},
		"bytes":           {func(r *req) { r.RawInputContents[0] = make([]byte, 7) }, `input "x" of type FP32 and shape [1 2] needs 2 values, 8 bytes: it has 7 bytes`},
		"batch":           {func(r *req) { r.Inputs[0].Shape[0] = 1000 }, `input "x" has a batch of 1000: allowed are up to 256`},
		"values":          {func(r *req) { r.Inputs[0].Shape[0] = 250 }, "needs 500 values, 2000 bytes: it has 8 bytes"},
		"too many raw":    {func(r *req) { r.RawInputContents = append(r.RawInputContents, nil) }, "2 raw_input_contents for 1 inputs"},
		"both": {func(r *req) {
			r.Inputs[0].Contents = &inference.InferTensorContents{Fp32Contents: []float32{1, 2}}
		}, "allowed is one of them"},
		"no values": {func(r *req) { r.RawInputContents = nil }, "it has 0 bytes"},
		"other contents": {func(r *req) {
			r.RawInputContents, r.Inputs[0].Contents = nil, &inference.InferTensorContents{Fp64Contents: []float64{1, 2}}
		}, "its contents of that type are 0 values"},
		"output":       {func(r *req) { r.Outputs = []*asked{{Name: "z"}} }, `output "z": the model has "double", "sum"`},
		"output twice": {func(r *req) { r.Outputs = []*asked{{Name: "sum"}, {Name: "sum"}} }, "asked for twice"},
		"classification": {func(r *req) {
			r.Outputs = []*asked{{Name: "sum", Parameters: map[string]*inference.InferParameter{"classification": parameter["classification"]}}}
		}, `parameter "classification" of output "sum"`},
	} {
		t.Run(name, func(t *testing.T) {
			r := request()
			c.change(r)
			_, err := s.ModelInfer(t.Context(), r)
			requireStatus(t, err, codes.InvalidArgument, c.want)
		})
	}
}

func TestAModelThatFailsIsInternalAndAnAnswerIsBounded(t *testing.T) {
	s := service(t, about("float32", "float32", true), func(o *Options) { o.MessageLimit = 5000 })
	r := request()
	wire.Put(r.GetRawInputContents()[0], wire.FP32, []float32{13, 0})
	_, err := s.ModelInfer(t.Context(), r)
	requireStatus(t, err, codes.Internal, "unlucky")

	r = request()
	r.Inputs[0].Shape = []int64{200, 2}
	r.RawInputContents[0] = make([]byte, 1600)
	_, err = s.ModelInfer(t.Context(), r)
	requireStatus(t, err, codes.ResourceExhausted, "the outputs have 2400 bytes: an answer holds up to 904")
}

func TestAnInferenceIsAdmittedAsATask(t *testing.T) {
	s := service(t, about("float32", "float32", true), func(o *Options) {
		o.Admit = func(_ context.Context, id, model string, bytes int, _ func(context.Context) error) error {
			return status.Errorf(codes.ResourceExhausted, "no room: %s %s %d", id, model, bytes)
		}
	})
	_, err := s.ModelInfer(t.Context(), request())
	requireStatus(t, err, codes.ResourceExhausted, "no room: of pair/1 pair/1 8")
	r := request()
	r.Inputs = nil
	_, err = s.ModelInfer(t.Context(), r)
	requireStatus(t, err, codes.InvalidArgument, "")
}

// control keeps what it was asked for.
type control struct{ did []string }

func (c *control) Load(_ context.Context, name, _ string) error {
	c.did = append(c.did, "load "+name)
	if name == "none" {
		return infer.ErrNoModel
	}
	return nil
}

func (c *control) Unload(_ context.Context, name string) error {
	c.did = append(c.did, "unload "+name)
	return nil
}

func TestRepository(t *testing.T) {
	var c control
	s := service(t, about("float32", "float32", true), func(o *Options) { o.Control = &c })
	index, err := s.RepositoryIndex(t.Context(), &inference.RepositoryIndexRequest{})
	require.NoError(t, err)
	require.Len(t, index.GetModels(), 3)
	assert.Equal(t, "UNAVAILABLE", index.GetModels()[0].GetState())
	assert.Contains(t, index.GetModels()[0].GetReason(), "kind is")
	assert.Equal(t, "runs on box alone", index.GetModels()[1].GetReason())
	index, err = s.RepositoryIndex(t.Context(), &inference.RepositoryIndexRequest{Ready: true})
	require.NoError(t, err)
	require.Len(t, index.GetModels(), 1)
	assert.True(t, pb.Equal(&inference.RepositoryIndexResponse_ModelIndex{Name: "pair", Version: "1", State: "READY"}, index.GetModels()[0]))

	_, err = s.RepositoryModelLoad(t.Context(), &inference.RepositoryModelLoadRequest{ModelName: "pair"})
	require.NoError(t, err)
	_, err = s.RepositoryModelLoad(t.Context(), &inference.RepositoryModelLoadRequest{ModelName: "none"})
	requireStatus(t, err, codes.NotFound, "no such model")
	_, err = s.RepositoryModelUnload(t.Context(), &inference.RepositoryModelUnloadRequest{ModelName: "pair"})
	require.NoError(t, err)
	assert.Equal(t, []string{"load pair", "load none", "unload pair"}, c.did)
	_, err = s.RepositoryModelUnload(t.Context(), &inference.RepositoryModelUnloadRequest{})
	requireStatus(t, err, codes.InvalidArgument, `model_name ""`)
	_, err = s.RepositoryModelLoad(t.Context(), &inference.RepositoryModelLoadRequest{ModelName: "pair", Parameters: map[string]*inference.ModelRepositoryParameter{"config": nil}})
	requireStatus(t, err, codes.InvalidArgument, "parameters")

	s = service(t, about("float32", "float32", true), nil)
	_, err = s.RepositoryModelUnload(t.Context(), &inference.RepositoryModelUnloadRequest{ModelName: "pair"})
	requireStatus(t, err, codes.Unavailable, "OIP.Control")
}

func FuzzRead(f *testing.F) {
	raw, err := pb.Marshal(request())
	require.NoError(f, err)
	f.Add(raw)
	graphs := []infer.About{about("float32", "int64", true), about("uint8", "float16", false), {Inputs: []infer.Port{{Name: "x", Type: "float32"}}}}
	f.Fuzz(func(t *testing.T, raw []byte) {
		r := &inference.ModelInferRequest{}
		if pb.Unmarshal(raw, r) != nil {
			return
		}
		for _, a := range graphs {
			q, err := read(r, a)
			if err != nil {
				continue
			}
			n := 2 * q.batch
			if n > 1<<20 || n < 0 {
				t.Fatalf("a batch of %d of %d bytes", q.batch, len(raw))
			}
			_ = q.fill([][]float32{make([]float32, n)})
		}
	})
}
