// SPDX-License-Identifier: Apache-2.0

package main

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"edgex-offload/twin/compare"
	"edgex-offload/twin/page"
)

// twinPage collects what the page of pictures shows beside the report, while the cells are
// played. Each run has a room of its own, so that they may be played at once.
type twinPage struct {
	file, scenario string
	watched        []*watchedRun
}

// newTwinPage sets the observers of the runs that the page shows; those of sweeps are means
// alone.
func newTwinPage(o twinOptions, g *compare.Grid, runs []compare.Run) *twinPage {
	p := &twinPage{file: o.html, scenario: sceneOf(o, g)}
	if o.html == "" {
		return p
	}
	for i := range runs {
		r := &runs[i]
		if r.Key != "" {
			continue
		}
		w := &watchedRun{cell: &r.Cell, latency: page.Latency{Policy: r.Name, Class: r.Class.Name}}
		if inDetail(g, r) {
			w.timeline = &page.Timeline{Policy: r.Name, Class: r.Class.Name, Trace: r.Trace.Name, Seed: r.Seed}
		}
		r.Observe = w.observe
		p.watched = append(p.watched, w)
	}
	return p
}

// sceneOf says in a line what was played.
func sceneOf(o twinOptions, g *compare.Grid) string {
	name := o.scenario
	if name != benchmarkName {
		name = strings.TrimSuffix(filepath.Base(name), filepath.Ext(name))
	}
	text := fmt.Sprintf("Scenario %s. Classes of box: %d, links: %d, workloads of each: %d, each up to %s long.", name, len(g.Classes), len(g.Traces), g.Seeds, g.Scenario.Longest)
	if len(o.set) > 0 {
		text += " Set: " + strings.Join(o.set, ", ") + "."
	}
	return text
}

// write draws the page, where one is asked for.
func (p *twinPage) write(report *compare.Report) error {
	if p.file == "" {
		return nil
	}
	file, err := os.Create(p.file)
	if err != nil {
		return fmt.Errorf("html: %w", err)
	}
	return errors.Join(p.writeTo(file, report), file.Close())
}

func (p *twinPage) writeTo(w io.Writer, report *compare.Report) error {
	d := page.Data{
		Title: "Offload policies over recorded links", Scenario: p.scenario,
		References: []string{compare.KnownNetwork, compare.EverythingKnown},
		Cells:      report.Scores, Sweeps: sweepsOf(report.Sweeps),
	}
	for _, name := range report.Names {
		d.Regrets = append(d.Regrets, regretsOf(name, report.Summary[name])...)
	}
	for _, pair := range report.Pairs {
		d.Pairs = append(d.Pairs, page.Pair{A: pair.A, B: pair.B, Metric: pair.Metric, Mean: orNaN(pair.Mean), SE: orNaN(pair.SE), Wins: pair.Wins, Cells: pair.Cells})
	}
	for _, watched := range p.watched {
		if watched.latency.Tasks() > 0 { // what was searched for has no tasks to observe
			d.Latency = append(d.Latency, watched.latency)
		}
	}
	d.Timelines = p.timelines(report)
	return page.Write(w, d)
}

// timelines are of the two policies that miss least, on the links on which they differ most.
func (p *twinPage) timelines(report *compare.Report) []page.Timeline {
	names := slices.DeleteFunc(slices.Clone(report.Names), func(name string) bool {
		return name == compare.KnownNetwork || name == compare.EverythingKnown
	})
	slices.SortStableFunc(names, func(a, b string) int { return cmp.Compare(report.Summary[a].Miss, report.Summary[b].Miss) })
	names = names[:min(2, len(names))]
	byTrace := map[string][]*watchedRun{}
	var traces []string
	for _, w := range p.watched {
		if w.timeline == nil || !slices.Contains(names, w.timeline.Policy) {
			continue
		}
		trace := w.timeline.Trace
		if byTrace[trace] == nil {
			traces = append(traces, trace)
		}
		byTrace[trace] = append(byTrace[trace], w)
	}
	spread := func(trace string) int {
		runs := byTrace[trace]
		return max(runs[0].missed, runs[len(runs)-1].missed) - min(runs[0].missed, runs[len(runs)-1].missed)
	}
	slices.SortStableFunc(traces, func(a, b string) int { return cmp.Compare(spread(b), spread(a)) })
	var all []page.Timeline
	for _, trace := range traces {
		for _, w := range byTrace[trace] {
			if len(all) < page.MaxTimelines {
				w.timeline.Link = linkOf(w.cell)
				all = append(all, *w.timeline)
			}
		}
	}
	return all
}

func regretsOf(name string, s compare.Summary) []page.Regret {
	var all []page.Regret
	for _, against := range []struct {
		reference string
		regret    *float64
	}{{compare.KnownNetwork, s.RegretKnownNetwork}, {compare.EverythingKnown, s.RegretEverythingKnown}} {
		if against.regret != nil {
			all = append(all, page.Regret{Policy: name, Against: against.reference, Regret: *against.regret})
		}
	}
	return all
}

// sweepsOf gathers the points of each key.
func sweepsOf(swept []compare.Swept) []page.Sweep {
	var all []page.Sweep
	at := map[string]int{}
	for _, s := range swept {
		i, known := at[s.Key]
		if !known {
			i = len(all)
			at[s.Key] = i
			all = append(all, page.Sweep{Key: s.Key})
		}
		all[i].Points = append(all[i].Points, page.SweepPoint{
			Value: s.Value, Policy: s.Policy, Miss: s.Means.Miss, MissCritical: s.Means.MissP0,
			Utility: s.Means.Utility, SentMB: s.Means.SentMB, EnergyJ: s.Means.EnergyJ,
		})
	}
	return all
}

func orNaN(v *float64) float64 {
	if v == nil {
		return math.NaN()
	}
	return *v
}
