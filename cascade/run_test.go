// SPDX-License-Identifier: Apache-2.0

package cascade

import (
	"bytes"
	"context"
	"fmt"
	"image"
	"image/color"
	"image/jpeg"
	"maps"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"
	"pgregory.net/rapid"

	"edgex-offload/infer/picture"
	"edgex-offload/offload"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// engine answers each task as it is told, after the time that its model takes.
type engine struct {
	takes  map[string]time.Duration
	answer func(task offload.Task) offload.Outcome

	mu    sync.Mutex
	tasks []offload.Task // in order of arrival
	most  int            // at once
	now   int
}

func (e *engine) Do(ctx context.Context, task offload.Task) offload.Outcome {
	e.mu.Lock()
	e.tasks = append(e.tasks, task)
	e.now++
	e.most = max(e.most, e.now)
	e.mu.Unlock()
	defer func() { e.mu.Lock(); e.now--; e.mu.Unlock() }()
	select {
	case <-time.After(e.takes[task.Model]):
	case <-ctx.Done():
		return refused(task, offload.Stopped)
	}
	o := e.answer(task)
	o.Record.TaskID = task.ID
	return o
}

func refused(task offload.Task, reason offload.Reason) offload.Outcome {
	return offload.Outcome{Reason: reason, Record: offload.Record{TaskID: task.ID, Reason: reason, Error: "because"}}
}

func by(route string, a offload.Answer) offload.Outcome {
	return offload.Outcome{Answer: &a, Record: offload.Record{Route: route}}
}

// photo is a picture of 400 x 300 with a mark of its own every 100 pixels.
func photo(tb testing.TB) []byte {
	tb.Helper()
	img := image.NewRGBA(image.Rect(0, 0, 400, 300))
	for x := range 400 {
		for y := range 300 {
			img.Set(x, y, color.RGBA{uint8(x / 100 * 80), uint8(y / 100 * 80), 128, 255})
		}
	}
	var b bytes.Buffer
	require.NoError(tb, jpeg.Encode(&b, img, nil))
	return b.Bytes()
}

// threeFaces are found in a photo; a classifier says on which part of it each is.
func threeFaces(task offload.Task) offload.Outcome {
	if task.Kind == offload.ObjectDetection {
		return by(offload.Local, offload.Answer{Model: "f/1", Objects: []offload.Object{
			{Label: "face", Confidence: .9, X: 110, Y: 110, W: 50, H: 50},
			{Label: "hand", Confidence: .8, X: 10, Y: 10, W: 50, H: 50},
			{Label: "face", Confidence: .7, X: 310, Y: 10, W: 50, H: 60},
			{Label: "face", Confidence: .6, X: 390, Y: 290, W: 500, H: 500}, // 10 x 10 pixels of it are in the picture
		}})
	}
	img, err := picture.Decode(task.Payload)
	if err != nil {
		return refused(task, offload.Failed)
	}
	b := img.Bounds()
	r, g, _, _ := img.At((b.Min.X+b.Max.X)/2, (b.Min.Y+b.Max.Y)/2).RGBA()
	return by("cloud", offload.Answer{Label: fmt.Sprintf("part %d %d", (r>>8+20)/80, (g>>8+20)/80), Confidence: .5 + float32(b.Dy())/1000, Model: "w/1"})
}

func newRunner(tb testing.TB, e Engine, o Options) *Runner {
	tb.Helper()
	r, err := NewRunner(e, o)
	require.NoError(tb, err)
	return r
}

func taskOf(tb testing.TB, allowed time.Duration) offload.Task {
	tb.Helper()
	now := time.Now()
	return offload.Task{
		ID: "t", Source: "gate/Frame", Priority: offload.Low, Payload: photo(tb), Created: now, Deadline: now.Add(allowed),
		Context: map[string]string{"content-type": "image/png", "shape": "3", "line": "2"}, Truth: "part 1 1",
	}
}

func TestFacesAndWhoTheyAre(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		e := &engine{answer: threeFaces, takes: map[string]time.Duration{"faces": 100 * time.Millisecond, "who": 300 * time.Millisecond}}
		o := newRunner(t, e, Options{}).Do(t.Context(), parsed(t, people(t)), taskOf(t, time.Second))
		require.Empty(t, o.Reason, o.Record.Error)
		require.Equal(t, &offload.Answer{
			Label: "part 3 0", Confidence: .572, Model: "people", Objects: []offload.Object{
				{Label: "face", Confidence: .9, X: 110, Y: 110, W: 50, H: 50, Classes: []offload.Class{{Stage: "who", Label: "part 1 1", Confidence: .56, Model: "w/1"}}},
				{Label: "hand", Confidence: .8, X: 10, Y: 10, W: 50, H: 50},
				{Label: "face", Confidence: .7, X: 310, Y: 10, W: 50, H: 60, Classes: []offload.Class{{Stage: "who", Label: "part 3 0", Confidence: .572, Model: "w/1"}}},
				{Label: "face", Confidence: .6, X: 390, Y: 290, W: 500, H: 500},
			},
		}, o.Answer)

		r := o.Record
		assert.Nil(t, r.Unfinished())
		assert.Equal(t, []any{"t", "gate/Frame", "OBJECT_DETECTION", "people", "LOW", "mixed", true}, []any{r.TaskID, r.Source, r.Kind, r.Model, r.Priority, r.Route, r.DeadlineMet})
		assert.Equal(t, []float64{1000, 400, 0}, []float64{r.DeadlineMs, r.LatencyMs, r.ArrivedMs})
		assert.False(t, *r.Correct)
		assert.Equal(t, []offload.StageView{
			{Name: "faces", Does: Detect, Model: "faces", StartedMs: 0, EndedMs: 100, DeadlineMs: 500, Tasks: 1, Answered: 1, Routes: map[string]int{"local": 1}, Found: 4},
			{Name: "picture", Does: Decode, StartedMs: 100, EndedMs: 100},
			{Name: "heads", Does: Crop, StartedMs: 100, EndedMs: 100, Found: 2},
			{Name: "who", Does: Classify, Model: "who", StartedMs: 100, EndedMs: 400, DeadlineMs: 1000, Tasks: 2, Answered: 2, Routes: map[string]int{"cloud": 2}},
		}, r.Stages)
		text := offload.Explain(&r)
		for _, want := range []string{
			`OBJECT_DETECTION with cascade "people"`, "0 ms: faces (detect with faces) took 100 ms, with time until 500 ms; 1 of 1 tasks answered, 1 by local",
			"100 ms: heads (crop) took 0 ms", "2 of 2 tasks answered, 2 by cloud", `400 ms: the box and targets together answered "part 3 0"`, "as t/faces.",
		} {
			assert.Contains(t, text, want)
		}

		slices.SortFunc(e.tasks, func(a, b offload.Task) int { return strings.Compare(a.ID, b.ID) })
		require.Len(t, e.tasks, 3)
		for i, want := range []struct {
			id, source, content string
			kind                offload.Kind
			priority            offload.Priority
			until               time.Duration
		}{
			{"t/faces", "gate/Frame/faces", "image/png", offload.ObjectDetection, offload.Low, 500 * time.Millisecond},
			{"t/who/1", "gate/Frame/who/1", "image/jpeg", offload.ImageClassification, offload.High, time.Second},
			{"t/who/2", "gate/Frame/who/2", "image/jpeg", offload.ImageClassification, offload.High, time.Second},
		} {
			got := e.tasks[i]
			assert.Equal(t, []any{want.id, want.source, want.kind, want.priority, want.until, ""},
				[]any{got.ID, got.Source, got.Kind, got.Priority, got.Deadline.Sub(got.Created), got.Truth})
			assert.Equal(t, map[string]string{"model": got.Model, "source": want.source, "content-type": want.content, "line": "2"}, got.Context)
		}
		box, err := picture.Decode(e.tasks[1].Payload)
		require.NoError(t, err)
		assert.Equal(t, image.Pt(60, 60), box.Bounds().Size(), "50 pixels, and a tenth more on each side")
	})
}

