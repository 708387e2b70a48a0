// SPDX-License-Identifier: Apache-2.0

package infer

import (
	"cmp"
	"slices"
	"time"

	"edgex-offload/offload"
)

// State is where a version of a model stands.
type State string

// The states.
const (
	// Loading: found, not loaded yet.
	Loading State = "loading"
	// Ready: loaded, and a first inference has succeeded. It answers.
	Ready State = "ready"
	// Canaried: loaded, and answers a share of the tasks on trial.
	Canaried State = "canary"
	// Draining: another has taken its place, and tasks on it are under way.
	Draining State = "draining"
	// Unloaded: another version answers, or it was unloaded by hand.
	Unloaded State = "unloaded"
	// Failed: Status.Error says why.
	Failed State = "failed"
	// TakenBack: it was on trial, or answered, and was found worse; Status.Error says why.
	TakenBack State = "taken-back"
	// Elsewhere: its runs_on does not list this place, so it is not loaded here.
	Elsewhere State = "elsewhere"
)

// States lists all of them.
func States() []State {
	return []State{Loading, Ready, Canaried, Draining, Unloaded, Failed, TakenBack, Elsewhere}
}

// Status is what an operator sees of one version of a model.
type Status struct {
	Name    string `json:"name"`
	Version string `json:"version"`
	// Serves is the logical model that tasks ask for.
	Serves      string   `json:"serves"`
	Kind        string   `json:"kind"`
	Description string   `json:"description,omitempty"`
	RunsOn      []string `json:"runsOn"`
	// Split is set of a part of a network.
	Split *Split `json:"split,omitempty"`
	// Accuracy is 0 to 1; 0 is unknown.
	Accuracy  float64 `json:"accuracy"`
	Size      string  `json:"size,omitempty"`
	Precision string  `json:"precision,omitempty"`
	// Cost is what its model.yaml says.
	Cost  *Cost `json:"cost,omitempty"`
	State State `json:"state"`
	// Error says why it failed or was taken back, or why the changed files of a ready one
	// are not used.
	Error string `json:"error,omitempty"`
	// Provider is what runs it, as "CPU" or "CUDA"; empty while it is not loaded.
	Provider string `json:"provider,omitempty"`
	// PassedOver says which preferred providers do not run it, and why.
	PassedOver string `json:"passedOver,omitempty"`
	// ServiceMs is the mean time of one answer, from payload to labels, without waiting;
	// recent ones weigh more. 0 is unknown. Until the first task it is the warm-up's, and
	// before that what Cost says.
	ServiceMs float64 `json:"serviceMs"`
	// P50Ms, P95Ms and P99Ms are quantiles of the last 256 times; 0 is unknown.
	P50Ms float64 `json:"p50Ms"`
	P95Ms float64 `json:"p95Ms"`
	P99Ms float64 `json:"p99Ms"`
	// FirstMs is the time of the first run after loading.
	FirstMs float64 `json:"firstMs,omitempty"`
	// Answers and Errors count the tasks since the version was found with these files; one that
	// was called off while it ran is neither.
	Answers uint64 `json:"answers"`
	Errors  uint64 `json:"errors"`
	// Running and Waiting count the tasks now, where the model has a bound of its own.
	Running int `json:"running,omitempty"`
	Waiting int `json:"waiting,omitempty"`
	// Trial is how the version on trial stands.
	Trial *TrialStatus `json:"trial,omitempty"`
	// LastVerdict on a new version of this model, of the one that answers.
	LastVerdict string `json:"lastVerdict,omitempty"`
}

// TrialStatus compares a version on trial with the one that it may replace.
type TrialStatus struct {
	Beside string  `json:"beside"` // the version that answers the other tasks
	Share  float64 `json:"share"`
	// Tasks of so many that are Wanted for the verdict.
	Tasks  int `json:"tasks"`
	Wanted int `json:"wanted"`
	Errors int `json:"errors"`
	// Before are those of the other version since the trial began.
	TasksBefore  int     `json:"tasksBefore"`
	ErrorsBefore int     `json:"errorsBefore"`
	P50Ms        float64 `json:"p50Ms"`
	P50MsBefore  float64 `json:"p50MsBefore"`
}

