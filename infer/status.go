// SPDX-License-Identifier: Apache-2.0

package infer

import (
	"cmp"
	"slices"
	"time"

	"edgex-offload/offload"
)

// State is where a model stands.
type State string

// The states.
const (
	// Loading: found, not loaded yet.
	Loading State = "loading"
	// Ready: loaded, and a first inference has succeeded.
	Ready State = "ready"
	// Failed: Status.Error says why.
	Failed State = "failed"
	// Elsewhere: its runs_on does not list this place, so it is not loaded here.
	Elsewhere State = "elsewhere"
)

// Status is what an operator sees of one model.
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
	Accuracy float64 `json:"accuracy"`
	State    State   `json:"state"`
	// Error says why it failed, or why a newer version of a ready model is not used.
	Error string `json:"error,omitempty"`
	// ServiceMs is the mean time of one answer, from payload to labels, without waiting;
	// recent ones weigh more. 0 is unknown. Until the first task it is the warm-up's.
	ServiceMs float64 `json:"serviceMs"`
	// Answers and Errors count the tasks since the model was loaded.
	Answers uint64 `json:"answers"`
	Errors  uint64 `json:"errors"`
}

// Variant is the model's name in answers and in Infer: "name/version".
func (s Status) Variant() string { return s.Name + "/" + s.Version }

// Models lists every model of the folder, by name, loaded here or not.
func (r *Repository) Models() []Status {
	r.mu.RLock()
	defer r.mu.RUnlock()
	list := make([]Status, 0, len(r.models)) // never nil: in JSON a list
	for _, m := range r.models {
		list = append(list, m.status())
	}
	slices.SortFunc(list, func(a, b Status) int { return cmp.Compare(a.Name, b.Name) })
	return list
}

// OffloadModels is what an engine on the box needs to know: for each logical model the
// variants and the heads that are ready here, and the best accuracy that the cloud has for it.
func (r *Repository) OffloadModels() []offload.Model {
	var models []offload.Model
	for _, s := range r.Models() {
		if s.Serves == "" {
			continue // its model.yaml could not be read
		}
		i := slices.IndexFunc(models, func(m offload.Model) bool { return m.Name == s.Serves })
		if i < 0 {
			models = append(models, offload.Model{Name: s.Serves})
			i = len(models) - 1
		}
		switch {
		case s.Split != nil && s.Split.Part == Head && s.State == Ready:
			models[i].Splits = append(models[i].Splits, s.split())
		case s.Split != nil:
		case s.State == Ready:
			service := time.Duration(s.ServiceMs * float64(time.Millisecond))
			models[i].Local = append(models[i].Local, offload.Variant{Name: s.Variant(), Accuracy: s.Accuracy, Service: service})
		}
		if s.Split == nil && slices.Contains(s.RunsOn, Cloud) {
			models[i].Remote.Accuracy = max(models[i].Remote.Accuracy, s.Accuracy)
		}
	}
	slices.SortFunc(models, func(a, b offload.Model) int { return cmp.Compare(a.Name, b.Name) })
	return models
}
