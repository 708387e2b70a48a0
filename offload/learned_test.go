// SPDX-License-Identifier: Apache-2.0

package offload

import (
	"errors"
	"math"
	"testing"
	"time"

	"pgregory.net/rapid"
)

// linear is a network whose values are sums of a state's figures.
type linear [Actions][StateSize]float32

func (n *linear) Values(state, values []float32) error {
	for a := range values {
		values[a] = 0
		for i, v := range state {
			values[a] += n[a][i] * v
		}
	}
	return nil
}

// prefers is a network that always values an action most.
func prefers(action int) *linear {
	n := &linear{}
	n[action][atBias] = 1
	return n
}

type broken struct{}

func (broken) Values(_, _ []float32) error { return errors.New("no session") }

type nonsense struct{}

func (nonsense) Values(_, values []float32) error {
	values[ActSend] = float32(math.NaN())
	return nil
}

// trainee always takes an action and notes what it hears.
type trainee struct {
	linear
	action  int
	chosen  []uint64
	rewards map[uint64][]float64
}

func (n *trainee) Choose(ref uint64, _, _ []float32) int {
	n.chosen = append(n.chosen, ref)
	return n.action
}

func (n *trainee) Rewarded(ref uint64, reward float64) {
	n.rewards[ref] = append(n.rewards[ref], reward)
}

func learningPlant(t fataler, policy string, n Network) *plant {
	c := testConfig()
	c.Settings.Policy, c.Network = policy, n
	return newPlant(t, c)
}

func TestStateOfADecision(t *testing.T) {
	s := DefaultSettings()
	left := 200 * time.Millisecond
	local := goldenPath{WaitMs: 50, ServiceMs: 20, Accuracy: .8, InTime: .9}.path(onBox, Local, left, s)
	slow := goldenPath{RTTMs: 20, ServiceMs: 15, Accuracy: .95, InTime: .4}.path(0, "cloud", left, s)
	good := goldenPath{RTTMs: 20, JitterMs: 10, Loss: .1, ServiceMs: 15, WaitMs: 45, Accuracy: .9, InTime: .8, Joules: 1}.path(1, "peer", left, s)
	good.transfer, good.wait = 100*time.Millisecond, 50*time.Millisecond
	d := &decision{job: &job{task: &Task{Priority: High, Payload: make([]byte, usualPayload)}}, now: time.Second, paths: []path{local, slow, good}, settings: &s}
	var got state
	if remote := d.observe(&got); remote != 2 {
		t.Fatalf("the state is of path %d, want 2: it is the likeliest to be in time", remote)
	}
	want := state{
		atBias: 1, atPriority: .5, atTimeLeft: 2. / 3, atPayload: .5, atLocalWait: .2, atLocalService: 1. / 11, atLocalInTime: .9,
		atRemoteInTime: .8, atRemoteExpected: 1. / 3, atRemoteTransfer: 1. / 3, atRemoteWait: .2, atJitter: 1. / 21, atLoss: .1,
		atAccuracyGain: .4, atJoules: .5, atLinkKnown: 1, atLinkAge: .5, atEitherInTime: .98, atExpectedGain: .32,
	}
	for i, name := range StateNames() {
		if math.Abs(float64(got[i]-want[i])) > 1e-5 {
			t.Errorf("%s is %.4f, want %.4f", name, got[i], want[i])
		}
	}
	if n := len(StateNames()); n != StateSize {
		t.Errorf("%d names for %d figures", n, StateSize)
	}
	if n := len(ActionNames()); n != Actions {
		t.Errorf("%d names for %d actions", n, Actions)
	}
}

func TestStatesAreBounded(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		p := randomPlant(rt)
		n := &witness{t: rt}
		p.do(Event{Kind: NetworkChanged, Network: n})
		s := p.engine.Settings()
		s.Policy = PolicyDQN
		p.do(Event{Kind: SettingsChanged, Settings: &s})
		live(rt, p)
	})
}

// witness sees that what it is asked with is finite and bounded.
type witness struct {
	linear
	t *rapid.T
}

func (w *witness) Values(state, values []float32) error {
	for i, v := range state {
		if !(v >= -1 && v <= 1) {
			w.t.Fatalf("%s is %v: allowed is -1 to 1", StateNames()[i], v)
		}
	}
	return w.linear.Values(state, values)
}

