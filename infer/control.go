// SPDX-License-Identifier: Apache-2.0

package infer

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync/atomic"
)

// mostCommands bounds what waits to be done by hand.
const mostCommands = 16

// ErrUnderWay: what was asked by hand goes on after its caller's time was over. Models shows
// what comes of it.
var ErrUnderWay = errors.New("still under way")

// command is something asked by hand. Either it is begun or its caller takes it back.
type command struct {
	do    func(context.Context) error
	taken *atomic.Bool // begun, or taken back
	done  chan error   // has room for one
}

// run does it, unless who asked has gone.
func (c command) run(ctx context.Context) {
	if c.taken.CompareAndSwap(false, true) {
		c.done <- c.do(ctx)
	}
}

// ask has the goroutine of keep do something and waits for it.
func (r *Repository) ask(ctx context.Context, do func(context.Context) error) error {
	c := command{do: do, taken: &atomic.Bool{}, done: make(chan error, 1)}
	select {
	case <-r.ended:
		return ErrClosed
	default:
	}
	select {
	case r.commands <- c:
	default:
		return fmt.Errorf("%w: %d commands wait already", ErrBusy, mostCommands)
	}
	select {
	case err := <-c.done:
		return err
	case <-r.ended:
		return ErrClosed
	case <-ctx.Done():
	}
	if c.taken.CompareAndSwap(false, true) {
		return fmt.Errorf("%w: not begun, as another model is being loaded: try again later: %w", ErrBusy, ctx.Err())
	}
	return fmt.Errorf("%w: %w", ErrUnderWay, ctx.Err())
}

// Load loads a version of a model by hand, which takes over at once, without a trial: one that
// is on trial is promoted so. Without a version it is the highest, tried again whatever became
// of it before. With one, that version stays until the model's files change or another is
// loaded by hand. While the version cannot be loaded nothing changes.
//
// Load, Unload, Rollback and Rescan return when it is done. When ctx ends before, they return
// with ErrUnderWay, or with ErrBusy if it was not begun: then it will not be. What is decided by hand does not survive the Repository.
func (r *Repository) Load(ctx context.Context, name, version string) error {
	return r.ask(ctx, func(ctx context.Context) error { return r.loadByHand(ctx, name, version) })
}

// Unload frees a model by hand. It stays unloaded until it is loaded by hand, or until its
// files change or a version is added.
func (r *Repository) Unload(ctx context.Context, name string) error {
	return r.ask(ctx, func(context.Context) error { return r.unloadByHand(name) })
}

// Rollback takes a version on trial back, or, without one, goes back to the version that
// answered before, else to the next lower one. The version that is left is not loaded again
// by itself until its files change.
func (r *Repository) Rollback(ctx context.Context, name string) error {
	return r.ask(ctx, func(ctx context.Context) error { return r.rollbackByHand(ctx, name) })
}

// Rescan looks at the folder now, at the files' content, and takes what it finds for complete.
func (r *Repository) Rescan(ctx context.Context) error {
	return r.ask(ctx, func(ctx context.Context) error {
		r.look(ctx, true)
		r.mu.RLock()
		defer r.mu.RUnlock()
		return r.problem
	})
}

func (r *Repository) loadByHand(ctx context.Context, name, number string) error {
	r.list(true, name) // to read the files of all may take minutes
	s, err := r.named(name)
	if err != nil {
		return err
	}
	v, err := s.version(number)
	if err != nil {
		return err
	}
	if s.trial != nil && s.trial.model.version == v && s.loaded(v) {
		r.swap(s, s.trial.model)
		r.opts.OnChange()
	}
	if !s.loaded(v) {
		if err := r.bring(ctx, s, v, true); err != nil {
			return err
		}
	}
	if s.trial != nil {
		r.endTrial(s, nil)
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	s.idle, s.pin = false, number
	return nil
}

func (r *Repository) unloadByHand(name string) error {
	s, err := r.named(name)
	if err != nil {
		return err
	}
	r.mu.Lock()
	s.idle, s.pin = true, ""
	r.mu.Unlock()
	r.putAway(s)
	r.opts.Log.Infof("model %s is unloaded by hand", name)
	r.opts.OnChange()
	return nil
}

// errByHand is why a version was taken back.
var errByHand = errors.New("taken back by hand")

func (r *Repository) rollbackByHand(ctx context.Context, name string) error {
	s, err := r.named(name)
	if err != nil {
		return err
	}
	if s.trial != nil {
		r.opts.Log.Infof("model %s is taken back by hand", s.trial.model.variant)
		r.endTrial(s, errByHand)
		r.opts.OnChange()
		return nil
	}
	if s.current == nil {
		return fmt.Errorf("%w: %s: no version answers that could be left: load one", ErrNotReady, name)
	}
	left := s.current.version
	v := s.before(left)
	if v == nil {
		return fmt.Errorf("%w: %s has no version before %s in the folder to go back to: there are %s", ErrNoModel, name, left.number, s.numbers())
	}
	if err := r.bring(ctx, s, v, true); err != nil {
		return err
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	left.set(TakenBack, errByHand)
	s.idle, s.pin = false, v.number
	return nil
}

// named is the series of a model.
func (r *Repository) named(name string) (*series, error) {
	r.mu.RLock()
	defer r.mu.RUnlock()
	s := r.series[name]
	if s == nil {
		return nil, r.none(fmt.Sprintf("model %q", clip(name)), func(v *version) string { return v.name })
	}
	return s, nil
}

// version is one of the series, or, without a number, the highest.
func (s *series) version(number string) (*version, error) {
	if v := s.versions[number]; v != nil {
		return v, nil
	}
	all := s.sorted()
	switch {
	case len(all) == 0:
		return nil, fmt.Errorf("%w: %s: %w", ErrNotReady, s.name, s.err)
	case number == "":
		return all[0], nil
	}
	return nil, fmt.Errorf("%w: %s has no version %q: there are %s", ErrNoModel, s.name, clip(number), s.numbers())
}

// before is the version to go back to from one.
func (s *series) before(left *version) *version {
	if v := s.versions[s.former]; v != nil && v != left && v.state != Failed && v.state != TakenBack {
		return v
	}
	for _, v := range s.sorted() {
		if number(v.number) < number(left.number) && v.state != Failed && v.state != TakenBack {
			return v
		}
	}
	return nil
}

func (s *series) numbers() string {
	var list []string
	for _, v := range s.sorted() {
		list = append(list, v.number)
	}
	slices.Reverse(list)
	return strings.Join(list, ", ")
}
