// SPDX-License-Identifier: Apache-2.0

package offload

import (
	"math/rand/v2"
	"testing"
	"time"
)

// TestCrowdedPlantsEndEveryTask is the property of TestEveryTaskEndsExactlyOnce where it is
// hardest to hold: short queues, many arrivals at once, remote attempts that mostly hang,
// and policies that change meanwhile. plant.check holds the bounds after each event.
func TestCrowdedPlantsEndEveryTask(t *testing.T) {
	for seed := range uint64(300) {
		d := rand.New(rand.NewPCG(seed, 1))
		c := testConfig()
		c.Settings.QueueLimit, c.Settings.InFlightLimit, c.Workers = 1+d.IntN(4), 1+d.IntN(8), 1+d.IntN(2)
		p := newPlant(t, c)
		p.local = func(Action) Event {
			return Event{Answer: &Answer{Label: "good"}, Execution: time.Duration(1+d.IntN(120)) * time.Millisecond}
		}
		p.remote = func(Action) (time.Duration, Event) {
			after := time.Duration(10+d.IntN(100)) * time.Millisecond
			switch d.IntN(6) {
			case 0:
				return after / 2, Event{Kind: RemoteDone, At: after, Answer: &Answer{Label: "good"}, Execution: after / 4}
			case 1:
				return after, Event{Kind: RemoteRefused, At: after, Error: "no room", Lasting: d.IntN(4) == 0}
			default:
				return after, Event{Kind: RemoteFailed, At: time.Second, Error: "deadline exceeded"}
			}
		}
		p.link(30 * time.Millisecond)
		for range 150 {
			switch d.IntN(12) {
			case 0:
				s := p.engine.Settings()
				s.Policy = Policies()[d.IntN(len(Policies()))]
				s.QueueLimit = 1 + d.IntN(4)
				p.do(Event{Kind: SettingsChanged, Settings: &s})
			case 1:
				p.link(time.Duration(10+d.IntN(60)) * time.Millisecond)
			case 2:
				p.until(p.now + time.Duration(d.IntN(200))*time.Millisecond)
			default:
				p.arrive(func(t *Task) {
					t.Priority = Priority(d.IntN(Priorities))
					t.Deadline = t.Created.Add(time.Duration(50+d.IntN(400)) * time.Millisecond)
				})
			}
		}
		p.until(p.now + time.Minute)
		for ref := uint64(1); ref <= p.refs; ref++ {
			p.outcome(ref)
		}
	}
}