func TestRewardOfAnOutcome(t *testing.T) {
	w := DefaultLearning().Reward
	w.Energy, w.Cost = .1, 2
	for name, c := range map[string]struct {
		r    Record
		s    spending
		want float64
	}{
		"critical, in time":  {Record{DeadlineMet: true, DeadlineMs: 100, LatencyMs: 50}, spending{worth: 8, accuracy: .9}, .8 - .01},
		"low, in time":       {Record{DeadlineMet: true, DeadlineMs: 100, LatencyMs: 50}, spending{worth: 1, accuracy: .9}, .45 - .01},
		"missed":             {Record{DeadlineMs: 100, LatencyMs: 300}, spending{worth: 1, accuracy: .9}, -.5 - .02},
		"energy and money":   {Record{DeadlineMet: true}, spending{worth: 1, accuracy: 1, joules: 2, money: .05}, .5 - .2 - .1},
		"no less than minus": {Record{}, spending{worth: 1, joules: 1000}, -1},
	} {
		if got := w.of(&c.r, c.s); math.Abs(got-c.want) > 1e-9 {
			t.Errorf("%s: reward %.4f, want %.4f", name, got, c.want)
		}
	}
}

func TestActionsOfANetwork(t *testing.T) {
	for _, c := range []struct {
		action  int
		decided string
		both    bool
	}{{ActLocal, Local, false}, {ActSend, "cloud", false}, {ActBoth, "cloud", true}} {
		p := learningPlant(t, PolicyDQN, prefers(c.action))
		s := p.engine.Settings()
		s.Tuning.Promise = .5 // an idle box waits with the backup
		p.do(Event{Kind: SettingsChanged, Settings: &s})
		p.link(30 * time.Millisecond)
		r := p.outcomeOf(nil)
		if r.Decided != c.decided || r.Settled.Term != ByScore {
			t.Errorf("%s: decided %q by %q", ActionNames()[c.action], r.Decided, r.Settled.Term)
		}
		if both := len(r.Attempts) == 2 && r.Attempts[1].StartedMs == r.Attempts[0].StartedMs; both != c.both {
			t.Errorf("%s: attempts %+v", ActionNames()[c.action], r.Attempts)
		}
		if chosen := r.path(r.Decided); chosen.Cost != -1 {
			t.Errorf("%s: the score is shown as a cost of %v, want -1", ActionNames()[c.action], chosen.Cost)
		}
	}
}

// outcomeOf is the record of a task that arrives now, when it has ended.
func (p *plant) outcomeOf(mod func(*Task)) Record {
	ref := p.arrive(mod)
	p.until(p.now + time.Second)
	return p.outcome(ref).Record
}

func TestWithoutANetworkThatWorksDQNIsCost(t *testing.T) {
	p := learningPlant(t, PolicyCost, nil)
	p.link(30 * time.Millisecond)
	want := p.outcomeOf(nil)
	for name, n := range map[string]Network{"none": nil, "broken": broken{}, "nonsense": nonsense{}} {
		p := learningPlant(t, PolicyDQN, n)
		p.link(30 * time.Millisecond)
		r := p.outcomeOf(nil)
		if r.Decided != want.Decided || r.Settled.Term != NoNetwork || r.Paths[1].Cost != want.Paths[1].Cost {
			t.Errorf("%s: decided %q by %q, want %q", name, r.Decided, r.Settled.Term, want.Decided)
		}
		p.do(Event{Kind: NetworkChanged, Network: prefers(ActLocal)})
		if r := p.outcomeOf(nil); r.Settled.Term != ByScore {
			t.Errorf("%s: a new network is not asked: %q", name, r.Settled.Term)
		}
	}
}

func TestATraineeHearsOfEachOfItsTasksOnce(t *testing.T) {
	n := &trainee{action: ActSend, rewards: map[uint64][]float64{}}
	p := learningPlant(t, PolicyDQN, n)
	p.link(30 * time.Millisecond)
	for range 5 {
		if r := p.outcomeOf(nil); r.Decided != "cloud" || r.Reward <= 0 {
			t.Errorf("decided %q for a reward of %.3f", r.Decided, r.Reward)
		}
	}
	if len(n.chosen) != 5 {
		t.Errorf("asked %d times for 5 tasks", len(n.chosen))
	}
	for _, ref := range n.chosen {
		if len(n.rewards[ref]) != 1 {
			t.Errorf("task %d has %d rewards", ref, len(n.rewards[ref]))
		}
	}
}

