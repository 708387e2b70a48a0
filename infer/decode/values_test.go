// SPDX-License-Identifier: Apache-2.0

package decode

import (
	"math"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"edgex-offload/offload"
)

func TestRegressor(t *testing.T) {
	r := Regressor{Labels: []string{"wear", "heat"}, Units: []string{"mm", "°C"}, Scale: []float64{.5}, Offset: []float64{0, 20}}
	got, err := r.Answer(Tensor{Shape: []int64{1, 2}, Data: []float32{3, 40}})
	require.NoError(t, err)
	assert.Equal(t, offload.Answer{Values: []offload.Value{{Label: "wear", Value: 1.5, Unit: "mm"}, {Label: "heat", Value: 40, Unit: "°C"}}}, got)

	_, err = r.Answer(Tensor{Name: "y", Shape: []int64{1, 3}, Data: make([]float32, 3)})
	assert.ErrorContains(t, err, `output "y" [1 3] has 3 numbers, but labels lists 2`)
	_, err = r.Answer(Tensor{Name: "y", Shape: []int64{1, 2}, Data: []float32{1, nan}})
	assert.ErrorContains(t, err, `"heat" is NaN`)
}

func TestAnomaly(t *testing.T) {
	same := []float32{1, 2, 3, 4}
	cases := []struct {
		name  string
		a     Anomaly
		out   []float32
		score float64
		label string
		conf  float32
	}{
		{"score above", Anomaly{Threshold: 2}, []float32{6}, 6, "anomaly", .75},
		{"score at the threshold", Anomaly{Threshold: 2}, []float32{2}, 2, "normal", .5},
		{"score below", Anomaly{Threshold: 2}, []float32{0}, 0, "normal", 1},
		{"isolation forest", Anomaly{Threshold: 0, Below: true}, []float32{-.1}, -.1, "anomaly", 1},
		{"isolation forest, normal", Anomaly{Threshold: -.5, Below: true}, []float32{.25}, .25, "normal", 1},
		{"both zero", Anomaly{}, []float32{0}, 0, "normal", .5},
		{"squared", Anomaly{Reconstruction: Squared, Threshold: 1}, []float32{1, 2, 3, 8}, 4, "anomaly", .8},
		{"absolute", Anomaly{Reconstruction: Absolute, Threshold: 1}, []float32{1, 2, 3, 2}, .5, "normal", 2. / 3},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			c.a.Labels = []string{"normal", "anomaly"}
			if c.a.Reconstruction == "" {
				c.a.Reconstruction = NoReconstruction
			}
			got, err := c.a.Answer(Tensor{Data: c.out}, same)
			require.NoError(t, err)
			assert.Equal(t, c.label, got.Label)
			assert.InDelta(t, c.conf, got.Confidence, 1e-6)
			require.Len(t, got.Values, 1)
			assert.Equal(t, ScoreLabel, got.Values[0].Label)
			assert.InDelta(t, c.score, got.Values[0].Value, 1e-6)
		})
	}
	labels := []string{"normal", "anomaly"}
	_, err := Anomaly{Labels: labels, Reconstruction: NoReconstruction}.Answer(Tensor{Name: "y", Shape: []int64{1, 4}, Data: same}, same)
	assert.ErrorContains(t, err, "set anomaly.reconstruction: squared or absolute")
	_, err = Anomaly{Labels: labels, Reconstruction: Squared}.Answer(Tensor{Name: "y", Shape: []int64{1}, Data: same[:1]}, same)
	assert.ErrorContains(t, err, "if the output is a score, leave it out")
	_, err = Anomaly{Labels: labels, Reconstruction: NoReconstruction}.Answer(Tensor{Data: []float32{nan}}, nil)
	assert.ErrorContains(t, err, "the score is NaN")
}

func TestAnomalyIsConfidentTheFurtherItIs(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		number := rapid.Float64Range(-1e6, 1e6)
		a := Anomaly{Labels: []string{"n", "a"}, Threshold: number.Draw(t, "threshold"), Below: rapid.Bool().Draw(t, "below")}
		got := a.distance(number.Draw(t, "score"))
		if !(got >= .5 && got <= 1) || math.IsNaN(float64(got)) {
			t.Fatalf("%v", got)
		}
	})
}
