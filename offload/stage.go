// SPDX-License-Identifier: Apache-2.0

package offload

import (
	"fmt"
	"maps"
	"slices"
	"strings"
)

// Mixed is the Route of a cascade whose stages were answered in different places.
const Mixed = "mixed"

// StageView is what came of one stage of a cascade.
type StageView struct {
	Name string `json:"name"`
	// Does is decode, detect, crop or classify; Model what answers its tasks, "" for a stage
	// that runs in the service itself.
	Does  string `json:"does"`
	Model string `json:"model,omitempty"`
	// StartedMs, EndedMs and DeadlineMs (what it was given) count from Record.Created. EndedMs is
	// 0 for a stage that was not begun, DeadlineMs where there is none.
	StartedMs  float64 `json:"startedMs"`
	EndedMs    float64 `json:"endedMs"`
	DeadlineMs float64 `json:"deadlineMs,omitempty"`
	// Tasks were handed over, Answered of them have a result; Routes counts those by who
	// answered.
	Tasks    int            `json:"tasks,omitempty"`
	Answered int            `json:"answered,omitempty"`
	Routes   map[string]int `json:"routes,omitempty"`
	// Found is how many objects or crops came of it; Passed how many more there were than it
	// keeps.
	Found  int `json:"found,omitempty"`
	Passed int `json:"passed,omitempty"`
	// Reason is why it, or the first of its tasks that has no result, has none; Error says it
	// in words.
	Reason Reason `json:"reason,omitempty"`
	Error  string `json:"error,omitempty"`
}

// Unfinished is the first stage of a cascade that lacks a result, or a part of it; nil for none.
func (r *Record) Unfinished() *StageView {
	for i := range r.Stages {
		if r.Stages[i].Reason != "" {
			return &r.Stages[i]
		}
	}
	return nil
}

// stages tells the story of a cascade.
func (t *telling) stages() {
	t.heading("What its stages did")
	for i := range t.r.Stages {
		t.line("  %s", t.r.Stages[i].words())
	}
	t.line("  %s", t.r.ending())
	if s := t.r.Unfinished(); s != nil && t.r.Route != "" {
		t.line("  The answer is not complete: stage %s ended as %s.", s.Name, s.Reason)
	}
	t.line("Each task of a stage has a record of its own, as %s/%s.", t.r.TaskID, t.r.exampleStage())
}

// exampleStage is the first stage that hands tasks over; every cascade has one.
func (r *Record) exampleStage() string {
	for i := range r.Stages {
		if r.Stages[i].Model != "" {
			return r.Stages[i].Name
		}
	}
	return "stage"
}

// words tells of one stage.
func (s *StageView) words() string {
	what := s.Does
	if s.Model != "" {
		what += " with " + s.Model
	}
	if s.EndedMs == 0 {
		return fmt.Sprintf("%s (%s) was not begun: %s: %s", s.Name, what, s.Reason, s.Error)
	}
	said := []string{fmt.Sprintf("%.0f ms: %s (%s) took %.0f ms", s.StartedMs, s.Name, what, s.EndedMs-s.StartedMs)}
	if s.DeadlineMs > 0 && s.Model != "" {
		said[0] += fmt.Sprintf(", with time until %.0f ms", s.DeadlineMs)
	}
	if s.Model != "" {
		said = append(said, s.answered())
	}
	if s.Model == "" && s.Found > 0 || s.Passed > 0 {
		said = append(said, fmt.Sprintf("%d kept of %d", s.Found, s.Found+s.Passed))
	}
	if s.Reason != "" {
		said = append(said, fmt.Sprintf("%s: %s", s.Reason, s.Error))
	}
	return strings.Join(said, "; ")
}

func (s *StageView) answered() string {
	if s.Tasks == 0 {
		return "nothing to do"
	}
	places := make([]string, 0, len(s.Routes))
	for _, route := range slices.Sorted(maps.Keys(s.Routes)) {
		places = append(places, fmt.Sprintf("%d by %s", s.Routes[route], route))
	}
	return strings.Join(append([]string{fmt.Sprintf("%d of %d tasks answered", s.Answered, s.Tasks)}, places...), ", ")
}