// Where nothing is found nothing is decoded, cut or asked, and that is a complete result.
func TestNothingFound(t *testing.T) {
	e := &engine{answer: func(offload.Task) offload.Outcome { return by(offload.Local, offload.Answer{Model: "f/1"}) }}
	o := newRunner(t, e, Options{}).Do(t.Context(), parsed(t, people(t)), offload.Task{ID: "t", Payload: []byte("not decoded")})
	require.Equal(t, &offload.Answer{Model: "people"}, o.Answer)
	require.Nil(t, o.Record.Unfinished())
	require.Len(t, e.tasks, 1)
	require.Equal(t, offload.Local, o.Record.Route)
	require.Contains(t, offload.Explain(&o.Record), "nothing to do")
}

func TestStagesWithoutAResult(t *testing.T) {
	fails := func(model string, reason offload.Reason, crops ...string) func(offload.Task) offload.Outcome {
		return func(task offload.Task) offload.Outcome {
			if task.Model == model && (len(crops) == 0 || slices.Contains(crops, task.ID)) {
				return refused(task, reason)
			}
			return threeFaces(task)
		}
	}
	for name, c := range map[string]struct {
		answer  func(offload.Task) offload.Outcome
		payload []byte
		output  string // of the cascade; "" for that of the file
		reason  offload.Reason
		error   string
		objects int
		classes int
		skipped []string
	}{
		"detector": {
			answer: fails("faces", offload.Shed), reason: offload.Shed, error: "stage faces: shed: task t/faces: because",
			skipped: []string{"picture", "heads", "who"},
		},
		"classifier": {answer: fails("who", offload.NoPath), error: "stage who: no_path: task t/who/1: because", objects: 4},
		"one crop":   {answer: fails("who", offload.Failed, "t/who/2"), error: "stage who: failed: task t/who/2: because", objects: 4, classes: 1},
		"classifier alone in the output": {
			answer: fails("who", offload.Expired), output: "[who]", reason: offload.Expired, error: "stage who: expired: task t/who/1: because",
		},
		"one crop in the output alone": {answer: fails("who", offload.Failed, "t/who/1"), output: "[who]", error: "stage who: failed: task t/who/1", objects: 1, classes: 1},
		"picture": {
			answer: threeFaces, payload: []byte("no picture"), error: "stage picture: invalid: payload of 10 bytes begins with", objects: 4,
			skipped: []string{"heads", "who"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			text := people(t)
			if c.output != "" {
				text = strings.Replace(text, "[faces, who]", c.output, 1)
			}
			task := taskOf(t, time.Hour)
			if c.payload != nil {
				task.Payload = c.payload
			}
			o := newRunner(t, &engine{answer: c.answer}, Options{}).Do(t.Context(), parsed(t, text), task)
			require.Equal(t, c.reason, o.Reason)
			require.Equal(t, c.reason, o.Record.Reason)
			require.Contains(t, o.Record.Error, c.error)
			require.Equal(t, c.reason != "", o.Answer == nil)
			require.Equal(t, c.reason == "", o.Record.DeadlineMet)
			objects, classes := 0, 0
			if o.Answer != nil {
				require.NotEmpty(t, o.Answer.Label)
				objects = len(o.Answer.Objects)
				for _, object := range o.Answer.Objects {
					classes += len(object.Classes)
				}
				require.Contains(t, offload.Explain(&o.Record), "The answer is not complete: stage ")
			}
			require.Equal(t, []int{c.objects, c.classes}, []int{objects, classes})
			for _, s := range o.Record.Stages {
				require.Equal(t, slices.Contains(c.skipped, s.Name), s.EndedMs == 0, s.Name)
				if s.EndedMs == 0 {
					require.Contains(t, s.Error, " has no result")
				}
			}
		})
	}
}

