// SPDX-License-Identifier: Apache-2.0

package cascade

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"slices"
	"sync"
	"time"

	"edgex-offload/offload"
)

// class is what a classifier said: of one object of a detect stage, or of the whole picture
// (object is none).
type class struct {
	object int
	offload.Class
}

// input is what one task of a stage looks at.
type input struct {
	payload     []byte
	contentType string // "" for the picture as it came
	suffix      string // of the task's id and source
	object      int    // of the detect stage that the crop comes from; none for the whole picture
	x, y        float32
}

// inputs are those of a stage: the picture as it came, or each crop of the stage it needs.
func (x *execution) inputs(i int) []input {
	s, from := &x.c.Stages[i], x.c.links[i].crops
	if from == none {
		return []input{{payload: x.task.Payload, suffix: "/" + s.Name, object: none}}
	}
	crops := x.results[from].crops
	all := make([]input, len(crops))
	for n, c := range crops {
		all[n] = input{
			payload: c.payload, contentType: c.contentType, suffix: fmt.Sprintf("/%s/%d", s.Name, n+1),
			object: c.object, x: float32(c.box.Min.X), y: float32(c.box.Min.Y),
		}
	}
	return all
}

// detect hands over the stage's tasks and gathers the objects, in pixels of the whole picture.
func (x *execution) detect(ctx context.Context, i int, until time.Time) {
	r, inputs := &x.results[i], x.inputs(i)
	for n, answer := range x.handOver(ctx, i, inputs, until) {
		if answer == nil {
			continue
		}
		for _, o := range answer.Objects {
			o.X, o.Y, o.Classes = o.X+inputs[n].x, o.Y+inputs[n].y, nil
			r.objects = append(r.objects, o)
		}
	}
	slices.SortStableFunc(r.objects, func(a, b offload.Object) int { return cmp.Compare(b.Confidence, a.Confidence) }) // NaN last
	if most := x.c.Stages[i].MaxObjects; len(r.objects) > most {
		r.view.Passed = len(r.objects) - most
		r.objects = r.objects[:most]
	}
	r.view.Found = len(r.objects)
}

// classify hands over the stage's tasks and gathers the classes.
func (x *execution) classify(ctx context.Context, i int, until time.Time) {
	r, inputs := &x.results[i], x.inputs(i)
	for n, answer := range x.handOver(ctx, i, inputs, until) {
		if answer != nil {
			r.classes = append(r.classes, class{inputs[n].object, offload.Class{
				Stage: x.c.Stages[i].Name, Label: answer.Label, Confidence: answer.Confidence, Model: answer.Model,
			}})
		}
	}
}

// handOver gives the engine one task for each input, so many at once as Options.Parallel says,
// and returns the answers, nil for a task that has none. Once a newer picture of the source has
// taken the place of one of them, the rest is not worth handing over.
func (x *execution) handOver(ctx context.Context, i int, inputs []input, until time.Time) []*offload.Answer {
	outcomes := make([]offload.Outcome, len(inputs))
	var mu sync.Mutex // guards next and superseded
	next, superseded := 0, false
	take := func() (n int, ok bool) {
		mu.Lock()
		defer mu.Unlock()
		if next == len(inputs) || superseded {
			return 0, false
		}
		next++
		return next - 1, true
	}
	work := func() {
		for n, ok := take(); ok; n, ok = take() {
			outcomes[n] = x.r.engine.Do(ctx, x.taskOf(i, inputs[n], until))
			if outcomes[n].Reason == offload.Superseded {
				mu.Lock()
				superseded = true
				mu.Unlock()
			}
		}
	}
	var others sync.WaitGroup
	for range min(len(inputs), x.r.options.Parallel) - 1 {
		others.Go(work)
	}
	work()
	others.Wait()
	return x.note(i, outcomes[:next], len(inputs))
}

// taskOf is what a stage hands over for one input. It is of the picture's capture time, so that
// a newer picture's task supersedes the same one of an older picture, and no other: each crop
// has a source of its own.
func (x *execution) taskOf(i int, in input, until time.Time) offload.Task {
	s, now := &x.c.Stages[i], time.Now()
	kind, _ := s.Kind()
	task := offload.Task{
		ID: x.task.ID + in.suffix, Kind: kind, Priority: x.task.Priority, Source: x.task.Source + in.suffix,
		Model: s.Model, Payload: in.payload, Private: x.task.Private || s.Private, FeaturesOnly: x.task.FeaturesOnly,
		// Said anew on the wall clock of now, which may have been set meanwhile.
		Created: now.Add(x.created.Sub(now)),
	}
	if !until.IsZero() {
		task.Deadline = now.Add(until.Sub(now))
	}
	if s.Priority != "" {
		task.Priority, _ = offload.ParsePriority(s.Priority) // was checked
	}
	task.Context = maps.Clone(x.task.Context)
	if task.Context == nil {
		task.Context = map[string]string{}
	}
	delete(task.Context, "shape")
	task.Context["model"], task.Context["source"] = s.Model, task.Source
	if in.contentType != "" {
		task.Context["content-type"] = in.contentType
	}
	return task
}

// note counts what came of a stage's tasks, in their order.
func (x *execution) note(i int, outcomes []offload.Outcome, wanted int) []*offload.Answer {
	r := &x.results[i]
	r.view.Tasks = len(outcomes)
	answers := make([]*offload.Answer, len(outcomes))
	for n := range outcomes {
		o := &outcomes[n]
		if answers[n] = o.Answer; o.Answer == nil {
			r.fail(o.Reason, fmt.Sprintf("task %s: %s", o.Record.TaskID, o.Record.Error))
			continue
		}
		r.view.Answered++
		if r.view.Routes == nil {
			r.view.Routes = map[string]int{}
		}
		r.view.Routes[o.Record.Route]++
	}
	if len(outcomes) < wanted {
		r.fail(offload.Superseded, "a newer picture of "+x.task.Source+" is there")
		r.view.Passed = wanted - len(outcomes)
	}
	return answers
}
