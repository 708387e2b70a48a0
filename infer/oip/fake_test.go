// SPDX-License-Identifier: Apache-2.0

package oip

import (
	"context"
	"net"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/status"

	"edgex-offload/infer"
	"edgex-offload/infer/oip/inference"
	"edgex-offload/infer/oip/wire"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// triton stands in for a model server: it has one model, "m", whose outputs are its inputs'
// sums, one for each example.
type triton struct {
	inference.UnimplementedGRPCInferenceServiceServer

	mu       sync.Mutex
	metadata *inference.ModelMetadataResponse
	// maxBatch is Triton's max_batch_size; below 0 there is no ModelConfig.
	maxBatch int32
	unready  bool
	typed    bool // answers in typed contents
	fail     error
	answer   *inference.ModelInferResponse // instead of the sums
	requests []*inference.ModelInferRequest
	block    chan struct{} // an inference waits for it, or for its end
	entered  chan struct{}
}

func tensor(name, datatype string, shape ...int64) *inference.ModelMetadataResponse_TensorMetadata {
	return &inference.ModelMetadataResponse_TensorMetadata{Name: name, Datatype: datatype, Shape: shape}
}

// newTriton has a model of 4 values to one.
func newTriton() *triton {
	return &triton{maxBatch: 8, metadata: &inference.ModelMetadataResponse{
		Name: "m", Inputs: []*inference.ModelMetadataResponse_TensorMetadata{tensor("x", "FP32", -1, 4)},
		Outputs: []*inference.ModelMetadataResponse_TensorMetadata{tensor("y", "FP32", -1, 1)},
	}}
}

func (f *triton) set(change func(*triton)) {
	f.mu.Lock()
	defer f.mu.Unlock()
	change(f)
}

func (f *triton) ModelReady(_ context.Context, r *inference.ModelReadyRequest) (*inference.ModelReadyResponse, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	return &inference.ModelReadyResponse{Ready: r.GetName() == "m" && !f.unready}, nil
}

func (f *triton) ModelMetadata(context.Context, *inference.ModelMetadataRequest) (*inference.ModelMetadataResponse, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.metadata, nil
}

func (f *triton) ModelConfig(context.Context, *inference.ModelConfigRequest) (*inference.ModelConfigResponse, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.maxBatch < 0 {
		return nil, status.Error(codes.Unimplemented, "no configuration")
	}
	return &inference.ModelConfigResponse{Config: &inference.ModelConfig{Name: "m", MaxBatchSize: f.maxBatch}}, nil
}

func (f *triton) ModelInfer(ctx context.Context, r *inference.ModelInferRequest) (*inference.ModelInferResponse, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.requests = append(f.requests, r)
	if f.block != nil {
		f.entered <- struct{}{}
		block := f.block
		f.mu.Unlock()
		select {
		case <-block:
			f.mu.Lock()
		case <-ctx.Done():
			f.mu.Lock()
			return nil, status.FromContextError(ctx.Err()).Err()
		}
	}
	switch {
	case f.fail != nil:
		return nil, f.fail
	case f.answer != nil:
		return f.answer, nil
	}
	return f.sums(r), nil
}

// sums is the answer of the model.
func (f *triton) sums(r *inference.ModelInferRequest) *inference.ModelInferResponse {
	in, out := r.GetInputs()[0], f.metadata.GetOutputs()[0]
	batch := 1
	if len(in.GetShape()) == 2 {
		batch = int(in.GetShape()[0])
	}
	d := wire.Datatype(in.GetDatatype())
	values := make([]float32, len(r.GetRawInputContents()[0])/d.Size())
	wire.Get(values, d, r.GetRawInputContents()[0])
	sums := make([]float32, batch)
	for i, v := range values {
		sums[i*batch/len(values)] += v
	}
	d = wire.Datatype(out.GetDatatype())
	tensor := &inference.ModelInferResponse_InferOutputTensor{Name: out.GetName(), Datatype: string(d), Shape: []int64{int64(batch), 1}}
	if len(in.GetShape()) == 1 {
		tensor.Shape = []int64{1}
	}
	answer := &inference.ModelInferResponse{ModelName: "m", Outputs: []*inference.ModelInferResponse_InferOutputTensor{tensor}}
	if f.typed {
		tensor.Contents, _ = wire.Contents(d, sums)
		return answer
	}
	answer.RawOutputContents = [][]byte{make([]byte, batch*d.Size())}
	wire.Put(answer.RawOutputContents[0], d, sums)
	return answer
}

// start serves on an address, "" for any, and returns it with what stops it.
func (f *triton) start(tb testing.TB, address string, creds credentials.TransportCredentials) (string, func()) {
	tb.Helper()
	if address == "" {
		address = "127.0.0.1:0"
	}
	listener, err := (&net.ListenConfig{}).Listen(tb.Context(), "tcp", address)
	require.NoError(tb, err)
	if creds == nil {
		creds = insecure.NewCredentials()
	}
	server := grpc.NewServer(grpc.Creds(creds))
	inference.RegisterGRPCInferenceServiceServer(server, f)
	ended := make(chan error, 1)
	go func() { ended <- server.Serve(listener) }()
	stop := sync.OnceFunc(func() {
		server.Stop()
		assert.NoError(tb, <-ended)
	})
	tb.Cleanup(stop)
	return listener.Addr().String(), stop
}

// client is one of a server that runs for the test.
func (f *triton) client(tb testing.TB, change func(*Options)) *Client {
	tb.Helper()
	address, _ := f.start(tb, "", nil)
	return newClient(tb, address, change)
}

func newClient(tb testing.TB, address string, change func(*Options)) *Client {
	tb.Helper()
	o := Options{Address: address, CheckInterval: time.Hour, ConnectTimeout: 20 * time.Second}
	if change != nil {
		change(&o)
	}
	c, err := New(o)
	require.NoError(tb, err)
	tb.Cleanup(func() { assert.NoError(tb, c.Close()) })
	return c
}

// signal is a model.yaml of a signal of 4 values.
func signal() infer.Spec {
	return infer.Spec{
		Backend: infer.OIP, OIP: infer.Served{Model: "m"}, Decoder: infer.Classification,
		Input: infer.Input{Type: "signal", Shape: []int{4}},
	}
}

func load(tb testing.TB, c *Client, spec infer.Spec) infer.Graph {
	tb.Helper()
	g, err := c.Load(tb.Context(), infer.Source{Spec: spec})
	require.NoError(tb, err)
	tb.Cleanup(func() { assert.NoError(tb, g.Close()) })
	return g
}

// run feeds values to a graph of one input and returns copies of the outputs.
func run(ctx context.Context, g infer.Graph, batch int, values ...float32) (outputs []infer.Tensor, err error) {
	err = g.Run(ctx, batch, func(in [][]float32) error {
		copy(in[0], values)
		return nil
	}, func(out []infer.Tensor) error {
		for _, o := range out {
			o.Data, o.Shape = slices.Clone(o.Data), slices.Clone(o.Shape)
			outputs = append(outputs, o)
		}
		return nil
	})
	return outputs, err
}
