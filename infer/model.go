// SPDX-License-Identifier: Apache-2.0

package infer

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"edgex-offload/offload"
)

// serviceWeight is the weight of the newest service time in the mean: about the last
// twenty count.
const serviceWeight = .1

// warmUps is how often a model is run before it takes tasks, the first time apart; beyond
// two only while they take less than warmUpTime.
const (
	warmUps    = 5
	warmUpTime = time.Second
)

// model is one loaded version of a model, with its graph. But for its lease and what is
// learned of it, it does not change.
type model struct {
	variant string // "name/version"
	version *version
	spec    Spec
	content content // of the files that it was loaded from
	graph   Graph
	steps   *pipeline
	places  *places // nil where the repository's bound alone holds
	gathers bool    // its tasks run in batches: places bounds them, and the repository does not
	lease   *lease
	loss    *loss
	learned *learned
	now     func() time.Time
	// first is the time of the first run, which pays for memory and, on an accelerator, for
	// building kernels.
	first time.Duration
	log   Logger
	told  sync.Once // of a panic: one of a model is as good as all
}

// learned is what a version showed of itself at work. It outlives the loaded model: a
// version that is loaded again starts from it.
type learned struct {
	mu      sync.Mutex
	warm    Times  // of the warm-up
	service sketch // of tasks
	answers uint64
	failed  uint64
}

// times are those of tasks, or of the warm-up as long as there were none.
func (l *learned) times() Times {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.service.n == 0 {
		return l.warm
	}
	return l.service.times()
}

func (l *learned) counts() (answers, failed uint64) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.answers, l.failed
}

// note counts one task. One that was called off, as a backup whose answer came from
// elsewhere, says nothing of the model.
func (l *learned) note(took time.Duration, err error) {
	if errors.Is(err, context.Canceled) {
		return
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if err != nil {
		l.failed++
		return
	}
	l.answers++
	l.service.add(took)
}

// loadModel readies the files of a version and proves them with a first inference.
func (r *Repository) loadModel(ctx context.Context, v *version) (*model, error) {
	files, err := r.readFiles(v)
	if files.content != (content{}) {
		v.content = files.content
	}
	if err != nil {
		return nil, err
	}
	loss := &loss{wake: r.lost}
	graph, err := r.loadGraph(ctx, Source{Dir: v.dir, Name: v.name, Version: v.number, ONNX: files.onnx, Spec: v.spec, Lost: loss.tell})
	if p := (*panicked)(nil); errors.As(err, &p) {
		p.tell(r.opts.Log, v.variant())
	}
	if err != nil {
		if graph != nil { // it was there when something panicked
			err = errors.Join(err, graph.Close())
		}
		return nil, err
	}
	m := &model{
		variant: v.variant(), version: v, spec: v.spec, content: v.content, graph: graph,
		lease: newLease(), loss: loss, learned: v.learned, now: r.opts.now, log: r.opts.Log,
	}
	n := v.spec.Concurrency
	if together, is := graph.(*batched); is {
		m.gathers = true
		orElse(&n, 2*together.size) // one batch is gathered while another runs
	}
	if n > 0 {
		m.places = newPlaces(m.variant, n, r.opts.Waiting)
	}
	if m.steps, err = newPipeline(v.spec, v.dir, graph.About().Inputs); err != nil {
		return nil, errors.Join(err, graph.Close())
	}
	if err := m.warmUp(ctx); err != nil {
		return nil, errors.Join(fmt.Errorf("first inference: %w", err), graph.Close())
	}
	return m, nil
}

func (r *Repository) loadGraph(ctx context.Context, source Source) (graph Graph, err error) {
	defer contain(&err)
	graph, err = r.opts.Backend.Load(ctx, source)
	if err != nil {
		return nil, err
	}
	return source.Spec.batched(ctx, graph)
}

// warmUp runs a made-up task through every step, several times: what the later runs take
// is what a task will.
func (m *model) warmUp(ctx context.Context) error {
	task := offload.Task{Kind: m.spec.TaskKind(), Payload: m.spec.Input.example()}
	var warm sketch
	began := m.now()
	for i := range warmUps {
		start := m.now()
		if i > 1 && start.Sub(began) > warmUpTime {
			break
		}
		if _, err := m.answer(ctx, task); err != nil {
			return err
		}
		took := m.now().Sub(start)
		if i == 0 {
			m.first = took
			continue
		}
		warm.add(took)
	}
	m.learned.mu.Lock()
	defer m.learned.mu.Unlock()
	m.learned.warm = warm.times()
	return nil
}

// infer runs one task and keeps count. It gives the execution time too.
func (m *model) infer(ctx context.Context, task offload.Task) (offload.Answer, time.Duration, error) {
	bound, stay, ok := m.lease.enter(ctx)
	if !ok {
		return offload.Answer{}, 0, errReplaced
	}
	defer stay.leave()
	start := m.now()
	answer, err := m.answer(bound, task)
	took := m.now().Sub(start)
	if err != nil && ctx.Err() == nil && m.lease.isBroken() {
		return offload.Answer{}, took, errReplaced // it was stopped so that the model can go
	}
	m.learned.note(took, err)
	if err != nil {
		return offload.Answer{}, took, fmt.Errorf("%s: %w", m.variant, err)
	}
	return answer, took, nil
}

func (m *model) answer(ctx context.Context, task offload.Task) (offload.Answer, error) {
	if task.Kind != m.spec.TaskKind() {
		return offload.Answer{}, fmt.Errorf("%w: type %s: the model is for %s", ErrInput, task.Kind, m.spec.Kind)
	}
	answer, err := m.contained(ctx, task)
	if err != nil {
		m.tellPanic(err)
	}
	answer.Model = m.variant
	return answer, err
}

// tellPanic logs a panic. It is apart because what it looks for it allocates.
func (m *model) tellPanic(err error) {
	if p := (*panicked)(nil); errors.As(err, &p) {
		m.told.Do(func() { p.tell(m.log, m.variant) })
	}
}

func (m *model) contained(ctx context.Context, task offload.Task) (answer offload.Answer, err error) {
	defer contain(&err)
	return m.steps.answer(ctx, m.graph, task)
}
