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
		{"kind", "IMAGE_CLASSIFICATION", "SMELL", []string{`kind is "SMELL"`, "OBJECT_DETECTION", "NLP_ANALYSIS", "SIGNAL_CLASSIFICATION", "REGRESSION", "ANOMALY_DETECTION"}},
		{"kind of another input", "IMAGE_CLASSIFICATION", "NLP_ANALYSIS", []string{`input.type is "image": allowed is text for kind NLP_ANALYSIS`}},
		{"kind of another decoder", "IMAGE_CLASSIFICATION", "OBJECT_DETECTION", []string{`decoder is "classification": allowed is yolov5, yolov8, yolox, ssd, yunet, end2end for kind OBJECT_DETECTION`}},
		{"label with a control character", "good", `"a\tb"`, []string{`labels[0] is "a\tb"`}},
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

func TestParseSpecOfEachDecoder(t *testing.T) {
	detector := "kind: OBJECT_DETECTION\ninput: {type: image, width: 64, height: 64}\n"
	cases := []struct {
		name, text string
		want       []string // in the error; none for a model.yaml that is right
	}{
		{"yunet", detector + "decoder: yunet\nlabels: [face]", nil},
		{"yunet of two", detector + "decoder: yunet\nlabels: [face, cat]", []string{"labels is 2 long: allowed is 1 for decoder yunet"}},
		{"yunet's outputs", detector + "decoder: yunet\nlabels: [face]\noutputs: [a, b]", []string{"outputs is [a b]: allowed is a list of 9 for decoder yunet"}},
		{"end2end", detector + "decoder: end2end\nlabels: [a, b]\ndetection: {agnostic: true}", nil},
		{"agnostic", detector + "decoder: yolov8\nlabels: [a, b]\ndetection: {agnostic: 1}", []string{`detection.agnostic is "1": allowed is true or false`}},
		{"ssd's outputs", detector + "decoder: ssd\nlabels: [a]\noutputs: [a]", []string{"a list of 2 for decoder ssd"}},

		{"text", "kind: NLP_ANALYSIS\ninput: {type: text}\ndecoder: classification\nlabels: [good, bad]", nil},
		{"tokens", "kind: NLP_ANALYSIS\ninput: {type: text, max_tokens: 2}\ndecoder: classification\nlabels: [good, bad]", []string{"input.max_tokens is 2: allowed is 3 to 8192"}},
		{"vocabulary", "kind: NLP_ANALYSIS\ninput: {type: text, vocabulary: ../vocab.txt}\ndecoder: classification\nlabels: [good, bad]", []string{`input.vocabulary is "../vocab.txt": allowed is the name of a file beside model.yaml`}},
		{"hidden vocabulary", "kind: NLP_ANALYSIS\ninput: {type: text, vocabulary: .vocab.txt}\ndecoder: classification\nlabels: [good, bad]", []string{`input.vocabulary is ".vocab.txt": allowed is the name of a file beside model.yaml`}},
		{"text of a size", "kind: NLP_ANALYSIS\ninput: {type: text, width: 5, shape: [1]}\ndecoder: classification\nlabels: [good, bad]", []string{"input.width is 5", "input.shape is [1]"}},
		{"text as a picture", "kind: OBJECT_DETECTION\ninput: {type: text}\ndecoder: yolov5\nlabels: [a]", []string{`input.type is "text": allowed is image for kind OBJECT_DETECTION`}},

		{"regression", "kind: REGRESSION\ninput: {type: signal, shape: [8]}\ndecoder: regression\nlabels: [wear, heat]\nregression: {units: [mm, °C], scale: [2], offset: [0, -1]}", nil},
		{"regression by default", "kind: REGRESSION\ninput: {type: image, width: 8, height: 8}\ndecoder: regression\nlabels: [age]", nil},
		{"units", "kind: REGRESSION\ninput: {type: signal, shape: [8]}\ndecoder: regression\nlabels: [a]\nregression: {units: [mm, s], scale: [], offset: [1, 2]}", []string{"regression.units is 2 long: allowed is one, or 1: one per label", "regression.scale is 0 long", "regression.offset is 2 long"}},
		{"unit", "kind: REGRESSION\ninput: {type: signal, shape: [8]}\ndecoder: regression\nlabels: [a]\nregression: {units: [\"a\\nb\"], scale: [0], offset: [1e10]}", []string{`regression.units[0] is "a\nb"`, "regression.scale[0] is 0", "regression.offset[0] is 1e+10"}},
		{"regression as a class", "kind: REGRESSION\ninput: {type: signal, shape: [8]}\ndecoder: classification\nlabels: [a]", []string{`decoder is "classification": allowed is regression for kind REGRESSION`}},

		{"anomaly", "kind: ANOMALY_DETECTION\ninput: {type: signal, shape: [8]}\ndecoder: anomaly\nanomaly: {threshold: 0, reconstruction: squared}", nil},
		{"no threshold", "kind: ANOMALY_DETECTION\ninput: {type: signal, shape: [8]}\ndecoder: anomaly", []string{"anomaly.threshold is not given"}},
		{"reconstruction", "kind: ANOMALY_DETECTION\ninput: {type: signal, shape: [8]}\ndecoder: anomaly\nanomaly: {threshold: 1, reconstruction: mse}\nlabels: [ok]", []string{`anomaly.reconstruction is "mse": allowed is none, squared, absolute`, "labels is 1 long: allowed is the names of the normal and of the anomaly"}},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			s, err := ParseSpec("m", []byte(c.text))
			if c.want == nil {
				require.NoError(t, err)
				assert.Equal(t, s.Kind, s.TaskKind().String())
				return
			}
			for _, w := range c.want {
				assert.ErrorContains(t, err, w)
			}
		})
	}
}

