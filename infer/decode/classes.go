// SPDX-License-Identifier: Apache-2.0

package decode

import (
	"fmt"
	"math"

	"edgex-offload/offload"
)

// Scores says what a classifier's numbers are.
type Scores string

// The kinds of scores.
const (
	// Auto takes them as Probabilities if none is negative and they add up to 1.
	Auto Scores = "auto"
	// Logits are turned to probabilities by softmax.
	Logits        Scores = "logits"
	Probabilities Scores = "probabilities"
)

// Classifier reads one score per label, of any shape ([1, C], [1, C, 1, 1]).
type Classifier struct {
	Labels []string
	Scores Scores
}

// Answer is the best class and its probability.
func (c Classifier) Answer(out Tensor) (offload.Answer, error) {
	if len(out.Data) != len(c.Labels) {
		return offload.Answer{}, fmt.Errorf("%v has %d scores, but labels lists %d: list one label per score", out, len(out.Data), len(c.Labels))
	}
	best, sum, negative := 0, 0., false
	for i, v := range out.Data {
		if !finite(v) {
			return offload.Answer{}, fmt.Errorf("%v: score of %q is %v: the model or its input.scale, mean or std is at fault", out, c.Labels[i], v)
		}
		if v > out.Data[best] {
			best = i
		}
		sum += float64(v)
		negative = negative || v < 0
	}
	answer := offload.Answer{Label: c.Labels[best], Confidence: out.Data[best]}
	const rounding = 1e-3 // a sum of float32 or quantised probabilities is not exactly 1
	if c.Scores == Logits || c.Scores == Auto && (negative || math.Abs(sum-1) > rounding) {
		answer.Confidence = softmaxOfBest(out.Data, out.Data[best])
	}
	answer.Confidence = min(max(answer.Confidence, 0), 1)
	return answer, nil
}

func softmaxOfBest(scores []float32, best float32) float32 {
	sum := 0.
	for _, v := range scores {
		sum += math.Exp(float64(v - best))
	}
	return float32(1 / sum)
}
