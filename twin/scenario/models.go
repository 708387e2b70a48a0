// SPDX-License-Identifier: Apache-2.0

package scenario

import (
	"cmp"
	"maps"
	"math"
	"slices"
	"time"

	"edgex-offload/offload"
	"edgex-offload/twin"
)

// runKey is a variant of a model on the box, or a model on a target, whose variant is "".
type runKey struct{ model, target, variant string }

// times are the execution times in milliseconds: those of the box from its attempts, those
// elsewhere as the target reported them, of which each decision tells the mean.
func (r *recording) times() map[runKey][]float64 {
	times := map[runKey][]float64{}
	heard := map[runKey]bool{}
	for i := range r.records {
		t := &r.records[i]
		for _, p := range t.Paths {
			key := runKey{t.Model, p.Target, ""}
			if p.Target != offload.Local && heard[key] && p.ServiceMs > 0 {
				times[key] = append(times[key], p.ServiceMs)
			}
		}
		for _, a := range t.Attempts {
			switch {
			case a.Result != "ok" || a.OfHead(): // a head answers nothing
			case a.Target == offload.Local:
				key := runKey{t.Model, a.Target, a.Variant}
				times[key] = append(times[key], a.EndedMs-a.StartedMs)
			default:
				heard[runKey{t.Model, a.Target, ""}] = true
			}
		}
	}
	return times
}

// accuracies are what the decisions say of each path.
func (r *recording) accuracies() map[runKey]float64 {
	all := map[runKey]float64{}
	for i := range r.records {
		t := &r.records[i]
		for _, p := range t.Paths {
			key := runKey{t.Model, p.Target, p.Variant}
			if p.Target != offload.Local {
				key.variant = ""
			}
			if p.Accuracy > 0 && p.Accuracy <= 1 && (key.variant != "" || p.Target != offload.Local) {
				all[key] = p.Accuracy
			}
		}
	}
	return all
}

// targets are those that decisions name, in the order of their paths.
func (r *recording) targets() []twin.Target {
	var targets []twin.Target
	for i := range r.records {
		for _, p := range r.records[i].Paths {
			known := slices.ContainsFunc(targets, func(t twin.Target) bool { return t.Name == p.Target })
			if p.Target != offload.Local && !known {
				targets = append(targets, twin.Target{Name: p.Target, Link: twin.Link{Trace: twin.CellTrace}})
			}
		}
	}
	return targets
}

// names are the models that tasks asked for, the most frequent first.
func (r *recording) names() []string {
	counts := map[string]int{}
	for i := range r.records {
		counts[r.records[i].Model]++
	}
	return slices.SortedFunc(maps.Keys(counts), func(a, b string) int {
		return cmp.Or(cmp.Compare(counts[b], counts[a]), cmp.Compare(a, b))
	})
}

// models are what answered; the class's and the targets' times are those of the first.
func (r *recording) models(targets []twin.Target) (twin.Class, []twin.Model) {
	times, accuracies := r.times(), r.accuracies()
	class := twin.Class{Name: "recorded", Watts: r.watts()}
	var models []twin.Model
	for _, name := range r.names() {
		m := twin.Model{Name: name, LocalShare: 1, RemoteShare: 1, Variants: r.variants(name, times, accuracies)}
		if len(m.Variants) > 0 {
			first := median(times[runKey{name, offload.Local, m.Variants[0].Name}])
			if class.Service == 0 {
				class.Service = first
			}
			m.LocalShare = shareOf(first, class.Service)
		}
		r.elsewhere(&m, targets, times, accuracies)
		models = append(models, m)
	}
	if class.Service == 0 {
		class.Service = time.Millisecond
		r.note("nothing ran on the box: no model has a variant there")
	}
	return class, models
}

// watts of a run on the box are in what a decision says of it.
func (r *recording) watts() float64 {
	for i := range r.records {
		for _, p := range r.records[i].Paths {
			if p.Target == offload.Local && p.Joules > 0 && p.ServiceMs > 0 {
				return round(min(1000*p.Joules/p.ServiceMs, 10_000))
			}
		}
	}
	r.note("watts of a run on the box: those of the engine's defaults")
	return offload.DefaultPower().Busy
}

