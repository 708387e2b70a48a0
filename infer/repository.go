// SPDX-License-Identifier: Apache-2.0

package infer

import (
	"context"
	"crypto/ed25519"
	"errors"
	"fmt"
	"runtime"
	"sync"
	"sync/atomic"
	"time"

	"edgex-offload/offload"
)

// Logger is the part of EdgeX's LoggingClient that is used here.
type Logger interface {
	Infof(format string, args ...any)
	Warnf(format string, args ...any)
}

// Options of a Repository.
type Options struct {
	// Dir is the models folder: <name>/<version>/{model.onnx,model.yaml}.
	Dir string
	// Only names one model of the folder, the others are passed over; empty is all.
	Only string
	// Place is where this process runs, Box or Cloud: models for elsewhere are listed,
	// not loaded. Empty loads all.
	Place string
	// Backend runs the graphs, as ort.New does.
	Backend Backend
	// Concurrency is how many tasks run at once, the rest wait; the default is the number
	// of cores. More than that lengthens each answer and gains nothing. Tasks of a model that
	// runs them in batches do not count: as many as two batches take are let in.
	Concurrency int
	// Waiting is how many tasks may wait for a place, of the repository and of each model that
	// has a bound of its own; the default is 1024. More are refused.
	Waiting int
	// Rescan is the pause between looks at the folder for new, changed and cured models;
	// the default is 10 s. A look reads file times alone.
	Rescan time.Duration
	// DrainTimeout is how long the tasks under way on a version may go on after another took
	// its place; then they are stopped and run again on that one. The default is 30 s.
	DrainTimeout time.Duration
	// Canary says how a new version takes over; the default is at once.
	Canary Canary
	// PublicKey, if set, is whose signature each model must have: see SignatureFile.
	PublicKey ed25519.PublicKey
	// OnChange, if set, is called whenever a model became ready, failed or went away. It
	// runs on the loading goroutine and must not call Close.
	OnChange func()
	// Log may be nil.
	Log Logger

	now func() time.Time
}

// complete checks the options and fills in the defaults.
func (o *Options) complete() error {
	if o.Backend == nil {
		return errors.New("infer: Backend is nil: give ort.New(...)")
	}
	if o.Place != "" && o.Place != Box && o.Place != Cloud {
		return fmt.Errorf("infer: Place is %q: allowed are box, cloud, or none for all", o.Place)
	}
	if o.Concurrency < 0 || o.Concurrency > 1024 {
		return fmt.Errorf("infer: Concurrency is %d: allowed is 1 to 1024, or 0 for the number of cores", o.Concurrency)
	}
	if o.Waiting < 0 || o.Waiting > 100_000 {
		return fmt.Errorf("infer: Waiting is %d: allowed is 1 to 100000, or 0 for 1024", o.Waiting)
	}
	if o.Canary == (Canary{}) {
		o.Canary = DefaultCanary()
	}
	if err := o.Canary.Validate(); err != nil {
		return fmt.Errorf("infer: Canary.%w", err)
	}
	orElse(&o.Concurrency, runtime.GOMAXPROCS(0))
	orElse(&o.Waiting, 1024)
	orElse(&o.Rescan, 10*time.Second)
	orElse(&o.DrainTimeout, 30*time.Second)
	if o.OnChange == nil {
		o.OnChange = func() {}
	}
	if o.Log == nil {
		o.Log = silent{}
	}
	if o.now == nil {
		o.now = time.Now
	}
	return nil
}

func orElse[T int | time.Duration](value *T, fallback T) {
	if *value <= 0 {
		*value = fallback
	}
}

// Repository holds the models of a folder. It is safe for concurrent use.
type Repository struct {
	opts   Options
	places *places

	mu      sync.RWMutex
	series  map[string]*series // by name
	problem error              // why the folder could not be read
	closed  bool

	// For keep alone:
	looks     uint64 // so many were made
	listed    bool   // the folder could be read once
	unsettled bool   // files were still changing at the last look

	commands chan command
	judged   chan struct{} // has room for one: a trial came to a verdict
	lost     chan struct{} // has room for one: a model cannot run any more
	tried    chan struct{} // closed when each model was tried once
	stop     context.CancelFunc
	ended    chan struct{}

	closing sync.Mutex
	drains  sync.WaitGroup
	freed   []error // what freeing said; guarded by mu
	counts  struct{ loads, loadFailures, swaps, promoted, takenBack, broken atomic.Uint64 }
}

