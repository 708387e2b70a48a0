// SPDX-License-Identifier: Apache-2.0

package picture

// scratch is what filling one tensor needs besides it. It is kept for the next picture,
// which most often is of the same camera and so of the same size.
type scratch struct {
	planes  [3]plane
	shapes  [3]shape
	columns [3]axis
	lines   [3]axis
	rows    [3][]float32 // the row being made, 0 to 255
	cache   [3][2]cached // resampled source rows: neighbours share one or two
}

type shape struct {
	inW, inH   float64
	outW, outH int
}

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
		s.resamplePlane(i, p, y)
	}
}

// resamplePlane adds up the lines that row y is made of, the first two at once: most often
// there are no more.
func (s *scratch) resamplePlane(i int, p plane, y int) {
	lines, out := s.lines[i], s.rows[i]
	first, weights := lines.start[y], lines.weights[y*lines.taps:(y+1)*lines.taps]
	for weights[0] == 0 {
		first, weights = first+1, weights[1:]
	}
	upper, weight := s.line(i, p, first)[:len(out)], weights[0]
	if len(weights) == 1 || weights[1] == 0 {
		for x := range out {
			out[x] = weight * upper[x]
		}
		return
	}
	lower, below := s.line(i, p, first+1)[:len(out)], weights[1]
	for x := range out {
		out[x] = weight*upper[x] + below*lower[x]
	}
	for k, weight := range weights[2:] {
		if weight == 0 {
			return
		}
		line := s.line(i, p, first+2+k)[:len(out)]
		for x := range out {
			out[x] += weight * line[x]
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
	if p.channels == 1 {
		p.writeGray(dst[first:first+at.Width], rows)
		return
	}
	a, b, c := rows[0], rows[len(rows)/2], rows[len(rows)-1] // one row alone is grey
	switch {
	case ycc && !p.opts.ChannelsLast:
		area := p.opts.Width * p.opts.Height
		p.writeYCC(a, b, c, dst[p.red*area+first:], dst[area+first:], dst[(2-p.red)*area+first:])
		return
	case ycc:
		toRGB(a, b, c)
	}
	p.writeChannel(dst, a, p.red, first)
	p.writeChannel(dst, b, 1, first)
	p.writeChannel(dst, c, 2-p.red, first)
}

// writeChannel puts a row in the tensor's channel, from its first pixel on.
func (p *Plan) writeChannel(dst, row []float32, channel, first int) {
	gain, bias := p.gain[channel], p.bias[channel]
	if p.opts.ChannelsLast {
		for x, v := range row {
			dst[(first+x)*3+channel] = gain*v + bias
		}
		return
	}
	to := dst[channel*p.opts.Width*p.opts.Height+first:][:len(row)]
	for x, v := range row {
		to[x] = gain*v + bias
	}
}

// writeYCC is toRGB and writeChannel at once, for what there is most: a camera's JPEG in a
// tensor of NCHW.
func (p *Plan) writeYCC(ys, cbs, crs, r, g, b []float32) {
	gain, bias, red, blue := p.gain, p.bias, p.red, 2-p.red
	rGain, rBias, bGain, bBias := gain[red], bias[red], gain[blue], bias[blue]
	n := len(ys)
	cbs, crs, r, g, b = cbs[:n], crs[:n], r[:n], g[:n], b[:n]
	for x, y := range ys {
		cb, cr := cbs[x]-128, crs[x]-128
		r[x] = rGain*clamp(y+1.402*cr) + rBias
		g[x] = gain[1]*clamp(y-.344136*cb-.714136*cr) + bias[1]
		b[x] = bGain*clamp(y+1.772*cb) + bBias
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

// toRGB turns rows of Y, Cb and Cr in place to R, G and B, as JFIF says, kept within 0
// to 255.
func toRGB(ys, cbs, crs []float32) {
	cbs, crs = cbs[:len(ys)], crs[:len(ys)]
	for x, y := range ys {
		cb, cr := cbs[x]-128, crs[x]-128
		ys[x] = clamp(y + 1.402*cr)
		cbs[x] = clamp(y - .344136*cb - .714136*cr)
		crs[x] = clamp(y + 1.772*cb)
	}
}

// clamp is min(max(v, 0), 255) for what is a number; those builtins look for NaN and
// signed zeros first, which costs a tenth of the whole.
func clamp(v float32) float32 {
	if v < 0 {
		return 0
	}
	if v > 255 {
		return 255
	}
	return v
}
