// SPDX-License-Identifier: Apache-2.0

package infer

import (
	"math"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"edgex-offload/offload"
)

func TestFillSignalNormalises(t *testing.T) {
	in := Input{Type: "signal", Shape: []int{2, 3}, Normalize: "none", Scale: 1, Mean: []float64{0}, Std: []float64{1}}
	cases := []struct {
		name string
		with func(*Input)
		want []float32
	}{
		{"none", func(*Input) {}, []float32{1, 2, 3, 10, 10, 10}},
		{"scale", func(in *Input) { in.Scale = .5 }, []float32{.5, 1, 1.5, 5, 5, 5}},
		{"per channel", func(in *Input) { in.Mean, in.Std = []float64{1, 10}, []float64{1, 2} }, []float32{0, 1, 2, 0, 0, 0}},
		{"center", func(in *Input) { in.Normalize = "center" }, []float32{-1, 0, 1, 0, 0, 0}},
		{"standard, and a row without variation", func(in *Input) { in.Normalize = "standard" }, []float32{-1.224745, 0, 1.224745, 0, 0, 0}},
		{"standard, then scale", func(in *Input) { in.Normalize, in.Scale = "standard", 2 }, []float32{-2.44949, 0, 2.44949, 0, 0, 0}},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			in := in
			c.with(&in)
			got := make([]float32, 6)
			require.NoError(t, fillSignal(in, got, offload.Task{Payload: floats(1, 2, 3, 10, 10, 10), Context: map[string]string{"shape": "1x2x3"}}))
			assert.InDeltaSlice(t, c.want, got, 1e-5)
		})
	}
}

func FuzzFillSignal(f *testing.F) {
	f.Add(floats(1, 2, 3, 4, 5, 6), "2x3", true)
	f.Add(floats(1, 2, 3, 4, 5, float32(math.Inf(1))), "", false)
	f.Add(floats(math.MaxFloat32, -math.MaxFloat32, 3, 4, 5, 6), "", true)
	f.Fuzz(func(t *testing.T, payload []byte, shape string, standard bool) {
		in := Input{Type: "signal", Shape: []int{2, 3}, Normalize: "none", Scale: 1, Mean: []float64{0}, Std: []float64{1}}
		if standard {
			in.Normalize = "standard"
		}
		dst := make([]float32, 6)
		if fillSignal(in, dst, offload.Task{Payload: payload, Context: map[string]string{"shape": shape}}) != nil {
			return
		}
		for _, v := range dst {
			if math.IsNaN(float64(v)) || math.IsInf(float64(v), 0) {
				t.Fatalf("%v from % x", dst, payload)
			}
		}
	})
}
