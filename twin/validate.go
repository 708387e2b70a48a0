// SPDX-License-Identifier: Apache-2.0

package twin

import (
	"errors"
	"fmt"
	"math"
	"time"
)

// The bounds of a scenario that keep a run from taking for ever.
const (
	mostTime  = time.Hour
	mostRate  = 1000 // tasks a second of one source
	mostTasks = 2_000_000
	mostBytes = 10_000_000
)

// check collects what is wrong, by key.
type check struct{ errs []error }

func (c *check) that(ok bool, key string, value any, allowed string) {
	if !ok {
		c.errs = append(c.errs, fmt.Errorf("%s %v: allowed is %s", key, value, allowed))
	}
}

func (c *check) number(key string, v, low, high float64) {
	c.that(!math.IsNaN(v) && v >= low && v <= high, key, v, fmt.Sprintf("%v to %v", low, high))
}

func (c *check) whole(key string, v, low, high int) {
	c.that(v >= low && v <= high, key, v, fmt.Sprintf("%d to %d", low, high))
}

func (c *check) time(key string, v, low, high time.Duration) {
	c.that(v >= low && v <= high, key, v, fmt.Sprintf("%v to %v", low, high))
}

// name is one that is not empty and not used twice.
func (c *check) name(key, name string, seen map[string]bool) {
	c.that(name != "" && len(name) <= 64 && !seen[name], key, fmt.Sprintf("%q", name), "a name of 1 to 64 bytes that is not used twice")
	seen[name] = true
}

// Validate names every key that is wrong, its value and what is allowed.
func (s *Scenario) Validate() error {
	c := &check{}
	c.time("longest", s.Longest, time.Second, mostTime)
	c.whole("chunks", s.Chunks, 1, 1000)
	c.number("radio_watts", s.RadioWatts, 0, 1000)
	c.number("weights.critical", s.Weights.Critical, 0, 1e6)
	c.number("weights.high", s.Weights.High, 0, 1e6)
	c.number("weights.medium", s.Weights.Medium, 0, 1e6)
	c.number("weights.low", s.Weights.Low, 0, 1e6)
	c.wire(&s.Wire)
	c.whole("targets: their number", len(s.Targets), 0, 16)
	seen := map[string]bool{"local": true}
	for i := range s.Targets {
		c.target(fmt.Sprintf("targets[%d]", i), &s.Targets[i], seen)
	}
	c.whole("models: their number", len(s.Models), 1, 100)
	seen = map[string]bool{}
	for i := range s.Models {
		c.model(fmt.Sprintf("models[%d]", i), &s.Models[i], seen)
	}
	c.spread("local_time", &s.LocalTime)
	c.spread("target_time", &s.TargetTime)
	c.episodes("throttling", &s.Throttling)
	c.that(s.ThrottlingTold == 0 || s.ThrottlingTold >= time.Millisecond && s.ThrottlingTold <= time.Hour, "throttling_told", s.ThrottlingTold, "0s for never, or 1ms to 1h")
	c.episodes("overload", &s.Overload)
	c.whole("classes: their number", len(s.Classes), 1, 100)
	seen = map[string]bool{}
	for i := range s.Classes {
		key := fmt.Sprintf("classes[%d]", i)
		c.name(key+".name", s.Classes[i].Name, seen)
		c.class(key, &s.Classes[i], s)
	}
	return errors.Join(c.errs...)
}

// validate checks a class that need not be one of the scenario's.
func (c *Class) validate(s *Scenario) error {
	all := &check{}
	all.class("class "+c.Name, c, s)
	return errors.Join(all.errs...)
}

func (c *check) wire(w *Wire) {
	c.whole("wire.overhead", w.Overhead, 0, 100_000)
	c.whole("wire.answer", w.Answer, 0, mostBytes)
	c.time("wire.first_retry", w.FirstRetry, time.Millisecond, time.Minute)
	c.time("wire.last_retry", w.LastRetry, w.FirstRetry, time.Minute)
	c.whole("wire.retries", w.Retries, 0, 100)
}

func (c *check) target(key string, t *Target, seen map[string]bool) {
	c.name(key+".name", t.Name, seen)
	c.time(key+".service", t.Service, time.Microsecond, time.Minute)
	c.number(key+".accuracy", t.Accuracy, 0, 1)
	c.number(key+".price_per_mb", t.PricePerMB, 0, 1e6)
	c.number(key+".price_per_call", t.PricePerCall, 0, 1e6)
	l, fixed := &t.Link, key+".link."
	switch l.Trace {
	case CellTrace:
	case "":
		c.time(fixed+"rtt", l.RTT, 0, time.Minute)
		c.number(fixed+"up_kbps", l.UpKbps, 1, 1e8)
		c.number(fixed+"down_kbps", l.DownKbps, 1, 1e8)
		c.number(fixed+"loss", l.Loss, 0, 1)
		return
	default:
		c.that(len(l.Slots) > 0, fixed+"trace", fmt.Sprintf("%q", l.Trace), fmt.Sprintf("%q, or a file that is read with the scenario", CellTrace))
	}
	c.that(l.RTT == 0 && l.UpKbps == 0 && l.DownKbps == 0 && l.Loss == 0, fixed+"trace", fmt.Sprintf("%q", l.Trace),
		"either a trace, or rtt, up_kbps, down_kbps and loss")
}

