// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"github.com/edgexfoundry/go-mod-core-contracts/v3/clients/logger"
	"github.com/stretchr/testify/require"

	"edgex-offload/infer/ort"
	"edgex-offload/offload"
)

func TestNetworkThatDoesNotFitEndsTheStart(t *testing.T) {
	file := filepath.Join(t.TempDir(), "dqn.onnx")
	n := network{file: file}
	require.ErrorContains(t, n.read(), "Offload.Learning.Network")
	require.NoError(t, os.WriteFile(file, []byte("no network"), 0o600))
	require.ErrorContains(t, n.read(), "Offload.Learning.Network")
}

func TestShippedNetworkIsRunByONNXRuntime(t *testing.T) {
	if _, err := ort.Find(""); err != nil {
		t.Skip(err)
	}
	backend, err := ort.New(ort.Options{})
	require.NoError(t, err)
	n := network{backend: backend, lc: logger.NewMockClient()}
	require.NoError(t, n.read())
	var values [offload.Actions]float32
	n.load(t.Context(), func(loaded offload.Network) {
		require.NoError(t, loaded.Values(make([]float32, offload.StateSize), values[:]))
	})
	require.NotZero(t, values)
	require.NoError(t, n.close())
	require.NoError(t, backend.Close())
}

// warned ends a context with the first warning, and keeps it.
type warned struct {
	logger.LoggingClient
	stop context.CancelFunc
	text []string
}

func (w *warned) Warnf(format string, args ...any) {
	w.text = append(w.text, fmt.Sprintf(format, args...))
	w.stop()
}

func TestWithoutONNXRuntimeThePolicySaysSo(t *testing.T) {
	backend, err := ort.New(ort.Options{Library: filepath.Join(t.TempDir(), "none.so")})
	require.NoError(t, err)
	ctx, stop := context.WithCancel(t.Context())
	lc := &warned{LoggingClient: logger.NewMockClient(), stop: stop}
	n := network{backend: backend, lc: lc}
	require.NoError(t, n.read())
	n.load(ctx, func(offload.Network) { t.Error("a network came from nowhere") })
	require.Len(t, lc.text, 1)
	require.Contains(t, lc.text[0], "Policy dqn has no network and decides as cost")
	require.NoError(t, n.close())
}
