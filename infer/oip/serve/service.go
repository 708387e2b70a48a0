// SPDX-License-Identifier: Apache-2.0

package serve

import (
	"context"
	"errors"
	"fmt"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"edgex-offload/infer"
	"edgex-offload/infer/oip/inference"
	"edgex-offload/infer/oip/wire"
)

// Models is what a Service serves; an infer.Repository.
type Models interface {
	Models() []infer.Status
	Tensors(name, version string) (infer.Tensors, error)
}

// Control loads and unloads models on a client's demand; an infer.Repository too.
type Control interface {
	Load(ctx context.Context, name, version string) error
	Unload(ctx context.Context, name string) error
}

// Admit has run done among the server's tasks, as a remote.Server does; bytes are those of
// the request's tensors. It returns a status.
type Admit func(ctx context.Context, id, model string, bytes int, run func(ctx context.Context) error) error

// Options of a Service. Models and Admit are needed.
type Options struct {
	Models Models
	Admit  Admit
	// Control, when set, lets clients load and unload models.
	Control Control
	// Name and Version are the server's own, for ServerMetadata.
	Name, Version string
	// MessageLimit bounds an answer, in bytes.
	MessageLimit int
}

// Service is the protocol's server side.
type Service struct {
	inference.UnimplementedGRPCInferenceServiceServer
	opts Options
}

// New makes a Service.
func New(opts Options) *Service { return &Service{opts: opts} }

// ServerLive implements the protocol: who answers lives.
func (s *Service) ServerLive(context.Context, *inference.ServerLiveRequest) (*inference.ServerLiveResponse, error) {
	return &inference.ServerLiveResponse{Live: true}, nil
}

// ServerReady implements the protocol: ready is who has a model that is.
func (s *Service) ServerReady(context.Context, *inference.ServerReadyRequest) (*inference.ServerReadyResponse, error) {
	for _, m := range s.opts.Models.Models() {
		if m.State == infer.Ready {
			return &inference.ServerReadyResponse{Ready: true}, nil
		}
	}
	return &inference.ServerReadyResponse{}, nil
}

// ServerMetadata implements the protocol.
func (s *Service) ServerMetadata(context.Context, *inference.ServerMetadataRequest) (*inference.ServerMetadataResponse, error) {
	return &inference.ServerMetadataResponse{Name: s.opts.Name, Version: s.opts.Version, Extensions: []string{"model_repository"}}, nil
}

// ModelReady implements the protocol. As on Triton a model that is not there is not ready,
// and no error.
func (s *Service) ModelReady(_ context.Context, r *inference.ModelReadyRequest) (*inference.ModelReadyResponse, error) {
	_, err := s.opts.Models.Tensors(r.GetName(), r.GetVersion())
	return &inference.ModelReadyResponse{Ready: err == nil}, nil
}

// ModelMetadata implements the protocol.
func (s *Service) ModelMetadata(_ context.Context, r *inference.ModelMetadataRequest) (*inference.ModelMetadataResponse, error) {
	t, err := s.opts.Models.Tensors(r.GetName(), r.GetVersion())
	if err != nil {
		return nil, statusOf(err)
	}
	m := &inference.ModelMetadataResponse{
		Name: t.Name, Platform: "onnxruntime_onnx",
		Inputs: metadataOf(t.About.Inputs, t.About.Batches), Outputs: metadataOf(t.About.Outputs, t.About.Batches),
	}
	for _, status := range s.opts.Models.Models() {
		if status.Name == t.Name && isReady(status.State) {
			m.Versions = append(m.Versions, status.Version)
		}
	}
	return m, nil
}

func isReady(state infer.State) bool { return state == infer.Ready || state == infer.Canaried }

func metadataOf(ports []infer.Port, batches bool) []*inference.ModelMetadataResponse_TensorMetadata {
	var list []*inference.ModelMetadataResponse_TensorMetadata
	for _, p := range ports {
		list = append(list, &inference.ModelMetadataResponse_TensorMetadata{
			Name: p.Name, Datatype: string(wire.OfPort(p.Type)), Shape: shapeOf(p, batches),
		})
	}
	return list
}

// shapeOf is a port's shape as clients may send it: a batch that the graph would have free,
// but that is not taken, is 1.
func shapeOf(p infer.Port, batches bool) []int64 {
	shape := append([]int64(nil), p.Shape...)
	if !batches && len(shape) > 0 && shape[0] < 0 {
		shape[0] = 1
	}
	return shape
}

// ModelConfig is Triton's: only the limit of a batch is told, which is none where the first
// dimension is free. A client that asks knows from it that the shapes are complete.
func (s *Service) ModelConfig(_ context.Context, r *inference.ModelConfigRequest) (*inference.ModelConfigResponse, error) {
	t, err := s.opts.Models.Tensors(r.GetName(), r.GetVersion())
	if err != nil {
		return nil, statusOf(err)
	}
	return &inference.ModelConfigResponse{Config: &inference.ModelConfig{Name: t.Name}}, nil
}

// statusOf gives an error of the repository the code that Triton has for it.
func statusOf(err error) error {
	var code codes.Code
	switch {
	case errors.Is(err, infer.ErrNoModel):
		code = codes.NotFound
	case errors.Is(err, infer.ErrNotReady), errors.Is(err, infer.ErrClosed), errors.Is(err, infer.ErrBackend):
		code = codes.Unavailable
	case errors.Is(err, infer.ErrBusy):
		code = codes.ResourceExhausted
	case errors.Is(err, infer.ErrUnderWay):
		code = codes.DeadlineExceeded
	default:
		code = codes.Internal
	}
	return status.Error(code, clip(err.Error(), 1000))
}

func clip(text string, most int) string {
	if len(text) > most {
		text = text[:most] + "…"
	}
	return text
}

func invalid(format string, args ...any) error {
	return status.Error(codes.InvalidArgument, clip(fmt.Sprintf(format, args...), 1000))
}
