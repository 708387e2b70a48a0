// SPDX-License-Identifier: Apache-2.0

package infer

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"image"
	"image/png"
	"math"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"edgex-offload/offload"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// fakeBackend answers with the model's own content: the text of model.onnx is the index
// of the best class, "broken", "fails" (when run), "slow" (until ctx ends), "panics" or "panics later".
type fakeBackend struct {
	mu      sync.Mutex
	missing bool
	loads   int
	graphs  int // loaded and not closed
	started chan struct{}
}

func (b *fakeBackend) Load(_ context.Context, s Source) (Graph, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.loads++
	if b.missing {
		return nil, fmt.Errorf("%w: no library", ErrBackend)
	}
	if string(s.ONNX) == "broken" {
		return nil, errors.New("cannot read graph")
	}
	b.graphs++
	return &fakeGraph{backend: b, text: string(s.ONNX), spec: s.Spec}, nil
}

type fakeGraph struct {
	backend *fakeBackend
	text    string
	spec    Spec
	runs    int
	mu      sync.Mutex
}

func (g *fakeGraph) About() About { return About{Provider: "fake"} }

func (g *fakeGraph) Run(ctx context.Context, batch int, fill func([][]float32) error, read func([]Tensor) error) error {
	if err := fill([][]float32{make([]float32, batch*g.spec.Input.Values())}); err != nil {
		return err
	}
	g.mu.Lock()
	g.runs++
	warm := g.runs > warmUps
	g.mu.Unlock()
	scores := make([]float32, len(g.spec.Labels))
	switch {
	case g.text == "panics":
		panic("index out of range")
	case g.text == "panics later" && warm:
		panic("index out of range")
	case g.text == "panics later":
	case g.text == "fails":
		return errors.New("out of memory")
	case g.text == "slow" && !warm: // loading has to succeed
	case g.text == "slow":
		g.backend.started <- struct{}{}
		<-ctx.Done()
		return ctx.Err()
	default:
		best, err := strconv.Atoi(g.text)
		if err != nil {
			return err
		}
		scores[best] = 9
	}
	return read([]Tensor{{Name: "y", Shape: []int64{1, int64(len(scores))}, Data: scores}})
}

func (g *fakeGraph) Close() error {
	g.backend.mu.Lock()
	defer g.backend.mu.Unlock()
	g.backend.graphs--
	return nil
}

// put writes a model's files into a folder.
func put(t *testing.T, dir, name, version, onnx, yaml string) {
	t.Helper()
	path := filepath.Join(dir, name, version)
	require.NoError(t, os.MkdirAll(path, 0o755))
	require.NoError(t, os.WriteFile(filepath.Join(path, GraphFile), []byte(onnx), 0o644))
	require.NoError(t, os.WriteFile(filepath.Join(path, SpecFile), []byte(yaml), 0o644))
}

const tinyImage = `
serves: surface
kind: IMAGE_CLASSIFICATION
input: {type: image, width: 4, height: 4}
decoder: classification
labels: [good, scratch, dent]
`

const tinySignal = `
serves: vibration
kind: SIGNAL_CLASSIFICATION
input: {type: signal, shape: [2, 3]}
decoder: classification
labels: [normal, imbalance]
`

func pixel(t *testing.T) []byte {
	t.Helper()
	var b bytes.Buffer
	require.NoError(t, png.Encode(&b, image.NewGray(image.Rect(0, 0, 1, 1))))
	return b.Bytes()
}

func floats(values ...float32) []byte {
	var b []byte
	for _, v := range values {
		b = binary.LittleEndian.AppendUint32(b, math.Float32bits(v))
	}
	return b
}

// repository opens a folder with a fake backend and waits until each model was tried.
func repository(t *testing.T, dir, place string) (*Repository, *fakeBackend) {
	t.Helper()
	b := &fakeBackend{started: make(chan struct{})}
	return repositoryOn(t, b, Options{Dir: dir, Place: place}), b
}

func repositoryOn(t *testing.T, b *fakeBackend, o Options) *Repository {
	t.Helper()
	o.Backend, o.Rescan = b, time.Hour
	r, err := Open(o)
	require.NoError(t, err)
	t.Cleanup(func() {
		assert.NoError(t, r.Close())
		assert.Zero(t, b.graphs, "each graph is closed")
	})
	_ = r.Wait(context.Background())
	return r
}

