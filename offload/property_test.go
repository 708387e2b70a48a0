// SPDX-License-Identifier: Apache-2.0

package offload

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"edgex-offload/offload/link"
)

// randomPlant is a plant whose box and targets do what rapid draws: quick, slow, failing,
// refusing, silent until cancelled, or lying about their times.
func randomPlant(rt *rapid.T) *plant {
	c := testConfig()
	c.Workers = rapid.IntRange(1, 3).Draw(rt, "workers")
	c.Targets = []Target{{Name: "cloud"}, {Name: "peer", Metered: true}}[:rapid.IntRange(0, 2).Draw(rt, "targets")]
	c.Settings.Policy = rapid.SampledFrom(Policies()).Draw(rt, "policy")
	c.Network = rapid.SampledFrom([]Network{nil, broken{}, prefers(ActSend), prefers(ActBoth)}).Draw(rt, "network")
	c.Settings.Hedge = rapid.Bool().Draw(rt, "hedge")
	c.Settings.QueueLimit = rapid.IntRange(1, 5).Draw(rt, "queue")
	c.Settings.InFlightLimit = rapid.IntRange(1, 4).Draw(rt, "in flight")
	c.Models = append(c.Models, otherModel())
	if rapid.Bool().Draw(rt, "split") {
		c.Models[0].Splits = testSplits()
	}
	p := newPlant(rt, c)
	p.obeys = rapid.Bool().Draw(rt, "obeys")
	took := rapid.Custom(func(t *rapid.T) time.Duration {
		most := rapid.SampledFrom([]int{5, 30, 600}).Draw(t, "most")
		return time.Duration(rapid.IntRange(0, most).Draw(t, "ms")) * time.Millisecond
	})
	p.local = func(a Action) Event {
		ev := Event{Execution: took.Draw(rt, "local"), Answer: &Answer{Label: "good"}}
		if strings.HasSuffix(a.Variant, "-head/1") {
			ev.Answer = &Answer{Features: make([]byte, rapid.IntRange(0, 20_000).Draw(rt, "features"))}
		}
		if rapid.IntRange(0, 4).Draw(rt, "fails") == 0 {
			ev.Answer, ev.Error = nil, "failed"
		}
		return ev
	}
	p.remote = func(a Action) (time.Duration, Event) {
		ev := Event{At: took.Draw(rt, "remote")}
		switch rapid.IntRange(0, 3).Draw(rt, "ends") {
		case 0:
			ev.Kind, ev.Error = RemoteFailed, "connection reset"
		case 1:
			ev.Kind, ev.Error = RemoteRefused, "no room"
		default:
			ev.Kind, ev.Answer = RemoteDone, &Answer{Label: "good"}
			ev.Execution = time.Duration(rapid.Int64().Draw(rt, "claimed"))
			ev.Bytes = rapid.IntRange(0, 1<<20).Draw(rt, "bytes")
		}
		return took.Draw(rt, "sent"), ev
	}
	return p
}

// otherModel is one more that the box has.
func otherModel() Model {
	return Model{Name: "other", Local: []Variant{{Name: "other/1", Accuracy: .8, Service: 10 * time.Millisecond}}}
}

// someRTT is mostly what a link has, and sometimes nonsense.
var someRTT = rapid.OneOf(
	rapid.Just(10*time.Millisecond), rapid.Just(40*time.Millisecond), rapid.Just(150*time.Millisecond),
	rapid.Custom(func(t *rapid.T) time.Duration { return time.Duration(rapid.Int64().Draw(t, "any")) }),
)

