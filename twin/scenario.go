// SPDX-License-Identifier: Apache-2.0

package twin

import (
	"fmt"
	"time"

	"edgex-offload/offload"
)

// Scenario is all that a run meets beside its settings, its trace and its seed: what boxes
// have to do, what answers it, and where. The yaml keys are those of a scenario's file.
type Scenario struct {
	Name string `yaml:"name"`
	// Traces are the links to play where none are named; files of CSV.
	Traces []string `yaml:"traces,omitempty"`
	// Longest is how much of a trace a run uses.
	Longest time.Duration `yaml:"longest"`
	// Chunks are the equal parts of a local run; one that is cancelled ends with its part. 1:
	// it runs to its end.
	Chunks int `yaml:"chunks"`
	// RadioWatts is drawn while a payload is sent.
	RadioWatts float64 `yaml:"radio_watts"`
	// Weights are what a result in time is worth, by priority.
	Weights Weights `yaml:"weights"`
	Wire    Wire    `yaml:"wire"`
	// Targets are where tasks may be sent, the preferred one first.
	Targets []Target `yaml:"targets"`
	Models  []Model  `yaml:"models"`
	// LocalTime is how execution times on the box spread, TargetTime those elsewhere.
	LocalTime  Spread `yaml:"local_time"`
	TargetTime Spread `yaml:"target_time"`
	// Throttling slows the box down, Overload each target.
	Throttling Episodes `yaml:"throttling"`
	Overload   Episodes `yaml:"overload"`
	// ThrottlingTold is how often it is looked at whether the box throttles, of which the engine
	// is told: see offload.BoxChanged. 0: never, so that only the runs show it.
	ThrottlingTold time.Duration `yaml:"throttling_told,omitempty"`
	Classes        []Class       `yaml:"classes"`
}

// Weights are what a result in time counts in the utility.
type Weights struct {
	Critical float64 `yaml:"critical"`
	High     float64 `yaml:"high"`
	Medium   float64 `yaml:"medium"`
	Low      float64 `yaml:"low"`
}

// Of is the weight of a priority.
func (w Weights) Of(p offload.Priority) float64 {
	return [offload.Priorities]float64{w.Low, w.Medium, w.High, w.Critical}[p]
}

// Wire is what every link does alike.
type Wire struct {
	// Overhead is what request and headers add to a payload, Answer the size of an answer on
	// the downlink; bytes.
	Overhead int `yaml:"overhead"`
	Answer   int `yaml:"answer"`
	// A payload whose last byte leaves in a slot with loss is sent again after FirstRetry,
	// then after twice the pause before, LastRetry at most; Retries times at most.
	FirstRetry time.Duration `yaml:"first_retry"`
	LastRetry  time.Duration `yaml:"last_retry"`
	Retries    int           `yaml:"retries"`
}

// Target is a place elsewhere that runs tasks.
type Target struct {
	Name string `yaml:"name"`
	Link Link   `yaml:"link"`
	// Service is the median execution time of a model whose RemoteShare is 1.
	Service time.Duration `yaml:"service"`
	// Accuracy is the share of right answers, 0 to 1.
	Accuracy float64 `yaml:"accuracy"`
	// PricePerMB is what 10^6 bytes on the uplink cost, PricePerCall what an attempt does, in
	// any currency.
	PricePerMB   float64 `yaml:"price_per_mb"`
	PricePerCall float64 `yaml:"price_per_call"`
	// Metered: paid by the byte. It is probed less.
	Metered bool `yaml:"metered"`
}

// CellTrace is the Link.Trace of the link that a cell plays.
const CellTrace = "cell"

// Link is how a target is reached: over the cell's trace, over one of its own, or over a
// link that never changes.
type Link struct {
	// Trace is CellTrace, the file that Slots were read from, or "" for a fixed link.
	Trace string `yaml:"trace,omitempty"`
	Slots []Slot `yaml:"-"`
	// The fixed link: its round trip, its rates in kbit/s, and the share of slots with loss.
	RTT      time.Duration `yaml:"rtt,omitempty"`
	UpKbps   float64       `yaml:"up_kbps,omitempty"`
	DownKbps float64       `yaml:"down_kbps,omitempty"`
	Loss     float64       `yaml:"loss,omitempty"`
}

