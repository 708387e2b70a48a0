// SPDX-License-Identifier: Apache-2.0

package twin

import (
	"math"
	"math/rand/v2"
	"slices"
	"time"

	"edgex-offload/offload"
)

// job is a task with all that chance decides about it.
type job struct {
	at time.Duration
	// source is where it comes from.
	source string
	// model is an index in the scenario's models.
	model    int
	bytes    int
	priority offload.Priority
	allowed  time.Duration
	// weight is what an on-time result is worth.
	weight float64
	// local is the box's time for the first variant before throttling, cloud that of the
	// first target before overload.
	local, cloud time.Duration
}

// deadline is when a result is worth nothing any more.
func (j *job) deadline() time.Duration { return j.at + j.allowed }

// episode is a while in which a box throttles or a cloud is overloaded.
type episode struct{ from, to time.Duration }

func within(episodes []episode, at time.Duration) bool {
	return slices.ContainsFunc(episodes, func(e episode) bool { return e.from <= at && at < e.to })
}

// workload is everything that a run meets beside the link.
type workload struct {
	scenario   *Scenario
	jobs       []job
	throttling []episode
	// overload is by target.
	overload [][]episode
}

// local is how long a run of a job takes that starts on the box at a time, with a variant
// that takes a share of the model's time.
func (w *workload) local(j *job, started time.Duration, variant float64) time.Duration {
	takes := j.local
	if within(w.throttling, started) {
		takes = share(takes, w.scenario.Throttling.Factor)
	}
	if variant != 1 {
		takes = share(takes, variant)
	}
	return takes
}

// service is how long a target takes for a job that reaches it at a time.
func (w *workload) service(j *job, target int, arrived time.Duration) time.Duration {
	takes := j.cloud
	if target > 0 {
		takes = share(takes, float64(w.scenario.Targets[target].Service)/float64(w.scenario.Targets[0].Service))
	}
	if within(w.overload[target], arrived) {
		takes = share(takes, w.scenario.Overload.Factor)
	}
	return takes
}

// newWorkload draws a workload of a length. The same seed gives the same one.
func newWorkload(s *Scenario, c Class, length time.Duration, seed uint64) workload {
	d := newDraw(seed)
	w := workload{scenario: s, throttling: d.episodes(&s.Throttling, length)}
	w.overload = d.overloads(s, length, seed)
	for i := range c.Sources {
		source := &c.Sources[i]
		for n := range source.Count {
			w.jobs = append(w.jobs, d.source(s, c, source, n, length)...)
		}
	}
	slices.SortStableFunc(w.jobs, func(a, b job) int { return int(a.at - b.at) })
	return w
}

// draw is the source of all chance.
type draw struct{ *rand.Rand }

func newDraw(seed uint64) draw { return draw{rand.New(rand.NewPCG(seed, 0x0ff10ad))} }

func (d draw) lognormal(median, sigma float64) float64 {
	return median * math.Exp(sigma*d.NormFloat64())
}

func (d draw) exponential(mean time.Duration) time.Duration {
	return time.Duration(d.ExpFloat64() * float64(mean))
}

func (d draw) episodes(e *Episodes, length time.Duration) []episode {
	if e.Every <= 0 {
		return nil
	}
	var all []episode
	for at := d.exponential(e.Every); at < length; at += d.exponential(e.Every) {
		all = append(all, episode{at, at + e.Least + d.exponential(e.Tail)})
	}
	return all
}

// overloads are those of each target. Only the first one's are drawn in line: a second
// target changes nothing else that a seed gives.
func (d draw) overloads(s *Scenario, length time.Duration, seed uint64) [][]episode {
	const another = 0x9e3779b97f4a7c15
	all := make([][]episode, max(1, len(s.Targets)))
	all[0] = d.episodes(&s.Overload, length)
	for i := 1; i < len(all); i++ {
		all[i] = newDraw(seed+uint64(i)*another).episodes(&s.Overload, length)
	}
	return all
}

// source draws the tasks of the n-th of a source's Count.
func (d draw) source(s *Scenario, c Class, from *Source, n int, length time.Duration) []job {
	gap := from.Gap()
	jobs := make([]job, 0, int(length/gap+1)*from.Burst*5/4)
	median := from.Bytes.Median
	if from.Bytes.SourceSigma > 0 {
		median = d.lognormal(median, from.Bytes.SourceSigma)
	}
	periodic := from.Arrivals == Periodic
	next := func() time.Duration {
		if periodic {
			return gap
		}
		return d.exponential(gap)
	}
	var at time.Duration
	if periodic {
		at = time.Duration(d.Float64() * float64(gap))
	} else {
		at = next()
	}
	model, name := s.model(from.Model), from.nameOf(n)
	for ; at < length; at += next() {
		for i := range from.Burst {
			j := job{at: at + time.Duration(i)*from.Spacing, source: name, model: model}
			if from.Jitter > 0 {
				j.at += time.Duration(d.Float64() * float64(from.Jitter))
			}
			kind := &from.Kinds[n%len(from.Kinds)]
			if !periodic && len(from.Kinds) > 1 {
				kind = &from.Kinds[d.IntN(len(from.Kinds))]
			}
			j.priority, j.allowed = offload.Priority(kind.Priority), kind.Deadline
			j.weight = s.Weights.Of(j.priority)
			j.bytes = d.bytes(&from.Bytes, median)
			d.times(s, c, &j)
			jobs = append(jobs, j)
		}
	}
	return jobs
}

// bytes draws the size of a payload around its source's median.
func (d draw) bytes(s *Size, median float64) int {
	if s.Median == 0 {
		return s.Least + d.IntN(s.Most-s.Least+1)
	}
	return int(min(max(d.lognormal(median, s.Sigma), float64(s.Least)), float64(s.Most)))
}

// times draws how long the job takes in each place.
func (d draw) times(s *Scenario, c Class, j *job) {
	m := &s.Models[j.model]
	j.local = d.time(&s.LocalTime, float64(c.Service)*m.LocalShare)
	if len(s.Targets) > 0 {
		j.cloud = d.time(&s.TargetTime, float64(s.Targets[0].Service)*m.RemoteShare)
	}
}

// time draws one around a median.
func (d draw) time(s *Spread, median float64) time.Duration {
	takes := d.lognormal(median, s.Sigma)
	if d.Float64() >= s.SpikeShare {
		return time.Duration(takes)
	}
	if s.SpikeFactor > 0 {
		takes *= s.SpikeFactor
	}
	spike := time.Duration(takes) + s.SpikeExtra
	if s.SpikeTail > 0 {
		spike += d.exponential(s.SpikeTail)
	}
	return spike
}

func share(d time.Duration, s float64) time.Duration { return time.Duration(float64(d) * s) }
