// SPDX-License-Identifier: Apache-2.0

package page

import (
	"cmp"
	"fmt"
	"math"
	"slices"
)

// tradeoff sets misses against what they are bought with: a mark per policy.
func (r *report) tradeoff(class string) chart {
	const height, top, left, gap = 300., 34., 60., 66.
	c := chart{Width: pageWidth, Height: top + height + 44}
	c.Alt = "Missed deadlines of each policy against its utility, megabytes sent and joules; the table under At a glance has the figures."
	width := (pageWidth - left - 2*gap - 14) / 3
	for i, key := range []string{"utility", "sent_mb", "energy_j"} {
		r.tradeoffPanel(&c, metricOf(key), class, left+float64(i)*(width+gap), top, width, height)
	}
	return c
}

type scattered struct {
	policy
	x, y estimate
}

func (r *report) tradeoffPanel(c *chart, m metric, class string, left, top, width, height float64) {
	var all []scattered
	var xs, ys []float64
	for _, p := range r.policies {
		cells := r.cells(p.name, class, "")
		s := scattered{p, over(cells, m.of), over(cells, metricOf("miss").of)}
		if finite(s.x.mean) && finite(s.y.mean) {
			all = append(all, s)
			xs = append(xs, s.x.mean-zeroIfUnknown(s.x.se), s.x.mean+zeroIfUnknown(s.x.se))
			ys = append(ys, s.y.mean-zeroIfUnknown(s.y.se), s.y.mean+zeroIfUnknown(s.y.se))
		}
	}
	x, xTicks := m.axis(xs)
	y, yTicks := metricOf("miss").axis(ys)
	p := c.newPanel(x, y, left, top, width, height)
	p.horizontal(xTicks, map[string]string{
		"utility": "utility, right is better (" + m.axisName() + ")", "sent_mb": "MB on the uplink, per cell (" + m.axisName() + ")", "energy_j": "joules per cell",
	}[m.key])
	p.vertical(yTicks)
	p.named("missed against " + map[string]string{"utility": "utility", "sent_mb": "megabytes sent", "energy_j": "energy"}[m.key])
	p.path("frontier", polygon(frontier(p, all, m.better), false), "")
	for _, s := range all {
		p.across("whisker "+s.Class(), s.x, p.y.at(s.y.mean))
		p.upright("whisker "+s.Class(), s.y, p.x.at(s.x.mean))
	}
	for _, s := range all {
		p.symbol(s.policy, p.at(s.x.mean, s.y.mean), 5.5, fmt.Sprintf("%s: missed %s, %s %s", s.Label,
			plusMinus(percent(s.y.mean), percent(s.y.se)), m.Name, plusMinus(m.text(s.x.mean), m.text(s.x.se))))
	}
	p.labels(all)
}

// frontier joins the policies, references aside, that none beats in both.
func frontier(p panel, all []scattered, better int) []point {
	all = slices.DeleteFunc(slices.Clone(all), func(s scattered) bool { return s.Reference })
	slices.SortFunc(all, func(a, b scattered) int {
		if a.x.mean != b.x.mean {
			return -better * cmp.Compare(a.x.mean, b.x.mean)
		}
		return cmp.Compare(a.y.mean, b.y.mean)
	})
	var line []point
	least := math.Inf(1)
	for _, s := range all {
		if s.y.mean < least {
			least = s.y.mean
			line = append(line, p.at(s.x.mean, s.y.mean))
		}
	}
	return line
}

// box is what a label or a mark takes.
type box struct{ left, top, right, bottom float64 }

func (b box) meets(o box) bool {
	return b.left < o.right && o.left < b.right && b.top < o.bottom && o.top < b.bottom
}

// labels writes each policy's name beside its mark, where there is room; a name that finds
// none is left to the legend.
func (p panel) labels(all []scattered) {
	var taken []box
	for _, s := range all {
		at := p.at(s.x.mean, s.y.mean)
		taken = append(taken, box{at.x - 6, at.y - 6, at.x + 6, at.y + 6})
		if finite(s.x.se) && finite(s.y.se) {
			taken = append(taken,
				box{p.x.at(s.x.mean - s.x.se), at.y - 1, p.x.at(s.x.mean + s.x.se), at.y + 1},
				box{at.x - 1, p.y.at(s.y.mean + s.y.se), at.x + 1, p.y.at(s.y.mean - s.y.se)})
		}
	}
	frame := box{p.x.from - 4, p.y.to, p.x.to + 2, p.y.from}
	for _, s := range all {
		name := clip(s.Label, longestLabel)
		at := p.at(s.x.mean, s.y.mean)
		if b, anchor, found := room(at, 1.1*textWidth(name)+3, frame, taken); found {
			taken = append(taken, b)
			if y := (b.top + b.bottom) / 2; math.Abs(y-at.y) > 20 {
				p.line("leader "+s.Class(), at.x, at.y, min(max(at.x, b.left), b.right), y)
			}
			x := map[string]float64{"start": b.left, "middle": (b.left + b.right) / 2, "end": b.right}[anchor]
			p.text("label "+s.Class(), anchor, x, b.bottom-3, name)
		}
	}
}

// room looks for a place for a label around a mark.
func room(at point, width float64, frame box, taken []box) (b box, anchor string, found bool) {
	const high, off = 14., 9.
	for _, try := range []struct {
		dx, dy float64
		anchor string
	}{
		{off, 0, "start"},
		{-off, 0, "end"},
		{0, -15, "middle"},
		{0, 15, "middle"},
		{off, -12, "start"},
		{off, 12, "start"},
		{-off, -12, "end"},
		{-off, 12, "end"},
		{2 * off, -26, "start"},
		{2 * off, 26, "start"},
		{-2 * off, -26, "end"},
		{-2 * off, 26, "end"},
		{4 * off, -44, "start"},
		{4 * off, 44, "start"},
		{-4 * off, -44, "end"},
		{-4 * off, 44, "end"},
		{4 * off, -62, "start"},
		{4 * off, 62, "start"},
		{-4 * off, -62, "end"},
		{-4 * off, 62, "end"},
	} {
		from := at.x + try.dx - width*map[string]float64{"start": 0, "middle": .5, "end": 1}[try.anchor]
		b = box{from, at.y + try.dy - high/2, from + width, at.y + try.dy + high/2}
		inside := b.left >= frame.left && b.right <= frame.right && b.top >= frame.top && b.bottom <= frame.bottom
		if inside && !slices.ContainsFunc(taken, b.meets) {
			return b, try.anchor, true
		}
	}
	return box{}, "", false
}
