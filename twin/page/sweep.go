// SPDX-License-Identifier: Apache-2.0

package page

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"strconv"
	"time"
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

// knob is the axis of a sweep's values.
type knob struct {
	scale
	ticks []tick
	at    map[string]float64
}

// knobOf spaces numbers and times by what they are, words evenly. It is logarithmic where the
// values span a wide range and none is zero or less.
func knobOf(s Sweep) knob {
	k := knob{at: map[string]float64{}}
	var values []string
	numbers := true
	for _, p := range s.Points {
		if _, seen := k.at[p.Value]; seen {
			continue
		}
		v, is := number(p.Value)
		numbers = numbers && is
		k.at[p.Value] = v
		values = append(values, p.Value)
	}
	if !numbers {
		for i, v := range values {
			k.at[v] = float64(i)
		}
	}
	for _, v := range values {
		k.ticks = append(k.ticks, tick{k.at[v], clip(clean(v), 12)})
	}
	slices.SortStableFunc(k.ticks, func(a, b tick) int { return cmp.Compare(a.at, b.at) })
	if len(k.ticks) == 0 {
		return k
	}
	least, most := k.ticks[0].at, k.ticks[len(k.ticks)-1].at
	k.scale = scale{low: least, high: most, warp: straight}
	if least > 0 && most >= 30*least {
		k.warp = math.Log10
	}
	return k
}

// number reads a number, or a time in seconds.
func number(text string) (float64, bool) {
	if v, err := strconv.ParseFloat(text, 64); err == nil {
		return v, math.Abs(v) < 1e15
	}
	d, err := time.ParseDuration(text)
	return d.Seconds(), err == nil
}

// sweep has a panel per figure over the knob's values.
func (r *report) sweep(s Sweep) chart {
	const height, top, left, columns = 170., 34., 50., 5
	const across = (pageWidth - 4.) / columns
	c := chart{Width: pageWidth, Height: top + height + 44}
	c.Alt = fmt.Sprintf("What %s does to misses, utility, megabytes and joules; the table below has the figures.", clean(s.Key))
	k := knobOf(s)
	for i, m := range sweptMetrics() {
		r.sweepPanel(&c, s, k, m, float64(i)*across+left, top, across-left-14, height)
	}
	return c
}

func (r *report) sweepPanel(c *chart, s Sweep, k knob, m swept, left, top, width, height float64) {
	var ys []float64
	for _, p := range s.Points {
		ys = append(ys, m.value(p))
	}
	least, most := limits(ys)
	y, yTicks := rounded(least, most, 4, m.tick)
	p := c.newPanel(k.scale, y, left, top, width, height)
	p.named(m.head())
	p.horizontal(k.ticks, clip(clean(s.Key), longestLabel))
	p.vertical(yTicks)
	for _, of := range r.policies {
		points := slices.DeleteFunc(slices.Clone(s.Points), func(q SweepPoint) bool {
			return q.Policy != of.name || !finite(m.value(q))
		})
		slices.SortStableFunc(points, func(a, b SweepPoint) int { return cmp.Compare(k.at[a.Value], k.at[b.Value]) })
		var line []point
		for _, q := range points {
			line = append(line, p.at(k.at[q.Value], m.value(q)))
		}
		p.curve(of, line)
		for i, q := range points {
			p.symbol(of, line[i], 3.6, fmt.Sprintf("%s, %s = %s: %s %s", of.Label, clean(s.Key), clean(q.Value), m.Name, m.text(m.value(q))))
		}
	}
}

func (r *report) sweepTable(s Sweep) table {
	t := table{Caption: "Means over cells", Head: []string{"policy", clean(s.Key)}}
	for _, m := range sweptMetrics() {
		t.Head = append(t.Head, m.head())
	}
	for _, of := range r.policies {
		for _, p := range s.Points {
			if p.Policy != of.name {
				continue
			}
			row := tableRow{Policy: &of}
			row.add(clean(p.Value))
			for _, m := range sweptMetrics() {
				row.add(m.bare(m.value(p)))
			}
			t.Rows = append(t.Rows, row)
		}
	}
	return t
}
