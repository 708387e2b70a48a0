// SPDX-License-Identifier: Apache-2.0

package infer

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"edgex-offload/offload"
)

// clock is one that a fake graph moves: a run takes as long as the graph says.
type clock struct{ nanos atomic.Int64 }

func (c *clock) now() time.Time          { return time.Unix(0, c.nanos.Load()) }
func (c *clock) advance(d time.Duration) { c.nanos.Add(int64(d)) }

// trialBackend runs what the test says for a version: the text of model.onnx is its key.
type trialBackend struct {
	*fakeBackend
	clock *clock
	run   map[string]func(n int) (time.Duration, error)
}

func (b *trialBackend) Load(ctx context.Context, s Source) (Graph, error) {
	text := string(s.ONNX)
	s.ONNX = []byte("0")
	g, err := b.fakeBackend.Load(ctx, s)
	return &trialGraph{Graph: g, backend: b, text: text}, err
}

type trialGraph struct {
	Graph
	backend *trialBackend
	text    string
	runs    int
}

func (g *trialGraph) Run(ctx context.Context, batch int, fill func([][]float32) error, read func([]Tensor) error) error {
	run := g.backend.run[g.text]
	g.runs++
	if run == nil || g.runs <= warmUps {
		g.backend.clock.advance(10 * time.Millisecond)
		return g.Graph.Run(ctx, batch, fill, read)
	}
	took, err := run(g.runs - warmUps)
	g.backend.clock.advance(took)
	if err != nil {
		return errors.Join(fill([][]float32{make([]float32, 48)}), err)
	}
	return g.Graph.Run(ctx, batch, fill, read)
}

// onTrial is a repository with version 1 at work and version 2 on trial; the goroutine of keep
// has ended, so that the test judges.
func onTrial(t *testing.T, second func(n int) (time.Duration, error), yaml string) (*Repository, *clock, string) {
	t.Helper()
	dir := t.TempDir()
	put(t, dir, "surface", "1", "first", tinyImage)
	b := &trialBackend{fakeBackend: &fakeBackend{started: make(chan struct{})}, clock: &clock{}, run: map[string]func(int) (time.Duration, error){"second": second}}
	b.clock.advance(time.Hour)
	rules := DefaultCanary()
	rules.Share = .1
	r, err := Open(Options{Dir: dir, Backend: b, Rescan: time.Hour, Canary: rules, now: b.clock.now})
	require.NoError(t, err)
	t.Cleanup(func() {
		assert.NoError(t, r.Close())
		assert.Zero(t, b.graphs)
	})
	require.NoError(t, r.Wait(t.Context()))
	r.stop()
	<-r.ended
	put(t, dir, "surface", "2", "second", tinyImage+yaml)
	r.look(t.Context(), true)
	require.Equal(t, map[string]State{"surface/1": Ready, "surface/2": Canaried}, statesOf(r))
	return r, b.clock, dir
}

// ask runs tasks until the trial is over, most of them at the most, and gives how many each
// version answered.
func ask(t *testing.T, r *Repository, most int) map[string]int {
	t.Helper()
	answered := map[string]int{}
	task := offload.Task{Payload: pixel(t)}
	for range most {
		got, err := r.Infer(t.Context(), "surface/1", task)
		require.NoError(t, err, "no task is lost")
		answered[got.Model]++
		r.judge()
		if r.series["surface"].trial == nil {
			break
		}
	}
	r.drains.Wait()
	return answered
}

func takes(d time.Duration) func(int) (time.Duration, error) {
	return func(int) (time.Duration, error) { return d, nil }
}

func TestAGoodVersionIsPromotedAfterItsTasks(t *testing.T) {
	r, _, _ := onTrial(t, takes(11*time.Millisecond), "")
	assert.Equal(t, map[string]int{"surface/1": 1800, "surface/2": 200}, ask(t, r, 5000), "each tenth task, two hundred of them")
	assert.Equal(t, map[string]State{"surface/1": Unloaded, "surface/2": Ready}, statesOf(r))
	assert.Contains(t, r.Models()[0].LastVerdict, "surface/2: promoted: 0 of its 200 tasks failed")
	assert.Equal(t, Counts{Loads: 2, Swaps: 1, Promoted: 1}, r.Counts())
	assert.Equal(t, map[string]int{"surface/2": 1}, ask(t, r, 1))
}

