// SPDX-License-Identifier: Apache-2.0

package cascade

import (
	"maps"
	"slices"

	"edgex-offload/offload"
)

// Status is what an operator sees of one cascade.
type Status struct {
	Name string `json:"name"`
	// File is where it comes from; "" for one that a rule asks for and that is not there.
	File string `json:"file,omitempty"`
	// Usable: pictures go through it. Problem says why not, or why its file as it is now is not
	// used and the one before is.
	Usable  bool   `json:"usable"`
	Problem string `json:"problem,omitempty"`
	// Stages are their names, in order.
	Stages []string `json:"stages,omitempty"`
	// NeededBy are the rules that ask for it.
	NeededBy []string `json:"neededBy,omitempty"`
	// Complete pictures have every result, Partial ones an answer that lacks some; None counts
	// those without an answer, by reason.
	Complete uint64            `json:"complete"`
	Partial  uint64            `json:"partial"`
	None     map[string]uint64 `json:"none"`
}

// counts are how pictures ended.
type counts struct {
	complete, partial uint64
	none              map[string]uint64
}

func (c *counts) add(o *offload.Outcome) {
	switch {
	case o.Answer == nil:
		if c.none == nil {
			c.none = map[string]uint64{}
		}
		c.none[string(o.Reason)]++
	case o.Record.Unfinished() != nil:
		c.partial++
	default:
		c.complete++
	}
}

// Status lists the cascades by name. neededBy are the rules that ask for one, by its name.
func (s *Set) Status(neededBy map[string][]string) []Status {
	s.mu.Lock()
	defer s.mu.Unlock()
	names := slices.Collect(maps.Keys(s.members))
	for name := range neededBy {
		if s.members[name] == nil {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	list := make([]Status, 0, len(names)) // never nil: in JSON a list
	for _, name := range names {
		list = append(list, s.status(name, neededBy[name]))
	}
	return list
}

func (s *Set) status(name string, neededBy []string) Status {
	status := Status{Name: name, NeededBy: neededBy, None: map[string]uint64{}}
	if n := s.counts[name]; n != nil {
		status.Complete, status.Partial = n.complete, n.partial
		maps.Copy(status.None, n.none)
	}
	m := s.members[name]
	if m == nil || m.cascade == nil {
		status.Problem = s.whyNot(name)
	}
	if m == nil {
		return status
	}
	status.File, status.Problem = m.file, m.problem
	if m.cascade != nil {
		status.Usable = true
		for i := range m.cascade.Stages {
			status.Stages = append(status.Stages, m.cascade.Stages[i].Name)
		}
	}
	return status
}

// records keep the last summaries.
type records struct {
	limit int
	kept  []offload.Record // a ring
	next  int
}

func (r *records) add(record offload.Record) {
	if len(r.kept) < r.limit {
		r.kept = append(r.kept, record)
		return
	}
	r.kept[r.next] = record
	r.next = (r.next + 1) % r.limit
}

// Find gives the summaries of a task that are kept, the newest first, limit at the most.
func (s *Set) Find(task string, limit int) []offload.Record {
	s.mu.Lock()
	defer s.mu.Unlock()
	found := []offload.Record{}
	n := len(s.records.kept)
	for i := 1; i <= n && len(found) < limit; i++ {
		if r := &s.records.kept[(s.records.next+n-i)%n]; r.TaskID == task {
			found = append(found, *r)
		}
	}
	return found
}
