// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bytes"
	"encoding/binary"
	"image"
	"image/color"
	"image/png"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"edgex-offload/infer/ort"
	"edgex-offload/infer/ort/orttest"
	"edgex-offload/offload"
	"edgex-offload/synth/conveyor"
	"edgex-offload/synth/machine"
)

const shipped = "../../models"

func kept(t *testing.T, name string, content []byte) string {
	t.Helper()
	file := filepath.Join(t.TempDir(), name)
	require.NoError(t, os.WriteFile(file, content, 0o600))
	return file
}

func part(t *testing.T, label string) string {
	t.Helper()
	var b bytes.Buffer
	require.NoError(t, png.Encode(&b, conveyor.New(5, 320, 240).Draw(label)))
	return kept(t, "part.png", b.Bytes())
}

func window(t *testing.T, condition string) string {
	t.Helper()
	var b bytes.Buffer
	require.NoError(t, binary.Write(&b, binary.LittleEndian, machine.New(5).Sample(condition)))
	return kept(t, "window.f32", b.Bytes())
}

func TestModelCheckOfShippedModels(t *testing.T) {
	orttest.Library(t)
	out, err := run(t, "model", "check", shipped, "--model", "surface-large", "--image", part(t, "dent"))
	require.NoError(t, err)
	for _, text := range []string{
		"serves     surface\n", "kind       IMAGE_CLASSIFICATION\n", "runs_on    cloud\n", "input      image, float32 [1 3 120 160] (NCHW)",
		"decoder    classification, scores probabilities\n", "labels     5: good, scratch, dent, stain, crack\n", "accuracy   0.9",
		"of 10 runs, ", "answer     dent, confidence ",
	} {
		assert.Contains(t, out, text)
	}

	out, err = run(t, "model", "check", filepath.Join(shipped, "vibration-large"), "--input", window(t, "imbalance"), "--runs", "1")
	require.NoError(t, err)
	assert.Contains(t, out, "input      signal, float32 [1 3 1024], normalize none")
	assert.Contains(t, out, "answer     imbalance, confidence ")

	out, err = run(t, "model", "check", shipped, "--model", "vibration-small")
	require.NoError(t, err)
	assert.Contains(t, out, "\nloaded ")
	assert.NotContains(t, out, "answer")
}

func TestModelCheckWithoutONNXRuntime(t *testing.T) {
	t.Setenv(ort.LibraryEnv, "/nowhere/libonnxruntime.so")
	out, err := run(t, "model", "check", shipped, "--model", "surface-small")
	require.ErrorContains(t, err, `ONNXRUNTIME_LIB names "/nowhere/libonnxruntime.so", which is not a file: correct the path`)
	assert.Contains(t, out, "labels     5: good", "what can be said without it is said")
}

func TestModelCheckMistakes(t *testing.T) {
	orttest.Library(t)
	shippedSpec, err := os.ReadFile(filepath.Join(shipped, "surface-small", "1", "model.yaml"))
	require.NoError(t, err)
	graph, err := os.ReadFile(filepath.Join(shipped, "surface-small", "1", "model.onnx"))
	require.NoError(t, err)
	// own is a models folder with the shipped model, its model.yaml changed.
	own := func(from, to string) string {
		require.Contains(t, string(shippedSpec), from)
		dir := t.TempDir()
		version := filepath.Join(dir, "mine", "1")
		require.NoError(t, os.MkdirAll(version, 0o755))
		require.NoError(t, os.WriteFile(filepath.Join(version, "model.onnx"), graph, 0o600))
		require.NoError(t, os.WriteFile(filepath.Join(version, "model.yaml"), []byte(strings.Replace(string(shippedSpec), from, to, 1)), 0o600))
		return dir
	}
	picture, signal := part(t, "dent"), window(t, "normal")
	for says, args := range map[string][]string{
		"correct input.width":                        {own("width: 80", "width: 81")},
		"labels lists 4: list one label per score":   {own("labels: [good, ", "labels: [")},
		`unknown key "input.breadth"`:                {own("width: 80", "breadth: 80")},
		`kind is "PICTURES": allowed is IMAGE_CLASS`: {own("IMAGE_CLASSIFICATION", "PICTURES")},
		"but that of model.onnx is ":                 {own("sha256: ", "sha256: "+strings.Repeat("0", 64)+" #")},

		"model: say which with --model: ":                        {shipped},
		`model "faces": allowed are those of ../../models: surf`: {shipped, "--model", "faces"},
		"there is no model in it: needed is <name>/<version>/":   {t.TempDir()},
		"models folder: stat":                                    {filepath.Join(shipped, "gone")},
		"runs 0: allowed is 1 to 1000":                           {shipped, "--runs", "0"},
		`Providers lists "GPU": allowed are TensorRT, CUDA, CPU`: {shipped, "--model", "surface-small", "--providers", "GPU"},
		"input.type of its model.yaml): say --input":             {shipped, "--model", "vibration-small", "--image", picture},
		"input.type of its model.yaml): say --image":             {shipped, "--model", "surface-small", "--input", signal},
		"only a detector (OBJECT_DETECTION) has boxes to draw":   {shipped, "--model", "surface-small", "--image", picture, "--out", "x.png"},
		"out: boxes are drawn into a picture: say --image too":   {shipped, "--out", "x.png"},
		"payload has 3 bytes: needed are 12288, float32 values":  {shipped, "--model", "vibration-small", "--input", kept(t, "short", []byte("abc"))},
		"it looks like text/plain":                               {shipped, "--model", "surface-small", "--image", kept(t, "text.jpg", []byte("no picture"))},
		"bad input: JPEG of":                                     {shipped, "--model", "surface-small", "--image", kept(t, "cut.jpg", []byte("\xff\xd8\xff\xe0"))},
		"no such file":                                           {shipped, "--model", "surface-small", "--image", "gone.jpg"},
		"[image input] were all set":                             {shipped, "--image", picture, "--input", signal},
	} {
		_, err := run(t, append([]string{"model", "check"}, args...)...)
		assert.ErrorContains(t, err, says)
	}
}

