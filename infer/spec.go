// SPDX-License-Identifier: Apache-2.0

package infer

import (
	"fmt"
	"math"
	"slices"

	"edgex-offload/infer/decode"
	"edgex-offload/internal/strictyaml"
	"edgex-offload/offload"
)

// SpecFile and GraphFile are the names of the two files of a model's version.
const (
	SpecFile  = "model.yaml"
	GraphFile = "model.onnx"
)

// maxSpecBytes bounds model.yaml; 1000 long labels take 40 KB.
const maxSpecBytes = 1 << 20

// Where a model may run.
const (
	Box   = "box"
	Cloud = "cloud"
)

// What runs a model's graph.
const (
	// ONNX: ONNX Runtime in this process, with the model.onnx beside model.yaml.
	ONNX = "onnx"
	// OIP: a model server that speaks the Open Inference Protocol, as Triton.
	OIP = "oip"
)

// Spec is a model.yaml: everything that is needed to feed the graph beside it and to
// read its answer. ParseSpec fills in the defaults.
type Spec struct {
	// Description is for people.
	Description string `yaml:"description"`
	// Serves is the logical model that a task asks for; the default is the folder's name.
	Serves string `yaml:"serves"`
	// RunsOn lists where the model is loaded: Box, Cloud; the default is both.
	RunsOn []string `yaml:"runs_on"`
	// Backend is ONNX (the default) or OIP.
	Backend string `yaml:"backend"`
	// OIP says what a model server has the model as. It needs no model.onnx; one that is
	// there is compared with what the server says.
	OIP Served `yaml:"oip"`
	// Kind is the name of an offload.Kind, as in "IMAGE_CLASSIFICATION".
	Kind  string `yaml:"kind"`
	Input Input  `yaml:"input"`
	// Decoder says what the output means: Classification, YOLOv5, ... as the kind allows.
	Decoder string `yaml:"decoder"`
	// Outputs names the graph's outputs that the decoder reads: one; for SSD scores and
	// boxes; for YuNet all cls, all obj, all bbox. The default is to tell them by their names,
	// shapes and types.
	Outputs []string `yaml:"outputs"`
	// Scores says what a classifier's output is: "logits" (softmax is applied),
	// "probabilities", or "auto": probabilities if none is negative and they add up to 1.
	Scores    string    `yaml:"scores"`
	Detection Detection `yaml:"detection"`
	// Regression and Anomaly are for the decoders of these names.
	Regression Regression `yaml:"regression"`
	Anomaly    Anomaly    `yaml:"anomaly"`
	// Labels are the classes in the order of the output, or what a regression's numbers are
	// called. For SSD a background class in front of them is told by the shape and is not
	// listed. For an anomaly they are normal and anomaly by default.
	Labels []string `yaml:"labels"`
	// Accuracy is the share of right answers on held-out data, 0 to 1 (for a detector a
	// figure that can be compared with the same task's other models); 0 for unknown.
	Accuracy float64 `yaml:"accuracy"`
	// Measured says how Accuracy came about.
	Measured Measured `yaml:"measured"`
	// Batch is how tasks that come at the same time run together.
	Batch Batch `yaml:"batch"`
	// SHA256 of model.onnx in hex; empty for not checked.
	SHA256 string `yaml:"sha256"`
	// Split is set of a part of a network; a whole one has none.
	Split     Split `yaml:"split"`
	Operation `yaml:",inline"`
}

// Served is a model on a model server.
type Served struct {
	// Model is its name there; the default is the folder's.
	Model string `yaml:"model"`
	// Version there; empty leaves it to the server.
	Version string `yaml:"version"`
}

// Input says how a payload becomes the graph's input, a float32 tensor.
// An image's value v, 0 to 255, becomes (v*Scale - Mean) / Std of its channel.
type Input struct {
	// Name of the graph's input; the default is its only one.
	Name string `yaml:"name"`
	// Type is "image" (JPEG, PNG), "signal" (float32, little endian, C order), "text" (UTF-8), or
	// "features" of a tail.
	Type string `yaml:"type"`

	// Width and Height are the picture's size in the tensor, in pixels.
	Width  int `yaml:"width"`
	Height int `yaml:"height"`
	// Layout is NCHW (the default) or NHWC.
	Layout string `yaml:"layout"`
	// Color is RGB (the default), BGR or GRAY.
	Color string `yaml:"color"`
	// Fit is how a picture of other proportions gets its size: "stretch" (the default),
	// "letterbox" (proportions kept, centred) or "letterbox-corner" (kept, at the top left).
	Fit string `yaml:"fit"`
	// Pad is the value, 0 to 255, of what letterbox leaves free; the default is 114.
	Pad int `yaml:"pad"`
	// Resize is how pixels become fewer: "area" (the default) averages all of them, "fast"
	// takes the linear mean of the nearest, which aliases, as OpenCV's INTER_LINEAR.
	Resize string `yaml:"resize"`
	// Invert takes 255 - v for each value first: dark on white for a model of white on black.
	Invert bool `yaml:"invert"`

	// Shape of a signal without the batch, as in [3, 1024]: channels, samples.
	Shape []int `yaml:"shape"`
	// Normalize of a signal works on each row of the last dimension before Scale: "none"
	// (the default), "center" (takes its mean off) or "standard" (mean 0, deviation 1).
	Normalize string `yaml:"normalize"`

	// Vocabulary of a text is the file beside model.yaml with BERT's word pieces, by default
	// vocab.txt; Cased keeps capitals and accents, which an uncased model has without.
	Vocabulary string `yaml:"vocabulary"`
	Cased      bool   `yaml:"cased"`
	// MaxTokens is the length of the tensor of a text, [CLS] and [SEP] included; what is
	// longer is cut, what is shorter filled with [PAD]. The default is 128.
	MaxTokens int `yaml:"max_tokens"`

	// Scale is 1/255 by default for an image and 1 for a signal.
	Scale float64 `yaml:"scale"`
	// Mean (default 0) and Std (default 1): one number, or one per channel.
	Mean []float64 `yaml:"mean"`
	Std  []float64 `yaml:"std"`

	// Tensors are what a tail is fed. Its Width and Height are those of the whole's picture.
	Tensors []FeatureTensor `yaml:"tensors"`
}