func TestPickOutputs(t *testing.T) {
	names := func(list ...string) (ports []Port) {
		for _, n := range list {
			name, kind, _ := strings.Cut(n, ":")
			ports = append(ports, Port{Name: name, Type: kind})
		}
		return ports
	}
	yunet := Spec{Decoder: YuNet, Detection: Detection{Strides: []int{8, 16}}}
	cases := []struct {
		name  string
		spec  Spec
		graph []Port
		want  []int
		err   string
	}{
		{"the first", Spec{Decoder: YOLOv5}, names("output0", "a", "b"), []int{0}, ""},
		{"probabilities behind the label", Spec{Decoder: Classification}, names("label:int64", "probabilities:float32"), []int{1}, ""},
		{"whole numbers alone", Spec{Decoder: Classification}, names("q:uint8"), []int{0}, ""},
		{"named", Spec{Decoder: Classification, Outputs: []string{"b"}}, names("a", "b"), []int{1}, ""},
		{"named wrong", Spec{Decoder: Classification, Outputs: []string{"c"}}, names("a", "b"), nil, `outputs[0] is "c": the graph has "a", "b"`},
		{"ssd", Spec{Decoder: SSD}, names("boxes", "scores"), []int{0, 1}, ""},
		{"ssd of three", Spec{Decoder: SSD}, names("a", "b", "c"), nil, "name the two that decoder ssd reads in outputs"},
		{"yunet", yunet, names("kps_8", "bbox_16", "bbox_8", "obj_16", "obj_8", "cls_16", "cls_8"), []int{6, 5, 4, 3, 2, 1}, ""},
		{"yunet by other names", yunet, names("loc", "conf", "iou"), nil, `output 0 of decoder yunet would be "cls_8": the graph has "loc", "conf", "iou": name them in outputs`},
		{"none", Spec{Decoder: YOLOX}, nil, nil, "the graph has no output"},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			got, err := c.spec.PickOutputs(c.graph)
			if c.err != "" {
				require.ErrorContains(t, err, c.err)
				return
			}
			require.NoError(t, err)
			assert.Equal(t, c.want, got)
		})
	}
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
	f.Add([]byte("kind: NLP_ANALYSIS\ninput: {type: text, max_tokens: 8}\ndecoder: classification\nlabels: [a, b]"))
	f.Add([]byte("kind: REGRESSION\ninput: {type: signal, shape: [8]}\ndecoder: regression\nlabels: [a]\nregression: {units: [mm], scale: [2], offset: [1]}"))
	f.Add([]byte("kind: ANOMALY_DETECTION\ninput: {type: signal, shape: [8]}\ndecoder: anomaly\nanomaly: {threshold: 1, reconstruction: squared}"))
	f.Add([]byte("kind: OBJECT_DETECTION\ninput: {type: image, width: 64, height: 64}\ndecoder: yunet\nlabels: [face]"))
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