// Variant is the model's name in answers and in Infer: "name/version".
func (s Status) Variant() string { return s.Name + "/" + s.Version }

// Models lists every version of every model of the folder, by name, the highest version first,
// loaded here or not.
func (r *Repository) Models() []Status {
	r.mu.RLock()
	defer r.mu.RUnlock()
	list := make([]Status, 0, len(r.series)) // never nil: in JSON a list
	for _, s := range r.series {
		list = append(list, s.status()...)
	}
	slices.SortFunc(list, func(a, b Status) int {
		return cmp.Or(cmp.Compare(a.Name, b.Name), cmp.Compare(number(b.Version), number(a.Version)))
	})
	return list
}

// Model lists the versions of one model; none is that there is no such model.
func (r *Repository) Model(name string) []Status {
	r.mu.RLock()
	defer r.mu.RUnlock()
	if s := r.series[name]; s != nil {
		return s.status()
	}
	return nil
}

// status lists the versions of a series, the highest first. Repository.mu is held.
func (s *series) status() []Status {
	all := s.sorted()
	if len(all) == 0 && s.current == nil {
		failed := Status{Name: s.name, State: Failed, RunsOn: []string{}}
		if s.err != nil {
			failed.Error = s.err.Error()
		}
		return []Status{failed}
	}
	if s.current != nil && s.versions[s.current.version.number] != s.current.version {
		all = append(all, s.current.version) // its files are gone, or on the way
	}
	list := make([]Status, len(all))
	for i, v := range all {
		list[i] = s.statusOf(v, i == 0)
	}
	return list
}

func (s *series) statusOf(v *version, highest bool) Status {
	spec, state := v.spec, v.state
	var m *model
	learned := v.learned
	switch {
	case s.current != nil && s.current.version == v:
		m, state = s.current, Ready
	case s.trial != nil && s.trial.model.version == v:
		m, state = s.trial.model, Canaried
	case state == Unloaded && slices.ContainsFunc(s.draining, func(d *model) bool { return d.version == v }):
		state = Draining
	case state == Unloaded && highest && s.current == nil && !s.idle:
		state = Loading // it is about to be
	}
	if m != nil { // whose files may have been changed since
		spec, learned = m.spec, m.learned
	}
	status := Status{
		Name: v.name, Version: v.number, Serves: spec.Serves, Kind: spec.Kind,
		Description: spec.Description, RunsOn: append([]string{}, spec.RunsOn...), Accuracy: spec.Accuracy,
		Size: spec.Size, Precision: spec.Precision, State: state,
	}
	if spec.Split.Part != "" {
		status.Split = &spec.Split
	}
	if spec.Cost != (Cost{}) {
		status.Cost = &spec.Cost
	}
	if v.err != nil {
		status.Error = v.err.Error()
	}
	status.learned(learned, spec)
	status.loaded(m)
	if state == Ready {
		status.LastVerdict = s.last
	}
	if s.trial != nil && s.trial.model.version == v {
		status.Trial = s.trial.status(s.current.variant)
	}
	return status
}

func (s *Status) learned(l *learned, spec Spec) {
	times := l.times()
	s.ServiceMs, s.P50Ms, s.P95Ms, s.P99Ms = ms(times.Mean), ms(times.P50), ms(times.P95), ms(times.P99)
	if times.Samples == 0 {
		s.ServiceMs = spec.Cost.ServiceMs
	}
	s.Answers, s.Errors = l.counts()
}

