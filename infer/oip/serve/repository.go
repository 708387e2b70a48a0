// SPDX-License-Identifier: Apache-2.0

package serve

import (
	"context"
	"strings"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"edgex-offload/infer"
	"edgex-offload/infer/oip/inference"
)

// RepositoryIndex is Triton's: the models of the folder, loaded here or not.
func (s *Service) RepositoryIndex(_ context.Context, r *inference.RepositoryIndexRequest) (*inference.RepositoryIndexResponse, error) {
	answer := &inference.RepositoryIndexResponse{}
	for _, m := range s.opts.Models.Models() {
		if r.GetReady() && m.State != infer.Ready {
			continue
		}
		answer.Models = append(answer.Models, &inference.RepositoryIndexResponse_ModelIndex{
			Name: m.Name, Version: m.Version, State: stateOf(m.State), Reason: reasonOf(m),
		})
	}
	return answer, nil
}

// stateOf is a state in Triton's words.
func stateOf(state infer.State) string {
	switch state {
	case infer.Ready:
		return "READY"
	case infer.Loading:
		return "LOADING"
	default:
		return "UNAVAILABLE"
	}
}

func reasonOf(m infer.Status) string {
	if m.Error == "" && m.State == infer.Elsewhere {
		return "runs on " + strings.Join(m.RunsOn, ", ") + " alone"
	}
	return m.Error
}

// RepositoryModelLoad is Triton's. Parameters, as a configuration, are not taken.
func (s *Service) RepositoryModelLoad(ctx context.Context, r *inference.RepositoryModelLoadRequest) (*inference.RepositoryModelLoadResponse, error) {
	if len(r.GetParameters()) > 0 {
		return nil, invalid("parameters: allowed are none: a model is described by its model.yaml")
	}
	err := s.control(r.GetModelName(), func(c Control) error { return c.Load(ctx, r.GetModelName()) })
	return &inference.RepositoryModelLoadResponse{}, err
}

// RepositoryModelUnload is Triton's. Parameters are passed over: no model depends on another.
func (s *Service) RepositoryModelUnload(ctx context.Context, r *inference.RepositoryModelUnloadRequest) (*inference.RepositoryModelUnloadResponse, error) {
	err := s.control(r.GetModelName(), func(c Control) error { return c.Unload(ctx, r.GetModelName()) })
	return &inference.RepositoryModelUnloadResponse{}, err
}

func (s *Service) control(name string, do func(Control) error) error {
	if s.opts.Control == nil {
		return status.Error(codes.Unavailable, "clients may not load and unload models here: the operator allows it with OIP.Control")
	}
	if name == "" {
		return invalid(`model_name "": allowed is the name of a model's folder`)
	}
	if err := do(s.opts.Control); err != nil {
		return statusOf(err)
	}
	return nil
}
