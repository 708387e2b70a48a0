// SPDX-License-Identifier: Apache-2.0

package decode

import (
	"cmp"
	"slices"
)

// maxCandidates bounds the work of suppress, which grows with its square, whatever a
// threshold of 0 lets through.
const maxCandidates = 2000

// box is a candidate, in pixels of the tensor.
type box struct {
	x0, y0, x1, y1 float32
	class          int
	score          float32
}

func centred(x, y, w, h float32) box {
	return box{x0: x - w/2, y0: y - h/2, x1: x + w/2, y1: y + h/2}
}

// suppress is greedy non-maximum suppression within each class, or with Agnostic over all:
// of two that overlap by more than IoU the better one stays. At most MaxObjects are kept,
// best first. A graph with its own suppression has it done.
func (d Detector) suppress(found []box) []box {
	slices.SortStableFunc(found, func(a, b box) int { return cmp.Compare(b.score, a.score) })
	found = found[:min(len(found), maxCandidates)]
	var kept []box
	for _, b := range found {
		if len(kept) == d.MaxObjects {
			break
		}
		if d.Head == "end2end" || !slices.ContainsFunc(kept, func(k box) bool { return (d.Agnostic || k.class == b.class) && overlap(k, b) > d.IoU }) {
			kept = append(kept, b)
		}
	}
	return kept
}

// overlap is intersection over union, 0 to 1.
func overlap(a, b box) float32 {
	w := min(a.x1, b.x1) - max(a.x0, b.x0)
	h := min(a.y1, b.y1) - max(a.y0, b.y0)
	if w <= 0 || h <= 0 {
		return 0
	}
	both := w * h
	return both / (area(a) + area(b) - both)
}

func area(b box) float32 { return (b.x1 - b.x0) * (b.y1 - b.y0) }
