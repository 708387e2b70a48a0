// SPDX-License-Identifier: Apache-2.0

package infer

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"time"

	"edgex-offload/offload"
)

// serviceWeight is the weight of the newest service time in the mean: about the last
// twenty count.
const serviceWeight = .1

// errReplaced tells a task that the model was closed after the task had picked it.
var errReplaced = errors.New("model was replaced")

// model is one version of a model. Its name, version, dir and spec do not change; print
// belongs to the goroutine of keep.
type model struct {
	name, version string
	dir           string
	spec          Spec
	print         fingerprint

	// use is held for reading while a task runs and for writing while the graph comes or goes.
	use      sync.RWMutex
	graph    Graph // nil unless ready
	steps    *pipeline
	replaced bool // it will never be ready again

	mu      sync.Mutex // guards the rest
	is      State
	err     error
	service time.Duration // exponentially weighted mean
	answers uint64
	failed  uint64
}

func (m *model) variant() string { return m.name + "/" + m.version }

// answersTo says whether a task that names this means the model: by what it serves, by
// its own name or by its variant.
func (m *model) answersTo(name string) bool {
	return name == m.spec.Serves || name == m.name || name == m.variant()
}

func (m *model) state() State {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.is
}

func (m *model) set(state State, err error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.is, m.err = state, err
}

// curable says whether loading the same files again may help.
func (m *model) curable() bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	return errors.Is(m.err, ErrBackend)
}

func (m *model) status() Status {
	m.mu.Lock()
	defer m.mu.Unlock()
	s := Status{
		Name: m.name, Version: m.version, Serves: m.spec.Serves, Kind: m.spec.Kind,
		Description: m.spec.Description, RunsOn: append([]string{}, m.spec.RunsOn...), Accuracy: m.spec.Accuracy,
		State: m.is, ServiceMs: float64(m.service) / float64(time.Millisecond),
		Answers: m.answers, Errors: m.failed,
	}
	if m.spec.Split.Part != "" {
		part := m.spec.Split
		s.Split = &part
	}
	if m.err != nil {
		s.Error = m.err.Error()
	}
	return s
}

// load readies the graph and proves it with a first inference.
func (m *model) load(ctx context.Context, backend Backend, dir string) error {
	onnx, err := readGraph(dir, m.spec.SHA256)
	if err != nil {
		return err
	}
	graph, err := backend.Load(ctx, Source{Dir: dir, ONNX: onnx, Spec: m.spec})
	if err == nil {
		graph, err = m.spec.batched(ctx, graph)
	}
	if err != nil {
		return err
	}
	m.use.Lock()
	m.graph, m.steps = graph, newPipeline(m.spec)
	m.use.Unlock()
	if err := m.warmUp(ctx); err != nil {
		return errors.Join(fmt.Errorf("first inference: %w", err), m.unload())
	}
	return nil
}

// warmUp runs a made-up task twice through every step. The first time pays for memory
// and, on an accelerator, for building kernels; the second is what a task will cost.
func (m *model) warmUp(ctx context.Context) error {
	task := offload.Task{Kind: m.spec.TaskKind(), Payload: m.spec.Input.example()}
	for range 2 {
		start := time.Now()
		if _, err := m.answer(ctx, task); err != nil {
			return err
		}
		m.mu.Lock()
		m.service = time.Since(start)
		m.mu.Unlock()
	}
	return nil
}

// infer runs one task and keeps count.
func (m *model) infer(ctx context.Context, task offload.Task) (offload.Answer, error) {
	start := time.Now()
	answer, err := m.answer(ctx, task)
	took := time.Since(start)
	m.mu.Lock()
	defer m.mu.Unlock()
	if err != nil {
		m.failed++
		return offload.Answer{}, fmt.Errorf("%s: %w", m.variant(), err)
	}
	if m.answers == 0 {
		m.service = took
	} else {
		m.service += time.Duration(serviceWeight * float64(took-m.service))
	}
	m.answers++
	return answer, nil
}

func (m *model) answer(ctx context.Context, task offload.Task) (offload.Answer, error) {
	m.use.RLock()
	defer m.use.RUnlock()
	if m.replaced {
		return offload.Answer{}, errReplaced
	}
	if m.graph == nil {
		return offload.Answer{}, m.notReady()
	}
	if task.Kind != m.spec.TaskKind() {
		return offload.Answer{}, fmt.Errorf("%w: type %s: the model is for %s", ErrInput, task.Kind, m.spec.Kind)
	}
	answer, err := m.steps.answer(ctx, m.graph, task)
	answer.Model = m.variant()
	return answer, err
}

func (m *model) notReady() error {
	m.mu.Lock()
	defer m.mu.Unlock()
	switch {
	case m.is == Elsewhere:
		return fmt.Errorf("%w: it runs on %s alone", ErrNotReady, strings.Join(m.spec.RunsOn, ", "))
	case m.err != nil:
		return fmt.Errorf("%w: %w", ErrNotReady, m.err)
	}
	return fmt.Errorf("%w: %s", ErrNotReady, m.is)
}

// close unloads the model for good. A task that had picked it picks another.
func (m *model) close() error {
	m.use.Lock()
	defer m.use.Unlock()
	m.replaced = true
	return m.freeGraph()
}

// unload waits for the tasks under way and frees the graph.
func (m *model) unload() error {
	m.use.Lock()
	defer m.use.Unlock()
	return m.freeGraph()
}

func (m *model) freeGraph() error {
	if m.graph == nil {
		return nil
	}
	err := m.graph.Close()
	m.graph = nil
	return err
}
