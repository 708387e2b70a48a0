// SPDX-License-Identifier: Apache-2.0

package decode

import (
	"fmt"
	"math"

	"edgex-offload/offload"
)

// Reconstruction says how an autoencoder's output is compared with its input.
type Reconstruction string

// The ways to a score.
const (
	// NoReconstruction: the output is the score.
	NoReconstruction Reconstruction = "none"
	// Squared is the mean of the squared differences, Absolute that of the absolute ones,
	// over all values of the tensor, as normalised for the graph.
	Squared  Reconstruction = "squared"
	Absolute Reconstruction = "absolute"
)

// ScoreLabel names the score among an answer's values.
const ScoreLabel = "score"

// Anomaly tells the normal from what is not by a score and a threshold.
type Anomaly struct {
	// Labels are the names of the normal and of the anomaly.
	Labels         []string
	Reconstruction Reconstruction
	Threshold      float64
	// Below: a score below the threshold is an anomaly; else one above it is.
	Below bool
}

// Answer has the label, and the score as a value. input is what the graph was fed; only a
// reconstruction looks at it.
func (a Anomaly) Answer(out Tensor, input []float32) (offload.Answer, error) {
	score, err := a.score(out, input)
	if err != nil {
		return offload.Answer{}, err
	}
	if math.IsNaN(score) || math.IsInf(score, 0) {
		return offload.Answer{}, fmt.Errorf("%v: the score is %v: the model or its input.scale, mean or std is at fault", out, score)
	}
	label := a.Labels[0]
	if score > a.Threshold && !a.Below || score < a.Threshold && a.Below {
		label = a.Labels[1]
	}
	return offload.Answer{
		Label: label, Confidence: a.distance(score), Values: []offload.Value{{Label: ScoreLabel, Value: score}},
	}, nil
}

// distance says how far a score is from the threshold: 0.5 at it, towards 1 the more the
// one is a multiple of the other, 1 where their signs differ.
func (a Anomaly) distance(score float64) float32 {
	sum := math.Abs(score) + math.Abs(a.Threshold)
	if sum == 0 {
		return .5
	}
	return float32(.5 + .5*math.Min(math.Abs(score-a.Threshold)/sum, 1))
}

func (a Anomaly) score(out Tensor, input []float32) (float64, error) {
	if a.Reconstruction == NoReconstruction {
		if len(out.Data) != 1 {
			return 0, fmt.Errorf("%v has %d numbers: decoder anomaly needs one, the score; if the output is the input again, set anomaly.reconstruction: squared or absolute", out, len(out.Data))
		}
		return float64(out.Data[0]), nil
	}
	if len(out.Data) != len(input) {
		return 0, fmt.Errorf("%v has %d numbers and the input has %d: anomaly.reconstruction %s needs the input again; if the output is a score, leave it out", out, len(out.Data), len(input), a.Reconstruction)
	}
	sum := 0.
	for i, v := range out.Data {
		d := float64(v) - float64(input[i])
		if a.Reconstruction == Squared {
			d *= d
		}
		sum += math.Abs(d)
	}
	return sum / float64(len(input)), nil
}