// statesOf maps each model to its state.
func statesOf(r *Repository) map[string]State {
	states := map[string]State{}
	for _, s := range r.Models() {
		states[s.Name+"/"+s.Version] = s.State
	}
	return states
}

func TestModelsStandAlone(t *testing.T) {
	dir := t.TempDir()
	put(t, dir, "surface-small", "1", "1", tinyImage+"runs_on: [box]\naccuracy: 0.8\n")
	put(t, dir, "surface-large", "1", "2", tinyImage+"runs_on: [cloud]\naccuracy: 0.95\n")
	put(t, dir, "vibration-small", "2", "broken", tinySignal)
	put(t, dir, "vibration-small", "10", "1", tinySignal) // the highest, not the last by name
	put(t, dir, "a-broken", "1", "broken", tinyImage)
	put(t, dir, "b-fails", "1", "fails", tinyImage)
	put(t, dir, "c-yaml", "1", "0", "kind: NONSENSE")
	put(t, dir, "d-sum", "1", "0", tinyImage+"sha256: "+fmt.Sprintf("%064d", 1))
	put(t, dir, "e-sum", "1", "0", tinyImage+fmt.Sprintf("sha256: %x\n", sha256.Sum256([]byte("0"))))
	put(t, dir, "f-flat", "", "0", tinyImage)
	require.NoError(t, os.MkdirAll(filepath.Join(dir, "train", "notes"), 0o755)) // no model
	require.NoError(t, os.WriteFile(filepath.Join(dir, "README.md"), nil, 0o644))
	require.NoError(t, os.MkdirAll(filepath.Join(dir, "g-empty", "1"), 0o755))

	r, _ := repository(t, dir, Box)
	assert.Equal(t, map[string]State{
		"surface-small/1": Ready, "surface-large/1": Elsewhere, "vibration-small/10": Ready, "vibration-small/2": Unloaded,
		"a-broken/1": Failed, "b-fails/1": Failed, "c-yaml/1": Failed, "d-sum/1": Failed, "e-sum/1": Ready,
		"f-flat/": Failed, "g-empty/1": Failed,
	}, statesOf(r))
	why := map[string]string{
		"a-broken": "cannot read graph", "b-fails": "first inference: out of memory", "c-yaml": `kind is "NONSENSE"`,
		"d-sum": "but that of model.onnx is", "f-flat": "put it in a version's folder", "g-empty": "model.yaml",
	}
	for _, s := range r.Models() {
		assert.Contains(t, s.Error, why[s.Name], s.Name)
		if why[s.Name] == "" {
			assert.Empty(t, s.Error)
		}
		if s.State == Ready {
			assert.Positive(t, s.ServiceMs)
		}
	}
	text, err := json.Marshal(r.Models()[7])
	require.NoError(t, err)
	assert.Contains(t, string(text), `"name":"surface-large","version":"1","serves":"surface","kind":"IMAGE_CLASSIFICATION","runsOn":["cloud"],"accuracy":0.95,"state":"elsewhere"`)
}

func TestOffloadModelsKnowBoxAndCloud(t *testing.T) {
	dir := t.TempDir()
	put(t, dir, "surface-small", "1", "1", tinyImage+"runs_on: [box]\naccuracy: 0.8\n")
	put(t, dir, "surface-large", "1", "2", tinyImage+"runs_on: [cloud]\naccuracy: 0.95\n")
	put(t, dir, "vibration-small", "1", "broken", tinySignal+"accuracy: 0.7\n")
	r, _ := repository(t, dir, Box)
	models := r.OffloadModels()
	require.Len(t, models, 2)
	require.Len(t, models[0].Local, 1)
	assert.Positive(t, models[0].Local[0].Service)
	models[0].Local[0].Service, models[0].Local[0].Spread = 0, 0
	assert.Equal(t, []offload.Model{
		{Name: "surface", Local: []offload.Variant{{Name: "surface-small/1", Accuracy: .8}}, Remote: offload.RemoteModel{Accuracy: .95}},
		{Name: "vibration", Remote: offload.RemoteModel{Accuracy: .7}},
	}, models)
}

