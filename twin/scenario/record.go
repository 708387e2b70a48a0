// SPDX-License-Identifier: Apache-2.0

package scenario

import (
	"cmp"
	"errors"
	"fmt"
	"maps"
	"math"
	"slices"
	"time"

	"edgex-offload/offload"
	"edgex-offload/twin"
)

// FromRecords makes a scenario from the decision records of a system that runs: what each of
// its sources asked for and how often, how long its models took, and how right they are. The
// notes say what the records do not tell and was taken from elsewhere.
//
// Throttling and overload are in the times that were measured, and none come beside them.
func FromRecords(records []offload.Record) (s twin.Scenario, notes []string, err error) {
	if len(records) < 2 {
		return s, nil, fmt.Errorf("decisions: %d records: allowed is 2 and more", len(records))
	}
	r := recording{records: slices.DeleteFunc(slices.Clone(records), func(r offload.Record) bool { return r.Model == "" })}
	if len(r.records) < 2 {
		return s, nil, errors.New("decisions: none of the tasks names a model")
	}
	slices.SortStableFunc(r.records, func(a, b offload.Record) int { return a.Created.Compare(b.Created) })
	s = twin.Benchmark()
	s.Name, s.Throttling, s.Overload = "recorded", twin.Episodes{}, twin.Episodes{}
	s.Targets = r.targets()
	s.LocalTime = r.localSpread()
	var class twin.Class
	class, s.Models = r.models(s.Targets)
	class.Sources = r.sources()
	s.Classes = []twin.Class{class}
	if len(class.Sources) == 0 {
		return s, nil, errors.New("decisions: no source has two tasks or more")
	}
	r.note("times elsewhere: their spread is the benchmark's")
	return s, r.notes, s.Validate()
}

// recording is what a scenario is made from, in order of capture.
type recording struct {
	records []offload.Record
	notes   []string
}

func (r *recording) note(format string, args ...any) {
	r.notes = append(r.notes, fmt.Sprintf(format, args...))
}

// sources are what the tasks came from, by name.
func (r *recording) sources() []twin.Source {
	of := map[string][]*offload.Record{}
	for i := range r.records {
		of[r.records[i].Source] = append(of[r.records[i].Source], &r.records[i])
	}
	length := r.records[len(r.records)-1].Created.Sub(r.records[0].Created)
	var sources []twin.Source
	for _, name := range slices.Sorted(maps.Keys(of)) {
		if len(of[name]) < 2 {
			r.note("source %q has one task and is left out", name)
			continue
		}
		sources = append(sources, r.source(name, of[name], length))
	}
	return sources
}

func (r *recording) source(name string, tasks []*offload.Record, length time.Duration) twin.Source {
	if len(name) > 64 {
		name = name[:64]
	}
	s := twin.Source{Name: name, Count: 1, Model: tasks[0].Model, Burst: 1, Bytes: sizeOf(tasks), Kinds: r.kinds(name, tasks)}
	arrivals(&s, tasks, length)
	if s.Arrivals == twin.Periodic {
		s.Kinds = s.Kinds[:1]
	}
	return s
}

// arrivals finds the process of a source: what comes with gaps that vary by less than half of
// their mean is periodic.
func arrivals(s *twin.Source, tasks []*offload.Record, length time.Duration) {
	const (
		periodicBelow = .5 // coefficient of variation; 1 is that of a Poisson process
		togetherBelow = time.Millisecond
		pauseFrom     = 10 // medians: the source was off
	)
	var starts []time.Time
	starts, s.Burst, s.Spacing = bursts(tasks, togetherBelow)
	var gaps []float64
	for i := 1; i < len(starts); i++ {
		gaps = append(gaps, starts[i].Sub(starts[i-1]).Seconds())
	}
	typical := quantile(gaps, .5)
	gaps = slices.DeleteFunc(gaps, func(g float64) bool { return g > pauseFrom*typical })
	mean, deviation := meanAndDeviation(gaps)
	if len(gaps) > 2 && deviation < periodicBelow*mean {
		s.Arrivals = twin.Periodic
		s.Every = duration(mean)
		// Each end of a gap is late by a uniform time up to the jitter: variance jitter²/6.
		s.Jitter = min(duration(deviation*math.Sqrt(6)), s.Every).Round(10 * time.Microsecond)
		return
	}
	s.Arrivals = twin.Poisson
	if len(gaps) < 3 { // too few to have a mean
		mean = length.Seconds() / float64(len(starts))
	}
	s.Every = max(duration(mean), time.Millisecond)
}

// bursts tells when tasks came, how many of them at once, and how far apart those are.
func bursts(tasks []*offload.Record, together time.Duration) (starts []time.Time, size int, spacing time.Duration) {
	var gaps []float64
	all := []time.Time{tasks[0].Created}
	starts = []time.Time{tasks[0].Created}
	for i := 1; i < len(tasks); i++ {
		at := tasks[i].Created
		all = append(all, at)
		if gap := at.Sub(tasks[i-1].Created); gap < together {
			gaps = append(gaps, gap.Seconds())
		} else {
			starts = append(starts, at)
		}
	}
	size = int(math.Round(float64(len(tasks)) / float64(len(starts))))
	if size < 2 || len(starts) < 2 {
		return all, 1, 0
	}
	return starts, size, duration(quantile(gaps, .5))
}

// mostKinds bounds how finely the shares of a source's kinds are told.
const mostKinds = 20

// kinds are the pairs of deadline and priority of a source, the most frequent one first; each
// is there as often as its share asks for.
func (r *recording) kinds(name string, tasks []*offload.Record) []twin.Kind {
	counts := map[twin.Kind]int{}
	for _, t := range tasks {
		counts[r.kind(t)]++
	}
	all := slices.SortedFunc(maps.Keys(counts), func(a, b twin.Kind) int {
		return cmp.Or(cmp.Compare(counts[b], counts[a]), cmp.Compare(a.Deadline, b.Deadline), cmp.Compare(b.Priority, a.Priority))
	})
	if len(all) == 1 {
		return all
	}
	var kinds []twin.Kind
	for i, k := range all {
		times := int(math.Round(mostKinds * float64(counts[k]) / float64(len(tasks))))
		if i == 0 {
			times = max(1, times)
		}
		for range times {
			kinds = append(kinds, k)
		}
	}
	if len(all) > mostKinds {
		r.note("source %q: of %d kinds of task the rarest are left out", name, len(all))
	}
	return kinds
}

// patience is the deadline of a task that has none.
const patience = 30 * time.Second

func (r *recording) kind(t *offload.Record) twin.Kind {
	k := twin.Kind{Deadline: patience}
	if t.DeadlineMs > 0 {
		k.Deadline = max(milliseconds(t.DeadlineMs), time.Millisecond)
	}
	_ = k.Priority.UnmarshalText([]byte(t.Priority)) // a priority that is none is the lowest
	return k
}

// sizeOf is lognormal around the median, within what was seen.
func sizeOf(tasks []*offload.Record) twin.Size {
	var sizes, logs []float64
	for _, t := range tasks {
		sizes = append(sizes, float64(t.Bytes))
		logs = append(logs, math.Log(max(1, float64(t.Bytes))))
	}
	_, sigma := meanAndDeviation(logs)
	return twin.Size{
		Median: max(1, quantile(sizes, .5)), Sigma: round(min(sigma, 3)),
		Least: int(quantile(sizes, 0)), Most: int(quantile(sizes, 1)),
	}
}
