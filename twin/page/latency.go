// SPDX-License-Identifier: Apache-2.0

package page

import "math"

// latencyOf gives which share of a policy's tasks has its result within each bin; an empty
// class is any. Each Latency counts alike, as cells do in all other means.
func (r *report) latencyOf(policy, class string) (done []float64, known bool) {
	done = make([]float64, latencyBins)
	n := 0.
	for i := range r.Latency {
		l := &r.Latency[i]
		all := l.Tasks()
		if l.Policy != policy || class != "" && l.Class != class || all == 0 {
			continue
		}
		n++
		sum := 0
		for bin, results := range l.Bins {
			sum += results
			done[bin] += float64(sum) / float64(all)
		}
	}
	for bin := range done {
		done[bin] /= n
	}
	return done, n > 0
}

// latency shows which share has its result within a time, and which is still without.
func (r *report) latency(class string) chart {
	const height, top, left, gap = 300., 34., 52., 74.
	c := chart{Width: pageWidth, Height: top + height + 44}
	c.Alt = "Distribution of the latency of each policy relative to the deadline; the table below has the figures."
	width := (pageWidth - left - gap - 14) / 2
	const least = .001 // of the share that is still without a result
	x := scale{low: .02, high: 5, warp: math.Log10}
	answered := c.newPanel(x, scale{low: 0, high: 1, warp: straight}, left, top, width, height)
	waiting := c.newPanel(x, scale{low: least, high: 1, warp: math.Log10}, left+width+gap, top, width, height)
	answered.named("with a result")
	waiting.named("still without a result (logarithmic axis)")
	_, shares := rounded(0, 1, 5, func(v float64) string { return plain(100*v) + "%" })
	answered.vertical(shares)
	waiting.vertical(decades(least, 1, func(v float64) string { return plain(100*v) + "%" }))
	for _, p := range []panel{answered, waiting} {
		p.horizontal(decades(x.low, x.high, inDeadlines), "latency in deadlines (logarithmic axis)")
		p.line("deadline", p.x.at(1), p.y.to, p.x.at(1), p.y.from)
	}
	for _, of := range r.policies {
		done, known := r.latencyOf(of.name, class)
		if !known {
			continue
		}
		var up, down []point
		for i, share := range done {
			if edge := latencyEdge(i); edge >= x.low && edge <= x.high*1.0001 {
				up = append(up, answered.at(edge, share))
				down = append(down, waiting.at(edge, 1-share))
			}
		}
		answered.curve(of, up)
		waiting.curve(of, down)
	}
	return c
}

func inDeadlines(v float64) string {
	if math.Abs(v-1) < 1e-9 {
		return "deadline"
	}
	return plain(v) + "×"
}

func (r *report) latencyTable(class string) table {
	t := table{Caption: "Tasks with a result, %", Head: []string{"policy", "within ¼ of the deadline", "within ½", "by the deadline", "within twice", "none"}}
	for _, of := range r.policies {
		done, known := r.latencyOf(of.name, class)
		if !known {
			continue
		}
		row := tableRow{Policy: &of}
		for _, ratio := range []float64{.25, .5, 1, 2} {
			row.add(decimals(100*done[latencyBin(ratio)], 2))
		}
		row.add(decimals(100*(1-done[latencyBins-1]), 2))
		t.Rows = append(t.Rows, row)
	}
	return t
}