func TestInferModelPicksTheBestThatIsReady(t *testing.T) {
	dir := t.TempDir()
	put(t, dir, "surface-small", "1", "1", tinyImage+"accuracy: 0.8\n")
	put(t, dir, "surface-large", "1", "2", tinyImage+"accuracy: 0.9\n")
	put(t, dir, "surface-best", "1", "broken", tinyImage+"accuracy: 0.99\n")
	put(t, dir, "vibration", "1", "1", tinySignal)
	put(t, dir, "zebra", "1", "0", "serves: zebra"+tinyImage[len("\nserves: surface"):]+"accuracy: 1\n")
	r, _ := repository(t, dir, Cloud)
	img, window := pixel(t), floats(1, 2, 3, 4, 5, 6)
	cases := []struct {
		name        string
		task        offload.Task
		label, from string
	}{
		{"by model", offload.Task{Model: "surface", Payload: img}, "dent", "surface-large/1"},
		{"by context", offload.Task{Model: "zebra", Context: map[string]string{"model": "surface"}, Payload: img}, "dent", "surface-large/1"},
		{"by a folder's name", offload.Task{Model: "surface-small", Payload: img}, "scratch", "surface-small/1"},
		{"by a variant", offload.Task{Model: "surface-small/1", Payload: img}, "scratch", "surface-small/1"},
		{"by kind, the first by name", offload.Task{Payload: img}, "dent", "surface-large/1"},
		{"by kind, the only one", offload.Task{Kind: offload.SignalClassification, Payload: window}, "imbalance", "vibration/1"},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			got, err := r.InferModel(context.Background(), c.task)
			require.NoError(t, err)
			assert.Equal(t, offload.Answer{Label: c.label, Confidence: got.Confidence, Model: c.from}, got)
		})
	}
}

func TestErrorsCanBeToldApart(t *testing.T) {
	dir := t.TempDir()
	put(t, dir, "surface-small", "1", "1", tinyImage)
	put(t, dir, "surface-away", "1", "1", "serves: away\nruns_on: [cloud]"+tinyImage[len("\nserves: surface"):])
	put(t, dir, "vibration", "1", "1", tinySignal)
	put(t, dir, "broken", "1", "broken", "serves: broken"+tinyImage[len("\nserves: surface"):])
	r, _ := repository(t, dir, Box)
	img, window := pixel(t), floats(1, 2, 3, 4, 5, 6)
	signal := offload.SignalClassification
	ctx := func(pairs ...string) map[string]string { return map[string]string{pairs[0]: pairs[1]} }
	cases := []struct {
		name    string
		variant string // "" for InferModel
		task    offload.Task
		is      error
		want    []string
	}{
		{"unknown model", "", offload.Task{Model: "cats", Payload: img}, ErrNoModel, []string{`model "cats" for IMAGE_CLASSIFICATION`, "surface (IMAGE_CLASSIFICATION)", "vibration (SIGNAL_CLASSIFICATION)"}},
		{"model of another kind", "", offload.Task{Model: "vibration", Payload: img}, ErrNoModel, []string{`model "vibration" for IMAGE_CLASSIFICATION`}},
		{"kind without a model", "", offload.Task{Kind: offload.NLPAnalysis}, ErrNoModel, []string{"model for NLP_ANALYSIS"}},
		{"unknown variant", "surface-small/7", offload.Task{}, ErrNoModel, []string{`variant "surface-small/7"`, "surface-small/1"}},
		{"elsewhere", "", offload.Task{Model: "away", Payload: img}, ErrNotReady, []string{"it runs on cloud alone"}},
		{"broken", "broken/1", offload.Task{Payload: img}, ErrNotReady, []string{"broken/1", "cannot read graph"}},
		{"wrong kind", "vibration/1", offload.Task{Payload: window}, ErrInput, []string{"type IMAGE_CLASSIFICATION: the model is for SIGNAL_CLASSIFICATION"}},
		{"no picture", "surface-small/1", offload.Task{Payload: []byte("hello")}, ErrInput, []string{"allowed is a JPEG"}},
		{"says it is text", "surface-small/1", offload.Task{Payload: img, Context: ctx("content-type", "text/plain")}, ErrInput, []string{`content-type is "text/plain"`, "image/jpeg"}},
		{"short window", "vibration/1", offload.Task{Kind: signal, Payload: window[:20]}, ErrInput, []string{"20 bytes: needed are 24", "shape 2x3"}},
		{"shape", "vibration/1", offload.Task{Kind: signal, Payload: window, Context: ctx("shape", "3x2")}, ErrInput, []string{`shape is "3x2": needed is "2x3"`}},
		{"not finite", "vibration/1", offload.Task{Kind: signal, Payload: floats(1, 2, 3, 4, float32(math.NaN()), 6)}, ErrInput, []string{"value 4 of the payload is NaN"}},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			var err error
			if c.variant == "" {
				_, err = r.InferModel(context.Background(), c.task)
			} else {
				_, err = r.Infer(context.Background(), c.variant, c.task)
			}
			require.ErrorIs(t, err, c.is)
			for _, w := range c.want {
				assert.ErrorContains(t, err, w)
			}
		})
	}
	require.NoError(t, r.Close())
	_, err := r.Infer(context.Background(), "vibration/1", offload.Task{})
	assert.ErrorIs(t, err, ErrClosed)
	_, err = r.InferModel(context.Background(), offload.Task{Model: "none"})
	assert.ErrorIs(t, err, ErrClosed)
	assert.ErrorIs(t, r.Wait(context.Background()), ErrClosed)
}

