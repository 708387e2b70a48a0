// SPDX-License-Identifier: Apache-2.0

package infer

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"sync"
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
	// of cores. More than that lengthens each answer and gains nothing.
	Concurrency int
	// Rescan is the pause between looks at the folder for new, changed and cured models;
	// the default is 10 s. A look reads file times alone.
	Rescan time.Duration
	// OnChange, if set, is called whenever a model became ready, failed or went away, by any
	// goroutine. It must not block nor call Close.
	OnChange func()
	// Log may be nil.
	Log Logger
}

// Repository holds the models of a folder. It is safe for concurrent use.
type Repository struct {
	opts  Options
	slots chan struct{} // one token per task that runs

	mu      sync.RWMutex
	models  map[string]*model // by name
	problem error             // why the folder could not be read
	closed  bool

	tried chan struct{} // closed when each model was tried once
	stop  context.CancelFunc
	ended chan struct{}
}

// Open starts loading the models of a folder in the background and returns at once. The
// error is about the options alone: a missing folder or a broken model is reported by
// Models and Wait and looked at again later.
func Open(opts Options) (*Repository, error) {
	if opts.Backend == nil {
		return nil, errors.New("infer: Backend is nil: give ort.New(...)")
	}
	if opts.Place != "" && opts.Place != Box && opts.Place != Cloud {
		return nil, fmt.Errorf("infer: Place is %q: allowed are box, cloud, or none for all", opts.Place)
	}
	if opts.Concurrency < 0 || opts.Concurrency > 1024 {
		return nil, fmt.Errorf("infer: Concurrency is %d: allowed is 1 to 1024, or 0 for the number of cores", opts.Concurrency)
	}
	if opts.Concurrency == 0 {
		opts.Concurrency = runtime.GOMAXPROCS(0)
	}
	if opts.Rescan <= 0 {
		opts.Rescan = 10 * time.Second
	}
	if opts.OnChange == nil {
		opts.OnChange = func() {}
	}
	if opts.Log == nil {
		opts.Log = silent{}
	}
	ctx, stop := context.WithCancel(context.Background())
	r := &Repository{
		opts:   opts,
		slots:  make(chan struct{}, opts.Concurrency),
		models: map[string]*model{},
		tried:  make(chan struct{}),
		stop:   stop,
		ended:  make(chan struct{}),
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

// Close stops loading, waits for the tasks under way and frees the models. It may be
// called more than once.
func (r *Repository) Close() error {
	r.mu.Lock()
	r.closed = true
	r.mu.Unlock()
	r.stop()
	<-r.ended
	r.mu.Lock()
	defer r.mu.Unlock()
	var errs []error
	for _, m := range r.models {
		errs = append(errs, m.close())
	}
	return errors.Join(errs...)
}

// Infer runs a task on the variant "name/version" and returns its answer. It waits for
// a free place first. It ends soon after ctx ends.
func (r *Repository) Infer(ctx context.Context, variant string, task offload.Task) (offload.Answer, error) {
	return r.run(ctx, task, func() (*model, error) { return r.find(variant) })
}

// InferModel runs a task on the best model that is ready for it: the most accurate of
// those that serve what the task's context["model"], else its Model, names; without a
// name, of those that serve its kind.
func (r *Repository) InferModel(ctx context.Context, task offload.Task) (offload.Answer, error) {
	return r.run(ctx, task, func() (*model, error) { return r.choose(task) })
}

func (r *Repository) run(ctx context.Context, task offload.Task, pick func() (*model, error)) (offload.Answer, error) {
	leave, err := r.enter(ctx)
	if err != nil {
		return offload.Answer{}, err
	}
	defer leave()
	for {
		m, err := pick()
		if err != nil {
			return offload.Answer{}, err
		}
		answer, err := m.infer(ctx, task)
		if !errors.Is(err, errReplaced) { // else a newer one has taken its place: pick that
			return answer, err
		}
	}
}

// enter waits for a free place. leave gives it back.
func (r *Repository) enter(ctx context.Context) (leave func(), err error) {
	select {
	case r.slots <- struct{}{}:
		return func() { <-r.slots }, nil
	case <-ctx.Done():
		return nil, fmt.Errorf("waiting for a free place of %d: %w", cap(r.slots), ctx.Err())
	}
}

type silent struct{}

func (silent) Infof(string, ...any) {}
func (silent) Warnf(string, ...any) {}
