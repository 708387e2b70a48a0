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

var nan = float32(math.NaN())

func same(x, y float32) (float32, float32) { return x, y }

func TestClassifier(t *testing.T) {
	two := []string{"a", "b", "c"}
	cases := []struct {
		name   string
		scores Scores
		data   []float32
		label  string
		conf   float32
	}{
		{"logits", Auto, []float32{0, 2, 0}, "b", .7869861},
		{"logits far apart do not overflow", Auto, []float32{-1000, 1000, 0}, "b", 1},
		{"probabilities are told", Auto, []float32{.2, .1, .7}, "c", .7},
		{"rounded probabilities", Auto, []float32{.2, .1, .7004}, "c", .7004},
		{"positive logits are told", Auto, []float32{.2, .1, .9}, "c", .5138973},
		{"logits that look like probabilities", Logits, []float32{.2, .1, .7}, "c", .4640},
		{"probabilities that do not add up", Probabilities, []float32{.2, .1, .9}, "c", .9},
		{"a score above 1 is cut", Probabilities, []float32{.2, .1, 1.00001}, "c", 1},
		{"first of equals", Logits, []float32{1, 1, 1}, "a", 1. / 3},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			got, err := Classifier{Labels: two, Scores: c.scores}.Answer(Tensor{Shape: []int64{1, 3}, Data: c.data})
			require.NoError(t, err)
			assert.Equal(t, c.label, got.Label)
			assert.InDelta(t, c.conf, got.Confidence, 1e-3)
		})
	}
	_, err := Classifier{Labels: two}.Answer(Tensor{Name: "y", Shape: []int64{1, 4}, Data: make([]float32, 4)})
	assert.ErrorContains(t, err, `output "y" [1 4] has 4 scores, but labels lists 3`)
	_, err = Classifier{Labels: two}.Answer(Tensor{Shape: []int64{1, 3}, Data: []float32{0, nan, 0}})
	assert.ErrorContains(t, err, `score of "b" is NaN`)
}

// detector of two classes on a tensor of 64 x 32 pixels.
func detector(head string) Detector {
	d := Detector{
		Head: head, Width: 64, Height: 32, Labels: []string{"cat", "dog"},
		Threshold: .5, IoU: .5, MaxObjects: 10, Strides: []int{16, 32},
	}
	if head == "yunet" {
		d.Labels = []string{"face"}
	}
	return d
}

func tensor(shape []int64, rows ...[]float32) Tensor {
	t := Tensor{Name: "out", Shape: shape}
	for _, r := range rows {
		t.Data = append(t.Data, r...)
	}
	return t
}

// The golden object of each head: a dog of 0.9 * 0.8 (or 0.72) at 10, 4 of 20 x 8 pixels.
var golden = []offload.Object{{Label: "dog", Confidence: .72, X: 10, Y: 4, W: 20, H: 8}}

