// SPDX-License-Identifier: Apache-2.0

package decode

import (
	"fmt"
	"math"
)

// yunet reads three outputs for each of Strides: class scores [1, N, 1], objectness
// [1, N, 1] and boxes [1, N, 4], first all scores, then all objectness, then all boxes. N
// are the cells of the stride's grid, row by row. The confidence is the root of score times
// objectness; a box is relative to its cell as YOLOX's is.
// OpenCV, modules/objdetect/src/face_detect.cpp; https://doi.org/10.1007/s11633-023-1423-y
func (d Detector) yunet(outputs []Tensor) ([]box, error) {
	n := len(d.Strides)
	if len(outputs) != 3*n {
		return nil, fmt.Errorf("decoder yunet needs three outputs per stride, %d in all: there are %v; name them in outputs: [cls_8, ..., obj_8, ..., bbox_8, ...]", 3*n, outputs)
	}
	var found []box
	for i, stride := range d.Strides {
		level := [3]Tensor{outputs[i], outputs[n+i], outputs[2*n+i]}
		for k, columns := range []int{1, 1, 4} {
			if err := d.isGrid(level[k], stride, columns); err != nil {
				return nil, err
			}
		}
		found = d.yunetLevel(found, level[0].Data, level[1].Data, level[2].Data, stride)
	}
	return found, nil
}

func (d Detector) yunetLevel(found []box, scores, objectness, boxes []float32, stride int) []box {
	columns := d.Width / stride
	for i := range scores {
		score := float32(math.Sqrt(float64(unit(scores[i]) * unit(objectness[i]))))
		if score < d.Threshold {
			continue
		}
		r := boxes[4*i : 4*i+4]
		found = d.add(found, inCell(r, i%columns, i/columns, float32(stride)), 0, score)
	}
	return found
}

// isGrid sees that a tensor has so many columns for each cell of a stride's grid.
func (d Detector) isGrid(t Tensor, stride, columns int) error {
	rows, have, err := t.matrix()
	if err != nil {
		return err
	}
	if cells := (d.Width / stride) * (d.Height / stride); rows != cells || have != columns {
		return fmt.Errorf("%v: decoder yunet needs [1, %d, %d] here, the grid of stride %d over %d x %d pixels: correct input.width, input.height, detection.strides or the order of outputs", t, cells, columns, stride, d.Width, d.Height)
	}
	return nil
}

// inCell is a box whose centre is (value + cell) * stride and whose size is exp(value) *
// stride.
func inCell(r []float32, column, row int, stride float32) box {
	return centred((r[0]+float32(column))*stride, (r[1]+float32(row))*stride, exp(r[2])*stride, exp(r[3])*stride)
}

// unit keeps a score within 0 and 1; NaN stays.
func unit(v float32) float32 { return min(max(v, 0), 1) }