// A stage whose time is over is not begun, and what was found is kept.
func TestDeadlinePassesBetweenStages(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		e := &engine{answer: threeFaces, takes: map[string]time.Duration{"faces": 100 * time.Millisecond}}
		o := newRunner(t, e, Options{}).Do(t.Context(), parsed(t, people(t)), taskOf(t, 100*time.Millisecond))
		require.Equal(t, "stage picture: shed: the deadline had passed before it began", o.Record.Error)
		require.Len(t, o.Answer.Objects, 4)
		require.Equal(t, "face", o.Answer.Label)
		require.Len(t, e.tasks, 1)
	})
}

func TestCascadeEndsWithItsContext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		e := &engine{answer: threeFaces, takes: map[string]time.Duration{"who": time.Hour}}
		time.AfterFunc(time.Second, cancel)
		o := newRunner(t, e, Options{}).Do(ctx, parsed(t, people(t)), offload.Task{ID: "t", Payload: photo(t)})
		require.Equal(t, offload.Stopped, o.Record.Unfinished().Reason)
		require.Len(t, o.Answer.Objects, 4)
		require.True(t, o.Record.DeadlineMet, "it has none")
	})
}

// Crops of one picture do not take each other's place; those of a newer one do, and then the rest
// is not handed over.
func TestNewerPictureTakesTheRest(t *testing.T) {
	e := &engine{answer: func(task offload.Task) offload.Outcome {
		if task.Kind == offload.ObjectDetection {
			a := offload.Answer{}
			for i := range 6 {
				a.Objects = append(a.Objects, offload.Object{Label: "face", Confidence: 1, X: float32(50 * i), Y: 10, W: 40, H: 40})
			}
			return by(offload.Local, a)
		}
		if task.ID == "t/who/2" {
			return refused(task, offload.Superseded)
		}
		return threeFaces(task)
	}}
	o := newRunner(t, e, Options{Parallel: 1}).Do(t.Context(), parsed(t, people(t)), offload.Task{ID: "t", Source: "s", Payload: photo(t)})
	require.Equal(t, "stage who: superseded: task t/who/2: because", o.Record.Error)
	who := o.Record.Stages[3]
	require.Equal(t, []int{2, 1, 4}, []int{who.Tasks, who.Answered, who.Passed})
	sources := map[string]bool{}
	for _, task := range e.tasks {
		sources[task.Source] = true
	}
	require.Equal(t, []string{"s/faces", "s/who/1", "s/who/2"}, slices.Sorted(maps.Keys(sources)))
}

