// SPDX-License-Identifier: Apache-2.0

package twin

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"edgex-offload/offload"
)

// uneven is a link whose slots are drawn: from dead to 20 Mbit/s, some of them with loss.
func uneven(seed uint64, slots int) Trace {
	d := newDraw(seed)
	t := Trace{Name: "uneven", Slots: make([]Slot, slots)}
	for i := range t.Slots {
		rate := float64(d.IntN(20)) * 1e6 / 8
		t.Slots[i] = Slot{RTT: time.Duration(5+d.IntN(80)) * time.Millisecond, Up: rate, Down: rate + 1e5, Lost: d.IntN(8) == 0}
	}
	return t
}

func boundOf(t *testing.T, class string, trace Trace) Score {
	t.Helper()
	c, err := benchmarkClass(class)
	require.NoError(t, err)
	score, err := UpperBound(Cell{Class: c, Trace: trace, Seed: 1})
	require.NoError(t, err)
	return score
}

func TestBoundIsAboveEveryPolicy(t *testing.T) {
	for _, trace := range []Trace{uneven(3, 600), steady(20*time.Millisecond, 30, 30*time.Second)} {
		for _, class := range []string{"nano", "xavier", "orin", "xavier-overloaded"} {
			bound := boundOf(t, class, trace)
			assert.Equal(t, EverythingKnown, bound.Policy)
			for _, policy := range offload.Policies() {
				s := play(t, policy, class, trace, nil)
				assert.Equal(t, s.Tasks, bound.Tasks)
				assert.Greater(t, bound.Utility, s.Utility, "utility of %s on %s, %s", policy, class, trace.Name)
				assert.LessOrEqual(t, bound.Miss, s.Miss, "missed by %s on %s, %s", policy, class, trace.Name)
			}
		}
	}
}

func TestBoundSendsNothingOverADeadLink(t *testing.T) {
	trace := steady(10*time.Millisecond, 100, 20*time.Second)
	for i := range trace.Slots {
		trace.Slots[i].Lost = true
	}
	s := boundOf(t, "xavier", trace)
	assert.Zero(t, s.SentMB)
	assert.InDelta(t, .8, s.Utility, .01, "the box can do nearly all of it with the full model")
}

func TestBoundOfSameCellIsTheSame(t *testing.T) {
	trace := uneven(5, 400)
	assert.Equal(t, boundOf(t, "nano", trace), boundOf(t, "nano", trace))
}

func TestBoundUsesEveryTarget(t *testing.T) {
	class, err := benchmarkClass("xavier-overloaded")
	require.NoError(t, err)
	one, two := Benchmark(), Benchmark()
	two.Targets = append(two.Targets, Target{
		Name: "peer", Service: 10 * time.Millisecond, Accuracy: .85,
		Link: Link{RTT: 3 * time.Millisecond, UpKbps: 50e3, DownKbps: 50e3},
	})
	cell := Cell{Scenario: &one, Class: class, Trace: uneven(3, 600), Seed: 1}
	alone, err := UpperBound(cell)
	require.NoError(t, err)
	cell.Scenario = &two
	both, err := UpperBound(cell)
	require.NoError(t, err)
	assert.Greater(t, both.Utility, alone.Utility)
	assert.Greater(t, both.SentShare, alone.SentShare)
}

func TestBoundWithDeadlinesOfSeconds(t *testing.T) {
	s := Benchmark()
	class, err := s.Class("xavier")
	require.NoError(t, err)
	for i := range class.Sources {
		for k := range class.Sources[i].Kinds {
			class.Sources[i].Kinds[k].Deadline = 3 * time.Second
		}
	}
	settings := offload.DefaultSettings()
	settings.Grace = 0
	cell := Cell{Settings: settings, Class: class, Trace: uneven(3, 160), Seed: 1}
	bound, err := UpperBound(cell)
	require.NoError(t, err)
	policy, err := Run(cell)
	require.NoError(t, err)
	assert.Greater(t, bound.Utility, policy.Utility)
	assert.LessOrEqual(t, bound.Miss, policy.Miss)
}

func TestBoundOfBadCells(t *testing.T) {
	_, err := UpperBound(Cell{Trace: Trace{Name: "empty"}})
	assert.ErrorContains(t, err, `trace "empty" has no slots`)
	none := Scenario{}
	_, err = UpperBound(Cell{Scenario: &none, Trace: steady(1, 1, time.Second)})
	assert.ErrorContains(t, err, "longest 0s")
}

// aPlan is one for some tasks that come in little time, so that they are in each other's way.
func aPlan(seed uint64, tasks int) *plan {
	s := Benchmark()
	w := newWorkload(&s, s.Classes[seed%uint64(len(s.Classes))], 3*time.Second, seed)
	first := newDraw(seed).IntN(max(1, len(w.jobs)-tasks))
	w.jobs = w.jobs[first:min(first+tasks, len(w.jobs))]
	for i := range w.jobs {
		w.jobs[i].at -= (w.jobs[i].at - w.jobs[0].at) * 3 / 4
	}
	return newPlan(&w, uneven(seed, 100))
}

