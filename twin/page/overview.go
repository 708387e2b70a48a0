// SPDX-License-Identifier: Apache-2.0

package page

import (
	"cmp"
	"fmt"
	"slices"
)

const pageWidth = 1160

// traceRows are the traces, those that are missed most first.
func (r *report) traceRows(class string) []string {
	missed := map[string]float64{}
	for _, trace := range r.traces {
		var means []float64
		for _, p := range r.policies {
			means = append(means, over(r.cells(p.name, class, trace), metricOf("miss").of).mean)
		}
		if missed[trace] = mean(means).mean; !finite(missed[trace]) {
			missed[trace] = -1
		}
	}
	rows := slices.Clone(r.traces)
	slices.SortStableFunc(rows, func(a, b string) int { return cmp.Compare(missed[b], missed[a]) })
	return rows
}

// overview has a row per trace and a mark per policy, for misses and utility; on top the means
// with their standard errors.
func (r *report) overview(class string) chart {
	const left, top, gap = 178., 34., 40.
	rows := r.traceRows(class)
	pitch := max(24, 8+3.8*float64(len(r.policies)))
	head := pitch + 5*float64(len(r.policies)) // the means have their errors to show
	height := head + pitch*float64(len(rows))
	c := chart{Width: pageWidth, Height: px(top + height + 44)}
	c.Alt = fmt.Sprintf("Missed deadlines and utility of %s on %s; the table below has the figures.", plural(len(r.policies), "policy"), plural(len(rows), "trace"))
	width := (pageWidth - left - gap - 20) / 2
	miss, missTicks := metricOf("miss").axis(r.every("miss", class))
	utility, utilityTicks := metricOf("utility").axis(r.every("utility", class))
	panels := []struct {
		panel
		key string
	}{
		{c.newPanel(miss, scale{}, left, top, width, height), "miss"},
		{c.newPanel(utility, scale{}, left+width+gap, top, width, height), "utility"},
	}
	for i := range rows {
		if i%2 == 0 {
			c.rect("band", 0, top+head+pitch*float64(i), pageWidth, pitch)
		}
	}
	c.text("label strong", "end", left-12, top+head/2+4, "mean ± standard error")
	for i, trace := range rows {
		c.text("label", "end", left-12, top+head+pitch*(float64(i)+.5)+4, clip(clean(trace), longestLabel))
	}
	panels[0].named("missed deadlines (" + metricOf("miss").axisName() + ")")
	panels[1].named("utility (" + metricOf("utility").axisName() + ")")
	panels[0].horizontal(missTicks, "share of tasks without a result in time, less is better")
	panels[1].horizontal(utilityTicks, "results in time, weighed by priority and accuracy, more is better")
	for _, p := range panels {
		p.line("axis", p.x.from, top+head, p.x.to, top+head)
		r.overviewMarks(p.panel, metricOf(p.key), class, rows, head, pitch)
	}
	return c
}

func (r *report) overviewMarks(p panel, m metric, class string, rows []string, head, pitch float64) {
	for i, of := range r.policies {
		offset := (float64(i) + 1) / float64(len(r.policies)+1)
		for row, trace := range append([]string{""}, rows...) {
			e := over(r.cells(of.name, class, trace), m.of)
			if !finite(e.mean) {
				continue
			}
			y := p.y.to + head + pitch*(float64(row-1)+offset)
			where, value, size := clean(trace), m.text(e.mean), 3.6
			if row == 0 {
				y = p.y.to + head*offset
				p.across("whisker "+of.Class(), e, y)
				where, value, size = "mean", plusMinus(value, m.text(e.se)), 5
			}
			p.symbol(of, point{p.x.at(e.mean), y}, size, fmt.Sprintf("%s, %s: %s %s", of.Label, where, m.Name, value))
		}
	}
}

// every value of a metric that a mean per policy and trace takes.
func (r *report) every(key, class string) []float64 {
	var values []float64
	for _, p := range r.policies {
		for _, trace := range r.traces {
			values = append(values, over(r.cells(p.name, class, trace), metricOf(key).of).mean)
		}
	}
	return values
}

// heat is a table whose cells are shaded by their value.
type heat struct {
	Caption  string
	Policies []policy
	Rows     []heatRow
}

type heatRow struct {
	Name  string
	Cells []heatCell
}

type heatCell struct {
	tableCell
	Shade string
}

// shades are how many steps the style sheet has.
const shades = 9

func (r *report) heat(key, hue, class, caption string) heat {
	m := metricOf(key)
	h := heat{Caption: caption, Policies: r.policies}
	values := r.every(key, class)
	least, most := limits(values)
	place, _ := m.axis(values)
	place.low, place.high, place.from, place.to = max(place.low, least), min(place.high, most), 0, shades-1
	for _, trace := range append(r.traceRows(class), "") {
		row := heatRow{Name: "mean ± standard error"}
		if trace != "" {
			row.Name = clean(trace)
		}
		for _, p := range r.policies {
			e := over(r.cells(p.name, class, trace), m.of)
			cell := heatCell{tableCell: estimated(m, e)}
			if trace != "" {
				cell.Under = ""
			}
			switch {
			case trace == "" || !finite(e.mean):
			case place.low >= place.high:
				cell.Shade = hue + "0"
			default:
				cell.Shade = fmt.Sprintf("%s%d", hue, int(place.at(e.mean)+.5))
			}
			row.Cells = append(row.Cells, cell)
		}
		h.Rows = append(h.Rows, row)
	}
	return h
}
