// SPDX-License-Identifier: Apache-2.0

package offload

import (
	"testing"
	"time"
)

// knownLink is a plant whose target has answered often enough to be known: after 60 ms each.
func knownLink(t *testing.T, c Config) *plant {
	p := newPlant(t, c)
	p.link(30 * time.Millisecond)
	for range 40 {
		p.arrive(nil)
		p.until(p.now + 200*time.Millisecond)
	}
	return p
}

// after lets the target answer after a while.
func after(d time.Duration) func(Action) (time.Duration, Event) {
	return func(Action) (time.Duration, Event) {
		return time.Millisecond, Event{Kind: RemoteDone, At: d, Answer: &Answer{Label: "good", Model: "surface-large/1"}, Execution: 15 * time.Millisecond, Bytes: 150}
	}
}

func TestBetterAnswerIsWaitedForWhileThereIsTime(t *testing.T) {
	p := knownLink(t, testConfig())
	p.remote = after(200 * time.Millisecond) // the box is asked meanwhile
	ref := p.arrive(nil)
	p.until(p.now + time.Second)
	r := p.outcome(ref).Record
	if r.Route != "cloud" || r.HeldMs == 0 || !within5ms(r.LatencyMs, 200) {
		t.Errorf("answered by %s after %.0f ms, held since %.0f; want the cloud's better answer after 200, the box's held", r.Route, r.LatencyMs, r.HeldMs)
	}
}

func TestHeldAnswerIsGivenBeforeTheDeadline(t *testing.T) {
	p := knownLink(t, testConfig())
	p.remote = after(5 * time.Second)
	ref := p.arrive(nil)
	p.until(p.now + 10*time.Second)
	r := p.outcome(ref).Record
	if r.Route != Local || !r.DeadlineMet || r.HeldMs == 0 || r.LatencyMs < r.HeldMs {
		t.Errorf("answered by %q after %.0f ms, in time %v, held since %.0f: %s", r.Route, r.LatencyMs, r.DeadlineMet, r.HeldMs, r.Error)
	}
}

// An answer that comes after the box's is no longer needed, and still teaches.
func TestAnswerThatNobodyWaitsForTeaches(t *testing.T) {
	c := testConfig()
	c.Models[0].Remote.Accuracy = .85 // no better than the box: nothing is held
	c.Settings.Policy = PolicyCloud
	p := newPlant(t, c)
	p.remote = after(150 * time.Millisecond)
	sent := 0
	for range 30 {
		ref := p.arrive(func(t *Task) { t.Deadline = t.Created.Add(200 * time.Millisecond) })
		p.until(p.now + 400*time.Millisecond)
		r := p.outcome(ref).Record
		for _, a := range r.Attempts {
			if a.Target == "cloud" && a.Result == "cancelled" {
				sent++
			}
		}
	}
	est, _ := p.engine.Estimate(0)
	if sent == 0 || est.Calibration.Attempts < uint64(sent) {
		t.Errorf("%d attempts were given up with their payload sent, the link learned of %d", sent, est.Calibration.Attempts)
	}
}

func TestCriticalTaskStopsALowerRun(t *testing.T) {
	c := testConfig()
	c.Targets, c.Settings.Policy = nil, PolicyLocal
	c.Models = []Model{
		{Name: testModel, Local: []Variant{{Name: "long/1", Accuracy: .9, Service: 100 * time.Millisecond}}},
		{Name: "window", Local: []Variant{{Name: "short/1", Accuracy: .9, Service: 10 * time.Millisecond}}},
	}
	p := newPlant(t, c)
	p.obeys = true
	p.local = func(a Action) Event {
		took := 100 * time.Millisecond
		if a.Variant == "short/1" {
			took = 10 * time.Millisecond
		}
		return Event{Answer: &Answer{Model: a.Variant}, Execution: took}
	}
	low := p.arrive(func(t *Task) { t.Priority = Low })
	p.until(20 * time.Millisecond)
	critical := p.arrive(func(t *Task) {
		t.Priority, t.Model, t.Deadline = Critical, "window", t.Created.Add(50*time.Millisecond)
	})
	p.until(time.Second)
	if r := p.outcome(critical).Record; !r.DeadlineMet {
		t.Errorf("the critical task ended with %q, want a result in time", r.Reason)
	}
	r := p.outcome(low).Record
	if !r.DeadlineMet || len(r.Attempts) != 2 || r.Attempts[0].Result != "preempted" {
		t.Errorf("the lower task: in time %v with %+v, want it preempted once and in time", r.DeadlineMet, r.Attempts)
	}
}

// A stopped run of its own is nothing that a task could wait for.
func TestPreemptedTaskThatFindsNoRoomEndsAtOnce(t *testing.T) {
	c := testConfig()
	c.Targets, c.Settings.Policy, c.Settings.QueueLimit = nil, PolicyLocal, 1
	p := newPlant(t, c)
	p.obeys = true
	low := p.arrive(func(t *Task) { t.Priority = Low })
	p.until(time.Millisecond)
	critical := p.arrive(func(t *Task) { t.Priority, t.Deadline = Critical, t.Created.Add(30*time.Millisecond) })
	if o := p.outcome(low); o.Reason != QueueFull {
		t.Errorf("the preempted task ended with %q, want %q", o.Reason, QueueFull)
	}
	p.until(time.Second)
	if r := p.outcome(critical).Record; !r.DeadlineMet {
		t.Errorf("the critical task ended with %q", r.Reason)
	}
}