func TestBounds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		e := &engine{answer: threeFaces, takes: map[string]time.Duration{"who": 100 * time.Millisecond}}
		r := newRunner(t, e, Options{UnderWay: 3, Pictures: 1, Parallel: 1})
		c := parsed(t, people(t))
		var all sync.WaitGroup
		outcomes := make([]offload.Outcome, 5)
		for i := range outcomes {
			all.Go(func() {
				time.Sleep(time.Duration(i) * time.Millisecond)
				outcomes[i] = r.Do(t.Context(), c, taskOf(t, 150*time.Millisecond))
			})
		}
		all.Wait()
		for i, o := range outcomes[:3] {
			who := o.Record.Stages[3]
			assert.Equal(t, 2, who.Answered, "%d: the fake engine knows no deadlines: %s", i, o.Record.Error)
			assert.False(t, o.Record.DeadlineMet)
		}
		for _, o := range outcomes[3:] {
			assert.Equal(t, offload.QueueFull, o.Reason)
			assert.Equal(t, "3 pictures are under way in cascades", o.Record.Error)
			assert.Len(t, o.Record.Stages, 4)
		}
		assert.Equal(t, 3, e.most, "one at once of each picture")
		assert.Zero(t, r.underWay.Load())
		assert.Empty(t, r.pictures, "all places are free")

		r.pictures <- struct{}{} // somebody decodes and does not end
		o := r.Do(t.Context(), c, taskOf(t, 150*time.Millisecond))
		assert.Equal(t, "stage picture: shed: no place to decode it: 1 pictures are decoded", o.Record.Error)
		assert.InDelta(t, 150, o.Record.LatencyMs, 1e-6)
	})
}

func TestObjectsWithinCrops(t *testing.T) {
	c := parsed(t, `
stages:
  - {name: picture, does: decode}
  - {name: cars, does: detect, model: cars, needs: [picture]}
  - {name: cut, does: crop, needs: [picture, cars], format: png}
  - {name: plates, does: detect, model: plates, needs: [cut], max_objects: 2}
  - {name: cut2, does: crop, needs: [picture, plates], format: png}
  - {name: text, does: classify, model: text, needs: [cut2]}
  - {name: colour, does: classify, model: colour, needs: [cut], private: true}
  - {name: scene, does: classify, model: scene}
output: [scene, cars, colour, text, plates]
`)
	e := &engine{answer: func(task offload.Task) offload.Outcome {
		switch task.Model {
		case "cars":
			return by("cloud", offload.Answer{Objects: []offload.Object{
				{Label: "car", Confidence: .9, X: 100, Y: 100, W: 100, H: 100}, {Label: "car", Confidence: .8, X: 200.5, Y: 50.5, W: 50, H: 50},
			}})
		case "plates":
			return by("cloud", offload.Answer{Objects: []offload.Object{
				{Label: "plate", Confidence: float32(len(task.ID)), X: 10, Y: 20, W: 30, H: 20}, {Label: "plate", Confidence: .1, X: 1, Y: 1, W: 20, H: 20},
			}})
		}
		return by("cloud", offload.Answer{Label: task.Model + " of " + task.Context["content-type"], Confidence: .5, Model: "m/1"})
	}}
	o := newRunner(t, e, Options{}).Do(t.Context(), c, offload.Task{ID: "t", Payload: photo(t), Context: map[string]string{"content-type": "image/jpeg"}})
	require.Empty(t, o.Record.Error)
	colour := []offload.Class{{Stage: "colour", Label: "colour of image/png", Confidence: .5, Model: "m/1"}}
	text := []offload.Class{{Stage: "text", Label: "text of image/png", Confidence: .5, Model: "m/1"}}
	require.Equal(t, []offload.Object{
		{Label: "car", Confidence: .9, X: 100, Y: 100, W: 100, H: 100, Classes: colour},
		{Label: "car", Confidence: .8, X: 200.5, Y: 50.5, W: 50, H: 50, Classes: colour},
		{Label: "plate", Confidence: 10, X: 110, Y: 120, W: 30, H: 20, Classes: text},
		{Label: "plate", Confidence: 10, X: 210, Y: 70, W: 30, H: 20, Classes: text},
	}, o.Answer.Objects, "in pixels of the picture; crops have whole ones")
	require.Equal(t, "plate", o.Answer.Label, "of the last output")
	require.Equal(t, "cloud", o.Record.Route)
	for _, task := range e.tasks {
		require.Equal(t, task.Model == "colour", task.Private, task.ID)
		require.True(t, task.Deadline.IsZero())
	}
	for _, s := range o.Record.Stages {
		if s.Name == "plates" {
			require.Equal(t, []int{2, 2}, []int{s.Found, s.Passed})
		}
	}
}