// Open starts loading the models of a folder in the background and returns at once. The
// error is about the options alone: a missing folder or a broken model is reported by
// Models and Wait and looked at again later.
func Open(opts Options) (*Repository, error) {
	if err := opts.complete(); err != nil {
		return nil, err
	}
	ctx, stop := context.WithCancel(context.Background())
	r := &Repository{
		opts:     opts,
		places:   newPlaces("the repository", opts.Concurrency, opts.Waiting),
		series:   map[string]*series{},
		commands: make(chan command, mostCommands),
		judged:   make(chan struct{}, 1),
		lost:     make(chan struct{}, 1),
		tried:    make(chan struct{}),
		stop:     stop,
		ended:    make(chan struct{}),
	}
	go r.keep(ctx)
	return r, nil
}

// Wait returns when each model that is in the folder now was tried once, or when ctx
// ended. A model that failed is no error here; a folder that cannot be read is.
func (r *Repository) Wait(ctx context.Context) error {
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-r.ended:
	case <-r.tried:
	}
	r.mu.RLock()
	defer r.mu.RUnlock()
	if r.closed {
		return ErrClosed
	}
	return r.problem
}

// Close stops loading, waits for the tasks under way, DrainTimeout at the most before it
// stops them, and frees the models. It may be called more than once.
func (r *Repository) Close() error {
	r.mu.Lock()
	r.closed = true
	r.mu.Unlock()
	r.stop()
	<-r.ended
	r.closing.Lock()
	defer r.closing.Unlock()
	for _, s := range r.series {
		r.putAway(s)
	}
	r.drains.Wait()
	r.mu.Lock()
	defer r.mu.Unlock()
	return errors.Join(r.freed...)
}

// Infer runs a task on the variant "name/version" and returns its answer. It waits for
// a free place first, and does not start what is past its deadline. It ends soon after ctx
// ends. A variant that was replaced meanwhile, or that shares its tasks with a new version
// on trial, may be answered by that one: Answer.Model says so.
func (r *Repository) Infer(ctx context.Context, variant string, task offload.Task) (offload.Answer, error) {
	return r.run(ctx, task, func() (choice, error) { return r.find(variant) })
}

// InferModel runs a task on the best model that is ready for it: the most accurate of
// those that serve what the task's context["model"], else its Model, names; without a
// name, of those that serve its kind.
func (r *Repository) InferModel(ctx context.Context, task offload.Task) (offload.Answer, error) {
	return r.run(ctx, task, func() (choice, error) { return r.choose(task) })
}

func (r *Repository) run(ctx context.Context, task offload.Task, pick func() (choice, error)) (offload.Answer, error) {
	for {
		c, err := pick()
		if err != nil {
			return offload.Answer{}, err
		}
		answer, err := r.answer(ctx, c, task)
		if !errors.Is(err, errReplaced) { // else another has taken its place: pick that
			return answer, err
		}
	}
}

func (r *Repository) answer(ctx context.Context, c choice, task offload.Task) (offload.Answer, error) {
	if c.trial != nil {
		return r.try(ctx, c.trial, c.model, task)
	}
	answer, _, err := r.attempt(ctx, c.model, task)
	return answer, err
}

// attempt runs a task on a model, once it has a place of the model and one of the repository.
// The time is that of the execution; 0 is not started.
func (r *Repository) attempt(ctx context.Context, m *model, task offload.Task) (offload.Answer, time.Duration, error) {
	if err := r.late(ctx, task); err != nil {
		return offload.Answer{}, 0, err
	}
	deadline, is := ctx.Deadline()
	if !is || (!task.Deadline.IsZero() && task.Deadline.Before(deadline)) {
		deadline = task.Deadline
	}
	if m.places != nil { // the model's first: who waits for it keeps nobody else
		if err := m.places.enter(ctx, deadline); err != nil {
			return offload.Answer{}, 0, err
		}
		defer m.places.leave()
	}
	if !m.gathers { // who waits for a batch takes no core
		if err := r.places.enter(ctx, deadline); err != nil {
			return offload.Answer{}, 0, err
		}
		defer r.places.leave()
	}
	if err := r.late(ctx, task); err != nil {
		return offload.Answer{}, 0, err
	}
	return m.infer(ctx, task)
}

// late says that a task is not worth starting any more.
func (r *Repository) late(ctx context.Context, task offload.Task) error {
	if err := ctx.Err(); err != nil {
		return fmt.Errorf("not started: %w", err)
	}
	if now := r.opts.now(); !task.Deadline.IsZero() && !now.Before(task.Deadline) {
		return fmt.Errorf("not started: %s past its deadline: %w", now.Sub(task.Deadline).Round(time.Millisecond), context.DeadlineExceeded)
	}
	return nil
}

type silent struct{}

func (silent) Infof(string, ...any) {}
func (silent) Warnf(string, ...any) {}
