// SPDX-License-Identifier: Apache-2.0

package offload

import (
	"fmt"
	"hash/fnv"
	"math"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"
)

func contains(text, part string) bool { return strings.Contains(text, part) }

func TestSourcesOfATrialAreThoseOfTheHash(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		source := rapid.String().Draw(rt, "source")
		h := fnv.New32a()
		_, _ = h.Write([]byte(source))
		bucket := float64(h.Sum32() % 10_000)
		for _, share := range []float64{0, .1, .5, 1} {
			if InTrial(source, share) != (bucket < share*10_000) {
				rt.Errorf("source %q, share %v: bucket %v", source, share, bucket)
			}
		}
	})
	in := 0
	for i := range 2000 {
		if InTrial(fmt.Sprintf("camera/%d", i), .25) {
			in++
		}
	}
	if math.Abs(float64(in)/2000-.25) > .03 {
		t.Errorf("%d of 2000 names in a row are in a quarter", in)
	}
}

func TestTrialDecidesItsSourcesAlone(t *testing.T) {
	c := testConfig()
	c.Settings.Policy, c.Settings.Trial = PolicyLocal, Trial{PolicyCloud, .5}
	p := newPlant(t, c)
	p.until(time.Second)
	sides := map[bool]int{}
	for range 40 {
		ref := p.arrive(nil)
		p.until(p.now + time.Second)
		r := p.outcome(ref).Record
		sides[r.Trial]++
		want := PolicyLocal
		if InTrial(r.Source, .5) {
			want = PolicyCloud
		}
		if r.Policy != want || r.Trial != (want == PolicyCloud) || (r.Decided == Local) == r.Trial {
			t.Fatalf("%s: %s decided %s, trial %v", r.Source, r.Policy, r.Decided, r.Trial)
		}
	}
	if sides[true] == 0 || sides[false] == 0 {
		t.Errorf("all on one side: %v", sides)
	}
}

// What acts is not changed by what watches, and neither are its figures.
func TestShadowsChangeNothing(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		p := randomPlant(rt)
		live(rt, p)
		c := p.config
		c.Settings.Shadows = "local,cloud,threshold,cost,quantile" // none that learns from what acts
		watched, err := NewEngine(c)
		if err != nil {
			rt.Fatal(err)
		}
		var actions []string
		for _, ev := range p.log {
			if ev.Kind == SettingsChanged {
				s := *ev.Settings
				s.Shadows = c.Settings.Shadows
				ev.Settings = &s
			}
			for _, a := range watched.Handle(ev) {
				if n := len(a.Outcome.Record.Shadows); a.Kind == FinishTask && a.Outcome.Record.Settled.Term != "" && n != 5 {
					rt.Fatalf("%d shadows", n)
				}
				a.Outcome.Record.Shadows = nil
				actions = append(actions, fmt.Sprintf("%v %+v", ev.At, printable(a)))
			}
		}
		for i := range p.actions {
			if strings.Replace(p.actions[i], "Shadows:[]", "", 1) != strings.Replace(actions[i], "Shadows:[]", "", 1) {
				rt.Fatalf("with shadows\n%s\nwithout\n%s", actions[i], p.actions[i])
			}
		}
	})
}

// A policy that learns keeps what it knows while others are tried.
func TestPolicyIsMadeOncePerName(t *testing.T) {
	p := newPlant(t, testConfig())
	made := map[string]policy{}
	for _, name := range append(Policies(), Policies()...) {
		s := DefaultSettings()
		s.Policy = name
		p.do(Event{Kind: SettingsChanged, Settings: &s})
		if made[name] == nil {
			made[name] = p.engine.policy
		}
		if made[name] != p.engine.policies[name] || p.engine.policy != made[name] {
			t.Errorf("%s was made again", name)
		}
	}
}

// allocations of a task's whole way through the engine.
func allocations(t *testing.T, s Settings) float64 {
	c := testConfig()
	c.Settings = s
	e, err := NewEngine(c)
	if err != nil {
		t.Fatal(err)
	}
	e.Handle(Event{Kind: ProbeDone, At: 1, RTT: 200 * time.Millisecond})
	task := &Task{Model: testModel, Source: "camera/Frame", Payload: make([]byte, 60_000), Created: testEpoch, Deadline: testEpoch.Add(1000 * time.Hour)}
	answer, at, ref := &Answer{Label: "good"}, time.Duration(0), uint64(0)
	return testing.AllocsPerRun(500, func() {
		at, ref = at+time.Millisecond, ref+1
		var attempt uint64
		for _, a := range e.Handle(Event{Kind: TaskArrived, At: at, Ref: ref, Task: task}) {
			if a.Kind == StartLocal {
				attempt = a.Attempt
			}
		}
		e.Handle(Event{Kind: LocalDone, At: at, Attempt: attempt, Answer: answer, Execution: time.Millisecond})
	})
}

func TestShadowsAllocateNothing(t *testing.T) {
	s := DefaultSettings()
	s.Policy = PolicyLocal
	without := allocations(t, s)
	s.Shadows, s.Trial = "quantile,cost,threshold,cloud,linucb,dqn", Trial{PolicyCost, .5}
	if with := allocations(t, s); with > without {
		t.Errorf("%v allocations a task with shadows, %v without", with, without)
	}
}

func TestTrialAndShadowsNameWhatIsWrong(t *testing.T) {
	for want, spoil := range map[string]func(*Settings){
		`Trial.Policy "best": allowed is empty, quantile`:          func(s *Settings) { s.Trial.Policy = "best" },
		`Trial.Share 1.5: allowed is 0 to 1`:                       func(s *Settings) { s.Trial = Trial{PolicyCost, 1.5} },
		`Trial.Share NaN`:                                          func(s *Settings) { s.Trial = Trial{PolicyCost, math.NaN()} },
		`Trial.Share 0.5: allowed is 0 without a Trial.Policy`:     func(s *Settings) { s.Trial.Share = .5 },
		`Shadows "best": allowed are quantile`:                     func(s *Settings) { s.Shadows = "local, best" },
		`Shadows "local": it is there twice`:                       func(s *Settings) { s.Shadows = "local,local" },
		`Objective "cheap": allowed is balanced, accuracy, latenc`: func(s *Settings) { s.Objective = "cheap" },
		`beside Objective "cost": allowed is Objective "custom"`:   func(s *Settings) { s.Objective, s.Weights.Accuracy = ObjectiveCost, 7 },
	} {
		s := DefaultSettings()
		spoil(&s)
		if err := s.Validate(); err == nil || !contains(err.Error(), want) {
			t.Errorf("got %v, want %q", err, want)
		}
	}
}

func TestObjectivesAreWeights(t *testing.T) {
	defaults := DefaultSettings()
	for _, name := range Objectives() {
		w, err := ObjectiveWeights(name)
		if err != nil {
			t.Fatal(err)
		}
		if (w == defaults.Weights) != (name == ObjectiveBalanced) {
			t.Errorf("%s has the weights %+v, the default %+v", name, w, defaults.Weights)
		}
		s := defaults
		s.Objective = name
		if err := s.Validate(); err != nil || s.resolved().Weights != w {
			t.Errorf("%s: %v, weights %+v", name, err, s.resolved().Weights)
		}
	}
	for _, name := range []string{"", ObjectiveCustom} {
		s := defaults
		s.Objective, s.Weights.Accuracy = name, 7
		if err := s.Validate(); err != nil || s.resolved().Weights.Accuracy != 7 {
			t.Errorf("%q does not leave the weights as they are: %v", name, err)
		}
	}
}
