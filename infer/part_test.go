// SPDX-License-Identifier: Apache-2.0

package infer

import (
	"context"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"edgex-offload/infer/features"
	"edgex-offload/offload"
)

var (
	ofWhole  = "sha256: " + strings.Repeat("ab", 32)
	headYAML = "kind: OBJECT_DETECTION\ninput: {type: image, width: 8, height: 6}\ndecoder: features\noutputs: [a, b]\nsplit: {part: head, of: m/1, at: [a, b], " + ofWhole + ", tail: m-tail/1}\n"
	tailYAML = "kind: OBJECT_DETECTION\ninput: {type: features, width: 8, height: 6, tensors: [{name: a, shape: [1, 2]}, {name: b, shape: [1, 3]}]}\ndecoder: ssd\nlabels: [face]\nsplit: {part: tail, of: m/1, at: [a, b], " + ofWhole + "}\n"
)

func TestSpecsOfParts(t *testing.T) {
	head, err := ParseSpec("m-head", []byte(headYAML))
	require.NoError(t, err)
	tail, err := ParseSpec("m-tail", []byte(tailYAML))
	require.NoError(t, err)
	assert.Equal(t, head.Split.Cut(), tail.Split.Cut())
	assert.Equal(t, []Fed{{Name: "a", Shape: []int64{1, 2}}, {Name: "b", Shape: []int64{1, 3}}}, tail.Input.Feeds())
	other := head.Split
	other.At = []string{"a"}
	assert.NotEqual(t, head.Split.Cut(), other.Cut())
	other = head.Split
	other.SHA256 = strings.Repeat("cd", 32)
	assert.NotEqual(t, head.Split.Cut(), other.Cut(), "trained again")
}

func TestSpecsOfPartsAreChecked(t *testing.T) {
	for _, c := range []struct{ yaml, from, to, says string }{
		{headYAML, "part: head", "part: neck", `split.part is "neck": allowed is head, tail`},
		{headYAML, "part: head", "part: tail", "decoder is \"features\": allowed is features for a head"},
		{headYAML, "outputs: [a, b]", "outputs: [b, a]", "outputs is [b a]: allowed is the same list as split.at"},
		{headYAML, "sha256: ab", "sha256: xy", "split.sha256 is"},
		{headYAML, "OBJECT_DETECTION", "GUESSING", `kind is "GUESSING": allowed is that of the whole model`},
		{headYAML, "split: {part: head", "split: {values: int3, part: head", `split.values is "int3": allowed is uint8, float32`},
		{headYAML, "split: {part: head", "split: {head_ms: -1, part: head", "split.head_ms is -1: allowed is 0 to 1e9"},
		{headYAML, "split: {part: head", "split: {tail_ms: 1e300, part: head", "split.tail_ms is 1e+300: allowed is 0 to 1e9"},
		{headYAML, "split: {part: head", "split: {feature_bytes: -1, part: head", "split.feature_bytes is -1"},
		{tailYAML, "decoder: ssd", "decoder: ufo", `decoder is "ufo": allowed is yolov5, yolov8`},
		{tailYAML, "width: 8, ", "", "input.width is 0: allowed is 1 to 4096 pixels"},
		{tailYAML, "shape: [1, 3]", "shape: []", "input.tensors[1].shape is 0 long: allowed is 1 to 8 dimensions"},
		{tailYAML, "shape: [1, 3]", "shape: [1, 1, 1, 1, 1, 1, 1, 1, 3]", "input.tensors[1].shape is 9 long"},
		{tailYAML, "name: b", "name: c", "input.tensors is [a c]: allowed is the names of split.at"},
		{tailYAML, "shape: [1, 3]", "shape: [1, 0]", "input.tensors[1].shape is [1 0]"},
		{tailYAML, "shape: [1, 3]", "shape: [4096, 4096]", "input.tensors[1].shape is [4096 4096]"},
		{tailYAML, "width: 8", "width: 5000", "input.width is 5000"},
		{tailYAML, "type: features", "type: image", `input.type is "image": allowed is features for a tail`},
		{tailYAML, "labels: [face]", "labels: []", "labels is 0 long"},
	} {
		require.Contains(t, c.yaml, c.from)
		_, err := ParseSpec("m", []byte(strings.Replace(c.yaml, c.from, c.to, 1)))
		assert.ErrorContains(t, err, c.says)
	}
}

// fed is a graph that only takes its inputs.
type fed struct{ Graph }

func (fed) About() About { return About{} }

func (fed) Run(_ context.Context, _ int, fill func([][]float32) error, _ func([]Tensor) error) error {
	return fill([][]float32{make([]float32, 2), make([]float32, 3)})
}

func TestATailTakesWhatIsItsOwn(t *testing.T) {
	tail, err := ParseSpec("m-tail", []byte(tailYAML))
	require.NoError(t, err)
	steps, err := NewSteps(tail, "", fed{})
	require.NoError(t, err)
	whole := features.Placement{PictureWidth: 8, PictureHeight: 6, Width: 8, Height: 6}
	ab := []features.Tensor{{Name: "a", Shape: []int64{1, 2}, Data: make([]float32, 2)}, {Name: "b", Shape: []int64{1, 3}, Data: make([]float32, 3)}}
	for says, f := range map[string]features.Features{
		"":                                  {Cut: tail.Split.Cut(), At: whole, Tensors: ab},
		"the features are of another netwo": {Cut: features.Cut{1}, At: whole, Tensors: ab},
		"needed is where it lies":           {Cut: tail.Split.Cut(), Tensors: ab},
		"1 tensors: needed are 2":           {Cut: tail.Split.Cut(), At: whole, Tensors: ab[:1]},
		`tensor 0 of the features is "b" [`: {Cut: tail.Split.Cut(), At: whole, Tensors: []features.Tensor{ab[1], ab[0]}},
	} {
		payload, err := features.NewCodec().Encode(f, features.Uint8)
		require.NoError(t, err)
		_, err = steps.Answer(context.Background(), fed{}, offload.Task{Kind: offload.ObjectDetection, Payload: payload})
		if says == "" {
			require.NoError(t, err)
			continue
		}
		require.ErrorIs(t, err, ErrInput)
		assert.ErrorContains(t, err, says)
	}
	task := offload.Task{Payload: []byte("no features"), Context: map[string]string{"content-type": "image/jpeg"}}
	_, err = steps.Answer(context.Background(), fed{}, task)
	assert.ErrorContains(t, err, `content-type is "image/jpeg"`)
}
