// SPDX-License-Identifier: Apache-2.0

package infer

import (
	"errors"
	"fmt"
	"math"
	"unicode"
	"unicode/utf8"

	"edgex-offload/infer/decode"
)

// maxRegressed bounds the numbers of one answer.
const maxRegressed = 1000

// Regression says what a regression's numbers are. Each list has one entry, or one per
// label.
type Regression struct {
	// Units as in [mm]; the default is none.
	Units []string `yaml:"units"`
	// A number v of the graph becomes v*Scale + Offset; the defaults are 1 and 0.
	Scale  []float64 `yaml:"scale"`
	Offset []float64 `yaml:"offset"`
}

// Anomaly says what tells an anomaly from the normal.
type Anomaly struct {
	// Threshold of the score; a score above it is an anomaly. It has to be given.
	Threshold float64 `yaml:"threshold"`
	// Below turns it round: a score below the threshold is an anomaly, as an isolation
	// forest has it.
	Below bool `yaml:"below"`
	// Reconstruction: "none" (the default): the output is the score; of an autoencoder,
	// whose output is the input again, "squared" or "absolute": the mean of these differences.
	Reconstruction string `yaml:"reconstruction"`
}

// validateValues checks the sections of the decoders that answer with numbers.
func (s Spec) validateValues(c *checker) {
	switch s.Decoder {
	case RegressionHead:
		s.Regression.validate(c, len(s.Labels))
		c.check(len(s.Labels) <= maxRegressed, "labels", fmt.Sprintf("%d long", len(s.Labels)), fmt.Sprintf("up to %d for decoder regression", maxRegressed))
	case AnomalyHead:
		a := s.Anomaly
		if math.IsNaN(a.Threshold) { // the default
			c.errs = append(c.errs, errors.New("anomaly.threshold is not given: needed is the score above which it is an anomaly; begin with 0 and see what the normal has"))
		}
		c.oneOf("anomaly.reconstruction", a.Reconstruction, string(decode.NoReconstruction), string(decode.Squared), string(decode.Absolute))
		c.check(len(s.Labels) == 2, "labels", fmt.Sprintf("%d long", len(s.Labels)), "the names of the normal and of the anomaly, or leave it out")
	}
}

func (r Regression) validate(c *checker, labels int) {
	fits := func(key string, n int) {
		c.check(n == 1 || n == labels, key, fmt.Sprintf("%d long", n), fmt.Sprintf("one, or %d: one per label", labels))
	}
	fits("regression.units", len(r.Units))
	fits("regression.scale", len(r.Scale))
	fits("regression.offset", len(r.Offset))
	for i, u := range r.Units {
		c.check(len(u) <= 32 && printable(u), fmt.Sprintf("regression.units[%d]", i), quoted(u), "up to 32 bytes of text")
	}
	for i, v := range r.Scale {
		c.check(math.Abs(v) >= 1e-9 && math.Abs(v) <= 1e9, fmt.Sprintf("regression.scale[%d]", i), v, "1e-9 to 1e9")
	}
	for i, v := range r.Offset {
		c.check(math.Abs(v) <= 1e9, fmt.Sprintf("regression.offset[%d]", i), v, "-1e9 to 1e9")
	}
}

// printable is what may stand in a log line and in an answer on the wire.
func printable(text string) bool {
	for _, r := range text {
		if unicode.IsControl(r) {
			return false
		}
	}
	return utf8.ValidString(text)
}
