// SPDX-License-Identifier: Apache-2.0

package page

import (
	"cmp"
	"fmt"
	"math"
	"slices"
)

// swept is a figure of a sweep.
type swept struct {
	metric
	value func(SweepPoint) float64
}

func sweptMetrics() []swept {
	return []swept{
		{metricOf("miss"), func(p SweepPoint) float64 { return p.Miss }},
		{metricOf("miss_p0"), func(p SweepPoint) float64 { return p.MissCritical }},
		{metricOf("utility"), func(p SweepPoint) float64 { return p.Utility }},
		{metricOf("sent_mb"), func(p SweepPoint) float64 { return p.SentMB }},
		{metricOf("energy_j"), func(p SweepPoint) float64 { return p.EnergyJ }},
	}
}

// sweep has a panel per figure over the knob's values.
func (r *report) sweep(s Sweep) chart {
	const height, top, left, columns = 170., 34., 50., 5
	const across = (pageWidth - 4.) / columns
	c := chart{Width: pageWidth, Height: top + height + 44}
	c.Alt = fmt.Sprintf("What %s does to misses, utility, megabytes and joules; the table below has the figures.", clean(s.Key))
	for i, m := range sweptMetrics() {
		r.sweepPanel(&c, s, m, float64(i)*across+left, top, across-left-14, height)
	}
	return c
}

func (r *report) sweepPanel(c *chart, s Sweep, m swept, left, top, width, height float64) {
	var xs, ys []float64
	for _, p := range s.Points {
		xs, ys = append(xs, p.Value), append(ys, m.value(p))
	}
	x, xTicks := knobScale(xs)
	least, most := limits(ys)
	label := plain
	if m.better < 0 {
		least = min(least, 0)
	}
	if m.key == "miss" || m.key == "miss_p0" {
		label = func(v float64) string { return plain(100*v) + "%" }
	}
	y, yTicks := rounded(least, most, 4, label)
	p := c.newPanel(x, y, left, top, width, height)
	p.named(m.Name)
	p.horizontal(xTicks, clip(clean(s.Key), longestLabel))
	p.vertical(yTicks)
	for _, of := range r.policies {
		points := slices.DeleteFunc(slices.Clone(s.Points), func(q SweepPoint) bool {
			return q.Policy != of.name || !finite(q.Value) || !finite(m.value(q))
		})
		slices.SortStableFunc(points, func(a, b SweepPoint) int { return cmp.Compare(a.Value, b.Value) })
		var line []point
		for _, q := range points {
			line = append(line, p.at(q.Value, m.value(q)))
		}
		p.curve(of, line)
		for i, q := range points {
			p.symbol(of, line[i], 3.6, fmt.Sprintf("%s, %s = %s: %s %s", of.Label, clean(s.Key), plain(q.Value), m.Name, m.text(m.value(q))))
		}
	}
}

// knobScale is logarithmic where the values span a wide range and none is zero or less.
func knobScale(values []float64) (scale, []tick) {
	least, most := limits(values)
	if least <= 0 || most < 30*least {
		return rounded(least, most, 4, plain)
	}
	ticks := decades(least, most, plain)
	return scale{low: least, high: most, warp: math.Log10}, ticks
}

func (r *report) sweepTable(s Sweep) table {
	t := table{Caption: "Means over cells", Head: []string{"policy", clean(s.Key)}}
	for _, m := range sweptMetrics() {
		t.Head = append(t.Head, m.Name)
	}
	for _, of := range r.policies {
		for _, p := range s.Points {
			if p.Policy != of.name {
				continue
			}
			row := tableRow{Policy: &of, Cells: []string{plain(p.Value)}}
			for _, m := range sweptMetrics() {
				row.Cells = append(row.Cells, m.text(m.value(p)))
			}
			t.Rows = append(t.Rows, row)
		}
	}
	return t
}
