// SPDX-License-Identifier: Apache-2.0

package decode

import (
	"encoding/json"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"edgex-offload/offload"
)

// goldenCase is a case.json: what each kind of decoder is told.
type goldenCase struct {
	Head           string
	Width, Height  int
	Labels         []string
	Threshold, IoU float64
	Agnostic       bool
	MaxObjects     int
	Strides        []int
	Scale, Offset  []float64
	Units          []string
	Reconstruction Reconstruction
	Input          []float32
}

func (c goldenCase) answer(outputs []Tensor) (offload.Answer, error) {
	switch {
	case c.Reconstruction != "":
		return Anomaly{Labels: c.Labels, Reconstruction: c.Reconstruction, Threshold: c.Threshold}.Answer(outputs[0], c.Input)
	case c.Scale != nil:
		return Regressor{Labels: c.Labels, Units: c.Units, Scale: c.Scale, Offset: c.Offset}.Answer(outputs[0])
	case c.Head == "":
		return Classifier{Labels: c.Labels, Scores: Auto}.Answer(outputs[0])
	}
	d := Detector{
		Head: c.Head, Width: c.Width, Height: c.Height, Labels: c.Labels, Threshold: float32(c.Threshold),
		IoU: float32(c.IoU), Agnostic: c.Agnostic, MaxObjects: c.MaxObjects, Strides: c.Strides,
	}
	objects, err := d.Objects(outputs, func(x, y float32) (float32, float32) {
		return min(max(x, 0), float32(c.Width)), min(max(y, 0), float32(c.Height))
	})
	return offload.Answer{Objects: objects}, err
}

// The cases are made by testdata/golden.py, which shares nothing with this package.
func TestGolden(t *testing.T) {
	read := func(dir, file string, to any) {
		text, err := os.ReadFile(filepath.Join(dir, file))
		require.NoError(t, err)
		require.NoError(t, json.Unmarshal(text, to))
	}
	cases, err := filepath.Glob("testdata/*/case.json")
	require.NoError(t, err)
	require.Len(t, cases, 11)
	for _, path := range cases {
		dir := filepath.Dir(path)
		t.Run(filepath.Base(dir), func(t *testing.T) {
			var c goldenCase
			var outputs []Tensor
			var want offload.Answer
			read(dir, "case.json", &c)
			read(dir, "outputs.json", &outputs)
			read(dir, "expected.json", &want)
			got, err := c.answer(outputs)
			require.NoError(t, err)
			assert.Equal(t, want.Label, got.Label)
			assert.InDelta(t, want.Confidence, got.Confidence, 1e-5)
			require.Len(t, got.Values, len(want.Values))
			for i, v := range want.Values {
				assert.Equal(t, [2]string{v.Label, v.Unit}, [2]string{got.Values[i].Label, got.Values[i].Unit})
				assert.InDelta(t, v.Value, got.Values[i].Value, 1e-5)
			}
			require.Len(t, got.Objects, len(want.Objects))
			for i, o := range want.Objects {
				assert.Equal(t, o.Label, got.Objects[i].Label)
				assert.InDelta(t, o.Confidence, got.Objects[i].Confidence, 1e-5)
				assert.InDeltaSlice(t, []float32{o.X, o.Y, o.W, o.H}, []float32{got.Objects[i].X, got.Objects[i].Y, got.Objects[i].W, got.Objects[i].H}, 1e-3)
			}
		})
	}
}
