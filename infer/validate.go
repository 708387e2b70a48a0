// SPDX-License-Identifier: Apache-2.0

package infer

import (
	"encoding/hex"
	"fmt"
	"math"
	"slices"
	"strings"

	"edgex-offload/internal/strictyaml"
)

// Bounds of an input, so that a model file cannot ask for more memory than a box has.
const (
	maxSide   = 4096
	maxValues = 16 << 20
	maxLabels = 100_000
	maxName   = 64
)

// checker collects what is wrong, each with key, value and what is allowed.
type checker struct{ errs []error }

func (c *checker) check(ok bool, key string, value any, allowed string) {
	if ok {
		return
	}
	c.errs = append(c.errs, fmt.Errorf("%s is %v: allowed is %s", key, value, allowed))
}

func (c *checker) oneOf(key, value string, allowed ...string) {
	c.check(slices.Contains(allowed, value), key, quoted(value), strings.Join(allowed, ", "))
}

// figure checks what was measured.
func (c *checker) figure(key string, value float64) {
	c.check(value >= 0 && value <= 1e9, key, value, "0 to 1e9")
}

// validate checks what the types cannot say.
func (s Spec) validate() error {
	c := &checker{}
	c.check(validName(s.Serves), "serves", quoted(s.Serves), nameRule)
	c.check(len(s.RunsOn) > 0, "runs_on", "empty", "a list of box, cloud")
	for i, place := range s.RunsOn {
		c.oneOf(fmt.Sprintf("runs_on[%d]", i), place, Box, Cloud)
	}
	s.validateBackend(c)
	if s.Split.Part != "" || s.Decoder == Features || s.Input.Type == Features {
		s.validateSplit(c)
	} else {
		s.validateKind(c)
	}
	s.Input.validate(c)
	c.oneOf("scores", s.Scores, "auto", "logits", "probabilities")
	c.check(s.Decoder != Classification || len(s.Labels) != 1, "labels", "1 long", "2 or more for a classifier")
	c.check(s.Decoder != YuNet || len(s.Labels) == 1, "labels", fmt.Sprintf("%d long", len(s.Labels)), "1 for decoder yunet, which has one class")
	c.check(s.Split.Part == Head || len(s.Labels) >= 1 && len(s.Labels) <= maxLabels, "labels", fmt.Sprintf("%d long", len(s.Labels)), fmt.Sprintf("1 to %d labels", maxLabels))
	for i, l := range s.Labels {
		if l == "" || len(l) > 200 || !printable(l) {
			c.check(false, fmt.Sprintf("labels[%d]", i), quoted(l), "1 to 200 bytes of text")
		}
	}
	s.validateOutputs(c)
	s.validateValues(c)
	s.Detection.validate(c)
	s.Batch.validate(c)
	c.check(s.Accuracy >= 0 && s.Accuracy <= 1, "accuracy", s.Accuracy, "0 to 1, as in 0.93")
	c.check(s.Measured.Samples >= 0, "measured.samples", s.Measured.Samples, "0 or more")
	s.Operation.validate(c)
	sum, err := hex.DecodeString(s.SHA256)
	c.check(err == nil && (len(sum) == 0 || len(sum) == 32), "sha256", quoted(s.SHA256), "64 hex digits, or leave it out")
	return oneLine(c.errs)
}

func (s Spec) validateBackend(c *checker) {
	c.oneOf("backend", s.Backend, ONNX, OIP)
	if s.Backend != OIP {
		c.check(s.OIP == Served{}, "oip", fmt.Sprintf("given (model %s, version %s)", quoted(s.OIP.Model), quoted(s.OIP.Version)), "with backend: oip alone")
		return
	}
	c.check(printable(s.OIP.Model) && len(s.OIP.Model) >= 1 && len(s.OIP.Model) <= 200, "oip.model", quoted(s.OIP.Model), "1 to 200 bytes of printable text: its name on the model server")
	c.check(printable(s.OIP.Version) && len(s.OIP.Version) <= 200, "oip.version", quoted(s.OIP.Version), `up to 200 bytes of printable text, as "1", or none for the server's choice`)
}

