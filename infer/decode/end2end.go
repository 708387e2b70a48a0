// SPDX-License-Identifier: Apache-2.0

package decode

import "fmt"

// end2end reads [1, N, 6] of a graph that has done its own suppression: left, top, right
// and bottom in pixels of the tensor, score, class; rows without an object have a score of
// about 0. https://arxiv.org/abs/2405.14458; https://docs.ultralytics.com/models/yolov10
func (d Detector) end2end(out Tensor) ([]box, error) {
	rows, columns, err := out.matrix()
	if err != nil {
		return nil, err
	}
	if columns != 6 {
		return nil, fmt.Errorf("%v: decoder end2end needs [1, N, 6], boxes, score and class: is the decoder yolov8, or was the model exported without its suppression?", out)
	}
	var found []box
	for i := range rows {
		r := out.Data[6*i : 6*i+6]
		if !(r[4] >= d.Threshold) { // nor is NaN
			continue
		}
		if !(r[5] >= 0 && r[5] < float32(len(d.Labels))) { // compared as it is: what no int holds becomes any
			return nil, fmt.Errorf("%v: class %v of row %d: labels lists %d, which are the classes from 0 on: list one label per class", out, r[5], i, len(d.Labels))
		}
		found = d.add(found, box{x0: r[0], y0: r[1], x1: r[2], y1: r[3]}, int(r[5]), r[4])
	}
	return found, nil
}
