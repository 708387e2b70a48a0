// SPDX-License-Identifier: Apache-2.0

package conveyor

import (
	"math"
	"math/rand/v2"
)

// mark is what lies on one pixel of the part.
type mark struct {
	relief float32 // share of light more or less, from a slope or a groove
	glint  float32 // light added, as of dust
	film   float32 // how much of the metal a film covers, 0 to 1
	tone   float32 // how much light the film lets back, 0 dark to 1
}

// layer holds the marks of the pixels around one part. It is kept between frames.
type layer struct {
	left, top, width, height int
	marks                    []mark
	p                        *part
}

// reset empties the layer and lays it over a part.
func (l *layer) reset(p *part) {
	reach := int(p.radius) + 2
	l.p, l.left, l.top = p, int(p.x)-reach, int(p.y)-reach
	l.width, l.height = 2*reach+2, 2*reach+2
	if need := l.width * l.height; cap(l.marks) < need {
		l.marks = make([]mark, need)
	} else {
		l.marks = l.marks[:need]
		clear(l.marks)
	}
}

func (l *layer) at(x, y int) mark {
	x, y = x-l.left, y-l.top
	if x < 0 || y < 0 || x >= l.width || y >= l.height {
		return mark{}
	}
	return l.marks[y*l.width+x]
}

// around calls do for each pixel whose centre is within reach of a local point, with
// the offset from that point in local coordinates.
func (l *layer) around(px, py, reach float64, do func(m *mark, dx, dy float64)) {
	cx, cy := l.p.x+px*l.p.radius, l.p.y+py*l.p.radius*l.p.tilt
	pixels := reach * l.p.radius
	x0, x1 := max(int(cx-pixels), l.left), min(int(cx+pixels)+1, l.left+l.width-1)
	y0, y1 := max(int(cy-pixels), l.top), min(int(cy+pixels)+1, l.top+l.height-1)
	for y := y0; y <= y1; y++ {
		for x := x0; x <= x1; x++ {
			dx := (float64(x) - cx) * l.p.pixel
			dy := (float64(y) - cy) * l.p.pixel / l.p.tilt
			if dx*dx+dy*dy <= reach*reach {
				do(&l.marks[(y-l.top)*l.width+x-l.left], dx, dy)
			}
		}
	}
}

// line draws a stroke of the given width from a to b, both local: relief is the light
// it takes or gives in its middle. A stroke narrower than a pixel gets fainter instead.
func (l *layer) line(ax, ay, bx, by, width, relief float64) {
	half := max(width/2, .5*l.p.pixel)
	relief *= min(1, width*l.p.radius)
	mx, my := (ax+bx)/2, (ay+by)/2
	length := math.Hypot(bx-ax, by-ay)
	ux, uy := (bx-ax)/(length+1e-9), (by-ay)/(length+1e-9)
	l.around(mx, my, length/2+half+l.p.pixel, func(m *mark, dx, dy float64) {
		along := math.Abs(dx*ux+dy*uy) - length/2
		off := math.Abs(dy*ux - dx*uy)
		if along > 0 {
			off = math.Hypot(off, along)
		}
		depth := float32(relief * min(max((half-off)/l.p.pixel+.5, 0), 1))
		if math.Abs(float64(depth)) > math.Abs(float64(m.relief)) { // strokes that meet do not add up
			m.relief = depth
		}
	})
}

// cloud is smooth random brightness from 0 to 1 over the unit square; it repeats
// from left to right.
type cloud struct {
	columns, rows int
	knots         []float64
}

func newCloud(rng *rand.Rand, columns, rows int) *cloud {
	c := &cloud{columns: columns, rows: rows, knots: make([]float64, columns*(rows+1))}
	for i := range c.knots {
		c.knots[i] = rng.Float64()
	}
	return c
}

func (c *cloud) at(u, v float64) float64 {
	x, y := u*float64(c.columns), min(max(v, 0), .999999)*float64(c.rows)
	column, row := int(math.Floor(x)), int(y)
	tx, ty := smooth(0, 1, x-float64(column)), smooth(0, 1, y-float64(row))
	left := ((column % c.columns) + c.columns) % c.columns
	right := (left + 1) % c.columns
	knot := func(i, j int) float64 { return c.knots[j*c.columns+i] }
	upper := knot(left, row) + tx*(knot(right, row)-knot(left, row))
	lower := knot(left, row+1) + tx*(knot(right, row+1)-knot(left, row+1))
	return upper + ty*(lower-upper)
}
