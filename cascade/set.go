// SPDX-License-Identifier: Apache-2.0

package cascade

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"edgex-offload/offload"
)

// Logger is the part of EdgeX's LoggingClient that is used here.
type Logger interface {
	Infof(format string, args ...any)
	Warnf(format string, args ...any)
}

// SetOptions say where the cascades are and what runs them.
type SetOptions struct {
	// Folder has a file <name>.yaml for each. One that is missing is reported, and no cascade
	// can be used then.
	Folder string
	Runner *Runner
	// Records is how many summaries are kept. Default 256.
	Records int
	// Log may be nil.
	Log Logger
}

// Set holds the cascades of a folder, and what became of the pictures that went through them. It
// is safe for concurrent use.
type Set struct {
	options SetOptions

	looking sync.Mutex         // is held by the one that reads the folder
	mu      sync.Mutex         // guards the rest
	members map[string]*member // by name
	problem string             // why the folder cannot be read
	counts  map[string]*counts // by name; only rules' names come here
	records records
}

// NewSet reads the folder. Nothing that is wrong in it is an error: Status and Do tell.
func NewSet(o SetOptions) (*Set, error) {
	if o.Runner == nil {
		return nil, errors.New("Runner is nil: it must run the cascades")
	}
	if o.Records == 0 {
		o.Records = 256
	}
	if o.Records < 1 || o.Records > 100_000 {
		return nil, fmt.Errorf("Records %d: allowed is 1 to 100000, or 0 for the default", o.Records)
	}
	if o.Log == nil {
		o.Log = silent{}
	}
	s := &Set{options: o, counts: map[string]*counts{}, records: records{limit: o.Records}}
	s.Look()
	return s, nil
}

// Look reads the folder again. A file that became wrong does not replace what was right before.
func (s *Set) Look() {
	s.looking.Lock()
	defer s.looking.Unlock()
	s.mu.Lock()
	before, problem := s.members, s.problem
	s.mu.Unlock()
	now, err := look(s.options.Folder, before)
	if err != nil { // what was read goes on: a folder that is gone for a moment costs nothing
		if err.Error() != problem {
			s.options.Log.Infof("%v; it is looked at again", err)
		}
		s.mu.Lock()
		defer s.mu.Unlock()
		s.problem = err.Error()
		return
	}
	tell(s.options.Log, before, now)
	s.mu.Lock()
	defer s.mu.Unlock()
	s.members, s.problem = now, ""
}

// Follow looks at the folder with each tick until ctx ends.
func (s *Set) Follow(ctx context.Context, tick <-chan time.Time) {
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick:
			s.Look()
		}
	}
}

// Do runs a picture through the cascade of that name, as Runner.Do does. One that is not there or
// is wrong is an outcome with the reason no_path.
func (s *Set) Do(ctx context.Context, name string, task offload.Task) offload.Outcome {
	c, err := s.find(name)
	var o offload.Outcome
	if err != nil {
		o = newExecution(nil, &Cascade{Name: name}, task, time.Now()).refuse(offload.NoPath, fmt.Sprintf("cascade %s: %s", name, err))
	} else {
		o = s.options.Runner.Do(ctx, c, task)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.counts[name] == nil {
		s.counts[name] = &counts{}
	}
	s.counts[name].add(&o)
	s.records.add(o.Record)
	return o
}

func (s *Set) find(name string) (*Cascade, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if m := s.members[name]; m != nil && m.cascade != nil {
		return m.cascade, nil
	}
	return nil, errors.New(s.whyNot(name))
}

// whyNot says why there is no cascade of that name. s.mu is held.
func (s *Set) whyNot(name string) string {
	switch m := s.members[name]; {
	case m != nil:
		return m.problem
	case s.problem != "":
		return s.problem
	}
	return fmt.Sprintf("no file in %s has a cascade of that name", s.options.Folder)
}

type silent struct{}

func (silent) Infof(string, ...any) {}
func (silent) Warnf(string, ...any) {}
