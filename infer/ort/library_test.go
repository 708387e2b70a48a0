// SPDX-License-Identifier: Apache-2.0

package ort

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	onnx "github.com/yalue/onnxruntime_go"

	"edgex-offload/infer"
)

func TestTheLastOneFreesTheLibrary(t *testing.T) {
	for range 3 { // it can be loaded again
		a, b := newRuntime(t, Options{}), newRuntime(t, Options{})
		ga, err := a.Load(context.Background(), infer.Source{ONNX: relu, Spec: signal(4)})
		require.NoError(t, err)
		gb, err := b.Load(context.Background(), infer.Source{ONNX: relu, Spec: signal(4)})
		require.NoError(t, err)
		require.Equal(t, 2, process.users)
		require.NoError(t, a.Close())
		_, err = run(context.Background(), ga, 1)
		require.NoError(t, err, "a graph outlives its runtime's Close")
		require.NoError(t, ga.Close())
		require.Equal(t, 1, process.users)
		_, err = a.Load(context.Background(), infer.Source{ONNX: relu, Spec: signal(4)})
		require.ErrorIs(t, err, infer.ErrBackend)
		require.NoError(t, gb.Close())
		require.NoError(t, b.Close())
		require.NoError(t, b.Close())
		require.Zero(t, process.users)
	}
}

func TestOneLibraryPerProcess(t *testing.T) {
	r := newRuntime(t, Options{})
	load(t, r, relu, signal(4))
	other := filepath.Join(t.TempDir(), "libonnxruntime.so")
	require.NoError(t, os.WriteFile(other, []byte("no library"), 0o644))
	second := newRuntime(t, Options{Library: other})
	_, err := second.Load(context.Background(), infer.Source{ONNX: relu, Spec: signal(4)})
	assert.ErrorIs(t, err, infer.ErrBackend)
	assert.ErrorContains(t, err, "a process holds one")
}

func TestALibraryThatDoesNotLoad(t *testing.T) {
	bad := filepath.Join(t.TempDir(), "libonnxruntime.so")
	require.NoError(t, os.WriteFile(bad, []byte("no library"), 0o644))
	r, err := New(Options{Library: bad})
	require.NoError(t, err)
	_, err = r.Load(context.Background(), infer.Source{ONNX: relu, Spec: signal(4)})
	assert.ErrorIs(t, err, infer.ErrBackend)
	assert.ErrorContains(t, err, bad)
	assert.ErrorContains(t, err, "version 1.23 or later")
	require.NoError(t, r.Close())
}

// recorder keeps what was logged.
type recorder struct{ lines []string }

func (l *recorder) Infof(format string, args ...any) {
	l.lines = append(l.lines, fmt.Sprintf(format, args...))
}
func (l *recorder) Warnf(format string, args ...any) { l.Infof(format, args...) }

func TestAMissingProviderIsPassedOver(t *testing.T) {
	log := &recorder{}
	r := newRuntime(t, Options{Providers: []string{TensorRT, CUDA, CPU}, Log: log})
	g := load(t, r, relu, signal(4))
	got, err := run(context.Background(), g, -1, 1)
	require.NoError(t, err)
	assert.Equal(t, []float32{0, 1}, got[0].Data[:2])
	t.Log(log.lines)
	assert.Contains(t, log.lines[0], "ONNX Runtime 1.")
	if about := g.About(); about.Provider == CPU { // where there is no GPU
		assert.Contains(t, about.PassedOver, "TensorRT: ")
		assert.Contains(t, about.PassedOver, "CUDA: ")
	}
}