func TestWithoutPreemptionALowerRunGoesOn(t *testing.T) {
	c := testConfig()
	c.Targets, c.Settings.Policy, c.Settings.Tuning.Preempt = nil, PolicyLocal, 0
	p := newPlant(t, c)
	p.obeys = true
	p.arrive(func(t *Task) { t.Priority = Low })
	p.until(time.Millisecond)
	critical := p.arrive(func(t *Task) { t.Priority, t.Deadline = Critical, t.Created.Add(30*time.Millisecond) })
	p.until(time.Second)
	if o := p.outcome(critical); o.Reason != Shed {
		t.Errorf("ended with %q, want shed", o.Reason)
	}
	if len(p.cancelled) > 0 {
		t.Errorf("%d attempts were stopped", len(p.cancelled))
	}
}

// What the box has no model for goes to a second target when the first one is late.
func TestSecondTargetForWhatTheBoxCannotRun(t *testing.T) {
	c := testConfig()
	c.Models[0].Local = nil
	c.Targets = []Target{{Name: "cloud"}, {Name: "peer"}}
	p := newPlant(t, c)
	answers := p.remote
	for range 40 { // both are known
		p.arrive(nil)
		p.do(Event{Kind: ProbeDone, Target: 1, RTT: 40 * time.Millisecond})
		p.until(p.now + 200*time.Millisecond)
	}
	p.remote = func(a Action) (time.Duration, Event) {
		if a.Target == 0 { // it hangs
			return time.Millisecond, Event{Kind: RemoteFailed, At: 5 * time.Second, Error: "deadline exceeded"}
		}
		return answers(a)
	}
	ref := p.arrive(nil)
	p.until(p.now + 10*time.Second)
	r := p.outcome(ref).Record
	if r.Route != "peer" || !r.DeadlineMet || len(r.Attempts) != 2 {
		t.Errorf("answered by %q, in time %v, with %+v; want the peer in time", r.Route, r.DeadlineMet, r.Attempts)
	}
}

// A target that nothing was heard of is shown by a task whether it works.
func TestSilentTargetIsExplored(t *testing.T) {
	c := testConfig()
	c.Probing.IntervalMin, c.Probing.IntervalMax = time.Minute, time.Minute
	c.Settings.Tuning.Margin = 10 // nothing is worth sending
	p := newPlant(t, c)
	p.link(30 * time.Millisecond)
	first := p.arrive(nil)
	p.until(2 * time.Second)
	second := p.arrive(nil)
	p.until(p.now + 300*time.Millisecond)
	third := p.arrive(nil)
	p.until(p.now + time.Second)
	if r := p.outcome(first).Record; r.Decided != Local {
		t.Errorf("the first was sent to %s: %s", r.Decided, r.Why)
	}
	if r := p.outcome(second).Record; r.Decided != "cloud" || r.Settled.Term != Explores || !r.DeadlineMet {
		t.Errorf("the second: %s because %q, want the cloud to be explored", r.Decided, r.Why)
	}
	if r := p.outcome(third).Record; r.Decided != Local {
		t.Errorf("the third was sent to %s although the second one was answered: %s", r.Decided, r.Why)
	}
}

// While more arrives than the box can do, smaller models keep a reserve, and nothing is shed.
func TestOverloadedBoxRunsSmallerModels(t *testing.T) {
	c := testConfig()
	c.Targets, c.Settings.Policy = nil, PolicyLocal
	c.Models[0].Local = []Variant{
		{Name: "full/1", Accuracy: .8, Service: 22 * time.Millisecond}, {Name: "tiny/1", Accuracy: .65, Service: 9 * time.Millisecond},
	}
	p := newPlant(t, c)
	p.local = func(a Action) Event {
		took := 22 * time.Millisecond
		if a.Variant == "tiny/1" {
			took = 9 * time.Millisecond
		}
		return Event{Answer: &Answer{Model: a.Variant}, Execution: took}
	}
	for range 300 { // 60 a second: a third more than fits
		p.arrive(func(t *Task) { t.Deadline = t.Created.Add(100 * time.Millisecond) })
		p.until(p.now + time.Second/60)
	}
	p.until(p.now + time.Second)
	full, missed := 0, 0
	for ref := uint64(1); ref <= p.refs; ref++ {
		switch o := p.outcome(ref); {
		case !o.Record.DeadlineMet:
			missed++
		case o.Answer.Model == "full/1":
			full++
		}
	}
	if missed > 0 || full < 60 {
		t.Errorf("of 300 tasks %d missed their deadline and %d ran with the full model; want none, and a fifth and more", missed, full)
	}
}