// Model is what answers one kind of task.
type Model struct {
	Name string `yaml:"name"`
	// LocalShare of the class's service time is what its first variant takes, RemoteShare of
	// a target's what it takes there.
	LocalShare  float64 `yaml:"local_share"`
	RemoteShare float64 `yaml:"remote_share"`
	// RemoteAccuracy is that of this model elsewhere; 0: the target's.
	RemoteAccuracy float64 `yaml:"remote_accuracy,omitempty"`
	// Variants are what is on the box, the most accurate first.
	Variants []Variant `yaml:"variants"`
	// Splits are one more way to every target.
	Splits []Split `yaml:"splits,omitempty"`
}

// Split is a network in two parts: its head takes HeadShare of the model's time on the box and
// gives Bytes of features, its tail TailShare of the time elsewhere.
type Split struct {
	Name      string  `yaml:"name"`
	Accuracy  float64 `yaml:"accuracy"`
	HeadShare float64 `yaml:"head_share"`
	TailShare float64 `yaml:"tail_share"`
	Bytes     int     `yaml:"bytes"`
}

// tail is what a target is asked for.
func (s *Split) tail() string { return s.Name + "-tail" }

// split finds the one of a job's model with this head, or with this tail; nil for none.
func (s *Scenario) split(j *job, name string) *Split {
	splits := s.Models[j.model].Splits
	for i := range splits {
		if splits[i].Name == name || splits[i].tail() == name {
			return &splits[i]
		}
	}
	return nil
}

// Variant is a model on the box; it takes Share of the model's time there.
type Variant struct {
	Name     string  `yaml:"name"`
	Accuracy float64 `yaml:"accuracy"`
	Share    float64 `yaml:"share"`
}

// Spread is how execution times lie around their median.
type Spread struct {
	// Sigma is that of a lognormal distribution.
	Sigma float64 `yaml:"sigma"`
	// A SpikeShare of the runs takes SpikeFactor times as long, and SpikeExtra and an
	// exponential time of mean SpikeTail longer.
	SpikeShare  float64       `yaml:"spike_share"`
	SpikeFactor float64       `yaml:"spike_factor"`
	SpikeExtra  time.Duration `yaml:"spike_extra"`
	SpikeTail   time.Duration `yaml:"spike_tail"`
}

// Episodes come at random times, Every apart in the mean, last Least and an exponential time
// of mean Tail longer, and lengthen what starts in them by Factor. Every 0: none come.
type Episodes struct {
	Every  time.Duration `yaml:"every"`
	Least  time.Duration `yaml:"least"`
	Tail   time.Duration `yaml:"tail"`
	Factor float64       `yaml:"factor"`
}

// Class is a box and what it has to do.
type Class struct {
	Name string `yaml:"name"`
	// Service is the box's median time for a model whose LocalShare is 1.
	Service time.Duration `yaml:"service"`
	// Watts are drawn by a run beyond the idle box.
	Watts   float64  `yaml:"watts"`
	Sources []Source `yaml:"sources"`
}

// The arrival processes of a Source.
const (
	// Periodic: one every so often, from a random phase on.
	Periodic = "periodic"
	// Poisson: at random, none knows of another.
	Poisson = "poisson"
)

// Source is where tasks come from.
type Source struct {
	Name string `yaml:"name"`
	// Count sources are alike; each has its own phase and its own median of sizes.
	Count int `yaml:"count"`
	// Model answers its tasks.
	Model string `yaml:"model"`
	// Arrivals is Periodic or Poisson; tasks come PerSecond, or once in Every.
	Arrivals  string        `yaml:"arrivals"`
	PerSecond float64       `yaml:"per_second,omitempty"`
	Every     time.Duration `yaml:"every,omitempty"`
	// Jitter is by how much a periodic task may be late.
	Jitter time.Duration `yaml:"jitter,omitempty"`
	// Burst tasks come at once, Spacing apart.
	Burst   int           `yaml:"burst"`
	Spacing time.Duration `yaml:"spacing,omitempty"`
	Bytes   Size          `yaml:"bytes"`
	// Kinds are what its tasks ask for: those of the n-th of Count periodic sources are of the
	// n-th kind, those of a Poisson source of any, each as likely.
	Kinds []Kind `yaml:"kinds"`
}