func TestTheVersionItselfSaysItsShare(t *testing.T) {
	r, _, dir := onTrial(t, takes(10*time.Millisecond), "canary: {share: 0.5, tasks: 20}\n")
	assert.Equal(t, TrialStatus{Beside: "surface/1", Share: .5, Wanted: 20}, *r.Models()[0].Trial)
	assert.Equal(t, map[string]int{"surface/1": 20, "surface/2": 20}, ask(t, r, 1000))
	put(t, dir, "surface", "3", "first", tinyImage+"canary: {share: 0}\n")
	r.look(t.Context(), true)
	assert.Equal(t, Ready, statesOf(r)["surface/3"], "at once")
}

func TestAVersionThatFailsIsTakenBackAndNoTaskIsLost(t *testing.T) {
	r, _, dir := onTrial(t, func(n int) (time.Duration, error) { return time.Millisecond, errors.New("out of memory") }, "")
	assert.Equal(t, map[string]int{"surface/1": 80}, ask(t, r, 1000), "judged after eight")
	assert.Equal(t, map[string]State{"surface/1": Ready, "surface/2": TakenBack}, statesOf(r))
	assert.Contains(t, r.Models()[0].Error, "8 of its 8 tasks failed, of the former version 0 of 80")
	assert.Contains(t, r.Models()[1].LastVerdict, "surface/2: taken back: 8 of its 8 tasks failed")
	assert.Equal(t, uint64(1), r.Counts().TakenBack)
	got, err := r.Infer(t.Context(), "surface/2", offload.Task{Payload: pixel(t)})
	require.NoError(t, err)
	assert.Equal(t, "surface/1", got.Model, "who still asks for it is answered")

	r.look(t.Context(), true)
	assert.Equal(t, TakenBack, statesOf(r)["surface/2"], "it is not tried again")
	put(t, dir, "surface", "2", "first", tinyImage)
	r.look(t.Context(), true)
	assert.Equal(t, Canaried, statesOf(r)["surface/2"], "until its files change")
	assert.Equal(t, 200, ask(t, r, 5000)["surface/2"])
}

func TestAFewFailuresAreSeenAtTheEnd(t *testing.T) {
	fails := func(every int) func(int) (time.Duration, error) {
		return func(n int) (time.Duration, error) {
			if n%every == 0 {
				return time.Millisecond, errors.New("no")
			}
			return 10 * time.Millisecond, nil
		}
	}
	r, _, _ := onTrial(t, fails(40), "") // 5 of 200 against 0 of 1800
	ask(t, r, 5000)
	assert.Equal(t, TakenBack, statesOf(r)["surface/2"])
	r, _, _ = onTrial(t, fails(150), "") // 1 of 200
	ask(t, r, 5000)
	assert.Equal(t, Ready, statesOf(r)["surface/2"], "within MaxErrorIncrease")
}

func TestASlowVersionIsTakenBack(t *testing.T) {
	r, _, _ := onTrial(t, takes(30*time.Millisecond), "")
	n := ask(t, r, 5000)
	assert.Equal(t, TakenBack, statesOf(r)["surface/2"])
	assert.LessOrEqual(t, n["surface/2"], 16, "early, as it is plain")
	assert.Contains(t, r.Models()[0].Error, "its median is 30ms, that of the former version 10ms (allowed is 1.5 times as long)")

	tail := func(n int) (time.Duration, error) {
		if n%10 == 0 {
			return 90 * time.Millisecond, nil
		}
		return 10 * time.Millisecond, nil
	}
	r, _, _ = onTrial(t, tail, "")
	ask(t, r, 5000)
	assert.Equal(t, TakenBack, statesOf(r)["surface/2"])
	assert.Contains(t, r.Models()[0].Error, "its 95th percentile is 90ms")
}

