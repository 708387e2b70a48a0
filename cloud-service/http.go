// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"net"
	"net/http"
	"time"

	"edgex-offload/infer"
	"edgex-offload/infer/operate"
)

// web is the HTTP side; all of it does nothing where it is turned off.
type web struct {
	server   *http.Server
	listener net.Listener
}

func (s *service) listenHTTP(ctx context.Context, metrics http.Handler) (web, error) {
	if s.config.HTTP.Address == "" {
		return web{}, nil
	}
	listener, err := listen(ctx, "HTTP.Address", s.config.HTTP.Address)
	if err != nil {
		return web{}, err
	}
	return web{
		listener: listener,
		server: &http.Server{
			Handler: s.routes(metrics), ReadTimeout: 5 * time.Second, WriteTimeout: 10 * time.Second,
			IdleTimeout: time.Minute, MaxHeaderBytes: 16 << 10, ErrorLog: slog.NewLogLogger(s.log.Handler(), slog.LevelDebug),
		},
	}, nil
}

func (w web) address() string {
	if w.listener == nil {
		return "off"
	}
	return w.listener.Addr().String()
}

func (w web) serve() error {
	if w.server == nil {
		return nil
	}
	if err := w.server.Serve(w.listener); !errors.Is(err, http.ErrServerClosed) {
		return err
	}
	return nil
}

func (w web) close() {
	if w.server != nil {
		_ = w.server.Close() // its answers are short, and nobody waits for them any more
	}
}

// routes of the HTTP side.
func (s *service) routes(metrics http.Handler) http.Handler {
	mux := http.NewServeMux()
	mux.Handle("GET /metrics", metrics)
	mux.HandleFunc("GET /healthz", func(w http.ResponseWriter, _ *http.Request) { s.writeState(w, http.StatusOK) })
	mux.HandleFunc("GET /readyz", func(w http.ResponseWriter, _ *http.Request) {
		if s.ready() == 0 {
			s.writeState(w, http.StatusServiceUnavailable)
			return
		}
		s.writeState(w, http.StatusOK)
	})
	mux.Handle("/models", s.operate())
	mux.Handle("/models/", s.operate())
	return mux
}

// operate lets an operator look at the models, and change them where that is allowed.
func (s *service) operate() http.Handler {
	refusal := ""
	if !s.config.HTTP.Control {
		refusal = "HTTP.Control is false: allowed is to look; set it to true (CLOUD_HTTP_CONTROL=true) where nobody else reaches this port, which asks for no password"
	}
	return operate.Handler(s.repository, refusal)
}

// state is what /healthz and /readyz say.
type state struct {
	// Status is "serving" when a model is ready, else "not serving".
	Status  string         `json:"status"`
	Version string         `json:"version"`
	Running int            `json:"running"`
	Waiting int            `json:"waiting"`
	Models  []infer.Status `json:"models"`
}

func (s *service) writeState(w http.ResponseWriter, code int) {
	now := state{Status: "not serving", Version: version, Models: s.repository.Models()}
	if s.ready() > 0 {
		now.Status = "serving"
	}
	now.Running, now.Waiting = s.server.Load()
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(code)
	_ = json.NewEncoder(w).Encode(now) // who asked has gone: nothing to do
}
