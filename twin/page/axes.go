// SPDX-License-Identifier: Apache-2.0

package page

// panel is a plot within a picture; x and y hold where it lies.
type panel struct {
	*chart
	x, y scale
}

// newPanel puts two scales into a part of a picture.
func (c *chart) newPanel(x, y scale, left, top, width, height float64) panel {
	x.from, x.to = left, left+width
	y.from, y.to = top+height, top
	return panel{c, x, y}
}

func (p panel) at(x, y float64) point { return point{p.x.at(x), p.y.at(y)} }

// named writes the panel's name above it.
func (p panel) named(name string) { p.text("name", "start", p.x.from, p.y.to-10, name) }

// horizontal draws the x axis with its grid, and what it counts below it.
func (p panel) horizontal(ticks []tick, name string) {
	for _, t := range p.x.spaced(ticks, 6) {
		p.line("grid", p.x.at(t.at), p.y.to, p.x.at(t.at), p.y.from)
	}
	widest := 0.
	for _, t := range ticks {
		widest = max(widest, textWidth(t.label))
	}
	for _, t := range p.x.spaced(ticks, widest+8) {
		p.text("tick", "middle", p.x.at(t.at), p.y.from+16, t.label)
	}
	p.line("axis", p.x.from, p.y.from, p.x.to, p.y.from)
	p.text("tick", "middle", (p.x.from+p.x.to)/2, p.y.from+34, name)
}

func (p panel) vertical(ticks []tick) {
	for _, t := range p.y.spaced(ticks, 17) {
		p.line("grid", p.x.from, p.y.at(t.at), p.x.to, p.y.at(t.at))
		p.text("tick", "end", p.x.from-7, p.y.at(t.at)+4, t.label)
	}
}

// curve is a policy's line.
func (p panel) curve(of policy, points []point) {
	p.path(of.stroke(), polygon(points, false), "")
}

// whiskers reach a standard error to both sides.
func (p panel) across(class string, e estimate, y float64) {
	if finite(e.mean) && finite(e.se) {
		p.line(class, p.x.at(e.mean-e.se), y, p.x.at(e.mean+e.se), y)
	}
}

func (p panel) upright(class string, e estimate, x float64) {
	if finite(e.mean) && finite(e.se) {
		p.line(class, x, p.y.at(e.mean-e.se), x, p.y.at(e.mean+e.se))
	}
}