func TestHeads(t *testing.T) {
	nothing := make([]float32, 7)
	log := func(v float64) float32 { return float32(math.Log(v)) }
	cases := []struct {
		head    string
		outputs []Tensor
	}{
		{"yolov5", []Tensor{tensor([]int64{1, 4, 7},
			[]float32{20, 8, 20, 8, .9, .1, .8},
			[]float32{50, 8, 20, 8, .9, .4, .1}, // 0.36: too weak
			[]float32{50, 8, 20, 8, .4, 1, 1},   // no object
			[]float32{nan, 8, 20, 8, .9, 1, 0},  // nowhere
		)}},
		{"yolov8", []Tensor{tensor([]int64{1, 6, 3},
			[]float32{20, 50, 50}, []float32{8, 8, 8}, []float32{20, 20, 20}, []float32{8, 8, 8},
			[]float32{.1, .4, nan}, []float32{.72, .1, nan},
		)}},
		{"yolov8", []Tensor{tensor([]int64{1, 2, 6}, // not transposed
			[]float32{20, 8, 20, 8, .1, .72},
			[]float32{50, 8, 20, 8, .4, .1},
		)}},
		{"yolox", []Tensor{tensor([]int64{1, 10, 7}, // 4 x 2 cells of 16, 2 x 1 of 32
			nothing,
			[]float32{.25, .5, log(20. / 16), log(8. / 16), .9, .1, .8}, // cell 1, 0
			nothing, nothing, nothing, nothing, nothing, nothing,
			[]float32{0, 0, 1000, 0, .9, .8, .1}, // endless
			nothing,
		)}},
		{"yolox", []Tensor{tensor([]int64{1, 10, 7},
			nothing, nothing, nothing, nothing, nothing, nothing, nothing, nothing,
			[]float32{20. / 32, 8. / 32, log(20. / 32), log(8. / 32), .9, .1, .8}, // the second grid's first
			nothing,
		)}},
		{"ssd", []Tensor{
			tensor([]int64{1, 2, 3}, []float32{.1, .1, .72}, []float32{.9, .4, .1}), // with background
			tensor([]int64{1, 2, 4}, []float32{10. / 64, 4. / 32, 30. / 64, 12. / 32}, []float32{0, 0, 1, 1}),
		}},
		{"ssd", []Tensor{
			tensor([]int64{1, 2, 2}, []float32{.1, .72}, []float32{.4, .1}), // without
			tensor([]int64{1, 2, 4}, []float32{10. / 64, 4. / 32, 30. / 64, 12. / 32}, []float32{0, 0, 1, 1}),
		}},
		{"yunet", []Tensor{ // 4 x 2 cells of 16, 2 x 1 of 32
			tensor([]int64{1, 8, 1}, []float32{0, .6, 0, 0, 0, 0, 1, 0}), tensor([]int64{1, 2, 1}, []float32{.2, 2}),
			tensor([]int64{1, 8, 1}, []float32{0, .864, 0, 0, 0, 0, 1, 0}), tensor([]int64{1, 2, 1}, []float32{1, -.2}),
			tensor([]int64{1, 8, 4}, make([]float32, 4), []float32{.25, .5, log(20. / 16), log(8. / 16)}, make([]float32, 16), []float32{0, nan, 0, 0}, make([]float32, 4)),
			tensor([]int64{1, 2, 4}, make([]float32, 8)),
		}},
		{"end2end", []Tensor{tensor([]int64{1, 3, 6},
			[]float32{10, 4, 30, 12, .72, 1},
			[]float32{10, 4, 30, 12, .4, 0},
			[]float32{0, 0, 0, 0, 0, 0},
		)}},
	}
	for _, c := range cases {
		t.Run(c.head, func(t *testing.T) {
			got, err := detector(c.head).Objects(c.outputs, same)
			require.NoError(t, err)
			require.Len(t, got, 1)
			assert.Equal(t, detector(c.head).Labels[len(detector(c.head).Labels)-1], got[0].Label)
			for i, want := range []float32{golden[0].Confidence, golden[0].X, golden[0].Y, golden[0].W, golden[0].H} {
				have := []float32{got[0].Confidence, got[0].X, got[0].Y, got[0].W, got[0].H}[i]
				assert.InDelta(t, want, have, 1e-4, "%+v", got[0])
			}
		})
	}
}

func TestHeadsNameWhatDoesNotFit(t *testing.T) {
	cases := []struct {
		head    string
		outputs []Tensor
		want    string
	}{
		{"yolov5", []Tensor{tensor([]int64{1, 1, 85}, make([]float32, 85))}, "needs [1, N, 5+2=7]"},
		{"yolov5", []Tensor{tensor([]int64{1, 7}, make([]float32, 6))}, "three dimensions"},
		{"yolov8", []Tensor{tensor([]int64{1, 84, 3}, make([]float32, 84*3))}, "needs a dimension of 4+2=6"},
		{"yolov8", []Tensor{tensor([]int64{2, 6, 3}, make([]float32, 36))}, "the first of them 1"},
		{"yolox", []Tensor{tensor([]int64{1, 3, 7}, make([]float32, 21))}, "have 10 cells, not 3: correct detection.strides, input.width"},
		{"ssd", []Tensor{tensor([]int64{1, 1, 3}, make([]float32, 3))}, "two outputs"},
		{"ssd", []Tensor{tensor([]int64{1, 2, 3}, make([]float32, 6)), tensor([]int64{1, 1, 4}, make([]float32, 4))}, "boxes [1, N, 4]"},
		{"ssd", []Tensor{tensor([]int64{1, 1, 5}, make([]float32, 5)), tensor([]int64{1, 1, 4}, make([]float32, 4))}, "has 5 classes, but labels lists 2"},
		{"yunet", []Tensor{tensor([]int64{1, 8, 1}, make([]float32, 8))}, "needs three outputs per stride, 6 in all"},
		{"yunet", []Tensor{
			tensor([]int64{1, 8, 1}, make([]float32, 8)), tensor([]int64{1, 2, 1}, make([]float32, 2)),
			tensor([]int64{1, 8, 1}, make([]float32, 8)), tensor([]int64{1, 2, 1}, make([]float32, 2)),
			tensor([]int64{1, 8, 4}, make([]float32, 32)), tensor([]int64{1, 2, 10}, make([]float32, 20)),
		}, "needs [1, 2, 4] here, the grid of stride 32 over 64 x 32 pixels"},
		{"end2end", []Tensor{tensor([]int64{1, 3, 7}, make([]float32, 21))}, "needs [1, N, 6]"},
		{"end2end", []Tensor{tensor([]int64{1, 1, 6}, []float32{0, 0, 9, 9, .9, 2})}, "class 2 of row 0: labels lists 2"},
		{"end2end", []Tensor{tensor([]int64{1, 1, 6}, []float32{0, 0, 9, 9, .9, nan})}, "class NaN of row 0"},
		{"end2end", []Tensor{tensor([]int64{1, 1, 6}, []float32{0, 0, 9, 9, .9, 1e30})}, "class 1e+30 of row 0"},
		{"rcnn", nil, `decoder is "rcnn"`},
	}
	for _, c := range cases {
		_, err := detector(c.head).Objects(c.outputs, same)
		assert.ErrorContains(t, err, c.want, c.head)
	}
}