// Detection are a detector's limits.
type Detection struct {
	// Threshold is the least confidence of an object, 0 to 1; the default is 0.25.
	Threshold float64 `yaml:"threshold"`
	// IoU is how much two boxes of a class may overlap before the weaker one goes
	// (non-maximum suppression), 0 to 1; the default is 0.45.
	IoU float64 `yaml:"iou"`
	// Agnostic lets a box suppress those of other classes too.
	Agnostic bool `yaml:"agnostic"`
	// MaxObjects is how many objects are kept, best first; the default is 100.
	MaxObjects int `yaml:"max_objects"`
	// Strides of YOLOX's and YuNet's grids in pixels; the default is 8, 16, 32.
	Strides []int `yaml:"strides"`
}

// Measured says how an accuracy was measured, so that it can be measured again.
type Measured struct {
	Data    string `yaml:"data"`
	Samples int    `yaml:"samples"`
	Command string `yaml:"command"`
}

// ParseSpec reads a model.yaml of the model with this name, fills in the defaults and
// checks it. The error names every key that is wrong, its value and what is allowed.
func ParseSpec(name string, data []byte) (Spec, error) {
	if len(data) > maxSpecBytes {
		return Spec{}, fmt.Errorf("%d bytes: allowed are up to %d", len(data), maxSpecBytes)
	}
	s := Spec{
		Serves:  name,
		RunsOn:  []string{Box, Cloud},
		Scores:  "auto",
		Backend: ONNX,
		Split:   Split{Values: "uint8"},
		Input:   Input{Layout: "NCHW", Color: "RGB", Fit: "stretch", Pad: 114, Resize: "area", Normalize: "none", Scale: math.NaN(), Mean: []float64{0}, Std: []float64{1}, Vocabulary: "vocab.txt", MaxTokens: 128},
		Batch:   Batch{DelayMs: 2},
		Detection: Detection{
			Threshold: .25, IoU: .45, MaxObjects: 100, Strides: []int{8, 16, 32},
		},
		Regression: Regression{Units: []string{""}, Scale: []float64{1}, Offset: []float64{0}},
		Anomaly:    Anomaly{Threshold: math.NaN(), Reconstruction: string(decode.NoReconstruction)},
		Operation:  defaultOperation(),
	}
	if _, err := strictyaml.Decode(data, &s); err != nil {
		return Spec{}, err
	}
	if s.Backend == OIP && s.OIP.Model == "" {
		s.OIP.Model = name
	}
	if math.IsNaN(s.Input.Scale) { // not given: strictyaml lets no such number through
		s.Input.Scale = 1
		if s.Input.Type == "image" {
			s.Input.Scale = 1. / 255
		}
	}
	if s.Decoder == AnomalyHead && s.Labels == nil {
		s.Labels = []string{"normal", "anomaly"}
	}
	if err := s.validate(); err != nil {
		return Spec{}, err
	}
	return s, nil
}

// LoadSpec reads the model.yaml at path. The error begins with the path.
func LoadSpec(name, path string) (Spec, error) {
	data, err := readSmall(path, maxSpecBytes)
	if err != nil {
		return Spec{}, err
	}
	s, err := ParseSpec(name, data)
	if err != nil {
		return Spec{}, fmt.Errorf("%s: %w", path, err)
	}
	return s, nil
}

// TaskKind is the kind of task that the model answers.
func (s Spec) TaskKind() offload.Kind {
	k, _ := offload.ParseKind(s.Kind) // checked by validate
	return k
}

// Channels of the input: 1 for GRAY and for text, 3 for another picture, a signal's first
// dimension.
func (in Input) Channels() int {
	switch {
	case in.Type == "signal":
		return in.Shape[0]
	case in.Color == "GRAY" || in.Type == "text":
		return 1
	}
	return 3
}

// TensorShape is the shape of the tensor that is fed, with a batch of one in front.
func (in Input) TensorShape() []int64 {
	switch {
	case in.Type == "text":
		return []int64{1, int64(in.MaxTokens)}
	case in.Type == "signal":
		shape := []int64{1}
		for _, d := range in.Shape {
			shape = append(shape, int64(d))
		}
		return shape
	case in.Layout == "NHWC":
		return []int64{1, int64(in.Height), int64(in.Width), int64(in.Channels())}
	}
	return []int64{1, int64(in.Channels()), int64(in.Height), int64(in.Width)}
}

// Fed is a tensor that a graph is fed.
type Fed struct {
	// Name of the graph's input; empty for its only one. Others are names that it may have
	// instead.
	Name   string
	Others []string
	// Shape with a batch of one in front.
	Shape []int64
	// Optional: a graph without this input is fed the others.
	Optional bool
}

// Is says whether a graph's input of this name is meant.
func (f Fed) Is(name string) bool { return name == f.Name || slices.Contains(f.Others, name) }

// Feeds lists what the graph is fed.
func (in Input) Feeds() []Fed {
	switch in.Type {
	case Features:
		return in.featureFeeds()
	case "text":
		return in.feedsText()
	}
	return []Fed{{Name: in.Name, Shape: in.TensorShape()}}
}

// Values is how many numbers the tensor holds.
func (in Input) Values() int {
	n := 1
	for _, d := range in.TensorShape() {
		n *= int(d)
	}
	return n
}