func TestAWrongPayloadIsNoFailureOfEither(t *testing.T) {
	r, _, _ := onTrial(t, nil, "")
	for range 200 {
		_, err := r.Infer(t.Context(), "surface/1", offload.Task{Payload: []byte("text")})
		require.ErrorIs(t, err, ErrInput)
	}
	s := r.series["surface"].trial
	assert.Zero(t, s.new.tasks+s.old.tasks)
}

func TestATaskThatHasNoTimeForASecondTryStaysWithTheOldVersion(t *testing.T) {
	r, clock, _ := onTrial(t, takes(10*time.Millisecond), "")
	task := offload.Task{Payload: pixel(t)}
	for range 50 {
		task.Deadline = clock.now().Add(35 * time.Millisecond) // less than four times 10 ms
		got, err := r.Infer(t.Context(), "surface/1", task)
		require.NoError(t, err)
		require.Equal(t, "surface/1", got.Model)
	}
	task.Deadline = time.Time{}
	got, err := r.Infer(t.Context(), "surface/1", task)
	require.NoError(t, err)
	assert.Equal(t, "surface/2", got.Model, "the next one makes up for it")
}

func TestATrialWithoutTasksEndsAfterItsTime(t *testing.T) {
	r, clock, _ := onTrial(t, takes(10*time.Millisecond), "")
	clock.advance(23 * time.Hour)
	r.look(t.Context(), false)
	assert.Equal(t, Canaried, statesOf(r)["surface/2"])
	clock.advance(2 * time.Hour)
	r.look(t.Context(), false)
	assert.Equal(t, Ready, statesOf(r)["surface/2"], "nothing spoke against it")
}

func TestANewerVersionTakesTheTrialOver(t *testing.T) {
	r, _, dir := onTrial(t, takes(10*time.Millisecond), "")
	put(t, dir, "surface", "3", "first", tinyImage)
	r.look(t.Context(), true)
	r.drains.Wait()
	assert.Equal(t, map[string]State{"surface/1": Ready, "surface/2": Unloaded, "surface/3": Canaried}, statesOf(r))
}

func TestFilesThatChangeDuringTheirTrialAreTriedAnew(t *testing.T) {
	r, _, dir := onTrial(t, takes(10*time.Millisecond), "")
	put(t, dir, "surface", "2", "0", tinyImage)
	r.look(t.Context(), true)
	r.drains.Wait()
	assert.Equal(t, map[string]State{"surface/1": Ready, "surface/2": Canaried}, statesOf(r))
	assert.Equal(t, uint64(3), r.Counts().Loads, "onTrial sees at the end that the replaced one was freed")
}

func TestAnotherVersionByHandEndsTheTrial(t *testing.T) {
	r, _, dir := onTrial(t, takes(10*time.Millisecond), "")
	put(t, dir, "surface", "3", "first", tinyImage)
	require.NoError(t, r.loadByHand(t.Context(), "surface", "3"))
	r.drains.Wait()
	assert.Equal(t, map[string]State{"surface/1": Unloaded, "surface/2": Unloaded, "surface/3": Ready}, statesOf(r))
	assert.Equal(t, map[string]int{"surface/3": 1}, ask(t, r, 1), "onTrial sees at the end that both others were freed")
}

func TestChangedFilesOfTheVersionAtWorkAreOnTrialToo(t *testing.T) {
	r, _, dir := onTrial(t, takes(10*time.Millisecond), "canary: {tasks: 16}\n")
	for r.series["surface"].trial != nil {
		ask(t, r, 1000)
	}
	require.Equal(t, Ready, statesOf(r)["surface/2"])
	put(t, dir, "surface", "2", "first", tinyImage)
	r.look(t.Context(), true)
	status := r.Models()[0]
	require.NotNil(t, status.Trial)
	assert.Equal(t, "surface/2", status.Trial.Beside)
	ask(t, r, 5000)
	assert.Nil(t, r.Models()[0].Trial)
	assert.Equal(t, uint64(2), r.Counts().Promoted)
}

