// SPDX-License-Identifier: Apache-2.0

package infer_test

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"edgex-offload/infer"
	"edgex-offload/infer/ort/orttest"
	"edgex-offload/offload"
)

// samples is the folder of models and pictures made by others; tests that need it are
// skipped where it is missing.
func samples(tb testing.TB) string {
	tb.Helper()
	dir, err := os.Getwd()
	require.NoError(tb, err)
	for {
		if _, err := os.Stat(filepath.Join(dir, "go.mod")); err == nil {
			break
		}
		up := filepath.Dir(dir)
		require.NotEqual(tb, up, dir, "no go.mod above")
		dir = up
	}
	path := filepath.Join(dir, "..", "shared", "samples")
	if _, err := os.Stat(path); err != nil {
		tb.Skip("no samples: ", err)
	}
	return path
}

// modelsFolder lays out models of the samples with their model.yaml of testdata.
func modelsFolder(tb testing.TB, models map[string]string) string {
	tb.Helper()
	from, dir := samples(tb), tb.TempDir()
	for name, onnx := range models {
		version := filepath.Join(dir, name, "1")
		require.NoError(tb, os.MkdirAll(version, 0o755))
		require.NoError(tb, os.Symlink(filepath.Join(from, onnx), filepath.Join(version, infer.GraphFile)))
		yaml, err := os.ReadFile(filepath.Join("testdata", name+".yaml"))
		require.NoError(tb, err)
		require.NoError(tb, os.WriteFile(filepath.Join(version, infer.SpecFile), yaml, 0o644))
	}
	return dir
}

// open loads the models of the samples and waits for them.
func open(tb testing.TB) *infer.Repository {
	tb.Helper()
	dir := modelsFolder(tb, map[string]string{"digits": "mnist.onnx", "digits-on-white": "mnist.onnx", "faces": "version-slim-320.onnx"})
	r, err := infer.Open(infer.Options{Dir: dir, Place: infer.Box, Backend: orttest.Runtime(tb)})
	require.NoError(tb, err)
	tb.Cleanup(func() { assert.NoError(tb, r.Close()) })
	require.NoError(tb, r.Wait(context.Background()))
	for _, s := range r.Models() {
		require.Equal(tb, infer.Ready, s.State, "%s: %s", s.Name, s.Error)
	}
	return r
}

func picture(tb testing.TB, name string) []byte {
	tb.Helper()
	data, err := os.ReadFile(filepath.Join(samples(tb), name))
	require.NoError(tb, err)
	return data
}

func TestDigitsAreRead(t *testing.T) {
	r := open(t)
	cases := []struct{ file, variant, want string }{
		{"eight.png", "digits/1", "8"},
		{"seven.png", "digits-on-white/1", "7"},
	}
	for _, c := range cases {
		got, err := r.Infer(context.Background(), c.variant, offload.Task{Kind: offload.ImageClassification, Payload: picture(t, c.file)})
		require.NoError(t, err)
		assert.Equal(t, c.want, got.Label, c.file)
		assert.Greater(t, got.Confidence, float32(.8), c.file)
		assert.LessOrEqual(t, got.Confidence, float32(1), c.file)
		assert.Equal(t, c.variant, got.Model)
		assert.Nil(t, got.Objects)
	}
}

func TestFacesAreFound(t *testing.T) {
	r := open(t)
	cases := []struct {
		file        string
		least, most int
		first       offload.Object // where a lone face is, by eye
	}{
		{file: "faces_1.jpg", least: 45, most: 56},
		{file: "faces_5.jpg", least: 1, most: 1, first: offload.Object{X: 505, Y: 110, W: 175, H: 240}},
		{file: "photo.jpg", least: 1, most: 1, first: offload.Object{X: 130, Y: 95, W: 165, H: 215}},
		{file: "room.jpg"},
		{file: "bear.jpg"},
	}
	for _, c := range cases {
		got, err := r.InferModel(context.Background(), offload.Task{Kind: offload.ObjectDetection, Payload: picture(t, c.file)})
		require.NoError(t, err)
		assert.GreaterOrEqual(t, len(got.Objects), c.least, c.file)
		assert.LessOrEqual(t, len(got.Objects), c.most, c.file)
		for i, o := range got.Objects {
			assert.Equal(t, "face", o.Label)
			assert.True(t, i == 0 || o.Confidence <= got.Objects[i-1].Confidence, "best first")
		}
		if len(got.Objects) == 0 {
			assert.Empty(t, got.Label, c.file)
			continue
		}
		assert.Equal(t, "face", got.Label, c.file)
		assert.Equal(t, got.Objects[0].Confidence, got.Confidence, c.file)
		if c.first.W > 0 {
			assert.Greater(t, overlap(c.first, got.Objects[0]), float32(.7), "%s: %+v", c.file, got.Objects[0])
		}
	}
}

// What model.yaml gets wrong is told when the model is loaded, not when a task comes.
func TestWrongSpecsAreToldAtLoad(t *testing.T) {
	cases := map[string]struct{ from, replace, with, want string }{
		"labels":  {"digits", `"8", "9"]`, `"8"]`, "has 10 scores, but labels lists 9"},
		"size":    {"digits", "height: 28", "height: 32", "correct input.height"},
		"colour":  {"digits", "GRAY", "RGB", "correct input.color"},
		"swapped": {"faces", "width: 320, height: 240", "width: 240, height: 320", "correct input.height, input.width"},
		"decoder": {"faces", "decoder: ssd", "decoder: yolov5", "decoder yolov5 with 1 labels needs [1, N, 5+1=6]"},
		"outputs": {"faces", "decoder: ssd", "decoder: ssd\noutputs: [boxes, scores]", "boxes [1, N, 4]"},
	}
	dir := t.TempDir()
	for name, c := range cases {
		yaml, err := os.ReadFile(filepath.Join("testdata", c.from+".yaml"))
		require.NoError(t, err)
		require.Contains(t, string(yaml), c.replace)
		version := filepath.Join(dir, name, "1")
		require.NoError(t, os.MkdirAll(version, 0o755))
		onnx := map[string]string{"digits": "mnist.onnx", "faces": "version-slim-320.onnx"}[c.from]
		require.NoError(t, os.Symlink(filepath.Join(samples(t), onnx), filepath.Join(version, infer.GraphFile)))
		require.NoError(t, os.WriteFile(filepath.Join(version, infer.SpecFile), []byte(strings.Replace(string(yaml), c.replace, c.with, 1)), 0o644))
	}
	r, err := infer.Open(infer.Options{Dir: dir, Backend: orttest.Runtime(t)})
	require.NoError(t, err)
	defer r.Close()
	require.NoError(t, r.Wait(context.Background()))
	require.Len(t, r.Models(), len(cases))
	for _, s := range r.Models() {
		assert.Equal(t, infer.Failed, s.State, s.Name)
		assert.Contains(t, s.Error, cases[s.Name].want, s.Name)
	}
}

// overlap is intersection over union.
func overlap(a, b offload.Object) float32 {
	w := min(a.X+a.W, b.X+b.W) - max(a.X, b.X)
	h := min(a.Y+a.H, b.Y+b.H) - max(a.Y, b.Y)
	both := max(w, 0) * max(h, 0)
	return both / (a.W*a.H + b.W*b.H - both)
}
