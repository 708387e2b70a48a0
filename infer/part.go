// SPDX-License-Identifier: Apache-2.0

package infer

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"slices"
	"strings"

	"edgex-offload/infer/features"
	"edgex-offload/offload"
)

// Features is the decoder of a head, whose outputs are encoded and not read, and the
// input.type of a tail.
const Features = "features"

// The parts of a split model.
const (
	Head = "head"
	Tail = "tail"
)

// Split says of a part of a network to which whole it belongs. `offload model split` writes it.
// A head answers only those who ask for its variant by name, with Answer.Features; a tail only
// tasks whose content type is features.Type and whose payload carries its cut.
type Split struct {
	// Part is Head or Tail; empty for a whole model.
	Part string `yaml:"part" json:"part"`
	// Of is the whole model's variant, "name/version".
	Of string `yaml:"of" json:"of"`
	// At are the tensors between the parts.
	At []string `yaml:"at" json:"at"`
	// SHA256 is that of the whole's model.onnx: parts of other weights do not fit.
	SHA256 string `yaml:"sha256" json:"sha256"`
	// Tail is, of a head, the variant that continues.
	Tail string `yaml:"tail" json:"tail,omitempty"`
	// Values is how a head encodes them: "uint8" (quantised, the default) or "float32".
	Values string `yaml:"values" json:"values"`
	// FeatureBytes, HeadMs and TailMs are what a head was measured with: how much goes out
	// and how long either part takes from payload to answer, in milliseconds.
	FeatureBytes int     `yaml:"feature_bytes" json:"featureBytes,omitempty"`
	HeadMs       float64 `yaml:"head_ms" json:"headMs,omitempty"`
	TailMs       float64 `yaml:"tail_ms" json:"tailMs,omitempty"`
}

// FeatureTensor is one tensor that a tail is fed.
type FeatureTensor struct {
	Name string `yaml:"name"`
	// Shape with a batch of one in front.
	Shape []int `yaml:"shape"`
}

// Cut identifies the split: the same network, cut at the same tensors. It is the beginning of a
// SHA-256 of both.
func (s Split) Cut() features.Cut {
	sum := sha256.Sum256([]byte(strings.ToLower(s.SHA256) + "\n" + strings.Join(s.At, "\n")))
	return features.Cut(sum[:])
}

func (s Split) encoding() features.Encoding {
	if s.Values == "float32" {
		return features.Float32
	}
	return features.Uint8
}

// validateSplit checks a part of a network; it stands in for validateKind.
func (s Spec) validateSplit(c *checker) {
	_, err := offload.ParseKind(s.Kind)
	c.check(err == nil, "kind", quoted(s.Kind), "that of the whole model")
	c.oneOf("split.part", s.Split.Part, Head, Tail)
	c.check((s.Split.Part == Head) == (s.Decoder == Features), "decoder", quoted(s.Decoder), "features for a head (split.part), the whole's for a tail")
	c.check((s.Split.Part == Tail) == (s.Input.Type == Features), "input.type", quoted(s.Input.Type), "features for a tail (split.part), the whole's for a head")
	c.oneOf("split.values", s.Split.Values, "uint8", "float32")
	sum, err := hex.DecodeString(s.Split.SHA256)
	c.check(err == nil && len(sum) == sha256.Size, "split.sha256", quoted(s.Split.SHA256), "64 hex digits: that of the whole's model.onnx")
	c.check(len(s.Split.At) >= 1 && len(s.Split.At) <= features.MaxTensors, "split.at", s.Split.At, fmt.Sprintf("a list of 1 to %d tensors", features.MaxTensors))
	c.check(s.Split.FeatureBytes >= 0, "split.feature_bytes", s.Split.FeatureBytes, "0 or more")
	c.figure("split.head_ms", s.Split.HeadMs)
	c.figure("split.tail_ms", s.Split.TailMs)
	c.check(!s.reconstructs(), "anomaly.reconstruction", quoted(s.Anomaly.Reconstruction), "none for a part of a network, which has not the whole's input")
	if s.Split.Part == Head {
		c.check(slices.Equal(s.Outputs, s.Split.At), "outputs", s.Outputs, "the same list as split.at")
		return
	}
	for _, u := range uses() {
		if s.Kind == u.kind.String() {
			c.oneOf("decoder", s.Decoder, u.decoders...)
		}
	}
	s.validateTensors(c)
}

func (s Spec) validateTensors(c *checker) {
	least := 0
	if s.TaskKind() == offload.ObjectDetection { // boxes are in the picture's pixels
		least = 1
	}
	side := fmt.Sprintf("%d to %d pixels", least, maxSide)
	c.check(s.Input.Width >= least && s.Input.Width <= maxSide, "input.width", s.Input.Width, side)
	c.check(s.Input.Height >= least && s.Input.Height <= maxSide, "input.height", s.Input.Height, side)
	names := make([]string, len(s.Input.Tensors))
	left := features.MaxValues
	for i, t := range s.Input.Tensors {
		names[i] = t.Name
		c.check(len(t.Name) >= 1 && len(t.Name) <= features.MaxName, fmt.Sprintf("input.tensors[%d].name", i), quoted(t.Name), fmt.Sprintf("1 to %d bytes", features.MaxName))
		c.check(len(t.Shape) >= 1 && len(t.Shape) <= features.MaxRank, fmt.Sprintf("input.tensors[%d].shape", i), fmt.Sprintf("%d long", len(t.Shape)), fmt.Sprintf("1 to %d dimensions, the batch of 1 in front", features.MaxRank))
		n := 1
		for _, d := range t.Shape {
			if d < 1 || d > left/n {
				c.check(false, fmt.Sprintf("input.tensors[%d].shape", i), t.Shape, fmt.Sprintf("dimensions of 1 or more, and up to %d values in all", features.MaxValues))
				return
			}
			n *= d
		}
		left -= n
	}
	c.check(slices.Equal(names, s.Split.At), "input.tensors", names, "the names of split.at, in this order")
}

// feeds are a tail's tensors.
func (in Input) featureFeeds() []Fed {
	feeds := make([]Fed, len(in.Tensors))
	for i, t := range in.Tensors {
		feeds[i].Name = t.Name
		for _, d := range t.Shape {
			feeds[i].Shape = append(feeds[i].Shape, int64(d))
		}
	}
	return feeds
}

// exampleFeatures are zeros of no cut, which every tail takes.
func (in Input) exampleFeatures() []byte {
	f := features.Features{At: features.Placement{PictureWidth: in.Width, PictureHeight: in.Height, Width: in.Width, Height: in.Height}}
	for _, feed := range in.Feeds() {
		n := 1
		for _, d := range feed.Shape {
			n *= int(d)
		}
		f.Tensors = append(f.Tensors, features.Tensor{Name: feed.Name, Shape: feed.Shape, Data: make([]float32, n)})
	}
	b, _ := features.NewCodec().Encode(f, features.Uint8) // validate has seen to what it refuses
	return b
}

// meant says whether a part of a network is what a task is for; a whole is for every task but
// features.
func (s Spec) meant(task offload.Task) bool {
	if task.Context["content-type"] != features.Type {
		return s.Split.Part == ""
	}
	cut, err := features.CutOf(task.Payload)
	return err == nil && s.Split.Part == Tail && cut == s.Split.Cut()
}

// errCut tells features of another network from those of this one.
var errCut = errors.New("the features are of another network, or of another cut")