func TestModelCheckDrawsWhatItFinds(t *testing.T) {
	orttest.Library(t)
	samples, err := filepath.Abs("../../../shared/samples")
	require.NoError(t, err)
	if _, err := os.Stat(samples); err != nil {
		t.Skip("../shared/samples is not here")
	}
	dir := t.TempDir()
	version := filepath.Join(dir, "faces", "1")
	require.NoError(t, os.MkdirAll(version, 0o755))
	require.NoError(t, os.Symlink(filepath.Join(samples, "version-slim-320.onnx"), filepath.Join(version, "model.onnx")))
	spec, err := os.ReadFile("../../infer/testdata/faces.yaml")
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(filepath.Join(version, "model.yaml"), spec, 0o600))

	boxes := filepath.Join(dir, "boxes.png")
	out, err := run(t, "model", "check", dir, "--image", filepath.Join(samples, "faces_1.jpg"), "--out", boxes, "--runs", "1")
	require.NoError(t, err)
	assert.Contains(t, out, "objects    48, in pixels")
	assert.Contains(t, out, "  48   face       0.7")
	drawn, err := os.Open(boxes)
	require.NoError(t, err)
	defer func() { _ = drawn.Close() }()
	img, err := png.Decode(drawn)
	require.NoError(t, err)
	assert.Equal(t, image.Pt(720, 478), img.Bounds().Size())
	assert.Equal(t, colourOf(0), color.RGBAModel.Convert(img.At(251, 70)), "left edge of the best face")

	out, err = run(t, "model", "check", dir, "--image", filepath.Join(samples, "room.jpg"), "--runs", "1", "--out", "none")
	require.NoError(t, err)
	assert.Contains(t, out, "objects    none of confidence 0.7 (detection.threshold) or more.")
}

// Boxes may lie on the picture's edge or, of a bad model, beside it.
func TestBoxesAreDrawnWhereTheyAre(t *testing.T) {
	// A picture need not begin at 0, 0.
	grey := image.NewGray(image.Rect(10, 10, 210, 110))
	img := withBoxes(grey, []offload.Object{
		{Label: "cat", Confidence: .9, X: 20, Y: 40, W: 100, H: 50},
		{Label: "dog", Confidence: .8, X: 150, Y: 0, W: 30, H: 30},
		{Label: "cat", Confidence: .7, X: 190, Y: 90, W: 500, H: 500},
		{Label: "ghost", Confidence: .6, X: -900, Y: -900, W: 1, H: 1},
	})
	assert.Equal(t, image.Rect(0, 0, 200, 100), img.Bounds())
	cat, dog, none := colourOf(0), colourOf(1), color.RGBA{A: 255}
	for at, want := range map[image.Point]color.RGBA{
		{20, 60}: cat, {119, 60}: cat, {60, 89}: cat, {60, 60}: none, {120, 60}: none,
		{20, 28}:  cat, // its name, above
		{150, 1}:  dog, // its name, inside
		{150, 29}: dog,
		{190, 99}: cat,
	} {
		assert.Equal(t, want, img.RGBAAt(at.X, at.Y), at)
	}
}