// Whatever the graph: a stage is run once, after what it needs, and not at all after a failure.
func TestStagesRunOnceAndInOrder(t *testing.T) {
	var small bytes.Buffer
	require.NoError(t, jpeg.Encode(&small, image.NewGray(image.Rect(0, 0, 64, 64)), nil))
	rapid.Check(t, func(t *rapid.T) {
		c := drawCascade(t)
		broken := rapid.SampledFrom(append(names(c.Stages), "none")).Draw(t, "broken")
		var mu sync.Mutex
		seen := map[string]int{}
		e := &engine{answer: func(task offload.Task) offload.Outcome {
			stage := strings.Split(task.ID, "/")[1]
			mu.Lock()
			defer mu.Unlock()
			seen[task.ID]++
			if stage == broken {
				return refused(task, offload.Failed)
			}
			return by(offload.Local, offload.Answer{Label: "x", Objects: []offload.Object{{Label: "x", X: 1, Y: 1, W: 20, H: 20}, {Label: "x", X: 9, Y: 9, W: 30, H: 30}}})
		}}
		r, err := NewRunner(e, Options{Parallel: 2})
		require.NoError(t, err)
		o := r.Do(context.Background(), c, offload.Task{ID: "t", Payload: small.Bytes()})
		for id, n := range seen {
			require.Equal(t, 1, n, id)
		}
		ended := map[string]offload.StageView{}
		for i, s := range o.Record.Stages {
			for _, need := range c.Stages[i].Needs {
				require.Contains(t, ended, need)
				if s.EndedMs > 0 {
					require.GreaterOrEqual(t, s.StartedMs, ended[need].EndedMs, "%s begins after %s", s.Name, need)
					require.Empty(t, ended[need].Reason)
				}
			}
			fails := s.Name == broken && s.Tasks > 0
			for _, need := range c.Stages[i].Needs {
				fails = fails || ended[need].Reason != ""
			}
			require.Equal(t, fails, s.Reason != "", "%s: %s", s.Name, s.Error)
			ended[s.Name] = s
		}
		require.Empty(t, r.pictures)
	})
}

// What may leave the box as features alone may not do so as a crop either, and the record says so.
func TestCropsOfAPictureThatLeavesAsFeaturesAlone(t *testing.T) {
	e := &engine{answer: threeFaces}
	o := newRunner(t, e, Options{}).Do(t.Context(), parsed(t, people(t)), offload.Task{ID: "t", Payload: photo(t), FeaturesOnly: true})
	require.Len(t, e.tasks, 3)
	for _, task := range e.tasks {
		require.True(t, task.FeaturesOnly, task.ID)
	}
	require.True(t, o.Record.FeaturesOnly)
}

func TestStageThatPanicsIsOneThatFailed(t *testing.T) {
	e := &engine{answer: func(offload.Task) offload.Outcome { panic("index out of range") }}
	r := newRunner(t, e, Options{})
	o := r.Do(t.Context(), parsed(t, people(t)), offload.Task{ID: "t", Payload: photo(t)})
	require.Equal(t, offload.Failed, o.Reason)
	require.Contains(t, o.Record.Error, "panic: index out of range")
	require.Empty(t, r.pictures)
}

func TestRunnerOptions(t *testing.T) {
	_, err := NewRunner(nil, Options{})
	require.ErrorContains(t, err, "engine is nil")
	_, err = NewRunner(&engine{}, Options{UnderWay: -1, Pictures: 20_000})
	require.EqualError(t, err, "UnderWay -1: allowed is 1 to 10000, or 0 for the default\nPictures 20000: allowed is 1 to 10000, or 0 for the default")
}
