// SPDX-License-Identifier: Apache-2.0

package page

import (
	"fmt"
	"math"
	"slices"

	"edgex-offload/twin"
)

// calibrationOf sums a policy's attempts up; an empty class is any.
func (r *report) calibrationOf(policy, class string) (sum twin.Calibration, attempts int) {
	for _, c := range r.cells(policy, class, "") {
		sum.Merge(&c.Calibration)
	}
	for _, b := range sum.Bins {
		attempts += b.Count
	}
	return sum, attempts
}

func (r *report) promised() bool {
	return slices.ContainsFunc(r.policies, func(p policy) bool {
		_, attempts := r.calibrationOf(p.name, "")
		return attempts > 0
	})
}

// reliability has a panel per policy that promised anything.
func (r *report) reliability(class string) chart {
	const side, top, left, columns = 218., 54., 46., 4
	const across, down = (pageWidth - 6) / columns, top + side + 50
	c := chart{Width: pageWidth, Alt: "For each policy, the promised probability of being in time against the share that was; the table below has the figures."}
	shown := 0
	for _, of := range r.policies {
		sum, attempts := r.calibrationOf(of.name, class)
		if attempts == 0 {
			continue
		}
		x, y := float64(shown%columns)*across+left, float64(shown/columns)*down+top
		c.reliabilityPanel(of, sum, attempts, x, y, side)
		shown++
	}
	c.Height = px(math.Ceil(float64(shown)/columns) * down)
	return c
}

func (c *chart) reliabilityPanel(of policy, sum twin.Calibration, attempts int, left, top, side float64) {
	unit := scale{low: 0, high: 1, warp: straight}
	p := c.newPanel(unit, unit, left, top, side, side)
	ece, _ := sum.Errors()
	_, ticks := rounded(0, 1, 5, func(v float64) string { return plain(100*v) + "%" })
	p.horizontal(ticks, "promised")
	p.vertical(ticks)
	p.line("deadline", p.x.from, p.y.from, p.x.to, p.y.to)
	c.symbol(of, point{left + 6, top - 34}, 5, "")
	c.text("name", "start", left+18, top-30, clip(of.Label, longestLabel))
	c.text("tick", "start", left, top-14, fmt.Sprintf("in time · ECE %s · %s", three(ece), plural(attempts, "attempt")))
	var line []point
	for _, b := range sum.Bins {
		if b.Count > 0 {
			line = append(line, p.at(b.Promised/float64(b.Count), float64(b.InTime)/float64(b.Count)))
		}
	}
	p.curve(of, line)
	for _, b := range sum.Bins {
		if b.Count == 0 {
			continue
		}
		promised, came := b.Promised/float64(b.Count), float64(b.InTime)/float64(b.Count)
		share := float64(b.Count) / float64(attempts)
		at := p.at(promised, came)
		c.path(of.fill()+" glass", circle(at, 2.5+13*math.Sqrt(share)), fmt.Sprintf("%s: promised %s, in time %s, %s", of.Label, percent(promised), percent(came), plural(b.Count, "attempt")))
	}
}

func circle(at point, r float64) string {
	return fmt.Sprintf("M%s %sa%s %s 0 1 0 %s 0a%s %s 0 1 0 %s 0Z", px(at.x-r), px(at.y), px(r), px(r), px(2*r), px(r), px(r), px(-2*r))
}

func (r *report) calibrationTable(class string) table {
	t := table{Caption: "In time of those that were promised so much, %, and how many they are", Head: []string{"policy", "ECE", "Brier"}}
	for i := range len(twin.Calibration{}.Bins) {
		t.Head = append(t.Head, fmt.Sprintf("%d–%d%%", 10*i, 10*i+10))
	}
	for _, of := range r.policies {
		sum, attempts := r.calibrationOf(of.name, class)
		if attempts == 0 {
			continue
		}
		ece, brier := sum.Errors()
		row := tableRow{Policy: &of}
		row.add(three(ece), three(brier))
		for _, b := range sum.Bins {
			cell := tableCell{Text: unknown}
			if b.Count > 0 {
				cell = tableCell{Text: decimals(100*float64(b.InTime)/float64(b.Count), 1), Under: count(b.Count)}
			}
			row.Cells = append(row.Cells, cell)
		}
		t.Rows = append(t.Rows, row)
	}
	return t
}
