// SPDX-License-Identifier: Apache-2.0

package main

import (
	"fmt"
	"image"
	"image/jpeg"
	"image/png"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"edgex-offload/infer"
	"edgex-offload/infer/ort/orttest"
	"edgex-offload/synth/conveyor"
)

// parts draws n parts of each label into folders of these names.
func parts(t *testing.T, n int) string {
	t.Helper()
	dir := t.TempDir()
	belt := conveyor.New(9, 320, 240)
	for _, label := range conveyor.Labels() {
		require.NoError(t, os.MkdirAll(filepath.Join(dir, label), 0o755))
		for i := range n {
			f, err := os.Create(filepath.Join(dir, label, fmt.Sprintf("%02d.jpg", i)))
			require.NoError(t, err)
			require.NoError(t, jpeg.Encode(f, belt.Draw(label), nil))
			require.NoError(t, f.Close())
		}
	}
	return dir
}

// copied is a models folder with a shipped model whose file has one text replaced.
func copied(t *testing.T, name, from, to string) string {
	t.Helper()
	dir := t.TempDir()
	version := filepath.Join(dir, name, "1")
	require.NoError(t, os.MkdirAll(version, 0o755))
	for _, file := range []string{infer.GraphFile, infer.SpecFile} {
		content, err := os.ReadFile(filepath.Join(shipped, name, "1", file))
		require.NoError(t, err)
		if file == infer.SpecFile {
			require.Contains(t, string(content), from)
			content = []byte(strings.Replace(string(content), from, to, 1))
		}
		require.NoError(t, os.WriteFile(filepath.Join(version, file), content, 0o644))
	}
	return dir
}

func TestModelQuantize(t *testing.T) {
	orttest.Library(t)
	dir, data := copied(t, "surface-small", "kind: ", "kind: "), parts(t, 8)
	// --slower: whether it is faster is not what is tested here.
	out, err := run(t, "model", "quantize", dir, "--data", data, "--labelled", data, "--samples", "20", "--runs", "10", "--slower", "--max-drop", "10")
	require.NoError(t, err)
	version := filepath.Join(dir, "surface-small-int8", "1")
	for _, text := range []string{
		"model      surface-small/1: Surface", "samples    20 of ", "judged by  right answers on 40 of ", " of 4 layers, in ",
		"graph, median", "x faster", "84435", "accuracy  ", "agreement  ", "largest errors of a layer's output", "written    " + version + ", ",
	} {
		assert.Contains(t, out, text)
	}
	spec, err := infer.LoadSpec("surface-small-int8", filepath.Join(version, infer.SpecFile))
	require.NoError(t, err)
	assert.Equal(t, "surface", spec.Serves)
	assert.Equal(t, "int8", spec.Precision)
	assert.Equal(t, 40, spec.Measured.Samples)
	assert.Positive(t, spec.Cost.ServiceMs)
	assert.InDelta(t, .91, spec.Accuracy, .1)
	made, err := os.ReadFile(filepath.Join(version, infer.SpecFile))
	require.NoError(t, err)
	assert.True(t, strings.HasPrefix(string(made), "# Written by offload model quantize from surface-small/1; quantize again rather than edit."), string(made))

	before, err := os.ReadFile(filepath.Join(shipped, "surface-small", "1", infer.SpecFile))
	require.NoError(t, err)
	after, err := os.ReadFile(filepath.Join(dir, "surface-small", "1", infer.SpecFile))
	require.NoError(t, err)
	assert.True(t, strings.HasPrefix(string(after), string(before)), "what was there is as it was:\n%s", after)
	assert.Contains(t, string(after), "precision: fp32\ncost:\n  service_ms: ")

	out, err = run(t, "model", "check", dir, "--model", "surface-small-int8", "--image", part(t, "dent"), "--runs", "1")
	require.NoError(t, err)
	assert.Contains(t, out, "answer     dent, confidence ")

	// Again, as the next version of the same model, judged by agreement; the float32 one is signed.
	signature := filepath.Join(dir, "surface-small", "1", infer.SpecFile+".sig")
	require.NoError(t, os.WriteFile(signature, nil, 0o600))
	out, err = run(t, "model", "quantize", filepath.Join(dir, "surface-small"), "--data", data, "--to", "2", "--runs", "10", "--slower", "--max-drop", "20", "--method", "minmax", "--per-tensor")
	require.NoError(t, err)
	assert.Contains(t, out, "judged by  agreement with float32 on 20 others of the same folder")
	assert.Contains(t, out, "as it is: it is signed")
	assert.FileExists(t, filepath.Join(dir, "surface-small", "2", infer.GraphFile))
}

func TestModelQuantizeOfASignal(t *testing.T) {
	orttest.Library(t)
	dir := copied(t, "vibration-large", "accuracy: 0.9", "# accuracy: 0.9")
	data := filepath.Dir(window(t, "imbalance"))
	out, err := run(t, "model", "quantize", dir, "--data", data, "--runs", "10", "--slower")
	require.NoError(t, err)
	assert.Contains(t, out, "judged by  agreement with float32 on the same 1: too few to keep some apart")
	spec, err := infer.LoadSpec("x", filepath.Join(dir, "vibration-large-int8", "1", infer.SpecFile))
	require.NoError(t, err)
	assert.Zero(t, spec.Accuracy, "none is known of the one in float32")
	assert.Contains(t, spec.Measured.Data, "agreement with float32")
}

func TestModelQuantizeMistakes(t *testing.T) {
	orttest.Library(t)
	data, empty := parts(t, 1), t.TempDir()
	quantized := copied(t, "surface-small", "kind: ", "kind: ")
	strange := t.TempDir()
	require.NoError(t, os.Rename(filepath.Join(parts(t, 1), "dent"), filepath.Join(strange, "bump")))
	for says, args := range map[string][]string{
		`required flag(s) "data" not set`:               {},
		"samples 0: allowed is 1 to 10000":              {"--data", data, "--samples", "0"},
		"runs 5: allowed is 10 to 10000":                {"--data", data, "--runs", "5"},
		"max-drop NaN: allowed is 0 to 100 points":      {"--data", data, "--max-drop", "NaN"},
		"has no sample in it: needed are files of .jpg": {"--data", empty},
		"data: lstat": {"--data", filepath.Join(empty, "gone")},
		`in a folder "bump": allowed are the labels of the`: {"--data", data, "--labelled", strange},
		`to "../x": allowed is the name of another model`:   {"--data", data, "--to", "../x"},
		`to "1": surface-small/1 is there already`:          {"--data", data, "--to", "1"},
		`to "0": allowed is a model's name, or a version`:   {"--data", data, "--to", "0"},
		`keep "x": the graph has no such node`:              {"--data", data, "--keep", "x"},
		`method "best": allowed are`:                        {"--data", data, "--method", "best"},
		"nothing was written: it loses ":                    {"--data", grey(t), "--labelled", parts(t, 4), "--runs", "10"},
	} {
		_, err := run(t, append([]string{"model", "quantize", quantized}, args...)...)
		assert.ErrorContains(t, err, says)
	}
	entries, err := os.ReadDir(quantized)
	require.NoError(t, err)
	assert.Len(t, entries, 1, "a refusal leaves nothing behind")
}

// grey is a folder with a picture that has nothing in it.
func grey(t *testing.T) string {
	t.Helper()
	f, err := os.Create(filepath.Join(t.TempDir(), "grey.png"))
	require.NoError(t, err)
	require.NoError(t, png.Encode(f, image.NewGray(image.Rect(0, 0, 32, 24))))
	require.NoError(t, f.Close())
	return filepath.Dir(f.Name())
}
