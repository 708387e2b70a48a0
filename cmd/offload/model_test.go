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
		"of 10 runs, ", "stages     decode ", " ms, to tensor ", "answer     dent, confidence ",
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
	assert.NotContains(t, out, "\nanswer")
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
	bare := filepath.Dir(kept(t, "model.yaml", shippedSpec)) // of which a message named a folder that nobody knows
	for says, args := range map[string][]string{
		"correct input.width":                        {own("width: 80", "width: 81")},
		"labels lists 4: list one label per score":   {own("labels: [good, ", "labels: [")},
		`unknown key "input.breadth"`:                {own("width: 80", "breadth: 80")},
		`kind is "PICTURES": allowed is IMAGE_CLASS`: {own("IMAGE_CLASSIFICATION", "PICTURES")},
		"stat " + filepath.Join(bare, "model.onnx"):  {bare},
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
		"vibration-small/1 takes a signal":                       {shipped, "--model", "vibration-small", "--text", "hot"},
		"no such file":                                           {shipped, "--model", "surface-small", "--image", "gone.jpg"},
		"[image input] were all set":                             {shipped, "--image", picture, "--input", signal},
	} {
		_, err := run(t, append([]string{"model", "check"}, args...)...)
		assert.ErrorContains(t, err, says)
	}
}

// A graph that is not what the decoder is for: the error says which key to look at.
func TestModelCheckNamesTheKeyForEachDecoder(t *testing.T) {
	orttest.Library(t)
	picture := "input: {type: image, width: 80, height: 60}\n"
	signal := "input: {type: signal, shape: [3, 1024]}\n"
	for _, c := range []struct{ graph, spec, says string }{
		{"surface-small", "kind: IMAGE_CLASSIFICATION\n" + picture + "decoder: classification\nlabels: [a, b]", "labels lists 2: list one label per score"},
		{"surface-small", "kind: OBJECT_DETECTION\n" + picture + "decoder: yolov5\nlabels: [a]", "decoder yolov5 with 1 labels needs [1, N, 5+1=6]: list one label per class, or is the decoder another?"},
		{"surface-small", "kind: OBJECT_DETECTION\n" + picture + "decoder: yolov8\nlabels: [a, b]", "needs a dimension of 4+2=6: list one label per class, or is the decoder another?"},
		{"surface-small", "kind: OBJECT_DETECTION\n" + picture + "decoder: yolox\nlabels: [a]", "decoder yolox with 1 labels needs [1, N, 5+1=6]"},
		{"surface-small", "kind: OBJECT_DETECTION\n" + picture + "decoder: ssd\nlabels: [a]", "name the two that decoder ssd reads in outputs: [scores, boxes]"},
		{"surface-small", "kind: OBJECT_DETECTION\n" + picture + "decoder: yunet\nlabels: [a]", `of decoder yunet would be "cls_8"`},
		{"surface-small", "kind: OBJECT_DETECTION\n" + picture + "decoder: end2end\nlabels: [a]", "decoder end2end needs [1, N, 6], boxes, score and class: is the decoder yolov8"},
		{"surface-small", "kind: REGRESSION\n" + picture + "decoder: regression\nlabels: [a]", "labels lists 1: list one label per number"},
		{"surface-small", "kind: ANOMALY_DETECTION\n" + picture + "decoder: anomaly\nanomaly: {threshold: 1}", "set anomaly.reconstruction: squared or absolute"},
		{"surface-small", "kind: ANOMALY_DETECTION\n" + picture + "decoder: anomaly\nanomaly: {threshold: 1, reconstruction: squared}", "if the output is a score, leave it out"},
		{"surface-small", "kind: SIGNAL_CLASSIFICATION\n" + signal + "decoder: classification\nlabels: [a, b]", "give input.shape the 3 dimensions that follow the batch"},
		{"vibration-small", "kind: IMAGE_CLASSIFICATION\n" + picture + "decoder: classification\nlabels: [a, b]", "is input.type signal?"},
		{"vibration-small", "kind: NLP_ANALYSIS\ninput: {type: text}\ndecoder: classification\nlabels: [a, b]", `is what input.type text feeds: the graph has`},
	} {
		dir := t.TempDir()
		graph, err := os.ReadFile(filepath.Join(shipped, c.graph, "1", "model.onnx"))
		require.NoError(t, err)
		require.NoError(t, os.WriteFile(filepath.Join(dir, "model.onnx"), graph, 0o600))
		require.NoError(t, os.WriteFile(filepath.Join(dir, "model.yaml"), []byte(c.spec), 0o600))
		_, err = run(t, "model", "check", dir)
		assert.ErrorContains(t, err, c.says, c.spec)
	}
}

