// SPDX-License-Identifier: Apache-2.0

package link

import (
	"math"
	"math/rand/v2"
	"testing"

	"pgregory.net/rapid"
)

// A promise that is too high, or too low, is corrected to what is kept, and one beside it
// hardly.
func TestTrustLearnsWhatIsKept(t *testing.T) {
	for _, c := range []struct{ promised, kept float64 }{{.35, .45}, {.9, .7}, {.05, .1}, {.5, .5}} {
		var trust Trust
		d := rand.New(rand.NewPCG(1, 2))
		mean := 0.
		for i := range 4000 {
			came := 0.
			if d.Float64() < c.kept {
				came = 1
			}
			trust.Learn(c.promised, came)
			if i >= 1000 {
				mean += trust.Correct(c.promised) / 3000
			}
		}
		if math.Abs(mean-c.kept) > .03 {
			t.Errorf("promised %.2f, kept %.2f: corrected to %.3f", c.promised, c.kept, mean)
		}
	}
}

func TestTrustGivesProbabilities(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var trust Trust
		for range rapid.IntRange(0, 300).Draw(t, "lessons") {
			trust.Learn(rapid.Float64Range(-1, 2).Draw(t, "promised"), rapid.Float64Range(0, 1).Draw(t, "came"))
		}
		p := rapid.Float64Range(0, 1).Draw(t, "p")
		if c := trust.Correct(p); !(c >= 0 && c <= 1) || (p == 0 || p == 1) && c != p {
			t.Fatalf("%v was corrected to %v", p, c)
		}
	})
}
