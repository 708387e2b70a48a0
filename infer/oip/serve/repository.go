// SPDX-License-Identifier: Apache-2.0

package serve

import (
	"context"
	"strings"
	"time"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"edgex-offload/infer"
	"edgex-offload/infer/oip/inference"
)

// RepositoryIndex is Triton's: the models of the folder, loaded here or not.
func (s *Service) RepositoryIndex(_ context.Context, r *inference.RepositoryIndexRequest) (*inference.RepositoryIndexResponse, error) {
	answer := &inference.RepositoryIndexResponse{}
	for _, m := range s.opts.Models.Models() {
		if r.GetReady() && !isReady(m.State) {
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
	case infer.Ready, infer.Canaried:
		return "READY"
	case infer.Draining:
		return "UNLOADING"
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

// RepositoryModelLoad is Triton's: the highest version takes over at once. Parameters, as a configuration, are not taken.
func (s *Service) RepositoryModelLoad(ctx context.Context, r *inference.RepositoryModelLoadRequest) (*inference.RepositoryModelLoadResponse, error) {
	if len(r.GetParameters()) > 0 {
		return nil, invalid("parameters: allowed are none: a model is described by its model.yaml")
	}
	err := s.control(ctx, r.GetModelName(), func(ctx context.Context, c Control) error { return c.Load(ctx, r.GetModelName(), "") })
	return &inference.RepositoryModelLoadResponse{}, err
}

// RepositoryModelUnload is Triton's. Parameters are passed over: no model depends on another.
func (s *Service) RepositoryModelUnload(ctx context.Context, r *inference.RepositoryModelUnloadRequest) (*inference.RepositoryModelUnloadResponse, error) {
	err := s.control(ctx, r.GetModelName(), func(ctx context.Context, c Control) error { return c.Unload(ctx, r.GetModelName()) })
	return &inference.RepositoryModelUnloadResponse{}, err
}

// patience bounds a call that loads or unloads; what it began goes on after that.
const patience = 2 * time.Minute

func (s *Service) control(ctx context.Context, name string, do func(context.Context, Control) error) error {
	if s.opts.Control == nil {
		return status.Error(codes.Unavailable, "clients may not load and unload models here: the operator allows it with OIP.Control")
	}
	if name == "" {
		return invalid(`model_name "": allowed is the name of a model's folder`)
	}
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	if err := do(ctx, s.opts.Control); err != nil {
		return statusOf(err)
	}
	return nil
}