func (c *check) model(key string, m *Model, seen map[string]bool) {
	c.name(key+".name", m.Name, seen)
	c.number(key+".local_share", m.LocalShare, 1e-6, 1000)
	c.number(key+".remote_share", m.RemoteShare, 1e-6, 1000)
	c.number(key+".remote_accuracy", m.RemoteAccuracy, 0, 1)
	c.whole(key+".variants: their number", len(m.Variants), 0, 16)
	names := map[string]bool{}
	for i, v := range m.Variants {
		of := fmt.Sprintf("%s.variants[%d]", key, i)
		c.name(of+".name", v.Name, names)
		c.number(of+".accuracy", v.Accuracy, 0, 1)
		c.number(of+".share", v.Share, 1e-6, 1000)
	}
	c.whole(key+".splits: their number", len(m.Splits), 0, 16)
	for i, p := range m.Splits {
		of := fmt.Sprintf("%s.splits[%d]", key, i)
		c.name(of+".name", p.Name, names)
		c.number(of+".accuracy", p.Accuracy, 0, 1)
		c.number(of+".head_share", p.HeadShare, 1e-6, 1000)
		c.number(of+".tail_share", p.TailShare, 1e-6, 1000)
		c.whole(of+".bytes", p.Bytes, 1, 1<<24)
	}
}

func (c *check) spread(key string, s *Spread) {
	c.number(key+".sigma", s.Sigma, 0, 3)
	c.number(key+".spike_share", s.SpikeShare, 0, 1)
	c.number(key+".spike_factor", s.SpikeFactor, 0, 100)
	c.time(key+".spike_extra", s.SpikeExtra, 0, time.Minute)
	c.time(key+".spike_tail", s.SpikeTail, 0, time.Minute)
}

func (c *check) episodes(key string, e *Episodes) {
	c.that(e.Every == 0 || e.Every >= 100*time.Millisecond && e.Every <= 24*time.Hour, key+".every", e.Every, "0s for none, or 100ms to 24h")
	c.time(key+".least", e.Least, 0, mostTime)
	c.time(key+".tail", e.Tail, 0, mostTime)
	if e.Every > 0 {
		c.number(key+".factor", e.Factor, .01, 1000)
	}
}

func (c *check) class(key string, class *Class, s *Scenario) {
	c.time(key+".service", class.Service, time.Microsecond, time.Minute)
	c.number(key+".watts", class.Watts, 0, 10_000)
	c.whole(key+".sources: their number", len(class.Sources), 1, 1000)
	before, tasks, seen := len(c.errs), 0., map[string]bool{}
	for i := range class.Sources {
		of := fmt.Sprintf("%s.sources[%d]", key, i)
		c.source(of, &class.Sources[i], s, seen)
	}
	if len(c.errs) > before { // a rate of nothing has no gap
		return
	}
	for i := range class.Sources {
		from := &class.Sources[i]
		tasks += float64(from.Count) * float64(from.Burst) * s.Longest.Seconds() / from.Gap().Seconds()
	}
	c.that(tasks <= mostTasks, key+".sources: their tasks in "+s.Longest.String(), math.Round(tasks), fmt.Sprintf("at most %d", mostTasks))
}

func (c *check) source(key string, from *Source, s *Scenario, seen map[string]bool) {
	c.name(key+".name", from.Name, seen)
	c.whole(key+".count", from.Count, 1, 1000)
	c.that(s.model(from.Model) >= 0, key+".model", fmt.Sprintf("%q", from.Model), "the name of one of models")
	c.that(from.Arrivals == Periodic || from.Arrivals == Poisson, key+".arrivals", fmt.Sprintf("%q", from.Arrivals), Periodic+" or "+Poisson)
	if from.Every != 0 {
		c.that(from.PerSecond == 0, key+".per_second", from.PerSecond, "nothing beside every")
		c.time(key+".every", from.Every, time.Second/mostRate, 24*time.Hour)
	} else {
		c.number(key+".per_second", from.PerSecond, 1e-4, mostRate)
	}
	c.time(key+".jitter", from.Jitter, 0, time.Minute)
	c.whole(key+".burst", from.Burst, 1, 1000)
	c.time(key+".spacing", from.Spacing, 0, time.Minute)
	c.size(key+".bytes", &from.Bytes)
	c.whole(key+".kinds: their number", len(from.Kinds), 1, 100)
	for i, k := range from.Kinds {
		of := fmt.Sprintf("%s.kinds[%d]", key, i)
		c.time(of+".deadline", k.Deadline, time.Millisecond, mostTime)
		c.whole(of+".priority", int(k.Priority), 0, 3)
	}
}

func (c *check) size(key string, s *Size) {
	c.number(key+".median", s.Median, 0, mostBytes)
	c.number(key+".sigma", s.Sigma, 0, 3)
	c.number(key+".source_sigma", s.SourceSigma, 0, 3)
	c.whole(key+".least", s.Least, 0, mostBytes)
	c.whole(key+".most", s.Most, s.Least, mostBytes)
}
