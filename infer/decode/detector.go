// SPDX-License-Identifier: Apache-2.0

package decode

import (
	"fmt"
	"math"

	"edgex-offload/offload"
)

// Detector reads the objects out of a detector's output.
type Detector struct {
	// Head is yolov5, yolov8, yolox, ssd, yunet or end2end.
	Head string
	// Width and Height of the input tensor in pixels.
	Width, Height int
	Labels        []string
	// Threshold is the least confidence, IoU the largest overlap of two objects of one
	// class, or with Agnostic of any two, MaxObjects how many are kept.
	Threshold, IoU float32
	Agnostic       bool
	MaxObjects     int
	// Strides of YOLOX's and YuNet's grids in pixels.
	Strides []int
}

// Objects decodes the outputs; toPicture maps a point of the tensor to the picture's
// pixels. The list is never nil.
func (d Detector) Objects(outputs []Tensor, toPicture func(x, y float32) (float32, float32)) ([]offload.Object, error) {
	found, err := d.candidates(outputs)
	if err != nil {
		return nil, err
	}
	objects := []offload.Object{}
	for _, b := range d.suppress(found) {
		x0, y0 := toPicture(b.x0, b.y0)
		x1, y1 := toPicture(b.x1, b.y1)
		if x1 > x0 && y1 > y0 { // else it lies outside of the picture
			objects = append(objects, offload.Object{
				Label: d.Labels[b.class], Confidence: min(b.score, 1), X: x0, Y: y0, W: x1 - x0, H: y1 - y0,
			})
		}
	}
	return objects, nil
}

func (d Detector) candidates(outputs []Tensor) ([]box, error) {
	switch d.Head {
	case "yolov5":
		return d.yolov5(outputs[0])
	case "yolov8":
		return d.yolov8(outputs[0])
	case "yolox":
		return d.yolox(outputs[0])
	case "ssd":
		return d.ssd(outputs)
	case "yunet":
		return d.yunet(outputs)
	case "end2end":
		return d.end2end(outputs[0])
	}
	return nil, fmt.Errorf("decoder is %q: allowed are yolov5, yolov8, yolox, ssd, yunet, end2end", d.Head)
}

// yolov5 reads [1, N, 5+C]: centre x and y, width and height in pixels of the tensor,
// objectness, one score per class; both between 0 and 1 and to be multiplied.
// https://github.com/ultralytics/yolov5, export.py
func (d Detector) yolov5(out Tensor) ([]box, error) {
	rows, columns, err := d.grid(out, 5)
	if err != nil {
		return nil, err
	}
	var found []box
	for i := range rows {
		r := out.Data[i*columns : (i+1)*columns]
		if r[4] < d.Threshold {
			continue // no class can bring it above
		}
		class, score := best(r[5:])
		found = d.add(found, centred(r[0], r[1], r[2], r[3]), class, score*r[4])
	}
	return found, nil
}

// yolov8 reads [1, 4+C, N], which is transposed: centre x and y, width and height in
// pixels of the tensor, one score per class. It takes [1, N, 4+C] as well.
// https://docs.ultralytics.com/modes/export
func (d Detector) yolov8(out Tensor) ([]box, error) {
	rows, columns, err := out.matrix()
	if err != nil {
		return nil, err
	}
	want := 4 + len(d.Labels)
	n, next, step := columns, columns, 1 // from value to value, from candidate to candidate
	switch {
	case rows == want:
	case columns == want:
		n, next, step = rows, 1, columns
	default:
		return nil, fmt.Errorf("%v: decoder yolov8 with %d labels needs a dimension of 4+%d=%d: list one label per class, or is the decoder another?", out, len(d.Labels), len(d.Labels), want)
	}
	var found []box
	for i := range n {
		at := i * step
		class, score := 0, out.Data[at+4*next]
		for c := 1; c < len(d.Labels); c++ {
			if v := out.Data[at+(4+c)*next]; v > score {
				class, score = c, v
			}
		}
		if score >= d.Threshold {
			found = d.add(found, centred(out.Data[at], out.Data[at+next], out.Data[at+2*next], out.Data[at+3*next]), class, score)
		}
	}
	return found, nil
}