func (p *plan) total() float64 {
	sum := 0.
	for i := range p.work.jobs {
		sum += p.value(int32(i))
	}
	return sum
}

func TestSearchFindsNearlyTheBestOfAll(t *testing.T) {
	var found, best float64
	for seed := range uint64(150) {
		p := aPlan(seed, 6)
		p.begin()
		p.improve(newDraw(seed))
		f, b := p.total(), newExhaustive(p).best()
		assert.LessOrEqual(t, f, b+1e-9, "seed %d: better than the best", seed)
		found += f
		best += b
	}
	assert.GreaterOrEqual(t, found, .999*best)
	t.Logf("found %.5f of the best", found/best)
}

// exhaustive looks at every order of every set of tasks on the uplink and on the box.
type exhaustive struct {
	*plan
	// worth is the most by set of tasks and lane.
	worth [2]map[uint]float64
}

func newExhaustive(p *plan) *exhaustive {
	e := &exhaustive{plan: p, worth: [2]map[uint]float64{{}, {}}}
	for lane := range e.worth {
		e.extend(lane, 0, 0, &place{})
	}
	return e
}

func (e *exhaustive) extend(lane int, set uint, worth float64, last *place) {
	e.worth[lane][set] = max(e.worth[lane][set], worth)
	for i := range e.work.jobs {
		j := &e.work.jobs[i]
		for _, w := range e.ways[j.model] {
			if set&(1<<i) != 0 || e.lane(w) != lane {
				continue
			}
			if turn := e.follow(int32(i), w, last); turn.done <= j.deadline() {
				e.extend(lane, set|1<<i, worth+e.worthOf(int32(i), w), &turn)
			}
		}
	}
}

func (e *exhaustive) best() float64 {
	most := 0.
	for sent, a := range e.worth[0] {
		for run, b := range e.worth[1] {
			if sent&run == 0 {
				most = max(most, a+b)
			}
		}
	}
	return most
}

func TestPlanStaysWhole(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		p := aPlan(rapid.Uint64Range(0, 1000).Draw(t, "seed"), 30)
		for range rapid.IntRange(1, 60).Draw(t, "steps") {
			i := int32(rapid.IntRange(0, len(p.work.jobs)-1).Draw(t, "task"))
			was := append([]place(nil), p.places...)
			if p.places[i].way != dropped {
				p.remove(i)
			} else {
				p.try(i, rapid.SampledFrom(p.ways[p.work.jobs[i].model]).Draw(t, "way"))
			}
			if rapid.Bool().Draw(t, "undo") {
				p.undo()
				if !assert.Equal(t, was, p.places) {
					t.FailNow()
				}
			}
			p.keep()
			p.mustBeWhole(t)
		}
	})
}

// mustBeWhole checks that the turns of each lane follow each other and are in time, that each
// task has its one turn, and that the counts of the blocks are right.
func (p *plan) mustBeWhole(t *rapid.T) {
	turns := 0
	for lane := range p.inBlock {
		end, free, inLane := p.end(lane), time.Duration(0), int32(0)
		for i := p.first(lane); i != end; i = p.places[i].next {
			turn, j := &p.places[i], &p.work.jobs[i]
			if turn.way == dropped || p.lane(turn.way) != lane || p.places[turn.next].prev != i {
				t.Fatalf("task %d is not where it is listed: %+v", i, turn)
			}
			if turn.start < free || turn.start < j.at || turn.done > j.deadline() {
				t.Fatalf("task %d, lane %d: %+v, lane free at %v, deadline %v", i, lane, turn, free, j.deadline())
			}
			free = turn.free
			inLane++
		}
		for _, n := range p.inBlock[lane] {
			inLane -= n
		}
		if inLane != 0 {
			t.Fatalf("lane %d: the blocks count %d too few", lane, inLane)
		}
		turns += p.length(lane)
	}
	for i := range p.work.jobs {
		if p.places[i].way != dropped {
			turns--
		}
	}
	if turns != 0 {
		t.Fatalf("%d more turns than tasks that have one", turns)
	}
}

func (p *plan) length(lane int) (n int) {
	for i := p.first(lane); i != p.end(lane); i = p.places[i].next {
		n++
	}
	return n
}

func TestPlanIsPlayedAsPlanned(t *testing.T) {
	for seed := range uint64(30) {
		class := Benchmark().Classes[seed%4]
		c := Cell{Class: class, Trace: uneven(seed, 400), Seed: seed}
		c.Scenario = c.scenario()
		w := newWorkload(c.Scenario, class, c.Length(), seed)
		p := newPlan(&w, c.Trace)
		p.begin()
		planned, weights := 0., 0.
		missed := 0
		for i := range w.jobs {
			planned += p.value(int32(i))
			weights += w.jobs[i].weight
			if p.places[i].way == dropped {
				missed++
			}
		}
		s := p.play(&c)
		assert.InDelta(t, planned/weights, s.Utility, 1e-5, "seed %d", seed)
		assert.InDelta(t, ratio(float64(missed), float64(len(w.jobs))), s.Miss, 1e-9, "seed %d", seed)
	}
}