func TestAVersionOnTrialThatIsLostLeavesTheOldOne(t *testing.T) {
	r, _, _ := onTrial(t, takes(10*time.Millisecond), "")
	r.series["surface"].trial.model.loss.tell(errors.New("its server went away"))
	r.dropLost(t.Context())
	r.drains.Wait()
	assert.Equal(t, map[string]State{"surface/1": Ready, "surface/2": Failed}, statesOf(r))
	assert.Contains(t, r.Models()[0].Error, "its server went away")
	assert.Equal(t, map[string]int{"surface/1": 1}, ask(t, r, 1))
	r.look(t.Context(), false)
	assert.Equal(t, Canaried, statesOf(r)["surface/2"], "it is tried again at the next look")
}

// What every task is too short of time for would be promoted untried, and then be late for all.
func TestAVersionThatNoTaskHasTimeForIsTakenBackAtTheEnd(t *testing.T) {
	r, clock, _ := onTrial(t, takes(10*time.Millisecond), "")
	task := offload.Task{Payload: pixel(t)}
	for range 50 {
		task.Deadline = clock.now().Add(35 * time.Millisecond) // less than four times 10 ms
		_, err := r.Infer(t.Context(), "surface/1", task)
		require.NoError(t, err)
	}
	clock.advance(25 * time.Hour)
	r.look(t.Context(), false)
	assert.Equal(t, TakenBack, statesOf(r)["surface/2"])
	assert.Contains(t, r.Models()[0].Error, "it answered 0 tasks: 41 that were its turn left no time for it beside the former version")
}

func TestSharesAreExact(t *testing.T) {
	for _, share := range []float64{.01, .05, .1, .125, .25, .3, .5} {
		trial := newTrial(nil, Canary{Share: share}, time.Time{}, nil)
		n := 0
		const tasks = 2000
		for range tasks {
			if trial.takes(time.Hour, 0) {
				n++
			}
		}
		assert.InDelta(t, share*tasks, n, 1, "%g", share)
	}
}

func TestTasksThatLeaveNoTimeAreNotMadeUpForAllAtOnce(t *testing.T) {
	trial := newTrial(nil, Canary{Share: .5}, time.Time{}, nil)
	for range 100 {
		require.False(t, trial.takes(0, time.Hour))
	}
	n := 0
	for range 10 {
		if trial.takes(time.Hour, 0) {
			n++
		}
	}
	assert.Equal(t, 6, n, "one more than its share")
}

// A task that is called off would have taken longer; one that waited for a place says nothing.
func TestWhatATaskWithoutAnAnswerSays(t *testing.T) {
	trial := newTrial(nil, DefaultCanary(), time.Time{}, nil)
	for range 3 {
		trial.note(&trial.new, 10*time.Millisecond, nil, time.Time{})
	}
	trial.note(&trial.new, time.Millisecond, context.Canceled, time.Time{})
	assert.Len(t, trial.new.times.list, 3)
	trial.note(&trial.new, time.Second, context.Canceled, time.Time{})
	assert.Len(t, trial.new.times.list, 4)
	trial.note(&trial.new, 0, context.DeadlineExceeded, time.Time{})
	assert.Equal(t, [2]int{3, 0}, [2]int{trial.new.tasks, trial.new.errors})
	trial.note(&trial.new, time.Second, context.DeadlineExceeded, time.Time{})
	assert.Equal(t, [2]int{4, 1}, [2]int{trial.new.tasks, trial.new.errors})
}