func (in Input) validate(c *checker) {
	c.check(math.Abs(in.Scale) >= 1e-9 && math.Abs(in.Scale) <= 1e9, "input.scale", in.Scale, "1e-9 to 1e9")
	switch in.Type {
	case "image":
		in.validateImage(c)
	case "signal":
		in.validateSignal(c)
	case "text":
		in.validateText(c)
	default:
		return // said by validateKind; what follows depends on it
	}
	in.perChannel(c, "input.mean", in.Mean, 0)
	in.perChannel(c, "input.std", in.Std, 1e-9)
}

func (in Input) validateImage(c *checker) {
	side := fmt.Sprintf("1 to %d pixels", maxSide)
	c.check(in.Width >= 1 && in.Width <= maxSide, "input.width", in.Width, side)
	c.check(in.Height >= 1 && in.Height <= maxSide, "input.height", in.Height, side)
	c.oneOf("input.layout", in.Layout, "NCHW", "NHWC")
	c.oneOf("input.color", in.Color, "RGB", "BGR", "GRAY")
	c.oneOf("input.fit", in.Fit, "stretch", "letterbox", "letterbox-corner")
	c.oneOf("input.resize", in.Resize, "area", "fast")
	c.check(in.Pad >= 0 && in.Pad <= 255, "input.pad", in.Pad, "0 to 255")
	c.check(len(in.Shape) == 0, "input.shape", in.Shape, "for type signal alone; an image has width and height")
	c.check(in.Normalize == "none", "input.normalize", in.Normalize, "for type signal alone; an image has scale, mean and std")
}

func (in Input) validateSignal(c *checker) {
	c.check(len(in.Shape) >= 1 && len(in.Shape) <= 4, "input.shape", in.Shape, "1 to 4 dimensions without the batch, as in [3, 1024]")
	values := 1
	for i, d := range in.Shape {
		ok := d >= 1 && d <= maxValues/values
		c.check(ok, fmt.Sprintf("input.shape[%d]", i), d, fmt.Sprintf("1 or more, and up to %d values in all", maxValues))
		if !ok {
			break
		}
		values *= d
	}
	c.oneOf("input.normalize", in.Normalize, "none", "center", "standard")
	c.check(in.Width == 0 && in.Height == 0, "input.width", in.Width, "for type image alone; a signal has shape")
	c.check(!in.Invert, "input.invert", in.Invert, "for type image alone")
}

func (in Input) perChannel(c *checker, key string, list []float64, least float64) {
	if len(list) != 1 && !(in.Type == "signal" && len(in.Shape) == 0) {
		c.check(len(list) == in.Channels(), key, list, fmt.Sprintf("one number, or %d: one per channel", in.Channels()))
	}
	for i, v := range list {
		c.check(math.Abs(v) >= least && math.Abs(v) <= 1e9, fmt.Sprintf("%s[%d]", key, i), v, fmt.Sprintf("%g to 1e9", least))
	}
}

func (d Detection) validate(c *checker) {
	c.check(d.Threshold >= 0 && d.Threshold <= 1, "detection.threshold", d.Threshold, "0 to 1")
	c.check(d.IoU >= 0 && d.IoU <= 1, "detection.iou", d.IoU, "0 to 1")
	c.check(d.MaxObjects >= 1 && d.MaxObjects <= 10000, "detection.max_objects", d.MaxObjects, "1 to 10000")
	c.check(len(d.Strides) >= 1 && len(d.Strides) <= 8, "detection.strides", d.Strides, "1 to 8 numbers")
	for i, s := range d.Strides {
		c.check(s >= 1 && s <= 1024, fmt.Sprintf("detection.strides[%d]", i), s, "1 to 1024 pixels")
	}
}

func oneLine(errs []error) error { return strictyaml.OneLine(errs) }

func clip(s string) string { return strictyaml.Clip(s) }

func quoted(s string) string { return fmt.Sprintf("%q", clip(s)) }

const nameRule = "1 to 64 of a-z, A-Z, 0-9, '-', '_' and '.', beginning with a letter or digit"

// validName keeps names fit for a folder, a log line, a metric and a tag.
func validName(name string) bool {
	ok := func(r rune) bool {
		return r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || r == '-' || r == '_' || r == '.'
	}
	return name != "" && len(name) <= maxName && name[0] != '-' && name[0] != '_' && name[0] != '.' &&
		!strings.ContainsFunc(name, func(r rune) bool { return !ok(r) })
}
