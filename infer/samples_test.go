// SPDX-License-Identifier: Apache-2.0

package infer_test

import (
	"context"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"edgex-offload/infer"
	"edgex-offload/infer/ort/orttest"
	"edgex-offload/offload"
)

// samples is the folder of models and pictures made by others; tests that need it are
// skipped where it is missing.
func samples(t testing.TB) string {
	t.Helper()
	dir, err := os.Getwd()
	require.NoError(t, err)
	for {
		if _, err := os.Stat(filepath.Join(dir, "go.mod")); err == nil {
			break
		}
		up := filepath.Dir(dir)
		require.NotEqual(t, up, dir, "no go.mod above")
		dir = up
	}
	path := filepath.Join(dir, "..", "shared", "samples")
	if _, err := os.Stat(path); err != nil {
		t.Skip("no samples: ", err)
	}
	return path
}

// modelsFolder lays out models of the samples with their model.yaml of testdata.
func modelsFolder(t testing.TB, models map[string]string) string {
	t.Helper()
	from, dir := samples(t), t.TempDir()
	for name, onnx := range models {
		version := filepath.Join(dir, name, "1")
		require.NoError(t, os.MkdirAll(version, 0o755))
		require.NoError(t, os.Symlink(filepath.Join(from, onnx), filepath.Join(version, infer.GraphFile)))
		yaml, err := os.ReadFile(filepath.Join("testdata", name+".yaml"))
		require.NoError(t, err)
		require.NoError(t, os.WriteFile(filepath.Join(version, infer.SpecFile), yaml, 0o644))
	}
	return dir
}

// open loads the models of the samples and waits for them.
func open(t testing.TB) *infer.Repository {
	t.Helper()
	dir := modelsFolder(t, map[string]string{"digits": "mnist.onnx", "faces": "version-slim-320.onnx"})
	r, err := infer.Open(infer.Options{Dir: dir, Place: infer.Box, Backend: orttest.Runtime(t)})
	require.NoError(t, err)
	t.Cleanup(func() { assert.NoError(t, r.Close()) })
	require.NoError(t, r.Wait(context.Background()))
	for _, s := range r.Models() {
		require.Equal(t, infer.Ready, s.State, "%s: %s", s.Name, s.Error)
	}
	return r
}

func picture(t testing.TB, name string) []byte {
	t.Helper()
	data, err := os.ReadFile(filepath.Join(samples(t), name))
	require.NoError(t, err)
	return data
}

func TestDigitsAreRead(t *testing.T) {
	r := open(t)
	for file, want := range map[string]string{"seven.png": "7", "eight.png": "8"} {
		got, err := r.Infer(context.Background(), "digits/1", offload.Task{Kind: offload.ImageClassification, Payload: picture(t, file)})
		require.NoError(t, err)
		assert.Equal(t, want, got.Label, file)
		assert.Greater(t, got.Confidence, float32(.8), file)
		assert.Equal(t, "digits/1", got.Model)
		assert.Nil(t, got.Objects)
	}
}

func TestFacesAreFound(t *testing.T) {
	r := open(t)
	cases := []struct {
		file        string
		least, most int
	}{
		{"faces_1.jpg", 20, 70},
		{"faces_5.jpg", 10, 60},
		{"room.jpg", 0, 0},
		{"bear.jpg", 0, 1},
		{"photo.jpg", 0, 3},
	}
	for _, c := range cases {
		got, err := r.InferModel(context.Background(), offload.Task{Kind: offload.ObjectDetection, Payload: picture(t, c.file)})
		require.NoError(t, err)
		t.Logf("%s: %d faces", c.file, len(got.Objects))
		assert.GreaterOrEqual(t, len(got.Objects), c.least, c.file)
		assert.LessOrEqual(t, len(got.Objects), c.most, c.file)
		for i, o := range got.Objects {
			assert.Equal(t, "face", o.Label)
			assert.True(t, i == 0 || o.Confidence <= got.Objects[i-1].Confidence, "best first")
		}
		if len(got.Objects) > 0 {
			assert.Equal(t, "face", got.Label)
		}
	}
}
