// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"fmt"
	"log/slog"
	"strings"

	"github.com/edgexfoundry/go-mod-core-contracts/v3/clients/logger"
)

// edgexLog hands records of log/slog to EdgeX's logging client, which decides by its own
// level.
type edgexLog struct {
	client logger.LoggingClient
	attrs  []slog.Attr
}

func newLogger(client logger.LoggingClient) *slog.Logger {
	return slog.New(&edgexLog{client: client})
}

func (h *edgexLog) Enabled(context.Context, slog.Level) bool { return true }

func (h *edgexLog) Handle(_ context.Context, r slog.Record) error {
	var text strings.Builder
	text.WriteString(r.Message)
	write := func(a slog.Attr) bool {
		fmt.Fprintf(&text, " %s=%v", a.Key, a.Value)
		return true
	}
	for _, a := range h.attrs {
		write(a)
	}
	r.Attrs(write)
	switch {
	case r.Level >= slog.LevelError:
		h.client.Error(text.String())
	case r.Level >= slog.LevelWarn:
		h.client.Warn(text.String())
	case r.Level >= slog.LevelInfo:
		h.client.Info(text.String())
	default:
		h.client.Debug(text.String())
	}
	return nil
}

func (h *edgexLog) WithAttrs(attrs []slog.Attr) slog.Handler {
	return &edgexLog{h.client, append(h.attrs[:len(h.attrs):len(h.attrs)], attrs...)}
}

// WithGroup keeps no groups: EdgeX's log lines have none.
func (h *edgexLog) WithGroup(string) slog.Handler { return h }
