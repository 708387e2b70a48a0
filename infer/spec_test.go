// SPDX-License-Identifier: Apache-2.0

package infer

import (
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

const goodImage = `
kind: IMAGE_CLASSIFICATION
input: {type: image, width: 64, height: 48}
decoder: classification
labels: [good, scratch]
`

const goodSignal = `
serves: vibration
runs_on: [box]
kind: SIGNAL_CLASSIFICATION
input: {type: signal, shape: [3, 1024], mean: [0, 0, 1], std: [1, 1, 2]}
decoder: classification
labels: [normal, imbalance]
accuracy: 0.95
measured: {data: held out, samples: 600, command: make check}
`

func TestParseSpecFillsInDefaults(t *testing.T) {
	s, err := ParseSpec("surface-small", []byte(goodImage))
	require.NoError(t, err)
	assert.Equal(t, "surface-small", s.Serves)
	assert.Equal(t, []string{Box, Cloud}, s.RunsOn)
	assert.Equal(t, []int64{1, 3, 48, 64}, s.Input.TensorShape())
	assert.Equal(t, 3*48*64, s.Input.Values())
	assert.InDelta(t, 1./255, s.Input.Scale, 1e-12)

	s, err = ParseSpec("vibration-small", []byte(goodSignal))
	require.NoError(t, err)
	assert.Equal(t, "vibration", s.Serves)
	assert.Equal(t, []int64{1, 3, 1024}, s.Input.TensorShape())
	assert.Equal(t, 1., s.Input.Scale)
	assert.Equal(t, .95, s.Accuracy)
	assert.Equal(t, 600, s.Measured.Samples)
}

func TestParseSpecNamesKeyValueAndAllowed(t *testing.T) {
	cases := []struct {
		name, replace, with string
		want                []string
	}{
		{"unknown key", "decoder:", "decodr:", []string{`unknown key "decodr"`, "allowed here are", "decoder"}},
		{"unknown key inside", "width:", "witdh:", []string{`unknown key "input.witdh"`, "width"}},
		{"wrong type", "width: 64", "width: wide", []string{`input.width is "wide"`, "a whole number"}},
		{"fraction", "width: 64", "width: 6.5", []string{`input.width is "6.5"`, "a whole number"}},
		{"too large", "width: 64", "width: 99999", []string{"input.width is 99999", "1 to 4096"}},
		{"list for text", "decoder: classification", "decoder: [a]", []string{"decoder is a list", "text"}},
		{"text for list", "labels: [good, scratch]", "labels: good", []string{`labels is "good"`, "a list"}},
		{"decoder", "decoder: classification", "decoder: yolov8", []string{`decoder is "yolov8"`, "classification"}},
		{"kind", "IMAGE_CLASSIFICATION", "NLP_ANALYSIS", []string{`kind is "NLP_ANALYSIS"`, "OBJECT_DETECTION", "SIGNAL_CLASSIFICATION"}},
		{"no labels", "labels: [good, scratch]", "", []string{"labels is 0 long"}},
		{"empty label", "good", `""`, []string{`labels[0] is ""`}},
		{"not finite", "height: 48", "height: 48, scale: .nan", []string{`input.scale is ".nan"`, "a finite number"}},
		{"zero scale", "height: 48", "height: 48, scale: 0", []string{"input.scale is 0"}},
		{"zero deviation", "height: 48", "height: 48, std: [1, 0, 1]", []string{"input.std[1] is 0"}},
		{"channels", "height: 48", "height: 48, mean: [1, 2]", []string{"input.mean is [1 2]", "one per channel"}},
		{"shape of an image", "height: 48", "height: 48, shape: [3]", []string{"input.shape is [3]", "width and height"}},
		{"place", "labels:", "runs_on: [edge]\nlabels:", []string{`runs_on[0] is "edge"`, "box, cloud"}},
		{"accuracy", "labels:", "accuracy: 93\nlabels:", []string{"accuracy is 93", "0 to 1"}},
		{"checksum", "labels:", "sha256: abc\nlabels:", []string{`sha256 is "abc"`, "64 hex digits"}},
		{"name", "labels:", "serves: ../x\nlabels:", []string{`serves is "../x"`}},
		{"twice", "labels:", "decoder: ssd\nlabels:", []string{"decoder: given twice"}},
		{"alias", "labels: [good, scratch]", "labels: &a [good, scratch]\noutputs: *a", []string{"alias *a"}},
		{"two documents", "labels:", "---\nlabels:", []string{"more than one YAML document"}},
		{"null", "decoder: classification", "decoder:", []string{"decoder is", "text"}},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			require.Contains(t, goodImage, c.replace)
			_, err := ParseSpec("m", []byte(strings.Replace(goodImage, c.replace, c.with, 1)))
			require.Error(t, err)
			for _, w := range c.want {
				assert.ErrorContains(t, err, w)
			}
		})
	}
	for _, text := range []string{"", "# nothing", "just text", "[a]", ":\n:"} {
		_, err := ParseSpec("m", []byte(text))
		assert.Error(t, err, "%q", text)
	}
	_, err := ParseSpec("m", make([]byte, maxSpecBytes+1))
	assert.ErrorContains(t, err, "allowed are up to")
}

func TestSpecsInTestdata(t *testing.T) {
	files, err := filepath.Glob("testdata/*.yaml")
	require.NoError(t, err)
	require.NotEmpty(t, files)
	for _, f := range files {
		_, err := LoadSpec("m", f)
		assert.NoError(t, err)
	}
	_, err = LoadSpec("m", filepath.Join(t.TempDir(), "none.yaml"))
	assert.ErrorIs(t, err, os.ErrNotExist)
}

func FuzzParseSpec(f *testing.F) {
	f.Add([]byte(goodImage))
	f.Add([]byte(goodSignal))
	f.Add([]byte("a: &a [*a]"))
	f.Add([]byte("kind: SIGNAL_CLASSIFICATION\ninput: {type: signal, shape: [], mean: [1, 2]}"))
	f.Fuzz(func(t *testing.T, data []byte) {
		s, err := ParseSpec("m", data)
		if err != nil {
			return
		}
		if n := s.Input.Values(); n < 1 || n > 3*maxSide*maxSide {
			t.Fatalf("%d values", n)
		}
		if len(s.Labels) == 0 || math.IsNaN(s.Input.Scale) || s.TaskKind().String() != s.Kind {
			t.Fatalf("accepted %+v", s)
		}
	})
}