// Gap is the mean time from one arrival to the next.
func (s *Source) Gap() time.Duration {
	if s.Every > 0 {
		return s.Every
	}
	return time.Duration(float64(time.Second) / s.PerSecond)
}

// nameOf is that of the n-th of Count sources.
func (s *Source) nameOf(n int) string {
	if s.Count == 1 {
		return s.Name
	}
	return fmt.Sprintf("%s-%d", s.Name, n+1)
}

// Size is how large payloads are, in bytes: lognormal, cut to Least and Most; with a Median
// of 0 uniform between them.
type Size struct {
	Median float64 `yaml:"median"`
	// Sigma is that of a payload around the median of its source, SourceSigma that of this
	// median around Median.
	Sigma       float64 `yaml:"sigma"`
	SourceSigma float64 `yaml:"source_sigma,omitempty"`
	Least       int     `yaml:"least"`
	Most        int     `yaml:"most"`
}

// Kind is what a task asks for.
type Kind struct {
	Deadline time.Duration `yaml:"deadline"`
	Priority Priority      `yaml:"priority"`
}

// Priority is an offload.Priority that is written by its name.
type Priority offload.Priority

// MarshalText gives the name.
func (p Priority) MarshalText() ([]byte, error) { return []byte(offload.Priority(p).String()), nil }

// UnmarshalText reads a name, in any case; the error lists them.
func (p *Priority) UnmarshalText(text []byte) error {
	read, err := offload.ParsePriority(string(text))
	*p = Priority(read)
	return err
}

// Class finds one by its name; the error lists them.
func (s *Scenario) Class(name string) (Class, error) {
	var names []string
	for _, c := range s.Classes {
		if c.Name == name {
			return c, nil
		}
		names = append(names, c.Name)
	}
	return Class{}, fmt.Errorf("class %q: allowed are %v", name, names)
}

// model is the index of a model; -1 where there is none.
func (s *Scenario) model(name string) int {
	for i := range s.Models {
		if s.Models[i].Name == name {
			return i
		}
	}
	return -1
}

// accuracyAt is that of a model on a target.
func (s *Scenario) accuracyAt(target int, m *Model) float64 {
	if m.RemoteAccuracy > 0 {
		return m.RemoteAccuracy
	}
	return s.Targets[target].Accuracy
}

// models is what the engine is told: the accuracy and time elsewhere are the first target's.
func (s *Scenario) models(c Class) []offload.Model {
	models := make([]offload.Model, len(s.Models))
	for i := range s.Models {
		m := &s.Models[i]
		service := share(c.Service, m.LocalShare)
		told := offload.Model{Name: m.Name}
		for _, v := range m.Variants {
			told.Local = append(told.Local, offload.Variant{Name: v.Name, Accuracy: v.Accuracy, Service: share(service, v.Share)})
		}
		if len(s.Targets) > 0 {
			told.Remote = offload.RemoteModel{Accuracy: s.accuracyAt(0, m), Service: share(s.Targets[0].Service, m.RemoteShare)}
			for i := range m.Splits {
				p := &m.Splits[i]
				told.Splits = append(told.Splits, offload.Split{
					Name: p.Name, Tail: p.tail(), Accuracy: p.Accuracy, FeatureBytes: p.Bytes,
					Service: share(service, p.HeadShare), TailService: share(told.Remote.Service, p.TailShare),
				})
			}
		}
		models[i] = told
	}
	return models
}

// trace is the link to a target, given that of the cell.
func (l *Link) trace(cell Trace) Trace {
	switch {
	case l.Trace == CellTrace:
		return cell
	case l.Trace != "":
		return Trace{Name: l.Trace, Slots: l.Slots}
	}
	return l.fixed()
}

// fixed is a link that never changes. Its losses are spread evenly, at the golden ratio's
// steps, so that no period of a source meets them all.
func (l *Link) fixed() Trace {
	const slots, golden = 987, 610 // neighbours in Fibonacci's sequence
	t := Trace{Name: "fixed", Slots: make([]Slot, slots)}
	for i := range t.Slots {
		t.Slots[i] = Slot{
			RTT: l.RTT, Up: l.UpKbps * 1000 / 8, Down: l.DownKbps * 1000 / 8,
			Lost: float64(i*golden%slots) < l.Loss*slots,
		}
	}
	return t
}
