// SPDX-License-Identifier: Apache-2.0

package infer

import (
	"edgex-offload/infer/decode"
	"edgex-offload/infer/picture"
	"edgex-offload/offload"
)

// answerer reads an answer out of a graph's outputs: those that Spec.PickOutputs names, at
// least one, in its order. fed is what the graph was fed, if Spec.reconstructs; at says
// where a picture lies in the tensor.
type answerer func(outputs []Tensor, fed []float32, at picture.Placement) (offload.Answer, error)

// reconstructs says whether the answer depends on the input as well.
func (s Spec) reconstructs() bool {
	return s.Decoder == AnomalyHead && s.Anomaly.Reconstruction != string(decode.NoReconstruction)
}

func newAnswerer(s Spec) answerer {
	switch s.Decoder {
	case Classification:
		c := decode.Classifier{Labels: s.Labels, Scores: decode.Scores(s.Scores)}
		return func(outputs []Tensor, _ []float32, _ picture.Placement) (offload.Answer, error) {
			return c.Answer(outputs[0])
		}
	case RegressionHead:
		r := decode.Regressor{Labels: s.Labels, Units: s.Regression.Units, Scale: s.Regression.Scale, Offset: s.Regression.Offset}
		return func(outputs []Tensor, _ []float32, _ picture.Placement) (offload.Answer, error) {
			return r.Answer(outputs[0])
		}
	case AnomalyHead:
		a := decode.Anomaly{
			Labels: s.Labels, Reconstruction: decode.Reconstruction(s.Anomaly.Reconstruction),
			Threshold: s.Anomaly.Threshold, Below: s.Anomaly.Below,
		}
		return func(outputs []Tensor, fed []float32, _ picture.Placement) (offload.Answer, error) {
			return a.Answer(outputs[0], fed)
		}
	}
	return detectorAnswerer(s)
}

func detectorAnswerer(s Spec) answerer {
	d := decode.Detector{
		Head: s.Decoder, Width: s.Input.Width, Height: s.Input.Height, Labels: s.Labels, Strides: s.Detection.Strides,
		Threshold: float32(s.Detection.Threshold), IoU: float32(s.Detection.IoU), Agnostic: s.Detection.Agnostic,
		MaxObjects: s.Detection.MaxObjects,
	}
	byShape := s.Decoder == SSD && len(s.Outputs) == 0
	return func(outputs []Tensor, _ []float32, at picture.Placement) (offload.Answer, error) {
		if byShape {
			outputs = scoresFirst(outputs)
		}
		found, err := d.Objects(outputs, at.ToPicture)
		answer := offload.Answer{Objects: found}
		if len(found) > 0 {
			answer.Label, answer.Confidence = found[0].Label, found[0].Confidence
		}
		return answer, err
	}
}

// scoresFirst tells scores from boxes, which have four values each.
func scoresFirst(outputs []Tensor) []Tensor {
	four := func(t Tensor) bool { return len(t.Shape) > 0 && t.Shape[len(t.Shape)-1] == 4 }
	if len(outputs) == 2 && four(outputs[0]) && !four(outputs[1]) {
		return []Tensor{outputs[1], outputs[0]}
	}
	return outputs
}
