// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"errors"
	"net"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"

	"edgex-offload/infer"
	"edgex-offload/infer/oip"
	"edgex-offload/infer/oip/inference"
	"edgex-offload/infer/oip/serve"
	"edgex-offload/infer/oip/wire"
	"edgex-offload/infer/onnx/onnxtest"
)

// messageBytes bounds a message of the server here.
const messageBytes = 16 << 20

// protocol is what the Open Inference Protocol costs between two processes of one machine.
func protocol(ctx context.Context, b *bench) (rows []row, err error) {
	n, err := meanOfPicture()
	if err != nil {
		return nil, err
	}
	r, err := b.stored(ctx, n, infer.Options{}, "1")
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, r.Close()) }()
	local, err := r.Tensors(n.name, "")
	if err != nil {
		return nil, err
	}
	far, closeFar, err := served(ctx, r, n)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, closeFar()) }()
	plain, closePlain, err := plainCall(ctx, 4*len(n.noise()))
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, closePlain()) }()
	took, err := b.compare(60, inPlace(ctx, far), plain, func() error { return local.Run(ctx, 1, keep, ignore) })
	if err != nil {
		return nil, err
	}
	return []row{
		{What: "602 KB to a model by the Open Inference Protocol over loopback, over plain gRPC of the same bytes", figure: took[0].over(took[1]).figure(), Unit: "x", Of: sides(took[0], took[1])},
		{What: "the same in one process", figure: took[2].figure(), Unit: "ms"},
	}, nil
}

// meanOfPicture is a graph that takes a picture and has next to nothing to do.
func meanOfPicture() (network, error) {
	b := onnxtest.New("mean", 1)
	x := b.Input("input", onnxtest.Dynamic, 3, mobileNetSide, mobileNetSide)
	y := b.Node("Flatten", onnxtest.Attributes{"axis": 1}, b.Node("GlobalAveragePool", nil, x))
	b.Output(y, onnxtest.Dynamic, 3)
	n := network{name: "mean", side: mobileNetSide, yaml: "kind: IMAGE_CLASSIFICATION\ninput: {type: image, width: 224, height: 224}\ndecoder: classification\nlabels: [red, green, blue]\n"}
	var err error
	n.onnx, err = b.Model().Marshal()
	return n, err
}

// served is a model through a server and a client of the protocol.
func served(ctx context.Context, models *infer.Repository, n network) (g infer.Graph, closeAll func() error, err error) {
	service := serve.New(serve.Options{
		Models: models, Name: "bench", MessageLimit: messageBytes,
		Admit: func(ctx context.Context, _, _ string, _ int, run func(context.Context) error) error { return run(ctx) },
	})
	address, stop, err := listen(ctx, service, grpc.ForceServerCodecV2(wire.NewCodec(nil, messageBytes)), grpc.MaxRecvMsgSize(messageBytes))
	if err != nil {
		return nil, nil, err
	}
	client, err := oip.New(oip.Options{Address: address})
	if err != nil {
		return nil, nil, errors.Join(err, stop())
	}
	spec, err := infer.ParseSpec("far", []byte(n.yaml+"backend: oip\noip: {model: "+n.name+"}\n"))
	if err == nil {
		g, err = client.Load(ctx, infer.Source{Name: "far", Version: "1", Spec: spec})
	}
	if err != nil {
		return nil, nil, errors.Join(err, client.Close(), stop())
	}
	return g, func() error { return errors.Join(g.Close(), client.Close(), stop()) }, nil
}

// plainCall sends so many bytes by generated code alone, to a server that answers at once.
func plainCall(ctx context.Context, bytes int) (call side, closeAll func() error, err error) {
	address, stop, err := listen(ctx, echo{})
	if err != nil {
		return nil, nil, err
	}
	conn, err := grpc.NewClient(address, grpc.WithTransportCredentials(insecure.NewCredentials()))
	if err != nil {
		return nil, nil, errors.Join(err, stop())
	}
	client := inference.NewGRPCInferenceServiceClient(conn)
	request := &inference.ModelInferRequest{ModelName: "mean", RawInputContents: [][]byte{make([]byte, bytes)}}
	call = func() error { _, err := client.ModelInfer(ctx, request); return err }
	return call, func() error { return errors.Join(conn.Close(), stop()) }, nil
}

// echo answers without a look at the tensors.
type echo struct {
	inference.UnimplementedGRPCInferenceServiceServer
}

// ModelInfer implements the protocol.
func (echo) ModelInfer(context.Context, *inference.ModelInferRequest) (*inference.ModelInferResponse, error) {
	return &inference.ModelInferResponse{RawOutputContents: [][]byte{make([]byte, 4*3)}}, nil
}

// listen serves on a free port of loopback.
func listen(ctx context.Context, service inference.GRPCInferenceServiceServer, opts ...grpc.ServerOption) (address string, stop func() error, err error) {
	listener, err := (&net.ListenConfig{}).Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return "", nil, err
	}
	server := grpc.NewServer(opts...)
	inference.RegisterGRPCInferenceServiceServer(server, service)
	ended := make(chan error, 1)
	go func() { ended <- server.Serve(listener) }()
	return listener.Addr().String(), func() error { server.Stop(); return <-ended }, nil
}
