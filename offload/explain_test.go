// SPDX-License-Identifier: Apache-2.0

package offload

import (
	"os"
	"path/filepath"
	"testing"
	"time"

	"pgregory.net/rapid"
)

// explained are tasks of many fates, each of which has its text in testdata/explain. To
// write the texts anew: OFFLOAD_WRITE_GOLDEN=1 go test -run Explain ./offload
var explained = map[string]func(t *testing.T) Record{
	"answered-by-the-cloud": func(t *testing.T) Record {
		return oneTask(t, nil, nil, nil)
	},
	"saved-by-the-backup": func(t *testing.T) Record {
		return oneTask(t, nil, func(p *plant) {
			p.remote = func(Action) (time.Duration, Event) {
				return time.Millisecond, Event{Kind: RemoteDone, At: time.Minute}
			}
		}, nil)
	},
	"held-for-a-better-answer": func(t *testing.T) Record {
		return oneTask(t, func(s *Settings) { s.Objective = ObjectiveAccuracy }, func(p *plant) {
			p.remote = func(Action) (time.Duration, Event) {
				return time.Millisecond, Event{Kind: RemoteDone, At: 285 * time.Millisecond, Answer: &Answer{Label: "crack", Confidence: .9, Model: "surface-large/1"}}
			}
		}, nil)
	},
	"private": func(t *testing.T) Record {
		return oneTask(t, nil, nil, func(t *Task) { t.Private = true })
	},
	"no-path": func(t *testing.T) Record {
		return oneTask(t, nil, nil, func(t *Task) { t.Private, t.Model = true, "faces" })
	},
	"late-on-arrival": func(t *testing.T) Record {
		return oneTask(t, nil, nil, func(t *Task) { t.Deadline = t.Created.Add(3 * time.Millisecond) })
	},
	"late": func(t *testing.T) Record {
		return oneTask(t, func(s *Settings) { s.Policy = PolicyLocal }, nil, func(t *Task) { t.Deadline = t.Created.Add(15 * time.Millisecond) })
	},
	"cost-with-prices": func(t *testing.T) Record {
		return oneTask(t, func(s *Settings) { s.Policy, s.Objective, s.Weights.Money = PolicyCost, ObjectiveCustom, 10 }, nil, func(t *Task) { t.Truth = "bad" })
	},
	"beyond-a-threshold": func(t *testing.T) Record {
		return oneTask(t, func(s *Settings) { s.Policy, s.Threshold.RTT = PolicyThreshold, time.Millisecond }, nil, nil)
	},
	"with-shadows-on-trial": func(t *testing.T) Record {
		return oneTask(t, func(s *Settings) {
			s.Trial, s.Shadows = Trial{PolicyCloud, 1}, "local,quantile,cloud"
		}, nil, func(t *Task) { t.Deadline = time.Time{} })
	},
	"failed-everywhere": func(t *testing.T) Record {
		return oneTask(t, nil, func(p *plant) {
			p.local = func(Action) Event { return Event{Error: "out of memory"} }
			p.remote = func(Action) (time.Duration, Event) {
				return time.Millisecond, Event{Kind: RemoteRefused, At: 40 * time.Millisecond, Error: "no room"}
			}
		}, nil)
	},
}

// oneTask is the record of a task on a plant whose link is known.
func oneTask(t *testing.T, settings func(*Settings), behave func(*plant), mod func(*Task)) Record {
	c := testConfig()
	c.Targets[0].PricePerMB = 1
	if settings != nil {
		settings(&c.Settings)
	}
	p := newPlant(t, c)
	p.do(Event{Kind: TimerRang}) // from where it measures the link
	p.until(10 * time.Second)
	if behave != nil {
		behave(p)
	}
	ref := p.arrive(func(t *Task) {
		t.Created, t.Deadline = t.Created.Add(-4*time.Millisecond), t.Deadline.Add(-4*time.Millisecond)
		if mod != nil {
			mod(t)
		}
	})
	p.until(time.Minute)
	return p.outcome(ref).Record
}

func TestExplainOnGoldenCases(t *testing.T) {
	for name, record := range explained {
		t.Run(name, func(t *testing.T) {
			r := record(t)
			got, file := Explain(&r), filepath.Join("testdata", "explain", name+".txt")
			if os.Getenv("OFFLOAD_WRITE_GOLDEN") != "" {
				if err := os.WriteFile(file, []byte(got), 0o600); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			if got != string(want) {
				t.Errorf("got\n%s\nwant\n%s", got, want)
			}
		})
	}
}

// Any record can be explained, also one that was read from a file.
func TestExplainTakesAnyRecord(t *testing.T) {
	Explain(&Record{})
	Explain(&Record{Settled: Settled{Term: ByGain}, Decided: "cloud", Attempts: []AttemptView{{}}, Shadows: []ShadowView{{}}})
	rapid.Check(t, func(rt *rapid.T) {
		p := randomPlant(rt)
		live(rt, p)
		p.until(p.now + time.Minute)
		for _, outcomes := range p.outcomes {
			if text := Explain(&outcomes[0].Record); contains(text, "%!") {
				rt.Fatalf("%s", text)
			}
		}
	})
}
