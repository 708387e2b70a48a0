// SPDX-License-Identifier: Apache-2.0

package oip

import (
	"context"
	"net"
	"testing"

	"github.com/stretchr/testify/require"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"

	"edgex-offload/infer"
	"edgex-offload/infer/oip/inference"
	"edgex-offload/infer/oip/wire"
)

// sink takes a picture of 224 × 224 and answers 1000 scores at once.
type sink struct {
	inference.UnimplementedGRPCInferenceServiceServer
	answer *inference.ModelInferResponse
}

func (s sink) ModelInfer(context.Context, *inference.ModelInferRequest) (*inference.ModelInferResponse, error) {
	return s.answer, nil
}

// Over loopback: a call through the backend, with 602 KB of FP32, against the same call by
// generated code that is handed the finished bytes.
func BenchmarkRun(b *testing.B) {
	const values = 3 * 224 * 224
	listener, err := (&net.ListenConfig{}).Listen(b.Context(), "tcp", "127.0.0.1:0")
	require.NoError(b, err)
	server := grpc.NewServer(grpc.ForceServerCodecV2(wire.NewCodec(nil, 16<<20)))
	inference.RegisterGRPCInferenceServiceServer(server, sink{answer: &inference.ModelInferResponse{
		ModelName:         "m",
		Outputs:           []*inference.ModelInferResponse_InferOutputTensor{{Name: "y", Datatype: "FP32", Shape: []int64{1, 1000}}},
		RawOutputContents: [][]byte{make([]byte, 4000)},
	}})
	ended := make(chan error, 1)
	go func() { ended <- server.Serve(listener) }()
	defer func() { server.Stop(); require.NoError(b, <-ended) }()
	c := newClient(b, listener.Addr().String(), nil)

	p := plan{
		inputs:  []port{{name: "x", datatype: wire.FP32, shape: []int64{1, 3, 224, 224}, elements: values, batched: true}},
		outputs: []port{{name: "y", datatype: wire.FP32, shape: []int64{-1, 1000}}},
	}
	for name, datatype := range map[string]wire.Datatype{"backend": wire.FP32, "backend-FP16": wire.FP16, "backend-UINT8": wire.Uint8} {
		b.Run(name, func(b *testing.B) {
			p := p
			p.inputs = []port{p.inputs[0]}
			p.inputs[0].datatype = datatype
			g := newGraph(c, infer.Served{Model: "m"}, p, nil)
			defer g.Close()
			fill, read := func([][]float32) error { return nil }, func([]infer.Tensor) error { return nil }
			ctx, cancel := context.WithTimeout(b.Context(), c.opts.CallTimeout)
			defer cancel()
			b.SetBytes(int64(values * datatype.Size()))
			b.ReportAllocs()
			for b.Loop() {
				if err := g.Run(ctx, 1, fill, read); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
	b.Run("generated", func(b *testing.B) {
		conn, err := grpc.NewClient(listener.Addr().String(), grpc.WithTransportCredentials(insecure.NewCredentials()))
		require.NoError(b, err)
		defer conn.Close()
		client := inference.NewGRPCInferenceServiceClient(conn)
		r := &inference.ModelInferRequest{
			ModelName:        "m",
			Inputs:           []*inference.ModelInferRequest_InferInputTensor{{Name: "x", Datatype: "FP32", Shape: []int64{1, 3, 224, 224}}},
			RawInputContents: [][]byte{make([]byte, 4*values)},
		}
		b.SetBytes(4 * values)
		b.ReportAllocs()
		for b.Loop() {
			if _, err := client.ModelInfer(b.Context(), r); err != nil {
				b.Fatal(err)
			}
		}
	})
}
