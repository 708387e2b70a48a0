// SPDX-License-Identifier: Apache-2.0

package cascade

import (
	"context"
	"errors"
	"fmt"
	"image"
	"sync"
	"sync/atomic"
	"time"

	"edgex-offload/offload"
)

// Engine decides and runs one task; *runner.Runner is one. Do blocks until the task ended, in
// exactly one outcome, and may be called by many goroutines.
type Engine interface {
	Do(ctx context.Context, task offload.Task) offload.Outcome
}

// Options of a Runner; zero values take the default that is named.
type Options struct {
	// UnderWay is how many pictures may be under way at once; one more ends at once. Default 64.
	UnderWay int
	// Pictures is how many may be decoded at once, and be kept so until they are cropped; the
	// others wait. Raising it takes memory, up to picture.MaxBytes for each. Default 4.
	Pictures int
	// Parallel is how many tasks of one stage are handed over at once. Default 16.
	Parallel int
}

// Runner runs cascades on an engine. It is safe for concurrent use.
type Runner struct {
	engine   Engine
	options  Options
	underWay atomic.Int64
	pictures chan struct{} // one token for each that is decoded
}

// NewRunner checks the options.
func NewRunner(engine Engine, o Options) (*Runner, error) {
	if engine == nil {
		return nil, errors.New("engine is nil: it must run tasks, as a *runner.Runner does")
	}
	var errs []error
	for _, c := range []struct {
		name     string
		value    *int
		standard int
	}{
		{"UnderWay", &o.UnderWay, 64}, {"Pictures", &o.Pictures, 4}, {"Parallel", &o.Parallel, 16},
	} {
		if *c.value == 0 {
			*c.value = c.standard
		}
		if *c.value < 1 || *c.value > 10_000 {
			errs = append(errs, fmt.Errorf("%s %d: allowed is 1 to 10000, or 0 for the default", c.name, *c.value))
		}
	}
	if err := errors.Join(errs...); err != nil {
		return nil, err
	}
	return &Runner{engine: engine, options: o, pictures: make(chan struct{}, o.Pictures)}, nil
}

// Do runs a picture through a cascade and blocks until it ended, in exactly one outcome. The
// record of it is a summary: its Stages say what each came to, and each task that a stage handed
// over has a record of its own in the engine. Where some stages have no result there is an
// answer of the others, if Cascade.Output lists any of those; Record.Unfinished then tells which
// one lacks. Cancelling ctx ends what is under way.
//
// The task's ID, Source, Priority, Payload (a JPEG or PNG), Created, Deadline, Context, Private
// and Truth are read.
func (r *Runner) Do(ctx context.Context, c *Cascade, task offload.Task) offload.Outcome {
	x := newExecution(r, c, task, time.Now())
	if n := r.underWay.Add(1); n > int64(r.options.UnderWay) {
		r.underWay.Add(-1)
		return x.refuse(offload.QueueFull, fmt.Sprintf("%d pictures are under way in cascades", r.options.UnderWay))
	}
	defer r.underWay.Add(-1)
	x.run(ctx)
	return x.outcome(time.Now())
}

// execution is one picture on its way through a cascade.
type execution struct {
	r    *Runner
	c    *Cascade
	task offload.Task
	// arrived, created and deadline are on the monotonic clock, so that a step of the wall clock
	// moves none of them; deadline is zero for none.
	arrived, created, deadline time.Time
	// results are of each stage. A stage's goroutine writes its own one; others read it once
	// that has ended.
	results []result
}

// result is what one stage came to.
type result struct {
	view   offload.StageView
	ended  bool // belongs to run
	usable bool // what needs it can begin

	picture image.Image      // of decode, while it is needed; a token of Runner.pictures goes with it
	objects []offload.Object // of detect, in pixels of the whole picture, best first
	crops   []crop
	classes []class
}

func newExecution(r *Runner, c *Cascade, task offload.Task, now time.Time) *execution {
	x := &execution{r: r, c: c, task: task, arrived: now, created: now, results: make([]result, len(c.Stages))}
	wall := now.Round(0) // without the monotonic reading
	if !task.Created.IsZero() {
		x.created = now.Add(-max(0, wall.Sub(task.Created.Round(0))))
	}
	if !task.Deadline.IsZero() {
		x.deadline = now.Add(task.Deadline.Round(0).Sub(wall))
	}
	for i, s := range c.Stages {
		x.results[i].view = offload.StageView{Name: s.Name, Does: s.Does, Model: s.Model}
	}
	return x
}

