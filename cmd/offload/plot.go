// SPDX-License-Identifier: Apache-2.0

package main

import (
	"image/color"
	"math"
	"os"
	"strings"
	"time"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/plotter"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
	"gonum.org/v1/plot/vg/vgimg"

	"edgex-offload/standalone/emulator"
)

// A picture is 1200 x 900 pixels; lengths below are in points.
const (
	plotDPI                = 96
	plotWidth, plotHeight  = 1200 * 72. / plotDPI, 900 * 72. / plotDPI
	plotHead, plotBorder   = 56., 9.
	plotSpace              = 7. // between panels
	plotColumns            = 1000
	leastPlotMs, leastLoss = .1, .1 // the logarithmic axes' ends
)

// plotted is what a picture shows.
type plotted struct {
	name    string
	slots   []emulator.Conditions
	from    time.Duration
	figures emulator.Figures
}

// panel is one of the plots that stand above each other, with its share of the height.
type panel struct {
	plot  *plot.Plot
	share float64
}

// writePlot draws a trace into a PNG file.
func writePlot(path string, p plotted) error {
	canvas := vgimg.NewWith(vgimg.UseWH(plotWidth, plotHeight), vgimg.UseDPI(plotDPI))
	p.draw(draw.New(canvas))
	file, err := os.Create(path)
	if err != nil {
		return err
	}
	if _, err := (vgimg.PngCanvas{Canvas: canvas}).WriteTo(file); err != nil {
		_ = file.Close() // the first error says why
		return err
	}
	return file.Close()
}

func (p plotted) draw(canvas draw.Canvas) {
	canvas = draw.Crop(canvas, plotBorder, -plotBorder, plotBorder, -plotBorder)
	p.head(canvas)
	panels := p.panels()
	left := math.Inf(1) // one edge for all, so that the times stand above each other
	right := math.Inf(1)
	for _, one := range panels {
		inner := one.plot.DataCanvas(canvas)
		left = min(left, -float64(inner.Min.X-canvas.Min.X))
		right = min(right, float64(inner.Max.X-canvas.Max.X))
	}
	top := canvas.Max.Y - plotHead
	height := float64(top - canvas.Min.Y)
	shares := 0.
	for _, one := range panels {
		shares += one.share
	}
	for _, one := range panels {
		part := canvas
		part.Max.Y = top
		part.Min.Y = top - vg.Length(height*one.share/shares)
		top = part.Min.Y
		part.Min.Y += plotSpace
		inner := one.plot.DataCanvas(part)
		part.Min.X += vg.Length(-left) - (inner.Min.X - part.Min.X)
		part.Max.X += vg.Length(right) - (inner.Max.X - part.Max.X)
		one.plot.Draw(part)
	}
}

// head writes the name and the figures.
func (p plotted) head(canvas draw.Canvas) {
	style := plot.New().Title.TextStyle
	style.Font.Variant = "Sans"
	style.XAlign, style.YAlign = draw.XLeft, draw.YTop
	at := vg.Point{X: canvas.Min.X, Y: canvas.Max.Y}
	style.Font.Size = vg.Points(13)
	canvas.FillText(style, at, p.name+" · "+lasting(len(p.slots)).String()+" from "+p.from.String()+" on")
	at.Y -= 22
	style.Font.Size = vg.Points(9.5)
	for line := range strings.SplitSeq(inShort(p.figures), "\n") {
		canvas.FillText(style, at, line)
		at.Y -= 14
	}
}

// panels from top to bottom; the last one has the times.
func (p plotted) panels() []panel {
	columns := deal(p.slots, plotColumns)
	longest := logged(values(columns, longestRTT), leastPlotMs)
	shortest := logged(values(columns, shortestRTT), leastPlotMs)
	usual := logged(values(columns, medianRTT), leastPlotMs)
	out := values(columns, shareOut)
	for i, share := range out {
		if share == 1 {
			longest[i], shortest[i], usual[i] = math.NaN(), math.NaN(), math.NaN()
		}
	}
	blue, green := color.NRGBA{31, 90, 166, 255}, color.NRGBA{38, 120, 70, 255}
	violet, red := color.NRGBA{112, 62, 150, 255}, color.NRGBA{200, 40, 40, 255}
	lost := logged(values(columns, shareLost), leastLoss)
	panels := []panel{
		{p.panel("round trip, ms", columns, p.band(shortest, longest, blue), p.line(usual, blue)), 2.2},
		{p.panel("jitter, ms", columns, p.area(jitters(p.slots, len(columns)), violet)...), 1},
		{p.panel("up, Mbit/s", columns, p.area(values(columns, meanOf(upMbps)), green)...), 1},
		{p.panel("down, Mbit/s", columns, p.area(values(columns, meanOf(downMbps)), blue)...), 1},
		{p.panel("lost, %", columns, p.band(constant(len(columns), leastLoss), lost, red)), .9},
	}
	least, most := limits(shortest, longest)
	logAxis(panels[0].plot, least, most)
	for _, one := range panels[1:4] {
		linearAxis(one.plot)
	}
	logAxis(panels[4].plot, leastLoss, 100)
	last := panels[len(panels)-1]
	last.plot.X.Tick.Marker = timeTicks(p.from, lasting(len(p.slots)))
	last.plot.X.Tick.Length = vg.Points(4)
	last.plot.X.Label.Text = "time, min:s (red: an outage; round trip: the longest, usual and shortest of each " +
		(lasting(len(p.slots)) / time.Duration(len(columns))).Round(time.Millisecond).String() + "; jitter: standard deviation of a second)"
	return panels
}

// panel is a plot over the trace's time with the outages behind what it shows.
func (p plotted) panel(name string, columns [][]emulator.Conditions, what ...plot.Plotter) *plot.Plot {
	one := plot.New()
	one.BackgroundColor = color.White
	for _, style := range []*draw.TextStyle{&one.X.Label.TextStyle, &one.Y.Label.TextStyle, &one.X.Tick.Label, &one.Y.Tick.Label} {
		style.Font.Variant = "Sans"
		style.Font.Size = vg.Points(8.5)
	}
	one.Y.Label.Text = name
	one.Y.Min = 0
	one.X.Padding, one.Y.Padding = 0, 0
	one.X.Tick.Marker = unlabelled{timeTicks(p.from, lasting(len(p.slots)))}
	one.X.Tick.Length = 0
	grid := plotter.NewGrid()
	grid.Vertical.Color, grid.Horizontal.Color = color.Gray{225}, color.Gray{225}
	one.Add(outageSpans{p.columnEdges(len(columns)), values(columns, shareOut)}, grid)
	one.Add(what...)
	one.X.Min, one.X.Max = p.from.Seconds(), (p.from + lasting(len(p.slots))).Seconds()
	return one
}

// columnEdges are the times at which n columns begin, and the last one ends.
func (p plotted) columnEdges(n int) []float64 {
	edges := make([]float64, n+1)
	for i := range edges {
		edges[i] = (p.from + lasting(i*len(p.slots)/n)).Seconds()
	}
	return edges
}
