// SPDX-License-Identifier: Apache-2.0

package split_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"fmt"
	"image/png"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"edgex-offload/infer"
	"edgex-offload/infer/features"
	"edgex-offload/infer/ort/orttest"
	"edgex-offload/infer/split"
	"edgex-offload/offload"
	"edgex-offload/synth/conveyor"
)

const shipped = "../../models"

func part(tb testing.TB, label string) offload.Task {
	tb.Helper()
	var b bytes.Buffer
	require.NoError(tb, png.Encode(&b, conveyor.New(5, 320, 240).Draw(label)))
	return offload.Task{Kind: offload.ImageClassification, Payload: b.Bytes(), Context: map[string]string{"content-type": "image/png"}}
}

func open(tb testing.TB, dir, name string) *split.Plan {
	tb.Helper()
	p, err := split.Open(context.Background(), split.Options{Dir: dir, Name: name, Backend: orttest.Runtime(tb), Now: time.Now})
	require.NoError(tb, err)
	tb.Cleanup(func() { assert.NoError(tb, p.Close()) })
	return p
}

// everyCut splits a model at its cuts, each step-th and the last, and holds the parts against the whole.
func everyCut(t *testing.T, p *split.Plan, task offload.Task, step int) []split.Size {
	ctx := context.Background()
	sizes, err := p.Sizes(ctx, task, p.Cuts())
	require.NoError(t, err)
	require.NotEmpty(t, sizes)
	for i, s := range sizes {
		if i%step > 0 && i+1 < len(sizes) {
			continue
		}
		parts, err := p.Split(ctx, task, s.Tensors, "mine", "1", "uint8")
		require.NoError(t, err, s.Tensors)
		m, err := p.Measure(ctx, task, parts, 1)
		require.NoError(t, err, s.Tensors)
		require.NoError(t, m.Verify(), s.Tensors)
		t.Logf("%q %v: %d bytes, %d packed; exact to %.2g, encoded to %.2g, same %t", s.Tensors, s.Shapes, s.FloatBytes, s.PackedBytes, m.Exact, m.Encoded, m.Same)
	}
	return sizes
}

func TestPartsEqualTheWhole(t *testing.T) {
	sizes := everyCut(t, open(t, shipped, "surface-large"), part(t, "dent"), 1)
	useful := split.Useful(sizes)
	assert.Less(t, len(useful), len(sizes))
	for i := 1; i < len(useful); i++ {
		assert.Less(t, useful[i].PackedBytes, useful[i-1].PackedBytes)
	}
	window := offload.Task{Kind: offload.SignalClassification, Payload: make([]byte, 4*3*1024), Context: map[string]string{"content-type": infer.SignalType}}
	everyCut(t, open(t, shipped, "vibration-large"), window, 1)
}

// The parts have files of their own, and hex digits may be capitals.
func TestPartsOfAModelWhoseFilesHaveSums(t *testing.T) {
	dir := t.TempDir()
	version := filepath.Join(dir, "surface-small", "1")
	require.NoError(t, os.CopyFS(version, os.DirFS(filepath.Join(shipped, "surface-small", "1"))))
	path := filepath.Join(version, infer.SpecFile)
	yaml, err := os.ReadFile(path)
	require.NoError(t, err)
	graph, err := os.ReadFile(filepath.Join(version, infer.GraphFile))
	require.NoError(t, err)
	yaml = regexp.MustCompile(`(?m)^(sha256|files):.*\n`).ReplaceAll(yaml, nil)
	yaml = fmt.Appendf(yaml, "sha256: %X\nfiles:\n  - {name: readme.txt, sha256: %x}\n", sha256.Sum256(graph), sha256.Sum256(nil))
	require.NoError(t, os.WriteFile(path, yaml, 0o600))
	p := open(t, dir, "surface-small")
	parts, err := p.Split(t.Context(), part(t, "dent"), p.Cuts()[0].Tensors, "mine", "1", "uint8")
	require.NoError(t, err)
	assert.Empty(t, parts.Head.Spec.Files)
	assert.Empty(t, parts.Tail.Spec.Files)
}

// samplesFolder lays out a model of the samples with its model.yaml.
func samplesFolder(t *testing.T, name, graph, picture string) (string, offload.Task) {
	t.Helper()
	samples, err := filepath.Abs("../../../shared/samples")
	require.NoError(t, err)
	if _, err := os.Stat(samples); err != nil {
		t.Skip("../shared/samples is not here")
	}
	dir := t.TempDir()
	version := filepath.Join(dir, name, "1")
	require.NoError(t, os.MkdirAll(version, 0o755))
	require.NoError(t, os.Symlink(filepath.Join(samples, graph), filepath.Join(version, infer.GraphFile)))
	yaml, err := os.ReadFile(filepath.Join("..", "testdata", name+".yaml"))
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(filepath.Join(version, infer.SpecFile), yaml, 0o600))
	payload, err := os.ReadFile(filepath.Join(samples, picture))
	require.NoError(t, err)
	return dir, offload.Task{Payload: payload, Context: map[string]string{"content-type": http.DetectContentType(payload)}}
}

