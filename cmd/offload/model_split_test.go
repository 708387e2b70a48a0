// SPDX-License-Identifier: Apache-2.0

package main

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"edgex-offload/infer/ort/orttest"
)

const surfaceCut = "/network/network.5/network.5.2/Relu_output_0"

func TestModelCuts(t *testing.T) {
	orttest.Library(t)
	out, err := run(t, "model", "cuts", shipped, "--model", "surface-large", "--image", part(t, "dent"), "--runs", "1")
	require.NoError(t, err)
	for _, text := range []string{
		"model      surface-large/1: Surface defect", "payload    part.png, ", "answer dent, confidence 0.9", "cuts       8 of 10 are listed",
		"shape       float32  uint8+zstd  of payload", "1x64x8x10   20480 ", surfaceCut, "network.6.0/ReduceMean_output_0,/network/network.6/network.6.0/ReduceMax_output_0",
		"  same    ", "* less than the payload's ",
	} {
		assert.Contains(t, out, text)
	}
	out, err = run(t, "model", "cuts", shipped, "--model", "vibration-small", "--input", window(t, "imbalance"), "--runs", "1", "--all")
	require.NoError(t, err)
	assert.Contains(t, out, "payload    window.f32, 12288 bytes")
}

func TestModelSplit(t *testing.T) {
	orttest.Library(t)
	to := t.TempDir()
	picture := part(t, "dent")
	out, err := run(t, "model", "split", shipped, "--model", "surface-large", "--at", surfaceCut, "--to", to, "--image", picture, "--runs", "2")
	require.NoError(t, err)
	for _, text := range []string{
		"features   1", "exact      head and tail differ from the whole by ", "as uint8; the answer is the same: dent, confidence 0.9",
		"written    " + filepath.Join(to, "surface-large-head", "1") + ", ", "written    " + filepath.Join(to, "surface-large-tail", "1") + ", ",
	} {
		assert.Contains(t, out, text)
	}
	yaml, err := os.ReadFile(filepath.Join(to, "surface-large-head", "1", "model.yaml"))
	require.NoError(t, err)
	for _, text := range []string{"serves: surface\n", "runs_on: [box]\n", "decoder: features\n", "outputs: [" + surfaceCut + "]\n", "accuracy: 0.9630\n", "  part: head\n", "  of: surface-large/1\n", "  tail: surface-large-tail/1\n", "  feature_bytes: 1"} {
		assert.Contains(t, string(yaml), text)
	}
	yaml, err = os.ReadFile(filepath.Join(to, "surface-large-tail", "1", "model.yaml"))
	require.NoError(t, err)
	for _, text := range []string{"runs_on: [cloud]\n", "  type: features\n", "shape: [1, 64, 8, 10]\n", "decoder: classification\n", "labels: [good, scratch, dent, stain, crack]\n", "  part: tail\n"} {
		assert.Contains(t, string(yaml), text)
	}

	out, err = run(t, "model", "check", to, "--model", "surface-large-head", "--image", picture, "--runs", "1")
	require.NoError(t, err)
	assert.Contains(t, out, "split      head of surface-large/1 at "+surfaceCut)
	assert.Contains(t, out, " bytes of features, 0.")
	out, err = run(t, "model", "check", to, "--model", "surface-large-tail")
	require.NoError(t, err)
	assert.Contains(t, out, "input      features, float32 "+surfaceCut+" [1 64 8 10]")
	_, err = run(t, "model", "check", to, "--model", "surface-large-tail", "--image", picture)
	require.ErrorContains(t, err, "is a tail, which takes what its head makes")

	// Another one is the next version; without a picture it is proved on noise.
	out, err = run(t, "model", "split", shipped, "--model", "surface-large", "--at", surfaceCut, "--to", to, "--values", "float32", "--runs", "1")
	require.NoError(t, err)
	assert.Contains(t, out, "payload    noise, as neither --image nor --input is given")
	assert.Contains(t, out, filepath.Join("surface-large-tail", "2"))
	_, err = run(t, "model", "cuts", to, "--model", "surface-large-head", "--image", picture)
	require.ErrorContains(t, err, "it is itself the head of surface-large/1: split that")
}

func TestModelSplitMistakes(t *testing.T) {
	orttest.Library(t)
	to := t.TempDir()
	for says, args := range map[string][]string{
		"image: what a cut sends depends on what is seen":   {"cuts", shipped, "--model", "surface-small"},
		`required flag(s) "at" not set`:                     {"split", shipped, "--model", "surface-small"},
		`at: head: there is no tensor "gone" in the graph`:  {"split", shipped, "--model", "surface-small", "--at", "gone", "--to", to},
		`split.values is "int3": allowed is uint8, float32`: {"split", shipped, "--model", "surface-large", "--at", surfaceCut, "--to", to, "--values", "int3"},
		"is needed as well: `offload model cuts` lists":     {"split", shipped, "--model", "surface-large", "--at", "/network/network.6/network.6.0/ReduceMean_output_0", "--to", to},
		"runs 0: allowed is 1 to 1000":                      {"split", shipped, "--model", "surface-large", "--at", surfaceCut, "--runs", "0"},
		"input.type of its model.yaml): say --input":        {"cuts", shipped, "--model", "vibration-small", "--image", part(t, "dent")},
	} {
		_, err := run(t, append([]string{"model"}, args...)...)
		assert.ErrorContains(t, err, says)
	}
	left, err := os.ReadDir(to)
	require.NoError(t, err)
	assert.Empty(t, left, "nothing was written")
}