// run has each stage begin when what it needs has ended, and returns when all have.
func (x *execution) run(ctx context.Context) {
	ended := make(chan int, len(x.c.Stages)) // has room for all: no stage waits to say that it ended
	var work sync.WaitGroup
	under := 0
	begin := func(i int) {
		under++
		if cause := x.missing(i); cause != none {
			x.skip(i, cause)
			ended <- i
			return
		}
		work.Go(func() {
			defer func() { ended <- i }()
			x.contained(ctx, i)
		})
	}
	waits := make([]int, len(x.c.Stages))
	for i := range x.c.Stages {
		if waits[i] = len(x.c.links[i].needs); waits[i] == 0 {
			begin(i)
		}
	}
	for under > 0 {
		i := <-ended
		under--
		x.results[i].ended = true
		x.free()
		for _, next := range x.c.links[i].feeds {
			if waits[next]--; waits[next] == 0 {
				begin(next)
			}
		}
	}
	work.Wait()
}

// contained runs a stage, and turns a panic into its failure: pictures come from outside, and one
// that a decoder cannot take must not end the service.
func (x *execution) contained(ctx context.Context, i int) {
	defer func() {
		if p := recover(); p != nil {
			r := &x.results[i]
			r.fail(offload.Failed, fmt.Sprintf("panic: %v", p))
			r.view.EndedMs = max(x.offset(time.Now()), 1e-6)
		}
	}()
	x.stage(ctx, i)
}

// missing is a stage that is needed and has no result; none where there is none.
func (x *execution) missing(i int) int {
	for _, need := range x.c.links[i].needs {
		if !x.results[need].usable {
			return need
		}
	}
	return none
}

func (x *execution) skip(i, cause int) {
	v := &x.results[i].view
	v.Reason, v.Error = x.results[cause].view.Reason, fmt.Sprintf("stage %s has no result", x.c.Stages[cause].Name)
}

// free lets the picture go once all that is cut out of it was.
func (x *execution) free() {
	for i := range x.results {
		if x.c.Stages[i].Does == Crop && !x.results[i].ended {
			return
		}
	}
	for i := range x.results {
		if r := &x.results[i]; r.ended && r.picture != nil {
			r.picture = nil
			<-x.r.pictures
		}
	}
}

// stage runs one and notes what came of it.
func (x *execution) stage(ctx context.Context, i int) {
	r, now := &x.results[i], time.Now()
	r.view.StartedMs = x.offset(now)
	until := x.deadline
	if !until.IsZero() {
		until = x.c.Deadline(i, now, x.deadline)
		if x.c.Stages[i].Share > 0 {
			r.view.DeadlineMs = x.offset(until)
		}
	}
	switch x.c.Stages[i].Does {
	case Decode:
		x.decode(ctx, i)
	case Crop:
		x.crop(ctx, i)
	case Detect:
		x.detect(ctx, i, until)
	case Classify:
		x.classify(ctx, i, until)
	}
	r.view.EndedMs = max(x.offset(time.Now()), 1e-6) // 0 means not begun
	r.usable = r.view.Reason == "" || r.view.Answered > 0 || len(r.crops) > 0
}

// offset is a time on the record's scale, milliseconds from Created.
func (x *execution) offset(at time.Time) float64 { return ms(at.Sub(x.created)) }

func ms(d time.Duration) float64 { return float64(d) / float64(time.Millisecond) }

// fail notes why a stage has no result, or a part of it none: the first reason counts.
func (r *result) fail(reason offload.Reason, err string) {
	if r.view.Reason == "" {
		r.view.Reason, r.view.Error = reason, err
	}
}

// over tells whether a stage that runs here must not begin any more, and notes it.
func (x *execution) over(ctx context.Context, r *result) bool {
	switch {
	case ctx.Err() != nil:
		r.fail(offload.Stopped, "nobody waits for it any more")
	case !x.deadline.IsZero() && !time.Now().Before(x.deadline):
		r.fail(offload.Shed, "the deadline had passed before it began")
	default:
		return false
	}
	return true
}