func TestATaskThatFindsNoPlaceIsNoFailureOfTheNewVersion(t *testing.T) {
	r, clock, _ := onTrial(t, takes(10*time.Millisecond), "concurrency: 1\ncanary: {share: 0.5}\n")
	trial := r.series["surface"].trial
	require.NoError(t, trial.model.places.enter(t.Context(), time.Time{}))
	for range 4 {
		task := offload.Task{Payload: pixel(t), Deadline: clock.now().Add(60 * time.Millisecond)}
		got, err := r.Infer(t.Context(), "surface/1", task)
		require.NoError(t, err)
		require.Equal(t, "surface/1", got.Model)
	}
	trial.model.places.leave()
	assert.Equal(t, arm{}, trial.new)
	assert.Equal(t, 4, trial.old.tasks)
}

func TestTheVerdictIsWhatTheFiguresSay(t *testing.T) {
	same := func(n int, d time.Duration) evenly {
		var e evenly
		for range n {
			e.add(d)
		}
		return e
	}
	late := same(3, 10*time.Millisecond)
	for range 5 {
		late.add(20 * time.Millisecond)
	}
	rules := DefaultCanary()
	for name, c := range map[string]struct {
		old, fresh arm
		last       bool
		want       string
	}{
		"too early":        {arm{tasks: 72}, arm{tasks: 8}, false, "<nil>"},
		"chance":           {arm{tasks: 72}, arm{tasks: 8, errors: 1}, false, "<nil>"},
		"plain":            {arm{tasks: 72}, arm{tasks: 8, errors: 4}, false, "taken back: 4 of its 8"},
		"both fail":        {arm{tasks: 720, errors: 360}, arm{tasks: 80, errors: 40}, true, "promoted"},
		"fewer fail":       {arm{tasks: 720, errors: 360}, arm{tasks: 80}, true, "promoted"},
		"more, but little": {arm{tasks: 1e6}, arm{tasks: 1e5, errors: 500}, true, "promoted"},
		"slower, unnoticed": {
			arm{tasks: 900, times: same(900, 50*time.Microsecond)}, arm{tasks: 100, times: same(100, 400*time.Microsecond)}, true, "promoted",
		},
		"slower, perhaps by chance": {
			arm{tasks: 72, times: same(72, 10*time.Millisecond)}, arm{tasks: 8, times: late}, false, "<nil>",
		},
		"slower": {
			arm{tasks: 900, times: same(900, 5*time.Millisecond)}, arm{tasks: 100, times: same(100, 8*time.Millisecond)}, true, "taken back: its median is 8ms",
		},
		"nothing":        {arm{}, arm{}, true, "promoted"},
		"few, all fail":  {arm{tasks: 2}, arm{tasks: 2, errors: 2}, true, "taken back: 2 of its 2"},
		"few, one fails": {arm{tasks: 30}, arm{tasks: 3, errors: 1}, true, "promoted"},
	} {
		t.Run(name, func(t *testing.T) {
			assert.Contains(t, fmt.Sprint(judge(&c.old, &c.fresh, rules, c.last)), c.want)
		})
	}
}

func TestTimesAreKeptEvenlyOverTheTrial(t *testing.T) {
	var e evenly
	const all = 10_000
	for i := range all {
		e.add(time.Duration(i))
	}
	list := e.sorted()
	assert.Less(t, len(list), mostEvenly)
	assert.GreaterOrEqual(t, len(list), mostEvenly/2)
	for _, q := range []float64{.1, .5, .9} {
		assert.InDelta(t, q*all, float64(quantile(list, q)), all/50)
	}
}

// The values are those of scipy.stats.fisher_exact(..., alternative="greater").
func TestFisher(t *testing.T) {
	for _, c := range []struct {
		a, n, b, m int
		want       float64
	}{
		{0, 8, 0, 72, 1},
		{8, 8, 0, 72, 3.449e-11},
		{1, 8, 0, 72, .1},
		{3, 4, 1, 4, .24286}, // Fisher's tea
		{5, 200, 0, 1800, 9.5e-6},
	} {
		assert.InEpsilon(t, c.want, fisher(c.a, c.n, c.b, c.m), .03, "%v", c)
	}
}
