// SPDX-License-Identifier: Apache-2.0

package runner

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"edgex-offload/offload"
	"edgex-offload/offload/trial"
	"edgex-offload/remote"
)

// Local runs tasks on the box. It is called by as many goroutines as there are workers.
type Local interface {
	// Infer runs a task on a variant ("name/version") and returns when it is done or, with
	// an error, soon after ctx ended.
	Infer(ctx context.Context, variant string, task offload.Task) (offload.Answer, error)
}

// Remote runs tasks elsewhere. *remote.Client is one.
type Remote interface {
	// Offload returns the answer or an error that remote.ClassOf tells apart. It calls sent
	// at most once, when the request's bytes were handed to the transport.
	Offload(ctx context.Context, task offload.Task, sent func()) (remote.Reply, error)
	// Probe is a small call that waits for nothing.
	Probe(ctx context.Context) (remote.ProbeReply, error)
}

// TrainProber is a Remote whose rates can be measured while no task does it.
type TrainProber interface {
	// ProbeTrain sends so many bytes back to back up and asks for so many in answers.
	ProbeTrain(ctx context.Context, up, down int) (remote.TrainReply, error)
}

// Target is a place elsewhere.
type Target struct {
	Name   string
	Remote Remote
	// Metered: its link is paid by the byte; see offload.Target.
	Metered bool
	// PricePerMB and PricePerCall are what sending costs; see offload.Target.
	PricePerMB, PricePerCall float64
}

// Options are what a Runner is made from; zero values take the default that is named.
type Options struct {
	// Settings are the engine's first ones.
	Settings offload.Settings
	// Power is what energy is computed from. Default offload.DefaultPower.
	Power offload.Power
	// Models are what is ready at the start; SetModels follows.
	Models []offload.Model
	Local  Local
	// Targets may be empty: everything runs on the box then.
	Targets []Target
	// Workers is how many local runs there may be at once. Default 1.
	Workers int
	// Probing is what may be spent on measuring links. Default offload.DefaultProbing.
	Probing offload.Probing
	// Network is what policy dqn asks; nil for none. SetNetwork follows.
	Network offload.Network
	// DecisionLog is how many decision records are kept. Default 2048.
	DecisionLog int
	// Logger takes the few lines that are not records. Default: discarded.
	Logger *slog.Logger
}

// Runner is the live driver of one engine.
type Runner struct {
	options Options
	epoch   time.Time
	logger  *slog.Logger
	work    sync.WaitGroup

	mu      sync.Mutex // guards all below, the engine above all
	engine  *offload.Engine
	refs    uint64
	waiters map[uint64]chan offload.Outcome
	cancels map[uint64]context.CancelFunc
	timer   *time.Timer
	stopped bool
	history history
	// policies compares those that decided since the settings were last changed.
	policies      *trial.Table
	policiesSince time.Time
	box           Box
	links         []linkLog // of each target
}

// New checks the options as a whole. The runner takes tasks at once; its probes and its
// end belong to Run.
func New(o Options) (*Runner, error) {
	if o.Local == nil {
		return nil, errors.New("Local is nil: it must run tasks on the box, or say why it cannot")
	}
	setDefault(&o.Power, offload.DefaultPower())
	setDefault(&o.Workers, 1)
	setDefault(&o.Probing, offload.DefaultProbing())
	setDefault(&o.DecisionLog, 2048)
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	if err := o.validate(); err != nil {
		return nil, err
	}
	r := &Runner{
		options: o, epoch: time.Now(), logger: o.Logger,
		waiters: map[uint64]chan offload.Outcome{}, cancels: map[uint64]context.CancelFunc{},
		history:  newHistory(o.DecisionLog),
		policies: trial.New(), policiesSince: time.Now(), box: Box{Battery: 1, Charging: true},
		links: make([]linkLog, len(o.Targets)),
	}
	targets := make([]offload.Target, len(o.Targets))
	for i, t := range o.Targets {
		targets[i] = offload.Target{Name: t.Name, Metered: t.Metered, PricePerMB: t.PricePerMB, PricePerCall: t.PricePerCall}
	}
	engine, err := offload.NewEngine(offload.Config{
		Settings: o.Settings, Targets: targets, Models: o.Models, Workers: o.Workers, Power: o.Power,
		Probing: o.Probing, Epoch: r.epoch, Network: o.Network,
	})
	if err != nil {
		return nil, err
	}
	r.engine = engine
	return r, nil
}

func setDefault[T comparable](field *T, value T) {
	var zero T
	if *field == zero {
		*field = value
	}
}

