// SPDX-License-Identifier: Apache-2.0

package quantize

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"edgex-offload/infer"
	"edgex-offload/infer/onnx/onnxtest"
	"edgex-offload/infer/ort/orttest"
	"edgex-offload/offload"
)

// ticking is a clock on which everything takes a millisecond.
func ticking() func() time.Time {
	now := time.Unix(0, 0)
	return func() time.Time {
		now = now.Add(time.Millisecond)
		return now
	}
}

func searched(t *testing.T, drops ...float64) (Found, *Calibrated, error) {
	t.Helper()
	backend := orttest.Runtime(t)
	model := onnxtest.Bytes(onnxtest.Residual(1, 16, 5))
	spec := signal(3, 16, 16)
	samples := noise(1, 4, 3, 16, 16)
	var steps int
	c, err := Calibrate(t.Context(), model, samples, Options{Backend: backend, Spec: spec, Now: ticking(), Step: func(string, int, int) { steps++ }})
	require.NoError(t, err)
	float, err := backend.Load(t.Context(), infer.Source{ONNX: model, Spec: spec})
	require.NoError(t, err)
	defer float.Close()
	f, err := c.Search(t.Context(), samples, Wanted{
		Float: float, MaxDrop: 1, Rounds: 20,
		Drop: func(context.Context, infer.Graph) (float64, error) {
			drop := drops[0]
			if len(drops) > 1 {
				drops = drops[1:]
			}
			if drop < 0 {
				return 0, errors.New("no answer")
			}
			return drop, nil
		},
	})
	assert.NotZero(t, steps)
	return f, c, err
}

func TestSearch(t *testing.T) {
	f, c, err := searched(t, .5)
	require.NoError(t, err)
	assert.Empty(t, f.Form.Keep, "nothing is faster on this clock, nothing has to be kept")
	assert.Contains(t, Methods()[1:], f.Form.Method)
	assert.Len(t, f.Float, 20)
	assert.Equal(t, 1., f.Speedup())
	model, err := c.Model(f.Form)
	require.NoError(t, err)
	assert.Equal(t, model, f.ONNX)

	f, c, err = searched(t, 5, 3, 1)
	require.NoError(t, err)
	assert.Equal(t, 3, f.Tried)
	assert.Equal(t, 2, f.Best)
	assert.Equal(t, 1., f.Drop)
	require.Len(t, f.Form.Keep, 2, "of %d layers", len(c.Layers()))

	f, _, err = searched(t, 5, 4, 6)
	require.NoError(t, err)
	assert.Equal(t, 4., f.Drop, "the best that there was")
	assert.Equal(t, 1, f.Best)
	assert.Len(t, f.Form.Keep, 1)

	_, _, err = searched(t, -1)
	assert.ErrorContains(t, err, "no answer")
}

// The layer whose output is off the most is the most sensitive one.
func TestSensitivity(t *testing.T) {
	b := onnxtest.New("sensitive", 1)
	x := b.Input("x", 1, 4, 8, 8)
	good := square(b, x, 4, 8, 3, 1, 1, 1, true)
	// One channel of large weights, and with one step for all the others vanish.
	w := make([]float32, 8*8)
	for i := range w {
		w[i] = .001
	}
	w[0] = 100
	bad := b.Node("Conv", nil, good, b.Weight(w, 8, 8, 1, 1))
	b.Output(b.Node("Sin", nil, b.Node("Slice", nil, bad, b.Ints(1), b.Ints(8), b.Ints(1))))
	c, samples := calibrated(t, t, file(b), Options{PerTensor: true}, 4, 8, 8)
	list, err := c.Sensitivity(t.Context(), samples)
	require.NoError(t, err)
	require.Len(t, list, 2)
	assert.Greater(t, list[0].Error, .5)
	assert.Less(t, list[1].Error, .1)
	errs, err := c.LayerErrors(t.Context(), Form{Keep: []string{list[0].Layer}}, samples)
	require.NoError(t, err)
	require.Len(t, errs, 1)
	assert.Equal(t, list[1].Layer, errs[0].Layer)
}

func TestAgreement(t *testing.T) {
	box := func(x float32) offload.Object { return offload.Object{Label: "face", X: x, W: 10, H: 10} }
	labels := func(list ...string) Answers {
		a := Answers{labels: []string{"a", "b", "b", "a"}}
		for _, l := range list {
			a.answers = append(a.answers, offload.Answer{Label: l})
		}
		return a
	}
	float, ints := labels("a", "b", "b", "b"), labels("a", "b", "a", "b")
	assert.True(t, float.Labelled())
	assert.Equal(t, .75, float.Accuracy())
	assert.Equal(t, .5, ints.Accuracy())
	assert.Equal(t, .75, float.Agreement(ints))
	objects := func(list ...offload.Object) Answers {
		return Answers{labels: []string{""}, answers: []offload.Answer{{Objects: list}}}
	}
	two := objects(box(0), box(100))
	assert.False(t, two.Labelled())
	assert.Equal(t, 1., two.Agreement(objects(box(101), box(1))))
	assert.Equal(t, .5, two.Agreement(objects(box(1), box(200))), "one of two on either side")
	assert.Equal(t, 0., two.Agreement(objects()))
	values := func(list ...float64) (a Answers) {
		for _, v := range list {
			a.answers = append(a.answers, offload.Answer{Values: []offload.Value{{Value: v}}})
		}
		return a
	}
	assert.InDelta(t, .9, values(-1, 1).Agreement(values(-.9, .9)), 1e-6)
	assert.Zero(t, values(-1, 1).Agreement(values(5, 5)))
	assert.Equal(t, 1., values(7, 7).Agreement(values(7, 7)))
	assert.Zero(t, values(7, 7).Agreement(values(7, 7.1)), "nothing is known of how much it varies")
	assert.Zero(t, values(7, 8).Agreement(Answers{answers: make([]offload.Answer, 2)}))
	other := box(0)
	other.Label = "cat"
	assert.InDelta(t, 2./3, two.Agreement(objects(box(0))), 1e-9)
	assert.Equal(t, 0., two.Agreement(objects(other)))
}

// nothing is what a graph loses that nobody judges.
func nothing(context.Context, infer.Graph) (float64, error) { return 0, nil }