func TestPartsOfDigitsEqualTheWhole(t *testing.T) {
	dir, task := samplesFolder(t, "digits", "mnist.onnx", "seven.png")
	everyCut(t, open(t, dir, "digits"), task, 1)
}

// Boxes come out in the picture's pixels, though the tail sees no picture.
func TestPartsOfADetectorEqualTheWhole(t *testing.T) {
	dir, task := samplesFolder(t, "faces", "version-slim-320.onnx", "faces_1.jpg")
	task.Kind = offload.ObjectDetection
	p := open(t, dir, "faces")
	sizes := everyCut(t, p, task, 9)
	ctx := context.Background()
	parts, err := p.Split(ctx, task, sizes[0].Tensors, "faces", "1", "float32")
	require.NoError(t, err)
	m, err := p.Measure(ctx, task, parts, 1)
	require.NoError(t, err)
	require.Len(t, m.Split.Objects, 48)
	assert.InDelta(t, m.Answer.Objects[0].X, m.Split.Objects[0].X, .01)
	assert.InDelta(t, m.Answer.Objects[0].W, m.Split.Objects[0].W, .01)
}

// What is written is what a repository loads: the head answers with features, of which the tail
// makes the whole's answer.
func TestPartsAtWork(t *testing.T) {
	ctx := context.Background()
	task := part(t, "dent")
	p := open(t, shipped, "surface-large")
	sizes, err := p.Sizes(ctx, task, p.Cuts())
	require.NoError(t, err)
	useful := split.Useful(sizes)
	at := useful[len(useful)-1].Tensors
	parts, err := p.Split(ctx, task, at, "surface-large", "1", "uint8")
	require.NoError(t, err)
	m, err := p.Measure(ctx, task, parts, 2)
	require.NoError(t, err)
	require.NoError(t, p.Figures(&parts, m))
	dir := t.TempDir()
	require.NoError(t, os.CopyFS(filepath.Join(dir, "surface-small"), os.DirFS(filepath.Join(shipped, "surface-small"))))
	require.NoError(t, split.Write(dir, parts))
	next, err := split.NextVersion(dir, "surface-large")
	require.NoError(t, err)
	assert.Equal(t, "2", next)

	r, err := infer.Open(infer.Options{Dir: dir, Backend: orttest.Runtime(t)})
	require.NoError(t, err)
	defer func() { assert.NoError(t, r.Close()) }()
	require.NoError(t, r.Wait(ctx))
	for _, s := range r.Models() {
		require.Equal(t, infer.Ready, s.State, "%s: %s", s.Name, s.Error)
	}

	models := r.OffloadModels()
	require.Len(t, models, 1)
	assert.Equal(t, "surface", models[0].Name)
	require.Len(t, models[0].Local, 1, "neither head nor tail is a variant")
	require.Len(t, models[0].Splits, 1)
	s := models[0].Splits[0]
	assert.Equal(t, "surface-large-head/1", s.Name)
	assert.Equal(t, "surface-large-tail/1", s.Tail)
	assert.Equal(t, .963, s.Accuracy)
	assert.Equal(t, m.FeatureBytes, s.FeatureBytes)
	assert.Positive(t, s.Service)

	task.Model = "surface"
	whole, err := r.InferModel(ctx, task)
	require.NoError(t, err)
	assert.Equal(t, "surface-small/1", whole.Model)
	head, err := r.Infer(ctx, s.Name, task)
	require.NoError(t, err)
	assert.Equal(t, s.Name, head.Model)
	assert.Empty(t, head.Label)
	onward := offload.Task{Kind: task.Kind, Model: "surface", Payload: head.Features, Context: map[string]string{"content-type": features.Type}}
	tail, err := r.InferModel(ctx, onward)
	require.NoError(t, err)
	assert.Equal(t, s.Tail, tail.Model)
	assert.Equal(t, m.Split.Label, tail.Label)

	task.Model = "surface-large-head"
	_, err = r.InferModel(ctx, task)
	require.ErrorIs(t, err, infer.ErrNoModel, "a head answers nobody's question")
	onward.Payload = append([]byte(nil), head.Features...)
	onward.Payload[5] ^= 1 // another cut
	_, err = r.InferModel(ctx, onward)
	require.ErrorIs(t, err, infer.ErrNoModel)
	_, err = r.Infer(ctx, s.Tail, onward)
	require.ErrorIs(t, err, infer.ErrInput)
	onward.Payload = onward.Payload[:3]
	_, err = r.InferModel(ctx, onward)
	require.ErrorIs(t, err, infer.ErrInput)
}

func TestOpenAndSplitRefuse(t *testing.T) {
	p := open(t, shipped, "surface-large")
	_, err := p.Split(context.Background(), part(t, "dent"), []string{"gone"}, "x", "1", "uint8")
	require.ErrorContains(t, err, `there is no tensor "gone"`)
	_, err = split.Open(context.Background(), split.Options{Dir: t.TempDir(), Name: "none"})
	require.ErrorIs(t, err, os.ErrNotExist)
}
