// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bytes"
	"image"
	"image/png"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"edgex-offload/cascade"
	"edgex-offload/infer"
	"edgex-offload/infer/ort/orttest"
	"edgex-offload/offload"
)

const people = "../../cascade/testdata/people.yaml"

func TestCascadeCheckSaysWhatItUnderstood(t *testing.T) {
	out, err := run(t, "cascade", "check", people, "--deadline", "1s")
	require.NoError(t, err)
	for _, text := range []string{
		"cascade    people: who is at the gate\n",
		"  faces    detect    faces  0.50   500ms    the picture as it came; up to 100 objects\n",
		"  heads    crop      -      0.00   500ms    picture, faces; up to 8 crops as jpeg, of 16 pixels or more, margin 0.1, of face\n",
		"  who      classify  who    0.50   1s       heads\n",
		"  faces (detect: faces)\n  └─ picture (decode)\n     └─ heads (crop) + faces\n        └─ who (classify: who)\n",
		"longest    faces → picture → heads → who: 100% of the time\n",
		"output     faces, who; ",
	} {
		assert.Contains(t, out, text)
	}
}

func TestGraphOfBranches(t *testing.T) {
	c, err := cascade.Parse("test", []byte(`
stages:
  - {name: a, does: detect, model: m}
  - {name: p, does: decode}
  - {name: x, does: crop, needs: [a, p]}
  - {name: y, does: classify, model: n, needs: [x]}
  - {name: z, does: classify, model: o, needs: [x]}
  - {name: w, does: classify, model: o, needs: [p], private: true}
output: [w, y, z]
`))
	require.NoError(t, err)
	require.Equal(t, []string{
		"a (detect: m)", "p (decode)", "├─ x (crop) + a", "│  ├─ y (classify: n)", "│  └─ z (classify: o)", "└─ w (classify: o)",
	}, graphOf(c.Stages))
	require.Equal(t, "p; never leaves the box", takes(c.Stages[5]))
}

func TestCascadeCheckRunsWithShippedModels(t *testing.T) {
	orttest.Library(t)
	file := kept(t, "parts.yaml", []byte("stages: [{name: picture, does: decode}, {name: what, does: classify, model: surface, needs: [picture]}]\noutput: [what]\n"))
	out, err := run(t, "cascade", "check", file, "--models", shipped, "--image", part(t, "dent"), "--runs", "2")
	require.NoError(t, err)
	for _, text := range []string{"model      surface of stage what: surface-large/1, surface-small/1\n", "the median of 2 runs", "answer     dent, confidence "} {
		assert.Contains(t, out, text)
	}
}

// Parts of a split model were listed as models that answer a stage.
func TestCascadeCheckTakesNoPartForAnAnswerer(t *testing.T) {
	var out bytes.Buffer
	c := &cascade.Cascade{Stages: []cascade.Stage{{Name: "what", Does: cascade.Classify, Model: "surface"}}}
	whole := infer.Status{Name: "large", Version: "1", Serves: "surface", Kind: "IMAGE_CLASSIFICATION"}
	head := whole
	head.Name, head.Split = "large-head", &infer.Split{Part: infer.Head}
	require.NoError(t, fits(&out, c, []infer.Status{whole, head}))
	assert.NotContains(t, out.String(), "head")
	require.ErrorContains(t, fits(&out, c, []infer.Status{head}), "there are large-head/1 (a head)")
}

// A detector that others made, and a stand-in for a classifier of faces.
func TestCascadeCheckDrawsBoxesWithClasses(t *testing.T) {
	orttest.Library(t)
	const samples = "../../../shared/samples"
	if _, err := os.Stat(samples); err != nil {
		t.Skip("no samples: ", err)
	}
	models := t.TempDir()
	for path, from := range map[string]string{
		"faces/1/model.onnx": filepath.Join(samples, "version-slim-320.onnx"), "faces/1/model.yaml": "../../cascade/testdata/faces-model.yaml",
		"surface/1/model.onnx": filepath.Join(shipped, "surface-small/1/model.onnx"), "surface/1/model.yaml": filepath.Join(shipped, "surface-small/1/model.yaml"),
	} {
		require.NoError(t, os.MkdirAll(filepath.Join(models, filepath.Dir(path)), 0o755))
		data, err := os.ReadFile(from)
		require.NoError(t, err)
		require.NoError(t, os.WriteFile(filepath.Join(models, path), data, 0o600))
	}
	text, err := os.ReadFile(people)
	require.NoError(t, err)
	file := kept(t, "people.yaml", []byte(strings.Replace(string(text), "model: who", "model: surface", 1)))
	boxes := filepath.Join(t.TempDir(), "boxes.png")
	out, err := run(t, "cascade", "check", file, "--models", models, "--image", filepath.Join(samples, "photo.jpg"), "--out", boxes, "--runs", "1")
	require.NoError(t, err, out)
	assert.Contains(t, out, "objects    1, in pixels of the picture\n")
	assert.Regexp(t, `heads +crop +[0-9.]+ +0 +1 +0\n`, out)
	drawn, err := os.Open(boxes)
	require.NoError(t, err)
	defer func() { _ = drawn.Close() }()
	_, err = png.Decode(drawn)
	require.NoError(t, err)
}

func TestCascadeCheckMistakes(t *testing.T) {
	wrong := kept(t, "wrong.yaml", []byte("stages: [{name: a, does: detect}]\noutput: [a]\n"))
	for says, args := range map[string][]string{
		`wrong.yaml: line 1: stages[0].model is "": allowed is`: {wrong},
		"no such file": {"gone.yaml"},
		`stage faces: model "faces": needed is one of kind OBJECT_DETECTION; there are surface (IMAGE_CLASSIFICATION), vibration (SIGNAL_CLASSIFICATION)`: {people, "--models", shipped},
		"models: models folder: open gone":                             {people, "--models", "gone"},
		"image: the stages' models are needed to run it: say --models": {people, "--image", "x.jpg"},
		"out: boxes are drawn into a picture: say --image too":         {people, "--models", shipped, "--out", "x.png"},
		"deadline 0s: allowed is 1ms to 24h":                           {people, "--deadline", "0s"},
		"runs 0: allowed is 1 to 1000":                                 {people, "--runs", "0"},
	} {
		_, err := run(t, append([]string{"cascade", "check"}, args...)...)
		assert.ErrorContains(t, err, says)
	}
}

func TestBoxesShowClasses(t *testing.T) {
	objects := []offload.Object{
		{Label: "face", Confidence: .9, X: 10, Y: 50, W: 180, H: 40, Classes: []offload.Class{{Label: "ann", Confidence: .8}, {Label: "hat", Confidence: .7}}},
		{Label: "face", Confidence: .8, X: 10, Y: 120, W: 60, H: 40, Classes: []offload.Class{{Label: "hat", Confidence: .7}}},
		{Label: "face", Confidence: .7, X: 100, Y: 120, W: 60, H: 40},
	}
	require.Equal(t, "ann 80%, hat 70%", classesOf(objects[0]))
	canvas := withBoxes(image.NewGray(image.Rect(0, 0, 200, 200)), objects)
	edge := func(o offload.Object) any { return canvas.At(int(o.X), int(o.Y+o.H)-1) }
	require.Equal(t, edge(objects[0]), edge(objects[1]), "both are hats")
	require.NotEqual(t, edge(objects[1]), edge(objects[2]))
}