func TestServiceTimeAndCounts(t *testing.T) {
	dir := t.TempDir()
	put(t, dir, "vibration", "1", "1", tinySignal)
	r, _ := repository(t, dir, "")
	task := offload.Task{Kind: offload.SignalClassification, Payload: floats(1, 2, 3, 4, 5, 6), Context: map[string]string{"shape": "2x3", "content-type": SignalType}}
	for range 3 {
		_, err := r.InferModel(context.Background(), task)
		require.NoError(t, err)
	}
	task.Payload = nil
	_, err := r.InferModel(context.Background(), task)
	require.Error(t, err)
	s := r.Models()[0]
	assert.Equal(t, [2]uint64{3, 1}, [2]uint64{s.Answers, s.Errors})
	assert.Positive(t, s.ServiceMs)
}

func TestConcurrencyIsBoundedAndContextEndsBoth(t *testing.T) {
	dir := t.TempDir()
	put(t, dir, "vibration", "1", "slow", tinySignal)
	b := &fakeBackend{started: make(chan struct{})}
	r := repositoryOn(t, b, Options{Dir: dir, Concurrency: 1})
	require.Equal(t, map[string]State{"vibration/1": Ready}, statesOf(r))
	task := offload.Task{Kind: offload.SignalClassification, Payload: floats(1, 2, 3, 4, 5, 6)}
	running, stopRunning := context.WithCancel(context.Background())
	first := make(chan error, 1)
	go func() {
		_, err := r.InferModel(running, task)
		first <- err
	}()
	<-b.started
	waiting, stopWaiting := context.WithCancel(context.Background())
	second := make(chan error, 1)
	go func() {
		_, err := r.InferModel(waiting, task)
		second <- err
	}()
	waitFor(func() bool { _, waiting := r.places.load(); return waiting == 1 })
	stopWaiting()
	err := <-second
	assert.ErrorIs(t, err, context.Canceled)
	assert.ErrorContains(t, err, "waiting for a free place of 1")
	stopRunning()
	assert.ErrorIs(t, <-first, context.Canceled)
	assert.Zero(t, r.Models()[0].Errors, "it was called off")
}

// waitFor returns once something is true that comes true by itself.
func waitFor(is func() bool) {
	for !is() {
		runtime.Gosched()
	}
}

func TestOpenChecksItsOptions(t *testing.T) {
	b := &fakeBackend{}
	for want, o := range map[string]Options{
		"Backend is nil":       {},
		`Place is "edge"`:      {Backend: b, Place: "edge"},
		"Concurrency is -1":    {Backend: b, Concurrency: -1},
		"Concurrency is 99999": {Backend: b, Concurrency: 99999},
		"Waiting is -2":        {Backend: b, Waiting: -2},
		"Canary.Share 0.9":     {Backend: b, Canary: Canary{Share: .9, Tasks: 200, LatencyRatio: 2, Longest: time.Hour}},
	} {
		_, err := Open(o)
		assert.ErrorContains(t, err, want)
	}
}

func TestOnlyTheModelThatIsAskedForIsLoaded(t *testing.T) {
	dir := t.TempDir()
	put(t, dir, "a", "1", "1", tinyImage)
	put(t, dir, "b", "1", "broken", tinyImage)
	b := &fakeBackend{}
	r := repositoryOn(t, b, Options{Dir: dir, Only: "a"})
	assert.Equal(t, map[string]State{"a/1": Ready}, statesOf(r))
	assert.Equal(t, 1, b.loads)
}
