// SPDX-License-Identifier: Apache-2.0

package page

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"strings"
	"time"
)

// MaxTimelines are as many as a page shows, the first of those given.
const MaxTimelines = 12

// What keeps a page small. Misses are never left out.
const (
	maxInTime   = 3000 // decisions of a timeline that were in time
	linkColumns = 1000
)

// packed is a timeline as the page's script reads it: a list per figure, times in ms from 0.
type packed struct {
	Name   string `json:"name"`
	Length int    `json:"length"`
	// Columns of the link: when each begins, the least and the most round trip in tenths of a
	// ms, the least and the most uplink rate in kbit/s, and which percentage is lost.
	X       []int `json:"x"`
	RTTLow  []int `json:"rttLow"`
	RTTHigh []int `json:"rttHigh"`
	UpLow   []int `json:"upLow"`
	UpHigh  []int `json:"upHigh"`
	Lost    []int `json:"lost"`
	// Decisions: time since the one before, kind (letters count from A: priority, times two
	// plus one if in time, times four plus the route), latency in tenths of a ms or -1, deadline.
	T        []int  `json:"t"`
	Kind     string `json:"kind"`
	Latency  []int  `json:"latency"`
	Deadline []int  `json:"deadline"`
	Note     string `json:"note"`
}

// timelines are packed as they are given.
func (r *report) timelines() []packed {
	given := r.Timelines[:min(len(r.Timelines), MaxTimelines)]
	all := make([]packed, len(given))
	for i, t := range given {
		all[i] = pack(t)
	}
	return all
}

func pack(t Timeline) packed {
	p := packed{Name: fmt.Sprintf("%s · %s · %s · seed %d", clean(t.Policy), clean(t.Class), clean(t.Trace), t.Seed)}
	p.link(t.Link)
	shown := thin(t.Decisions)
	p.decisions(shown)
	p.Note = counted(t.Decisions, len(shown))
	return p
}

// within bounds a figure from outside to what a picture can show.
func within(v, most float64) int {
	if !(v > 0) {
		return 0
	}
	return int(math.Round(min(v, most)))
}

const longestMs = 24 * 3600 * 1000

func ms(d time.Duration) float64 { return float64(d) / float64(time.Millisecond) }

// link takes the least and the most of each column; what is lost has no round trip.
func (p *packed) link(points []LinkPoint) {
	n := min(len(points), linkColumns)
	for i := range n {
		column := points[i*len(points)/n : (i+1)*len(points)/n]
		rtt, up := []float64{}, []float64{}
		lost := 0
		for _, at := range column {
			up = append(up, at.Up*8/1000)
			if at.Lost {
				lost++
				continue
			}
			rtt = append(rtt, 10*ms(at.RTT))
		}
		rttLow, rttHigh := limits(rtt)
		upLow, upHigh := limits(up)
		p.X = append(p.X, within(ms(column[0].At), longestMs))
		p.RTTLow, p.RTTHigh = append(p.RTTLow, within(rttLow, longestMs)), append(p.RTTHigh, within(rttHigh, longestMs))
		p.UpLow, p.UpHigh = append(p.UpLow, within(upLow, 1e9)), append(p.UpHigh, within(upHigh, 1e9))
		p.Lost = append(p.Lost, 100*lost/len(column))
	}
	if n > 0 {
		last := p.X[n-1]
		p.Length = last + max(1, (last-p.X[0])/max(1, n-1))
	}
}

func (p *packed) decisions(list []Decision) {
	var kinds strings.Builder
	before := 0
	for _, d := range list {
		at := within(ms(d.At), longestMs)
		p.T = append(p.T, at-before)
		before = at
		kind := min(max(d.Priority, 0), 3)*2 + order(d.InTime)
		kinds.WriteByte('A' + byte(kind*4+int(min(d.Route, Dropped))))
		latency := -1
		if d.Latency >= 0 {
			latency = within(10*ms(d.Latency), longestMs)
		}
		p.Latency = append(p.Latency, latency)
		p.Deadline = append(p.Deadline, within(ms(d.Deadline), longestMs))
	}
	p.Kind = kinds.String()
	p.Length = max(p.Length, before+1)
}

// thin keeps every miss, and of what was in time an even choice.
func thin(list []Decision) []Decision {
	inTime := 0
	for _, d := range list {
		inTime += order(d.InTime)
	}
	sorted := slices.Clone(list)
	slices.SortStableFunc(sorted, func(a, b Decision) int { return cmp.Compare(a.At, b.At) })
	keep, seen := min(inTime, maxInTime), 0
	return slices.DeleteFunc(sorted, func(d Decision) bool {
		if !d.InTime {
			return false
		}
		seen++
		return seen*keep/inTime == (seen-1)*keep/inTime
	})
}

func counted(all []Decision, shown int) string {
	missed, routes := 0, [Dropped + 1]int{}
	for _, d := range all {
		missed += 1 - order(d.InTime)
		routes[min(d.Route, Dropped)]++
	}
	text := fmt.Sprintf("%s: %s on the box, %s sent, %s sent with the box as a backup, %s without a result; %s missed.",
		plural(len(all), "task"), count(routes[Local]), count(routes[Remote]), count(routes[Hedged]), count(routes[Dropped]), count(missed))
	if shown < len(all) {
		text += fmt.Sprintf(" Drawn are all misses and %s of the others.", count(shown-missed))
	}
	return text
}
