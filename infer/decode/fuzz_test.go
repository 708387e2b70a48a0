// SPDX-License-Identifier: Apache-2.0

package decode

import (
	"encoding/binary"
	"math"
	"testing"
)

// FuzzDecoders is what any graph may put out: tensors of any shape and number, read by
// each decoder. It gives an error or an answer within bounds.
func FuzzDecoders(f *testing.F) {
	f.Add([]byte("0123456789abcdefghijklmnopqrstuvwxyz"), uint8(7), uint8(1), uint8(1))
	f.Add(make([]byte, 4*8*6), uint8(6), uint8(2), uint8(2))
	f.Add(binary.LittleEndian.AppendUint32(nil, math.Float32bits(float32(math.Inf(1)))), uint8(1), uint8(9), uint8(0))
	f.Fuzz(func(t *testing.T, data []byte, columns, outputs, labels uint8) {
		values := make([]float32, min(len(data)/4, 4096))
		for i := range values {
			values[i] = math.Float32frombits(binary.LittleEndian.Uint32(data[4*i:]))
		}
		names := []string{"a", "b", "c", "d"}[:1+labels%4]
		tensors := cut(values, int(columns)+1, 1+int(outputs)%9)
		for _, head := range []string{"yolov5", "yolov8", "yolox", "ssd", "yunet", "end2end"} {
			d := Detector{Head: head, Width: 32, Height: 16, Labels: names, Threshold: .1, IoU: .5, MaxObjects: 20, Strides: []int{8, 16}}
			got, err := d.Objects(tensors, func(x, y float32) (float32, float32) { return min(max(x, 0), 32), min(max(y, 0), 16) })
			if err != nil {
				continue
			}
			if got == nil || len(got) > 20 {
				t.Fatalf("%s: %v", head, got)
			}
			for _, o := range got {
				if !(o.Confidence >= .1 && o.Confidence <= 1) || !(o.W > 0 && o.W <= 32 && o.H > 0 && o.H <= 16 && o.X >= 0 && o.Y >= 0) {
					t.Fatalf("%s: %+v", head, o)
				}
			}
		}
		if got, err := (Classifier{Labels: names, Scores: Auto}).Answer(tensors[0]); err == nil && !(got.Confidence >= 0 && got.Confidence <= 1) {
			t.Fatalf("%+v", got)
		}
		_, _ = Regressor{Labels: names, Units: []string{""}, Scale: []float64{1}, Offset: []float64{0}}.Answer(tensors[0])
		for _, r := range []Reconstruction{NoReconstruction, Squared, Absolute} {
			got, err := Anomaly{Labels: []string{"n", "a"}, Reconstruction: r, Threshold: 1}.Answer(tensors[0], make([]float32, len(tensors[0].Data)))
			if err == nil && !(got.Confidence >= .5 && got.Confidence <= 1) {
				t.Fatalf("%s: %+v", r, got)
			}
		}
	})
}

// cut makes so many tensors [1, N, columns] of values.
func cut(values []float32, columns, count int) []Tensor {
	rows := len(values) / columns / count
	tensors := make([]Tensor, count)
	for i := range tensors {
		data := values[i*rows*columns : (i+1)*rows*columns]
		tensors[i] = Tensor{Name: "y", Shape: []int64{1, int64(rows), int64(columns)}, Data: data}
	}
	return tensors
}