func (o *Options) validate() error {
	var errs []error
	for _, t := range o.Targets {
		if t.Remote == nil {
			errs = append(errs, fmt.Errorf("Targets %q has no Remote", t.Name))
		}
	}
	errs = append(errs, o.Probing.Validate())
	if o.DecisionLog < 1 || o.DecisionLog > 1e6 {
		errs = append(errs, fmt.Errorf("DecisionLog %d: allowed is 1 to 1000000 records", o.DecisionLog))
	}
	return errors.Join(errs...)
}

// Run measures the targets and drives tasks until ctx ends, then finishes every task under
// way with offload.Stopped and waits for all work to end. Call it once.
func (r *Runner) Run(ctx context.Context) error {
	r.event(offload.Event{Kind: offload.TimerRang}) // whereupon the engine asks for probes
	r.keepHistory(ctx)
	r.mu.Lock()
	r.stopped = true
	r.handle(offload.Event{Kind: offload.Stop})
	if r.timer != nil {
		r.timer.Stop()
	}
	for _, l := range r.links {
		for _, cancel := range l.probes {
			cancel()
		}
	}
	r.mu.Unlock()
	r.work.Wait()
	return nil
}

// Do hands a task over and blocks until its outcome; each task gets exactly one. When ctx
// ends first the task is given up and its outcome says so.
func (r *Runner) Do(ctx context.Context, task offload.Task) offload.Outcome {
	outcome := make(chan offload.Outcome, 1)
	r.mu.Lock()
	r.refs++
	ref := r.refs
	r.anchor(&task)
	task.ExpectedLocal, task.ExpectedRemote = r.engine.Expect(&task)
	r.waiters[ref] = outcome
	r.history.arrived++
	r.handle(offload.Event{Kind: offload.TaskArrived, Ref: ref, Task: &task})
	r.mu.Unlock()

	select {
	case o := <-outcome:
		return o
	case <-ctx.Done():
		r.event(offload.Event{Kind: offload.TaskAbandoned, Ref: ref})
		return <-outcome
	}
}

// anchor puts the task's wall clock times onto the monotonic clock that the engine runs
// on, so that a step of the wall clock moves no deadline of a task under way. A task from
// the future was created now.
func (r *Runner) anchor(task *offload.Task) {
	now := time.Now()
	wall := now.Round(0) // without the monotonic reading
	age := max(0, wall.Sub(task.Created.Round(0)))
	if task.Created.IsZero() {
		age = 0
	}
	if !task.Deadline.IsZero() {
		task.Deadline = now.Add(task.Deadline.Round(0).Sub(wall))
	}
	task.Created = now.Add(-age)
}

// Configure takes new settings over as a whole, or says what is wrong with them.
func (r *Runner) Configure(s offload.Settings) error {
	if err := s.Validate(); err != nil {
		return err
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if s != r.engine.Settings() { // figures of other settings say nothing of these
		r.policies, r.policiesSince = trial.New(), time.Now()
	}
	r.handle(offload.Event{Kind: offload.SettingsChanged, Settings: &s})
	return nil
}

// SetModels replaces what is known of the models.
func (r *Runner) SetModels(models []offload.Model) {
	r.event(offload.Event{Kind: offload.ModelsChanged, Models: models})
}

// SetNetwork replaces what policy dqn asks; nil takes it away. When it returns the one before
// is asked no more. It is called by one goroutine at a time.
func (r *Runner) SetNetwork(n offload.Network) {
	r.event(offload.Event{Kind: offload.NetworkChanged, Network: n})
}

// event gives the engine one event and does what it says.
func (r *Runner) event(ev offload.Event) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.handle(ev)
}

// handle is event for who holds the lock.
func (r *Runner) handle(ev offload.Event) {
	ev.At = time.Since(r.epoch)
	for _, a := range r.engine.Handle(ev) {
		switch a.Kind {
		case offload.StartLocal:
			r.start(a, r.runLocal)
		case offload.SendRemote:
			r.start(a, r.runRemote)
		case offload.CancelAttempt:
			if cancel := r.cancels[a.Attempt]; cancel != nil {
				cancel()
			}
		case offload.FinishTask:
			a.Outcome.Record = a.Outcome.Record.Detach()
			r.history.add(a.Outcome)
			r.policies.Add(&a.Outcome.Record)
			if waiter := r.waiters[a.Ref]; waiter != nil {
				delete(r.waiters, a.Ref)
				waiter <- a.Outcome // has room: it is the only one
			}
		case offload.Ring:
			r.ringAt(a.At)
		case offload.SendProbe:
			r.sendProbe(a)
		}
	}
	r.followLinks()
}

func (r *Runner) ringAt(at time.Duration) {
	if r.timer != nil {
		r.timer.Stop()
	}
	if r.stopped {
		return
	}
	r.timer = time.AfterFunc(at-time.Since(r.epoch), func() { r.event(offload.Event{Kind: offload.TimerRang}) })
}
