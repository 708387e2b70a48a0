// SPDX-License-Identifier: Apache-2.0

package main

import (
	"image/color"
	"math"
	"slices"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"

	"edgex-offload/standalone/emulator"
)

// The values of columns that charts do not need: what a picture has room for.

func shortestRTT(column []emulator.Conditions) float64 { return rankRTT(column, 0) }
func medianRTT(column []emulator.Conditions) float64   { return rankRTT(column, .5) }

// rankRTT is 0 where all is out.
func rankRTT(column []emulator.Conditions, share float64) float64 {
	var list []float64
	for _, c := range column {
		if !c.Out() {
			list = append(list, rttMs(c))
		}
	}
	if len(list) == 0 {
		return 0
	}
	slices.Sort(list)
	return emulator.Rank(list, share)
}

func shareOut(column []emulator.Conditions) float64 {
	out := 0
	for _, c := range column {
		if c.Out() {
			out++
		}
	}
	return float64(out) / float64(len(column))
}

// shareLost is in percent, outages included.
func shareLost(column []emulator.Conditions) float64 {
	sum := 0.
	for _, c := range column {
		sum += 100 * min(c.Loss, 1)
	}
	return sum / float64(len(column))
}

// logged lifts values to what a logarithmic axis begins at.
func logged(list []float64, least float64) []float64 {
	for i, v := range list {
		list[i] = max(v, least)
	}
	return list
}

func constant(n int, v float64) []float64 { return slices.Repeat([]float64{v}, n) }

// limits of what is there.
func limits(low, high []float64) (least, most float64) {
	least, most = math.Inf(1), math.Inf(-1)
	for i := range low {
		if !math.IsNaN(low[i]) {
			least, most = min(least, low[i]), max(most, high[i])
		}
	}
	if least > most { // nothing is
		return 1, 10
	}
	return least, most
}

// band fills the room between two courses; a column is as wide as its time. Where a value
// is not a number there is a gap.
func (p plotted) band(low, high []float64, c color.NRGBA) plot.Plotter {
	c.A = 80
	return steps{edges: p.columnEdges(len(low)), low: low, high: high, fill: c}
}

func (p plotted) line(list []float64, c color.NRGBA) plot.Plotter {
	return steps{edges: p.columnEdges(len(list)), high: list, line: c}
}

// area is a line with the room below it filled.
func (p plotted) area(list []float64, c color.NRGBA) []plot.Plotter {
	return []plot.Plotter{p.band(constant(len(list), 0), list, c), p.line(list, c)}
}

// steps draws a value a column.
type steps struct {
	edges, low, high []float64
	fill, line       color.Color
}

// Plot implements plot.Plotter.
func (s steps) Plot(canvas draw.Canvas, p *plot.Plot) {
	x, y := p.Transforms(&canvas)
	for first := 0; first < len(s.high); first++ {
		if math.IsNaN(s.high[first]) {
			continue
		}
		end := first
		var upper, lower []vg.Point
		for ; end < len(s.high) && !math.IsNaN(s.high[end]); end++ {
			from, until := x(s.edges[end]), x(s.edges[end+1])
			upper = append(upper, vg.Point{X: from, Y: y(s.high[end])}, vg.Point{X: until, Y: y(s.high[end])})
			if s.low != nil {
				lower = append(lower, vg.Point{X: from, Y: y(s.low[end])}, vg.Point{X: until, Y: y(s.low[end])})
			}
		}
		first = end
		if s.low == nil {
			canvas.StrokeLines(draw.LineStyle{Color: s.line, Width: vg.Points(.9)}, canvas.ClipLinesXY(upper)...)
			continue
		}
		slices.Reverse(lower)
		canvas.FillPolygon(s.fill, canvas.ClipPolygonXY(append(upper, lower...)))
	}
}

// DataRange implements plot.DataRanger.
func (s steps) DataRange() (xmin, xmax, ymin, ymax float64) {
	low := s.low
	if low == nil {
		low = s.high
	}
	ymin, ymax = limits(low, s.high)
	return s.edges[0], s.edges[len(s.edges)-1], ymin, ymax
}

// outageSpans shade columns by how much of them is out.
type outageSpans struct{ edges, share []float64 }

// Plot implements plot.Plotter.
func (o outageSpans) Plot(canvas draw.Canvas, p *plot.Plot) {
	x, _ := p.Transforms(&canvas)
	for i, share := range o.share {
		if share == 0 {
			continue
		}
		from, until := x(o.edges[i]), x(o.edges[i+1])
		canvas.FillPolygon(color.NRGBA{220, 30, 30, uint8(40 + 70*share)}, []vg.Point{
			{X: from, Y: canvas.Min.Y}, {X: until, Y: canvas.Min.Y}, {X: until, Y: canvas.Max.Y}, {X: from, Y: canvas.Max.Y},
		})
	}
}

var _ plot.DataRanger = steps{}