// What a library lists proves nothing: a provider has to load and run the graph.
func TestProvidersHaveToProveThemselves(t *testing.T) {
	here := func(*onnx.SessionOptions) error { return nil }
	missing := func(*onnx.SessionOptions) error { return errors.New("libcudart.so.12: cannot open") }
	broken := func(opts *onnx.SessionOptions) error {
		return opts.AddSessionConfigEntry("session.load_model_format", "ORT") // which the graph is not
	}
	for name, c := range map[string]struct {
		tensorRT, cuda   func(*onnx.SessionOptions) error
		provider, passed string
	}{
		"both missing":         {missing, missing, CPU, "TensorRT: libcudart.so.12: cannot open; CUDA: libcudart.so.12: cannot open"},
		"the first is missing": {missing, here, CUDA + partsOnCPU, "TensorRT: libcudart.so.12: cannot open"},
		"the first is broken":  {broken, here, CUDA + partsOnCPU, "TensorRT: ONNX Runtime"},
		"both broken":          {broken, broken, CPU, "; CUDA: ONNX Runtime"},
		"both there":           {here, here, TensorRT + partsOnCPU, ""},
	} {
		t.Run(name, func(t *testing.T) {
			r := newRuntime(t, Options{Providers: []string{TensorRT, CUDA}})
			r.enable = func(opts *onnx.SessionOptions, provider string, _ map[string]string) error {
				if provider == TensorRT {
					return c.tensorRT(opts)
				}
				return c.cuda(opts)
			}
			g := load(t, r, relu, signal(4))
			_, err := run(context.Background(), g, -1, 1)
			require.NoError(t, err)
			assert.Equal(t, c.provider, g.About().Provider)
			assert.Contains(t, g.About().PassedOver, c.passed)
		})
	}
}

func TestSettingsOfTensorRT(t *testing.T) {
	cache := filepath.Join(t.TempDir(), "engines")
	r, err := New(Options{FP16: true, INT8: true, EngineCache: cache, ProviderOptions: map[string]map[string]string{
		TensorRT: {"trt_int8_enable": "0", "trt_dla_enable": "1"}, CUDA: {"device_id": "1"},
	}})
	require.NoError(t, err)
	got, err := r.settings(TensorRT)
	require.NoError(t, err)
	assert.Equal(t, map[string]string{
		"trt_fp16_enable": "1", "trt_int8_enable": "0", "trt_dla_enable": "1",
		"trt_engine_cache_enable": "1", "trt_engine_cache_path": cache,
		"trt_timing_cache_enable": "1", "trt_timing_cache_path": cache,
	}, got)
	assert.DirExists(t, cache)
	got, err = r.settings(CUDA)
	require.NoError(t, err)
	assert.Equal(t, map[string]string{"device_id": "1"}, got)
}

func TestNewChecksItsOptions(t *testing.T) {
	_, err := New(Options{Providers: []string{"GPU"}})
	assert.ErrorContains(t, err, `"GPU": allowed are TensorRT, CUDA, CPU`)
	_, err = New(Options{Threads: 1000})
	assert.ErrorContains(t, err, "Threads is 1000")
	_, err = New(Options{ProviderOptions: map[string]map[string]string{"GPU": {}}})
	assert.ErrorContains(t, err, `ProviderOptions has "GPU": allowed are TensorRT, CUDA`)
}

func TestFind(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "lib.so")
	require.NoError(t, os.WriteFile(path, nil, 0o644))
	t.Setenv(LibraryEnv, filepath.Join(dir, "none.so"))

	got, err := Find(path)
	require.NoError(t, err)
	assert.Equal(t, path, got, "the configured one comes first")
	_, err = Find("")
	assert.ErrorContains(t, err, LibraryEnv+" names")
	_, err = Find(dir)
	assert.ErrorContains(t, err, "the configuration names")

	t.Setenv(LibraryEnv, "")
	deep := filepath.Join(dir, "a", "b")
	require.NoError(t, os.MkdirAll(deep, 0o755))
	built := filepath.Join(dir, "build", "onnxruntime", "libonnxruntime.so")
	require.NoError(t, os.MkdirAll(filepath.Dir(built), 0o755))
	require.NoError(t, os.WriteFile(built, nil, 0o644))
	t.Chdir(deep)
	got, err = Find("")
	require.NoError(t, err)
	assert.Equal(t, built, got, "a build above the working directory")
}
