// SPDX-License-Identifier: Apache-2.0

package suggest

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"edgex-offload/infer"
)

func port(name, of string, shape ...int64) infer.Port {
	return infer.Port{Name: name, Type: of, Shape: shape}
}

func TestSuggestions(t *testing.T) {
	picture := port("images", "float32", 1, 3, 640, 640)
	names := map[string]string{"names": `{0: 'person', 1: "driver's seat"}`, "task": "detect"}
	cases := []struct {
		name    string
		graph   Graph
		kind    string
		decoder string
		input   func(in infer.Input) bool
		labels  []string // the first
		count   int
	}{
		{"ImageNet", Graph{Inputs: []infer.Port{port("x", "float32", -1, 3, 224, 224)}, Outputs: []infer.Port{port("y", "float32", -1, 1000)}}, "IMAGE_CLASSIFICATION", "classification", func(in infer.Input) bool { return in.Width == 224 && in.Layout == "NCHW" }, []string{"class0"}, 100},
		{"Keras", Graph{Inputs: []infer.Port{port("x", "float32", -1, 192, 96, 3)}, Outputs: []infer.Port{port("y", "float32", -1, 5)}}, "IMAGE_CLASSIFICATION", "classification", func(in infer.Input) bool { return in.Width == 96 && in.Height == 192 && in.Layout == "NHWC" }, []string{"class0"}, 5},
		{"grey, whole numbers", Graph{Inputs: []infer.Port{port("x", "uint8", 1, 1, 28, 28)}, Outputs: []infer.Port{port("y", "float32", 1, 10)}}, "IMAGE_CLASSIFICATION", "classification", func(in infer.Input) bool { return in.Color == "GRAY" && in.Scale == 1 }, nil, 10},
		{"YOLOv8", Graph{Inputs: []infer.Port{picture}, Outputs: []infer.Port{port("output0", "float32", 1, 6, 8400)}, Notes: names}, "OBJECT_DETECTION", "yolov8", func(in infer.Input) bool { return in.Fit == "letterbox" && in.Color == "RGB" }, []string{"person", "driver's seat"}, 2},
		{"YOLOv5", Graph{Inputs: []infer.Port{picture}, Outputs: []infer.Port{port("output0", "float32", 1, 25200, 7)}, Notes: names}, "OBJECT_DETECTION", "yolov5", func(in infer.Input) bool { return in.Fit == "letterbox" }, []string{"person"}, 2},
		{"YOLOX", Graph{Inputs: []infer.Port{port("images", "float32", 1, 3, 416, 416)}, Outputs: []infer.Port{port("output", "float32", 1, 3549, 85)}}, "OBJECT_DETECTION", "yolox", func(in infer.Input) bool { return in.Fit == "letterbox-corner" && in.Color == "BGR" && in.Scale == 1 }, []string{"class0"}, 80},
		{"end2end", Graph{Inputs: []infer.Port{picture}, Outputs: []infer.Port{port("output0", "float32", 1, 300, 6)}, Notes: names}, "OBJECT_DETECTION", "end2end", func(in infer.Input) bool { return in.Fit == "letterbox" }, []string{"person"}, 2},
		{"UltraFace", Graph{Inputs: []infer.Port{port("input", "float32", 1, 3, 240, 320)}, Outputs: []infer.Port{port("scores", "float32", 1, 4420, 2), port("boxes", "float32", 1, 4420, 4)}}, "OBJECT_DETECTION", "ssd", func(in infer.Input) bool { return in.Mean[0] == 127 && in.Width == 320 }, []string{"class0"}, 1},
		{"YuNet", Graph{Inputs: []infer.Port{port("input", "float32", 1, 3, -1, -1)}, Outputs: []infer.Port{port("cls_8", "float32"), port("obj_8", "float32"), port("bbox_8", "float32")}}, "OBJECT_DETECTION", "yunet", func(in infer.Input) bool { return in.Width == 640 && in.Pad == 0 && in.Color == "BGR" }, nil, 1},
		{"vibration", Graph{Inputs: []infer.Port{port("x", "float32", -1, 3, 1024)}, Outputs: []infer.Port{port("y", "float32", -1, 6)}}, "SIGNAL_CLASSIFICATION", "classification", func(in infer.Input) bool { return len(in.Shape) == 2 && in.Shape[1] == 1024 }, nil, 6},
		{"wear", Graph{Inputs: []infer.Port{port("x", "float32", -1, 8)}, Outputs: []infer.Port{port("y", "float32", -1, 1)}}, "REGRESSION", "regression", nil, nil, 1},
		{"autoencoder", Graph{Inputs: []infer.Port{port("x", "float32", -1, 3, 64)}, Outputs: []infer.Port{port("y", "float32", -1, 3, 64)}}, "ANOMALY_DETECTION", "anomaly", nil, []string{"normal"}, 2},
		{"BERT", Graph{Inputs: []infer.Port{port("input_ids", "int64", -1, -1), port("attention_mask", "int64", -1, -1)}, Outputs: []infer.Port{port("logits", "float32", -1, 3)}}, "NLP_ANALYSIS", "classification", func(in infer.Input) bool { return in.MaxTokens == 128 }, nil, 3},
		{"nothing known", Graph{}, "SIGNAL_CLASSIFICATION", "classification", nil, nil, 2},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			text := c.graph.YAML()
			s, err := infer.ParseSpec("m", []byte(text))
			require.NoError(t, err, text)
			assert.Equal(t, []string{c.kind, c.decoder}, []string{s.Kind, s.Decoder}, text)
			assert.Len(t, s.Labels, c.count, text)
			for i, l := range c.labels {
				assert.Equal(t, l, s.Labels[i])
			}
			if c.input != nil {
				assert.True(t, c.input(s.Input), text)
			}
		})
	}
}

func TestNamesOf(t *testing.T) {
	assert.Equal(t, []string{"a", "b c"}, namesOf("{0: 'a', 1: 'b c'}"))
	for _, note := range []string{"", "[a, b]", "{1: 'a'}", "{0: 'a', 2: 'b'}", "{0: ''}", "{0: 'a\x07'}", "{0: 'a', 0: 'b'}"} {
		assert.Nil(t, namesOf(note), note)
	}
}

// A graph is hostile: whatever it says, the suggestion is a model.yaml.
func TestSuggestionsParse(t *testing.T) {
	shape := rapid.SliceOfN(rapid.OneOf(rapid.Int64Range(-1, 700), rapid.Int64(), rapid.SampledFrom([]int64{1, 3, 4, 6, 300, 640, 8400, 25200})), 0, 6)
	ports := rapid.SliceOfN(rapid.Custom(func(t *rapid.T) infer.Port {
		return infer.Port{
			Name:  rapid.OneOf(rapid.String(), rapid.SampledFrom([]string{"input_ids", "cls_8", "obj_8", "bbox_8"})).Draw(t, "name"),
			Type:  rapid.SampledFrom([]string{"float32", "uint8", "int64", ""}).Draw(t, "type"),
			Shape: shape.Draw(t, "shape"),
		}
	}), 0, 4)
	rapid.Check(t, func(t *rapid.T) {
		g := Graph{Inputs: ports.Draw(t, "inputs"), Outputs: ports.Draw(t, "outputs"), Notes: map[string]string{
			"names": rapid.OneOf(rapid.String(), rapid.StringMatching(`\{0: '[^']{0,9}'(, 1: '[^']{0,9}')?\}`)).Draw(t, "names"), "task": "detect",
		}}
		if _, err := infer.ParseSpec("m", []byte(g.YAML())); err != nil {
			t.Fatalf("%v\n%s", err, g.YAML())
		}
	})
}
