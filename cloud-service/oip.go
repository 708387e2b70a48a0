// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"

	"google.golang.org/grpc"
	"google.golang.org/grpc/encoding"

	"edgex-offload/infer"
	"edgex-offload/infer/oip"
	"edgex-offload/infer/oip/inference"
	"edgex-offload/infer/oip/serve"
	"edgex-offload/infer/oip/wire"
	"edgex-offload/infer/ort"
	"edgex-offload/offload"
	"edgex-offload/remote"
)

// backends run the models: ONNX Runtime here and, where one is configured, a model server.
func backends(c config, runtime *ort.Runtime) (backend infer.Backends, closeServer func() error, err error) {
	b := infer.Backends{infer.ONNX: runtime}
	if c.Models.OIP.Address == "" {
		return b, func() error { return nil }, nil
	}
	client, err := oip.New(c.modelServer())
	if err != nil {
		return nil, nil, err
	}
	b[infer.OIP] = client
	return b, client.Close, nil
}

// oipServices serve the Open Inference Protocol with the repository's models, where that is
// turned on.
func (s *service) oipServices() []remote.Service {
	if !s.config.OIP.Enabled {
		return nil
	}
	return []remote.Service{{
		Tasks: []string{inference.GRPCInferenceService_ModelInfer_FullMethodName},
		Codec: func(next encoding.CodecV2) encoding.CodecV2 { return wire.NewCodec(next, s.config.Limits.MessageBytes) },
		Register: func(registrar grpc.ServiceRegistrar, admit remote.Admit) {
			var control serve.Control
			if s.config.OIP.Control {
				control = s.repository
			}
			inference.RegisterGRPCInferenceServiceServer(registrar, serve.New(serve.Options{
				Models: s.repository, Control: control, Name: "edgex-offload cloud-service", Version: version, MessageLimit: s.config.Limits.MessageBytes,
				Admit: func(ctx context.Context, id, model string, bytes int, run func(context.Context) error) error {
					return admit(ctx, remote.Call{ID: id, Model: model, Priority: offload.Medium, Bytes: bytes}, run)
				},
			}))
		},
	}}
}