// yolox reads [1, N, 5+C] like yolov5, but a box is relative to its cell: the centre is
// (value + cell) * stride, the size exp(value) * stride. N are the cells of one grid per
// stride, row by row, in the order of Strides.
// https://arxiv.org/abs/2107.08430; Megvii-BaseDetection/YOLOX, demo_postprocess
func (d Detector) yolox(out Tensor) ([]box, error) {
	rows, columns, err := d.grid(out, 5)
	if err != nil {
		return nil, err
	}
	cells := 0
	for _, s := range d.Strides {
		cells += (d.Width / s) * (d.Height / s)
	}
	if rows != cells {
		return nil, fmt.Errorf("%v: grids of strides %v over %d x %d pixels have %d cells, not %d: correct detection.strides, input.width or input.height", out, d.Strides, d.Width, d.Height, cells, rows)
	}
	var found []box
	i := 0
	for _, s := range d.Strides {
		stride := float32(s)
		for y := range d.Height / s {
			for x := range d.Width / s {
				r := out.Data[i*columns : (i+1)*columns]
				i++
				if r[4] < d.Threshold {
					continue
				}
				class, score := best(r[5:])
				found = d.add(found, inCell(r, x, y, stride), class, score*r[4])
			}
		}
	}
	return found, nil
}

// ssd reads scores [1, N, C] and boxes [1, N, 4]: left, top, right and bottom between 0
// and 1. One class more than there are labels means that the first is the background.
// https://github.com/Linzaer/Ultra-Light-Fast-Generic-Face-Detector-1MB
func (d Detector) ssd(outputs []Tensor) ([]box, error) {
	if len(outputs) != 2 {
		return nil, fmt.Errorf("decoder ssd needs two outputs, scores and boxes: there are %v; name them in outputs: [scores, boxes]", outputs)
	}
	scores, boxes := outputs[0], outputs[1]
	n, classes, err := scores.matrix()
	if err != nil {
		return nil, err
	}
	rows, four, err := boxes.matrix()
	if err != nil {
		return nil, err
	}
	if rows != n || four != 4 {
		return nil, fmt.Errorf("%v and %v: decoder ssd needs scores [1, N, C] and boxes [1, N, 4]; name them in outputs: [scores, boxes]", scores, boxes)
	}
	background := classes - len(d.Labels)
	if background != 0 && background != 1 {
		return nil, fmt.Errorf("%v has %d classes, but labels lists %d: list one per class, with or without the background", scores, classes, len(d.Labels))
	}
	var found []box
	for i := range n {
		class, score := best(scores.Data[i*classes+background : (i+1)*classes])
		if score < d.Threshold {
			continue
		}
		r := boxes.Data[i*4 : i*4+4]
		w, h := float32(d.Width), float32(d.Height)
		found = d.add(found, box{x0: r[0] * w, y0: r[1] * h, x1: r[2] * w, y1: r[3] * h}, class, score)
	}
	return found, nil
}

// grid checks the shape [1, N, extra+C].
func (d Detector) grid(out Tensor, extra int) (rows, columns int, err error) {
	rows, columns, err = out.matrix()
	if want := extra + len(d.Labels); err == nil && columns != want {
		err = fmt.Errorf("%v: decoder %s with %d labels needs [1, N, %d+%d=%d]: list one label per class, or is the decoder another?", out, d.Head, len(d.Labels), extra, len(d.Labels), want)
	}
	return rows, columns, err
}

// add keeps a candidate that is good enough and has a place.
func (d Detector) add(found []box, b box, class int, score float32) []box {
	if !(score >= d.Threshold) || !finite(score) || !finite(b.x0) || !finite(b.y0) || !finite(b.x1) || !finite(b.y1) {
		return found // NaN compares false
	}
	b.class, b.score = class, score
	return append(found, b)
}

func best(scores []float32) (class int, score float32) {
	for i, v := range scores {
		if i == 0 || v > score {
			class, score = i, v
		}
	}
	return class, score
}

func exp(v float32) float32 { return float32(math.Exp(float64(v))) }