// variants are those that ran on the box, the most accurate first.
func (r *recording) variants(model string, times map[runKey][]float64, accuracies map[runKey]float64) []twin.Variant {
	var variants []twin.Variant
	for key := range times {
		if key.model == model && key.target == offload.Local {
			variants = append(variants, twin.Variant{Name: key.variant, Accuracy: accuracies[key]})
		}
	}
	slices.SortFunc(variants, func(a, b twin.Variant) int {
		return cmp.Or(cmp.Compare(b.Accuracy, a.Accuracy), cmp.Compare(a.Name, b.Name))
	})
	for i := range variants {
		took := func(v int) time.Duration { return median(times[runKey{model, offload.Local, variants[v].Name}]) }
		variants[i].Share = shareOf(took(i), took(0))
	}
	return variants
}

// elsewhere adds what is known of a model on the targets.
func (r *recording) elsewhere(m *twin.Model, targets []twin.Target, times map[runKey][]float64, accuracies map[runKey]float64) {
	const unknown = 20 * time.Millisecond // what the engine assumes
	for i := range targets {
		t := &targets[i]
		key := runKey{m.Name, t.Name, ""}
		took := median(times[key])
		if len(times[key]) == 0 {
			took = unknown
			r.note("model %q on %s: no answer tells its time there, 20ms is taken", m.Name, t.Name)
		}
		if t.Service == 0 {
			t.Service, t.Accuracy = took, accuracies[key]
		}
		if i == 0 {
			m.RemoteShare = shareOf(took, t.Service)
			if a := accuracies[key]; a != t.Accuracy {
				m.RemoteAccuracy = a
			}
		}
	}
}

// localSpread is how the box's times lie around the median of their variant: robustly, since
// waits and other programs are in them too.
func (r *recording) localSpread() twin.Spread {
	const spikeFrom = 2 // medians
	var logs, spikes []float64
	for key, times := range r.times() {
		middle := quantile(times, .5)
		for _, ms := range times {
			switch {
			case key.target != offload.Local || middle <= 0 || ms <= 0:
			case ms > spikeFrom*middle:
				spikes = append(spikes, ms/middle)
			default:
				logs = append(logs, math.Log(ms/middle))
			}
		}
	}
	if len(logs) == 0 {
		return twin.Spread{}
	}
	const quartiles = 1.349 // of a normal distribution are so many deviations apart
	s := twin.Spread{Sigma: round((quantile(logs, .75) - quantile(logs, .25)) / quartiles)}
	if len(spikes) > 0 {
		s.SpikeShare = round(float64(len(spikes)) / float64(len(spikes)+len(logs)))
		s.SpikeFactor = round(min(quantile(spikes, .5), 100))
	}
	return s
}

// median is that of milliseconds, at least a microsecond.
func median(ms []float64) time.Duration {
	return max(milliseconds(quantile(ms, .5)), time.Microsecond)
}

func milliseconds(ms float64) time.Duration { return duration(ms / 1000) }

// duration is to the microsecond: a file is read by people.
func duration(seconds float64) time.Duration {
	return time.Duration(seconds * float64(time.Second)).Round(time.Microsecond)
}

func shareOf(part, whole time.Duration) float64 {
	return max(round(float64(part)/float64(whole)), 1e-4)
}

// round leaves four digits behind the point.
func round(v float64) float64 { return math.Round(v*1e4) / 1e4 }

// quantile of nothing is 0.
func quantile(of []float64, q float64) float64 {
	if len(of) == 0 {
		return 0
	}
	sorted := slices.Sorted(slices.Values(of))
	return sorted[int(q*float64(len(sorted)-1)+.5)]
}

func meanAndDeviation(of []float64) (mean, deviation float64) {
	n := float64(len(of))
	for _, v := range of {
		mean += v / n
	}
	for _, v := range of {
		deviation += (v - mean) * (v - mean)
	}
	return mean, math.Sqrt(deviation / max(1, n-1))
}