func live(rt *rapid.T, p *plant) {
	for range rapid.IntRange(1, 120).Draw(rt, "steps") {
		switch rapid.IntRange(0, 9).Draw(rt, "what") {
		default:
			p.arrive(func(t *Task) {
				t.Source = rapid.SampledFrom([]string{"a", "b", "c", "d", "e", "f", "g", "h"}).Draw(rt, "source")
				t.Priority = Priority(rapid.IntRange(-1, 4).Draw(rt, "priority"))
				t.Payload = make([]byte, rapid.IntRange(0, 100_000).Draw(rt, "size"))
				t.Private = rapid.IntRange(0, 3).Draw(rt, "private") == 0
				t.FeaturesOnly = rapid.IntRange(0, 3).Draw(rt, "features only") == 0
				t.Model = rapid.SampledFrom([]string{testModel, testModel, testModel, "other", "unknown"}).Draw(rt, "model")
				t.Deadline = time.Time{}
				if d := rapid.IntRange(-50, 800).Draw(rt, "allowed"); d%5 != 0 {
					t.Deadline = t.Created.Add(time.Duration(d) * time.Millisecond)
				}
			})
		case 7:
			p.do(Event{
				Kind:   rapid.SampledFrom([]EventKind{ProbeDone, ProbeLost, ProbeFailed, TrainDone}).Draw(rt, "probe"),
				Target: rapid.IntRange(-1, 2).Draw(rt, "target"), RTT: someRTT.Draw(rt, "rtt"),
				Probe: uint64(rapid.IntRange(0, 300).Draw(rt, "probe id")), Spread: someRTT.Draw(rt, "spread"), SpreadDown: someRTT.Draw(rt, "spread down"),
				Held:  link.Stamps{Received: rapid.Int64().Draw(rt, "received"), Sent: rapid.Int64().Draw(rt, "sent back")},
				Bytes: rapid.IntRange(0, 100_000).Draw(rt, "up"), BytesDown: rapid.IntRange(0, 100_000).Draw(rt, "down"),
			})
		case 8:
			p.do(Event{Kind: TaskAbandoned, Ref: uint64(rapid.IntRange(0, 70).Draw(rt, "ref"))})
		case 5:
			p.do(Event{Kind: BoxChanged, Battery: 1, Charging: true, Speed: rapid.SampledFrom([]float64{0, 1, .7, .3, .01, -1}).Draw(rt, "speed")})
		case 6:
			models := testConfig().Models
			if rapid.Bool().Draw(rt, "splits") {
				models[0].Splits = testSplits()
			}
			switch rapid.IntRange(0, 3).Draw(rt, "models") {
			case 0:
				models = nil
			case 1:
				models[0].Local = nil
			case 2:
				models[0].Local = append(models[0].Local, Variant{Name: "surface-tiny/1", Accuracy: .7, Service: 5 * time.Millisecond})
			}
			if rapid.Bool().Draw(rt, "other") {
				models = append(models, otherModel())
			}
			p.do(Event{Kind: ModelsChanged, Models: models})
		case 9:
			s := p.engine.Settings()
			s.Policy = rapid.SampledFrom(append(Policies(), "no such policy")).Draw(rt, "new policy")
			s.Hedge, s.FIFO = rapid.Bool().Draw(rt, "new hedge"), rapid.IntRange(0, 5).Draw(rt, "fifo") == 0
			p.do(Event{Kind: SettingsChanged, Settings: &s})
		}
		// Bursts: most things happen at the same time.
		p.until(p.now + time.Duration(rapid.SampledFrom([]int{0, 0, 0, 0, 5, 50, 200}).Draw(rt, "pause"))*time.Millisecond)
	}
}

func TestEveryTaskEndsExactlyOnce(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		p := randomPlant(rt)
		live(rt, p)
		p.until(p.now + time.Minute)
		p.do(Event{Kind: Stop})
		p.until(p.now + time.Minute)
		for ref := uint64(1); ref <= p.refs; ref++ {
			p.outcome(ref)
		}
		if n := len(p.engine.attempts); n != 0 {
			rt.Errorf("%d attempts are still known after all of them ended", n)
		}
	})
}

func TestSameEventsGiveTheSameActions(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		p := randomPlant(rt)
		live(rt, p)
		replay, err := NewEngine(p.config)
		if err != nil {
			rt.Fatal(err)
		}
		var actions []string
		for _, ev := range p.log {
			for _, a := range replay.Handle(ev) {
				actions = append(actions, fmt.Sprintf("%v %+v", ev.At, printable(a)))
			}
		}
		if !slices.Equal(p.actions, actions) {
			rt.Errorf("the replay of %d events decided differently", len(p.log))
		}
	})
}

func TestCriticalIsNeverShedForALowerOne(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		c := testConfig()
		c.Targets, c.Settings.Policy = nil, PolicyLocal
		p := newPlant(rt, c)
		// One critical task with room for itself and one run before it, among any others.
		n := rapid.IntRange(0, 30).Draw(rt, "others")
		at := rapid.IntRange(0, n).Draw(rt, "place")
		var critical uint64
		for i := range n + 1 {
			if i == at {
				critical = p.arrive(func(t *Task) { t.Priority, t.Deadline = Critical, t.Created.Add(41*time.Millisecond) })
				continue
			}
			p.arrive(func(t *Task) {
				t.Priority = Priority(rapid.IntRange(0, 2).Draw(rt, "priority"))
				t.Deadline = t.Created.Add(time.Duration(rapid.IntRange(20, 300).Draw(rt, "allowed")) * time.Millisecond)
			})
		}
		p.until(time.Second)
		if r := p.outcome(critical).Record; !r.DeadlineMet {
			rt.Errorf("the critical task missed its deadline: %s %s", r.Reason, r.Error)
		}
	})
}