// What was promised does not matter once another thing was learned.
func TestTheBanditLearnsWhatALinkIsWorth(t *testing.T) {
	for name, c := range map[string]struct {
		answers bool
		want    string
	}{"always good": {true, "cloud"}, "always bad": {false, Local}} {
		t.Run(name, func(t *testing.T) {
			cfg := testConfig()
			cfg.Settings.Policy, cfg.Settings.Hedge = PolicyLinUCB, false
			p := newPlant(t, cfg)
			p.remote = func(Action) (time.Duration, Event) {
				ev := Event{Kind: RemoteDone, At: 50 * time.Millisecond, Answer: &Answer{Label: "good"}, Execution: 15 * time.Millisecond, Bytes: 150}
				if !c.answers { // the target answers all, and none in time
					ev = Event{Kind: RemoteRefused, At: 290 * time.Millisecond, Error: "no room"}
				}
				return time.Millisecond, ev
			}
			p.link(20 * time.Millisecond)
			sent := 0
			const tasks, last = 200, 50
			for i := range tasks {
				r := p.outcomeOf(nil)
				if i >= tasks-last && r.Decided != Local {
					sent++
				}
			}
			if away := sent > last/2; away != (c.want != Local) {
				t.Errorf("%d of the last %d were sent, want %s", sent, last, c.want)
			}
		})
	}
}

func TestTheBanditLearnsWhileItIsAShadow(t *testing.T) {
	c := testConfig()
	c.Settings.Policy, c.Settings.Shadows, c.Settings.Hedge = PolicyCloud, PolicyLinUCB, false
	p := newPlant(t, c)
	p.remote = func(Action) (time.Duration, Event) { // too late, always
		return time.Millisecond, Event{Kind: RemoteRefused, At: 290 * time.Millisecond, Error: "no room"}
	}
	p.link(20 * time.Millisecond)
	would := ""
	for range 200 {
		r := p.outcomeOf(nil)
		would = r.Shadows[0].Decided
		if r.Decided == "cloud" && r.Reward >= 0 {
			t.Fatalf("reward %v for %s", r.Reward, r.Reason)
		}
	}
	if would != Local {
		t.Errorf("it saw the cloud fail 200 times and would still choose %s", would)
	}
}

func TestTheInverseIsKeptRight(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		const ridge = 2.
		var a arm
		a.start(1/ridge, assumed(ActSend))
		direct := [StateSize][StateSize]float64{} // λI + Σ x xᵀ
		for i := range direct {
			direct[i][i] = ridge
		}
		for range rapid.IntRange(1, 60).Draw(rt, "lessons") {
			var x state
			for i := range x {
				x[i] = float32(rapid.IntRange(-4, 4).Draw(rt, "figure")) / 4
			}
			a.learn(&x, rapid.Float64Range(-1, 1).Draw(rt, "reward"), 1)
			for i := range x {
				for k := range x {
					direct[i][k] += float64(x[i]) * float64(x[k])
				}
			}
		}
		for i := range direct {
			for k := range direct {
				sum, want := 0., 0.
				for m := range direct {
					sum += direct[i][m] * a.inverse[m][k]
				}
				if i == k {
					want = 1
				}
				if math.Abs(sum-want) > 1e-6 {
					rt.Fatalf("A times its inverse is %v at %d, %d", sum, i, k)
				}
			}
		}
	})
}

func TestForgettingLeavesTheInverseBounded(t *testing.T) {
	var a arm
	a.start(1, assumed(ActLocal))
	x := state{atBias: 1} // nothing else ever varies
	for range 100_000 {
		a.learn(&x, .5, .99)
	}
	if a.unknown > a.most*1.000001 || math.IsNaN(a.unknown) {
		t.Errorf("the trace of the inverse grew to %v from %v", a.unknown, a.most)
	}
	if got := a.score(&x, 0); math.Abs(got-.5) > .01 {
		t.Errorf("it expects %v where it always got .5", got)
	}
}

func TestLearnedPoliciesAllocateNothing(t *testing.T) {
	for _, policy := range []string{PolicyLinUCB, PolicyDQN} {
		p := learningPlant(t, policy, prefers(ActSend))
		p.link(20 * time.Millisecond)
		e := p.engine
		j := &job{task: &Task{Priority: High, Payload: make([]byte, 1000)}, model: e.models[testModel], deadline: time.Second, end: time.Second}
		views := make([]PathView, 1+len(e.targets))
		j.record.Paths = views
		n := testing.AllocsPerRun(100, func() {
			d := e.look(j, views)
			e.policy.choose(d)
			j.lesson = d.lesson
			e.learn(j)
		})
		if n != 0 || !j.lesson.given {
			t.Errorf("%s: %v allocations for a decision and its lesson (%v)", policy, n, j.lesson.given)
		}
	}
}

func BenchmarkLinUCB(b *testing.B) {
	l := DefaultLearning()
	bandit := newLinUCB(&l)
	x := state{1, .5, .5, .5, .2, .1, .9, .8, .3, .3, .2, .1, 0, .4, .1, 0, 1, .3, .98, .3}
	b.ReportAllocs()
	for b.Loop() {
		for a := range bandit.arms {
			bandit.arms[a].score(&x, l.Alpha)
		}
		bandit.learn(&l, ActSend, &x, .5)
	}
}
