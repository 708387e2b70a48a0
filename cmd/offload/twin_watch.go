// SPDX-License-Identifier: Apache-2.0

package main

import (
	"math"
	"time"

	"edgex-offload/offload"
	"edgex-offload/twin"
	"edgex-offload/twin/compare"
	"edgex-offload/twin/page"
)

// watchedRun is what is kept of a run's tasks.
type watchedRun struct {
	latency page.Latency
	// timeline is of the runs that are shown task by task.
	timeline *page.Timeline
	cell     *twin.Cell
	missed   int
}

// inDetail tells the runs whose tasks are kept one by one: those of one workload on one class,
// so that a comparison of any size fits into memory.
func inDetail(g *compare.Grid, r *compare.Run) bool {
	return r.Seed == 1 && r.Class.Name == g.Classes[0].Name
}

// linkOf is the link over the run's time; the trace repeats at its end.
func linkOf(c *twin.Cell) []page.LinkPoint {
	var points []page.LinkPoint
	for at := time.Duration(0); at < c.Length(); at += twin.SlotLength {
		s := c.Trace.Slots[int(at/twin.SlotLength)%len(c.Trace.Slots)]
		points = append(points, page.LinkPoint{At: at, RTT: s.RTT, Up: s.Up, Lost: s.Lost})
	}
	return points
}

// observe is told of each task that ends.
func (w *watchedRun) observe(_ time.Duration, o *offload.Outcome) {
	r := &o.Record
	latency, deadline := time.Duration(-1), fromMs(r.DeadlineMs)
	if o.Answer != nil {
		latency = fromMs(r.LatencyMs)
	}
	w.latency.Add(latency, deadline)
	if !r.DeadlineMet {
		w.missed++
	}
	if w.timeline == nil {
		return
	}
	priority, _ := offload.ParsePriority(r.Priority) // the engine's own
	w.timeline.Decisions = append(w.timeline.Decisions, page.Decision{
		At: time.Duration(r.Created.UnixNano()), Route: routeOf(o), InTime: r.DeadlineMet && o.Answer != nil,
		Priority: int(offload.Critical - priority), Latency: latency, Deadline: deadline,
	})
}

func fromMs(ms float64) time.Duration {
	return time.Duration(math.Round(ms * float64(time.Millisecond)))
}

// routeOf tells where a task went: a backup that ran counts, whoever answered; the head of a
// split is none.
func routeOf(o *offload.Outcome) page.Route {
	sent, ran := false, false
	for _, a := range o.Record.Attempts {
		sent = sent || a.Target != offload.Local
		ran = ran || (a.Target == offload.Local && !a.OfHead())
	}
	switch {
	case o.Answer == nil:
		return page.Dropped
	case sent && ran:
		return page.Hedged
	case sent:
		return page.Remote
	}
	return page.Local
}
