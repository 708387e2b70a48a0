// SPDX-License-Identifier: Apache-2.0

package picture

// scratch is what filling one tensor needs besides it. It is kept for the next picture,
// which most often is of the same camera and so of the same size.
type scratch struct {
	shapes  [3]shape
	columns [3]axis
	lines   [3]axis
	rows    [3][]float32 // the row being made, 0 to 255
	cache   [3][2]cached // resampled source rows: neighbours share one or two
}

type shape struct{ inW, inH, outW, outH int }

type cached struct {
	line   int // of the source; -1 for none
	values []float32
}

// fit prepares the tables for these planes, if they are not those of the last picture.
func (s *scratch) fit(planes []plane, at Placement, fast bool) {
	for i, p := range planes {
		want := shape{p.width, p.height, at.Width, at.Height}
		if s.shapes[i] != want {
			s.shapes[i] = want
			s.columns[i] = newAxis(p.width, at.Width, fast)
			s.lines[i] = newAxis(p.height, at.Height, fast)
			s.rows[i] = make([]float32, at.Width)
			s.cache[i] = [2]cached{{values: make([]float32, at.Width)}, {values: make([]float32, at.Width)}}
		}
		s.cache[i][0].line, s.cache[i][1].line = -1, -1
	}
}

// resample makes row y of each plane in s.rows.
func (s *scratch) resample(planes []plane, y int) {
	for i, p := range planes {
		lines, out := s.lines[i], s.rows[i]
		clear(out)
		for k, weight := range lines.weights[y*lines.taps : (y+1)*lines.taps] {
			if weight == 0 {
				continue
			}
			for x, v := range s.line(i, p, lines.start[y]+k) {
				out[x] += weight * v
			}
		}
	}
}

// line returns a source row at the new width.
func (s *scratch) line(i int, p plane, y int) []float32 {
	c := &s.cache[i][y&1]
	if c.line != y {
		s.columns[i].row(c.values, p.pix[y*p.stride:], p.step)
		c.line = y
	}
	return c.values
}

// write turns a row to the tensor's colours and numbers and puts it in its place.
func (p *Plan) write(dst []float32, rows [][]float32, at Placement, y int, ycc bool) {
	first := (at.Top+y)*p.opts.Width + at.Left
	area := p.opts.Width * p.opts.Height
	if p.channels == 1 {
		p.writeGray(dst[first:first+at.Width], rows)
		return
	}
	step, next := 1, area // from pixel to pixel, from channel to channel
	if p.opts.ChannelsLast {
		first, step, next = first*3, 3, 1
	}
	red, blue := 0, 2
	if p.opts.Order == BGR {
		red, blue = 2, 0
	}
	r0, g0, b0 := rows[0], rows[len(rows)/2], rows[len(rows)-1] // one row alone is grey
	gr, gg, gb := p.gain[red], p.gain[1], p.gain[blue]
	br, bg, bb := p.bias[red], p.bias[1], p.bias[blue]
	i := first
	for x := range at.Width {
		r, g, b := r0[x], g0[x], b0[x]
		if ycc {
			r, g, b = rgb(r, g, b)
		}
		dst[i+red*next] = gr*r + br
		dst[i+next] = gg*g + bg
		dst[i+blue*next] = gb*b + bb
		i += step
	}
}

func (p *Plan) writeGray(dst []float32, rows [][]float32) {
	gain, bias := p.gain[0], p.bias[0]
	if len(rows) == 1 {
		for x, v := range rows[0] {
			dst[x] = gain*v + bias
		}
		return
	}
	for x := range dst { // ITU-R BT.601, as JPEG's Y
		dst[x] = gain*(.299*rows[0][x]+.587*rows[1][x]+.114*rows[2][x]) + bias
	}
}

// rgb is JFIF's conversion, kept within 0 to 255.
func rgb(y, cb, cr float32) (r, g, b float32) {
	cb -= 128
	cr -= 128
	r = y + 1.402*cr
	g = y - .344136*cb - .714136*cr
	b = y + 1.772*cb
	return min(max(r, 0), 255), min(max(g, 0), 255), min(max(b, 0), 255)
}
