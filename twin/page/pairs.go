// SPDX-License-Identifier: Apache-2.0

package page

import (
	"fmt"
	"math"
	"slices"
	"strings"
)

// certain is how many standard errors a difference is drawn with: 95% of a normal distribution.
const certain = 1.96

// paired is a row of the forest: two policies and their differences by metric.
type paired struct{ a, b string }

func (r *report) pairRows() (rows []paired, keys []string) {
	for _, p := range r.Pairs {
		if !slices.Contains(rows, paired{p.A, p.B}) {
			rows = append(rows, paired{p.A, p.B})
		}
		if !slices.Contains(keys, p.Metric) {
			keys = append(keys, p.Metric)
		}
	}
	return rows, keys
}

func (r *report) pair(row paired, key string) (Pair, bool) {
	for _, p := range r.Pairs {
		if p.A == row.a && p.B == row.b && p.Metric == key {
			return p, finite(p.Mean)
		}
	}
	return Pair{}, false
}

// forests draws the differences, four metrics beside each other at the most.
func (r *report) forests() []chart {
	rows, keys := r.pairRows()
	var all []chart
	for some := range slices.Chunk(keys, 4) {
		all = append(all, r.forest(rows, some))
	}
	return all
}

func (r *report) forest(rows []paired, keys []string) chart {
	const left, top, pitch, gap = 250., 34., 21., 52.
	height := pitch * float64(len(rows))
	c := chart{Width: pageWidth, Height: px(top + height + 44)}
	c.Alt = "Paired differences between policies with their 95% intervals; the table below has the figures."
	for i, row := range rows {
		if i%2 == 0 {
			c.rect("band", 0, top+pitch*float64(i), pageWidth, pitch)
		}
		c.text("label", "end", left-14, top+pitch*(float64(i)+.5)+4, clip(clean(row.a), 17)+" − "+clip(clean(row.b), 17))
	}
	width := (pageWidth-left-20+gap)/float64(len(keys)) - gap
	for i, key := range keys {
		r.forestPanel(&c, rows, metricOf(key), left+float64(i)*(width+gap), top, width, height)
	}
	return c
}

func (r *report) forestPanel(c *chart, rows []paired, m metric, left, top, width, height float64) {
	reach := 0.
	var means []float64
	for _, row := range rows {
		if p, is := r.pair(row, m.key); is {
			reach = max(reach, math.Abs(p.Mean)+certain*zeroIfUnknown(p.SE))
			means = append(means, p.Mean)
		}
	}
	label := func(v float64) string { return strings.TrimSuffix(m.tick(v), "%") }
	x, ticks := around(means, reach, label)
	p := c.newPanel(x, scale{}, left, top, width, height)
	p.named(m.apart())
	p.horizontal(ticks, map[int]string{-1: "← first is better", 0: "", 1: "first is better →"}[m.better])
	p.line("zero", p.x.at(0), p.y.to, p.x.at(0), p.y.from)
	for i, row := range rows {
		d, is := r.pair(row, m.key)
		if !is {
			continue
		}
		y := top + height/float64(len(rows))*(float64(i)+.5)
		class := verdict(d, m)
		if finite(d.SE) {
			p.line("whisker "+class, p.x.at(d.Mean-certain*d.SE), y, p.x.at(d.Mean+certain*d.SE), y)
		}
		tip := fmt.Sprintf("%s − %s: %s %s, better in %d of %s", clean(d.A), clean(d.B), m.apart(),
			m.differs(d), d.Wins, plural(d.Cells, "cell"))
		p.path("dot "+class, circle(point{p.x.at(d.Mean), y}, 4), tip)
	}
}

func (m metric) differs(d Pair) string { return plusMinus(signed(m.bare(d.Mean)), m.bare(d.SE)) }

func zeroIfUnknown(v float64) float64 {
	if finite(v) {
		return v
	}
	return 0
}

// verdict tells a difference that its interval has on one side of zero.
func verdict(d Pair, m metric) string {
	switch {
	case !finite(d.SE) || math.Abs(d.Mean) <= certain*d.SE || m.better == 0:
		return "even"
	case (d.Mean > 0) == (m.better > 0):
		return "won"
	default:
		return "lost"
	}
}

func (r *report) pairTable() table {
	rows, keys := r.pairRows()
	t := table{Caption: "First minus second, mean ± standard error; under it, in how many cells the first is better", Head: []string{"pair"}}
	for _, key := range keys {
		t.Head = append(t.Head, metricOf(key).apart())
	}
	for _, row := range rows {
		line := tableRow{Name: clean(row.a) + " − " + clean(row.b)}
		for _, key := range keys {
			cell := tableCell{Text: unknown}
			if d, is := r.pair(row, key); is {
				cell = tableCell{Text: metricOf(key).differs(d), Under: fmt.Sprintf("%d of %d", d.Wins, d.Cells)}
			}
			line.Cells = append(line.Cells, cell)
		}
		t.Rows = append(t.Rows, line)
	}
	return t
}