func TestModelCheckShowsValues(t *testing.T) {
	orttest.Library(t)
	dir := t.TempDir()
	graph, err := os.ReadFile(filepath.Join(shipped, "vibration-small", "1", "model.onnx"))
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(filepath.Join(dir, "model.onnx"), graph, 0o600))
	require.NoError(t, os.WriteFile(filepath.Join(dir, "model.yaml"), []byte(`
kind: REGRESSION
input: {type: signal, shape: [3, 1024]}
decoder: regression
regression: {units: [mm, °C, "", "", "", ""], scale: [0], offset: [3]}
labels: [wear, heat, c, d, e, f]
`), 0o600))
	_, err = run(t, "model", "check", dir)
	require.ErrorContains(t, err, "regression.scale[0] is 0")

	spec, err := os.ReadFile(filepath.Join(dir, "model.yaml"))
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(filepath.Join(dir, "model.yaml"), []byte(strings.Replace(string(spec), "scale: [0]", "scale: [1e-9]", 1)), 0o600))
	out, err := run(t, "model", "check", dir, "--input", window(t, "imbalance"), "--runs", "2")
	require.NoError(t, err)
	for _, text := range []string{"decoder    regression, v * 1e-09 + 3, units", "stages     to tensor ", "value      wear 3 mm\nvalue      heat 3 °C\nvalue      c 3\n"} {
		assert.Contains(t, out, text)
	}
	assert.NotContains(t, out, "\nanswer")
}

// What is printed of a graph without a model.yaml is one, and loads.
func TestModelCheckBeginsAModelYAML(t *testing.T) {
	orttest.Library(t)
	t.Setenv("TMPDIR", t.TempDir())
	for name, args := range map[string][]string{"surface-small": {"--image", part(t, "dent")}, "vibration-small": {"--input", window(t, "normal")}} {
		graph, err := os.ReadFile(filepath.Join(shipped, name, "1", "model.onnx"))
		require.NoError(t, err)
		file := kept(t, "My own (2).onnx", graph)
		out, err := run(t, "model", "check", file)
		require.ErrorContains(t, err, "My-own--2-: there is no model.yaml beside model.onnx: write one, the guess above is a beginning")
		assert.Contains(t, out, "input      ")
		assert.Contains(t, out, "output     ")
		_, guess, found := strings.Cut(out, "what the keys mean:\n\n")
		require.True(t, found)

		version := filepath.Join(t.TempDir(), "mine", "3")
		require.NoError(t, os.MkdirAll(version, 0o755))
		require.NoError(t, os.WriteFile(filepath.Join(version, "model.onnx"), graph, 0o600))
		for _, at := range []string{version, filepath.Dir(version), filepath.Dir(filepath.Dir(version)), filepath.Join(version, "model.onnx")} {
			_, err = run(t, "model", "check", at)
			require.ErrorContains(t, err, "mine: there is no model.yaml", at)
		}
		require.NoError(t, os.WriteFile(filepath.Join(version, "model.yaml"), []byte(guess), 0o600))
		for _, at := range []string{version, filepath.Dir(version), filepath.Join(version, "model.onnx")} {
			out, err = run(t, append([]string{"model", "check", at, "--runs", "1"}, args...)...)
			require.NoError(t, err, at)
			assert.Contains(t, out, "model      mine/3\n")
			assert.Contains(t, out, "answer     class")
		}
	}
	_, err := run(t, "model", "check", kept(t, "broken.onnx", []byte("no graph")))
	require.ErrorContains(t, err, "is not an ONNX file, or damaged")
	left, err := filepath.Glob(filepath.Join(os.TempDir(), "offload-model-*"))
	require.NoError(t, err)
	assert.Empty(t, left, "what was made for a look is taken away")
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

	t.Setenv(ort.LibraryEnv, orttest.Library(t))
	t.Chdir(t.TempDir())
	out, err = run(t, "model", "check", version, "--image", filepath.Join(samples, "faces_5.jpg"), "--runs", "1")
	require.NoError(t, err)
	assert.Contains(t, out, "boxes      faces_5-boxes.png\n")
	assert.FileExists(t, "faces_5-boxes.png", "where it was started")

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