func (s *Status) loaded(m *model) {
	if m == nil {
		return
	}
	about := m.graph.About()
	s.Provider, s.PassedOver, s.FirstMs = about.Provider, about.PassedOver, ms(m.first)
	if m.places != nil {
		s.Running, s.Waiting = m.places.load()
	}
}

func (t *trial) status(beside string) *TrialStatus {
	t.mu.Lock()
	defer t.mu.Unlock()
	return &TrialStatus{
		Beside: beside, Share: t.rules.Share, Tasks: t.new.tasks, Wanted: t.rules.Tasks, Errors: t.new.errors,
		TasksBefore: t.old.tasks, ErrorsBefore: t.old.errors,
		P50Ms: ms(quantile(t.new.times.sorted(), .5)), P50MsBefore: ms(quantile(t.old.times.sorted(), .5)),
	}
}

// Counts of what happened to models since Open.
type Counts struct {
	Loads        uint64 `json:"loads"`        // that succeeded
	LoadFailures uint64 `json:"loadFailures"` // that did not
	Swaps        uint64 `json:"swaps"`        // of one version for another
	Promoted     uint64 `json:"promoted"`     // after a trial
	TakenBack    uint64 `json:"takenBack"`    // after a trial
	DrainsBroken uint64 `json:"drainsBroken"` // since tasks did not end in time
}

// Counts is what happened until now.
func (r *Repository) Counts() Counts {
	c := &r.counts
	return Counts{
		Loads: c.loads.Load(), LoadFailures: c.loadFailures.Load(), Swaps: c.swaps.Load(),
		Promoted: c.promoted.Load(), TakenBack: c.takenBack.Load(), DrainsBroken: c.broken.Load(),
	}
}

// OffloadModels is what an engine on the box needs to know: for each logical model the
// variants and the heads that are ready here, and the best accuracy that the cloud has for it.
func (r *Repository) OffloadModels() []offload.Model {
	r.mu.RLock()
	defer r.mu.RUnlock()
	var models []offload.Model
	for _, s := range r.series {
		v := s.head()
		if v == nil {
			continue // no model.yaml could be read
		}
		spec := s.spec(v)
		i := slices.IndexFunc(models, func(m offload.Model) bool { return m.Name == spec.Serves })
		if i < 0 {
			models = append(models, offload.Model{Name: spec.Serves})
			i = len(models) - 1
		}
		m := &models[i]
		switch {
		case spec.Split.Part == Head && s.current != nil:
			m.Splits = append(m.Splits, s.current.offloadSplit())
			continue
		case spec.Split.Part != "":
			continue
		case s.current != nil:
			m.Local = append(m.Local, s.current.offload())
		}
		if slices.Contains(spec.RunsOn, Cloud) && spec.Accuracy >= m.Remote.Accuracy {
			m.Remote.Accuracy = spec.Accuracy
			if s.current == nil { // a cost that was not measured here may be the cloud's
				m.Remote.Service = milliseconds(spec.Cost.ServiceMs)
			}
		}
	}
	for _, m := range models {
		slices.SortFunc(m.Local, func(a, b offload.Variant) int { return cmp.Compare(a.Name, b.Name) })
		slices.SortFunc(m.Splits, func(a, b offload.Split) int { return cmp.Compare(a.Name, b.Name) })
	}
	slices.SortFunc(models, func(a, b offload.Model) int { return cmp.Compare(a.Name, b.Name) })
	return models
}

// offload is what the engine assumes until it has measured for itself.
func (m *model) offload() offload.Variant {
	times := m.learned.times()
	return offload.Variant{Name: m.variant, Accuracy: m.spec.Accuracy, Service: times.Mean, Spread: times.spread()}
}

// spread is the mean deviation from the mean, by the quantiles: that of a normal distribution
// is 0.8 standard deviations, of which the 95th percentile is 1.64 from the median.
func (t Times) spread() time.Duration {
	return time.Duration(float64(t.P95-t.P50) * .8 / 1.64)
}
