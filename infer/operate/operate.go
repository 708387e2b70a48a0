// SPDX-License-Identifier: Apache-2.0

package operate

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"time"

	"edgex-offload/infer"
)

// Models are those that are operated; *infer.Repository has them.
type Models interface {
	Models() []infer.Status
	Model(name string) []infer.Status
	Load(ctx context.Context, name, version string) error
	Unload(ctx context.Context, name string) error
	Rollback(ctx context.Context, name string) error
	Rescan(ctx context.Context) error
}

// patience is how long an answer waits for what was asked to be done. EdgeX ends a request
// after 5 s (Service.RequestTimeout).
const patience = 4 * time.Second

// mostName bounds a name and a version in a path.
const mostName = 128

// answer is that of each route: EdgeX's head, and the models that were asked for.
type answer struct {
	APIVersion string         `json:"apiVersion"`
	StatusCode int            `json:"statusCode"`
	Message    string         `json:"message,omitempty"`
	Models     []infer.Status `json:"models,omitzero"`
}

type handler struct {
	models   Models
	refusal  string
	patience time.Duration
}

// Handler serves the routes of this package below /models. A refusal, if it is not empty, is
// why nothing may be changed: then each POST is answered with it and 403.
func Handler(models Models, refusal string) http.Handler {
	return newHandler(models, refusal, patience)
}

func newHandler(models Models, refusal string, patience time.Duration) http.Handler {
	h := handler{models, refusal, patience}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /models", func(w http.ResponseWriter, _ *http.Request) { write(w, http.StatusOK, "", h.models.Models()) })
	mux.HandleFunc("GET /models/{name}", h.one)
	mux.HandleFunc("POST /models/rescan", h.change(func(ctx context.Context, _ *http.Request) error { return h.models.Rescan(ctx) }))
	mux.HandleFunc("POST /models/{name}/load", h.change(func(ctx context.Context, r *http.Request) error {
		return h.models.Load(ctx, r.PathValue("name"), r.URL.Query().Get("version"))
	}))
	mux.HandleFunc("POST /models/{name}/unload", h.change(func(ctx context.Context, r *http.Request) error {
		return h.models.Unload(ctx, r.PathValue("name"))
	}))
	mux.HandleFunc("POST /models/{name}/rollback", h.change(func(ctx context.Context, r *http.Request) error {
		return h.models.Rollback(ctx, r.PathValue("name"))
	}))
	return mux
}

func (h handler) one(w http.ResponseWriter, r *http.Request) {
	name := r.PathValue("name")
	list := h.models.Model(name)
	if list == nil {
		write(w, http.StatusNotFound, fmt.Sprintf("model %.80q: there is none of this name; GET /models lists those that there are", name), nil)
		return
	}
	write(w, http.StatusOK, "", list)
}

// change answers with how the models stand afterwards.
func (h handler) change(do func(context.Context, *http.Request) error) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		name := r.PathValue("name")
		switch {
		case h.refusal != "":
			write(w, http.StatusForbidden, h.refusal, nil)
			return
		case len(name) > mostName || len(r.URL.Query().Get("version")) > mostName:
			write(w, http.StatusBadRequest, fmt.Sprintf("model %.40q...: allowed are names and versions of up to %d bytes", name, mostName), nil)
			return
		}
		ctx, cancel := context.WithTimeout(r.Context(), h.patience)
		defer cancel()
		err := do(ctx, r)
		message := ""
		if err != nil {
			message = err.Error()
		}
		list := h.models.Models()
		if name != "" {
			list = h.models.Model(name)
		}
		write(w, code(err), message, list)
	}
}

func code(err error) int {
	switch {
	case err == nil:
		return http.StatusOK
	case errors.Is(err, infer.ErrUnderWay):
		return http.StatusAccepted
	case errors.Is(err, infer.ErrNoModel):
		return http.StatusNotFound
	case errors.Is(err, infer.ErrBusy):
		return http.StatusTooManyRequests
	case errors.Is(err, infer.ErrClosed):
		return http.StatusServiceUnavailable
	}
	return http.StatusConflict // the model as it is cannot be brought there
}

func write(w http.ResponseWriter, code int, message string, models []infer.Status) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(code)
	// Who asked may have gone: nothing to do.
	_ = json.NewEncoder(w).Encode(answer{APIVersion: "v3", StatusCode: code, Message: message, Models: models})
}
