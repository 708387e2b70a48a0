// SPDX-License-Identifier: Apache-2.0

package cascade

import (
	"fmt"
	"slices"
	"time"

	"edgex-offload/offload"
)

// outcome sums up what the stages came to.
func (x *execution) outcome(now time.Time) offload.Outcome {
	o := offload.Outcome{Answer: x.answer(), Record: x.record(now)}
	r := &o.Record
	unfinished := r.Unfinished()
	if unfinished != nil {
		r.Error = fmt.Sprintf("stage %s: %s: %s", unfinished.Name, unfinished.Reason, unfinished.Error)
	}
	if o.Answer == nil {
		o.Reason = offload.Failed
		if unfinished != nil {
			o.Reason = unfinished.Reason
		}
		r.Reason = o.Reason
		return o
	}
	r.Route = x.route()
	r.DeadlineMet = x.deadline.IsZero() || !now.After(x.deadline)
	r.Label, r.Confidence, r.AnsweredBy = o.Answer.Label, o.Answer.Confidence, o.Answer.Model
	if r.Truth != "" {
		correct := r.Label == r.Truth
		r.Correct = &correct
	}
	return o
}

// refuse ends a picture that was not begun.
func (x *execution) refuse(reason offload.Reason, err string) offload.Outcome {
	o := offload.Outcome{Reason: reason, Record: x.record(time.Now())}
	for i := range o.Record.Stages {
		o.Record.Stages[i].Reason, o.Record.Stages[i].Error = reason, err
	}
	o.Record.Reason, o.Record.Error = reason, err
	return o
}

func (x *execution) record(now time.Time) offload.Record {
	t := &x.task
	r := offload.Record{
		TaskID: t.ID, Source: t.Source, Kind: x.c.Kind().String(), Model: x.c.Name, Priority: t.Priority.String(),
		Bytes: len(t.Payload), Created: x.created, ArrivedMs: x.offset(x.arrived),
		Private: t.Private, FeaturesOnly: t.FeaturesOnly,
		Paths: []offload.PathView{}, Attempts: []offload.AttemptView{}, // in JSON lists
		LatencyMs: x.offset(now), Truth: t.Truth,
	}
	if !x.deadline.IsZero() {
		r.DeadlineMs = x.offset(x.deadline)
	}
	for i := range x.results {
		r.Stages = append(r.Stages, x.results[i].view)
	}
	return r
}

// route is who answered: one place, or mixed where several did.
func (x *execution) route() (route string) {
	for i := range x.results {
		for place := range x.results[i].view.Routes {
			if route != "" && route != place {
				return offload.Mixed
			}
			route = place
		}
	}
	return route
}

// answer puts the results of the output stages together; nil where none has any. Objects are in
// the order of the stages that found them, best first, each with what the classifiers said of it.
func (x *execution) answer() *offload.Answer {
	a, some := &offload.Answer{Model: x.c.Name}, false
	for i := range x.c.Stages {
		s, r := &x.c.Stages[i], &x.results[i]
		listed := slices.Contains(x.c.Output, s.Name)
		some = some || listed && r.usable
		if s.Does == Detect {
			a.Objects = append(a.Objects, x.objects(i, listed)...)
		}
	}
	if !some {
		return nil
	}
	for _, name := range slices.Backward(x.c.Output) {
		if a.Label, a.Confidence = x.best(x.c.index(name)); a.Label != "" {
			break
		}
	}
	return a
}

// objects of a detect stage with their classes; all of them if it is itself an output, else those
// that a classifier in the output said something of.
func (x *execution) objects(detect int, all bool) []offload.Object {
	objects := slices.Clone(x.results[detect].objects)
	for i := range x.c.Stages {
		from := x.c.links[i].crops
		if from == none || x.c.links[from].objects != detect || !slices.Contains(x.c.Output, x.c.Stages[i].Name) {
			continue
		}
		for _, c := range x.results[i].classes {
			objects[c.object].Classes = append(objects[c.object].Classes, c.Class)
		}
	}
	if all {
		return objects
	}
	return slices.DeleteFunc(objects, func(o offload.Object) bool { return len(o.Classes) == 0 })
}

// best is what a stage is most certain of; "" for nothing.
func (x *execution) best(i int) (label string, confidence float32) {
	r := &x.results[i]
	if len(r.objects) > 0 {
		return r.objects[0].Label, r.objects[0].Confidence
	}
	for _, c := range r.classes {
		if label == "" || c.Confidence > confidence {
			label, confidence = c.Label, c.Confidence
		}
	}
	return label, confidence
}