func TestSuppressWorksWithinAClassAndKeepsTheBest(t *testing.T) {
	a := box{x0: 0, y0: 0, x1: 10, y1: 10, class: 0, score: .6}
	shifted := box{x0: 1, y0: 0, x1: 11, y1: 10, class: 0, score: .9} // 0.82 of a
	other := box{x0: 1, y0: 0, x1: 11, y1: 10, class: 1, score: .7}
	apart := box{x0: 20, y0: 0, x1: 30, y1: 10, class: 0, score: .5}
	found := func() []box { return []box{a, shifted, other, apart} }
	for _, c := range []struct {
		iou      float32
		most     int
		agnostic bool
		head     string
		want     []box
	}{
		{.5, 10, false, "yolov8", []box{shifted, other, apart}},
		{.9, 10, false, "yolov8", []box{shifted, other, a, apart}},
		{.5, 2, false, "yolov8", []box{shifted, other}},
		{.5, 10, true, "yolov8", []box{shifted, apart}},
		{.5, 10, true, "end2end", []box{shifted, other, a, apart}},
	} {
		d := Detector{Head: c.head, IoU: c.iou, MaxObjects: c.most, Agnostic: c.agnostic}
		assert.Equal(t, c.want, d.suppress(found()))
	}
	assert.Empty(t, Detector{MaxObjects: 2}.suppress(nil))
}

func TestObjectsAreMappedAndThoseOutsideDropped(t *testing.T) {
	toPicture := func(x, y float32) (float32, float32) { return min(max(x*2-30, 0), 98), y * 2 }
	out := tensor([]int64{1, 2, 7}, []float32{20, 8, 20, 8, .9, .1, .8}, []float32{5, 5, 4, 4, .9, .1, .8})
	got, err := detector("yolov5").Objects([]Tensor{out}, toPicture)
	require.NoError(t, err)
	require.Len(t, got, 1)
	assert.Equal(t, offload.Object{Label: "dog", Confidence: got[0].Confidence, X: 0, Y: 8, W: 30, H: 16}, got[0])
}

func TestObjectsHoldWhateverTheNumbers(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		n := rapid.IntRange(0, 30).Draw(t, "n")
		value := rapid.OneOf(rapid.Float32Range(-100, 100), rapid.Float32Range(0, 1), rapid.Just(nan), rapid.Just(float32(math.Inf(1))))
		data := rapid.SliceOfN(value, n*7, n*7).Draw(t, "data")
		got, err := detector("yolov5").Objects([]Tensor{{Shape: []int64{1, int64(n), 7}, Data: data}}, func(x, y float32) (float32, float32) {
			return min(max(x, 0), 64), min(max(y, 0), 32)
		})
		if err != nil {
			t.Fatal(err)
		}
		if len(got) > 10 {
			t.Fatalf("%d objects", len(got))
		}
		for i, o := range got {
			if !(o.Confidence >= .5 && o.Confidence <= 1) || !(o.W > 0 && o.H > 0) || o.X < 0 || o.Y < 0 || o.X+o.W > 64.01 || o.Y+o.H > 32.01 {
				t.Fatalf("%+v", o)
			}
			if i > 0 && got[i-1].Confidence < o.Confidence {
				t.Fatalf("not best first: %v", got)
			}
		}
	})
}
