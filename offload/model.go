// SPDX-License-Identifier: Apache-2.0

package offload

import "time"

// model is a Model with what was measured of it.
type model struct {
	Model
	local []variant
	// splits are one more way to each target.
	splits []split
	// index is its place in the targets' measurements.
	index int
	// best is the accuracy of the best variant, fastest the index of the quickest as configured.
	best float64
}

// variant is a Variant with its execution time.
type variant struct {
	Variant
	service *serviceTime
}

// setModels replaces the models; what was measured of a variant or of a model stays.
func (e *Engine) setModels(models []Model) {
	measured := map[string]*serviceTime{}
	for _, m := range e.models {
		for i := range m.local {
			measured[m.local[i].Name] = m.local[i].service
		}
		for i := range m.splits {
			measured[m.splits[i].Name] = m.splits[i].head[0].service
		}
	}
	before := e.models
	e.models = make(map[string]*model, len(models))
	for i := range models {
		m := &model{Model: models[i], index: -1}
		m.Local, m.Splits = nil, nil
		if old := before[m.Name]; old != nil {
			m.index = old.index
		}
		if m.index < 0 {
			m.index = e.modelIndex(m.Name)
		}
		for _, v := range models[i].Local {
			m.local = append(m.local, newVariant(v, measured))
			m.best = max(m.best, v.Accuracy)
		}
		for _, s := range models[i].Splits {
			head := newVariant(Variant{Name: s.Name, Accuracy: s.Accuracy, Service: s.Service}, measured)
			m.splits = append(m.splits, split{Split: s, head: [1]variant{head}, rest: &model{
				Model: Model{Name: s.Tail, Remote: RemoteModel{Accuracy: s.Accuracy, Service: s.TailService}}, index: e.modelIndex(s.Tail),
			}})
		}
		e.models[m.Name] = m
	}
	e.box.changed = true
	for i := 0; i < len(e.jobs); i++ {
		j := e.jobs[i]
		if e.remodel(j); i < len(e.jobs) && e.jobs[i] != j { // that ended it
			i--
		}
	}
}

// newVariant is one with what was measured of its name.
func newVariant(v Variant, measured map[string]*serviceTime) variant {
	service := measured[v.Name]
	if service == nil {
		service = &serviceTime{}
		measured[v.Name] = service
	}
	service.spread = v.Spread.Seconds()
	return variant{v, service}
}

// remodel lets a job run on what is there now. One that waits for a model that is gone looks
// for another way, as does one whose head is.
func (e *Engine) remodel(j *job) {
	j.model, j.others = e.modelOf(j.task.Model), nil
	waited := j.waiting
	if j.heading() {
		if s := j.model.splitNamed(j.split.Name, j.split.Tail); s != nil {
			j.split = s
		} else {
			e.leaveHead(j)
		}
	}
	if len(j.variants()) > 0 {
		return
	}
	j.backup = false
	if j.waiting {
		e.box.dequeue(j)
	}
	if waited {
		e.fallBack(j, "its model is no longer on the box")
	}
}

// splitNamed is a split by its parts; nil where it is not there.
func (m *model) splitNamed(head, tail string) *split {
	if m == nil {
		return nil
	}
	for i := range m.splits {
		if s := &m.splits[i]; s.Name == head && s.Tail == tail {
			return s
		}
	}
	return nil
}

// mostModels bounds the names that are remembered.
const mostModels = 1024

// modelOf is the model that a task asks for, with no variant where the box has none; nil for
// a task that names none.
func (e *Engine) modelOf(name string) *model {
	m := e.models[name]
	if m == nil && name != "" && len(e.modelIndexes) < mostModels {
		m = &model{Model: Model{Name: name}, index: e.modelIndex(name)}
		e.models[name] = m
	}
	return m
}

// modelIndex is the place of a model in the targets' measurements. Names that nobody asks
// for any more keep theirs: an operator's models are few.
func (e *Engine) modelIndex(name string) int {
	i, ok := e.modelIndexes[name]
	if !ok {
		i = len(e.modelIndexes)
		e.modelIndexes[name] = i
	}
	return i
}

// remoteAccuracy is that of a model elsewhere; an unknown one counts like the box's best,
// so that it neither draws nor repels.
func (m *model) remoteAccuracy() float64 {
	switch {
	case m == nil:
		return 0
	case m.Remote.Accuracy == 0:
		return m.best
	}
	return m.Remote.Accuracy
}

// remoteService is the execution time elsewhere to assume until it is measured.
func (m *model) remoteService() time.Duration {
	if m == nil {
		return 0
	}
	return m.Remote.Service
}
