// SPDX-License-Identifier: Apache-2.0

package offload

import (
	"strings"
	"testing"
	"time"
)

func within5ms(a, b float64) bool { return a-b < 5 && b-a < 5 }

func TestGoodLinkGoesToTheMoreAccurateCloud(t *testing.T) {
	p := newPlant(t, testConfig())
	p.link(30 * time.Millisecond)
	ref := p.arrive(nil)
	p.until(time.Second)
	o := p.outcome(ref)
	if o.Record.Route != "cloud" || !o.Record.DeadlineMet || !within5ms(o.Record.LatencyMs, 60) {
		t.Errorf("route %s after %.0f ms, want cloud after 60: %s", o.Record.Route, o.Record.LatencyMs, o.Record.Why)
	}
}

// costConfig is of a policy whose backups start at their latest useful time.
func costConfig() Config {
	c := testConfig()
	c.Settings.Policy = PolicyCost
	return c
}

func TestStalledCloudIsBackedUpInTime(t *testing.T) {
	p := newPlant(t, costConfig())
	p.link(30 * time.Millisecond)
	p.remote = func(Action) (time.Duration, Event) {
		return time.Millisecond, Event{Kind: RemoteFailed, At: 5 * time.Second, Error: "deadline exceeded"}
	}
	ref := p.arrive(nil)
	p.until(10 * time.Second)
	r := p.outcome(ref).Record
	if r.Decided != "cloud" || r.Route != Local || !r.DeadlineMet {
		t.Fatalf("decided %s, answered by %q, deadline met %v; want cloud, then local in time", r.Decided, r.Route, r.DeadlineMet)
	}
	if !within5ms(r.BackupAtMs, 269) || !within5ms(r.Attempts[1].StartedMs, 269) {
		t.Errorf("backup planned at %.0f ms, started at %.0f ms; want 300 - 1.3*20 - 5", r.BackupAtMs, r.Attempts[1].StartedMs)
	}
	if r.Attempts[0].Result != "cancelled" || r.Attempts[1].Why != "backup" {
		t.Errorf("attempts %+v", r.Attempts)
	}
}

func TestWithoutHedgeAStalledCloudExpires(t *testing.T) {
	c := testConfig()
	c.Settings.Hedge = false
	p := newPlant(t, c)
	p.link(30 * time.Millisecond)
	p.remote = func(Action) (time.Duration, Event) {
		return time.Millisecond, Event{Kind: RemoteFailed, At: 5 * time.Second, Error: "deadline exceeded"}
	}
	ref := p.arrive(nil)
	p.until(10 * time.Second)
	if o := p.outcome(ref); o.Reason != Expired || !within5ms(o.Record.LatencyMs, 400) {
		t.Errorf("reason %q after %.0f ms, want expired after deadline and grace", o.Reason, o.Record.LatencyMs)
	}
}

func TestUnreachableCloudFallsBackAndComesBackWithAProbe(t *testing.T) {
	c := costConfig()
	c.Settings.RetryTarget = time.Minute
	p := newPlant(t, c)
	p.link(30 * time.Millisecond)
	p.probe = func(Action) (time.Duration, Event) {
		return 0, Event{Kind: ProbeFailed, Error: "connection refused"}
	}
	reachable := p.remote
	p.remote = func(Action) (time.Duration, Event) {
		return 0, Event{Kind: RemoteFailed, At: time.Millisecond, Error: "connection refused"}
	}
	first := p.arrive(nil)
	p.until(time.Second)
	second := p.arrive(nil)
	p.until(2 * time.Second)
	p.remote = reachable
	p.do(Event{Kind: ProbeDone, RTT: 30 * time.Millisecond})
	third := p.arrive(nil)
	p.until(3 * time.Second)

	if r := p.outcome(first).Record; r.Route != Local || len(r.Attempts) != 2 || r.Attempts[1].Why != "fallback" {
		t.Errorf("first: %q with %+v, want local as fallback", r.Route, r.Attempts)
	}
	if r := p.outcome(second).Record; r.Decided != Local || !strings.Contains(r.Why, "connection refused") {
		t.Errorf("second decided %q because %q, want local because the connection was refused", r.Decided, r.Why)
	}
	if r := p.outcome(third).Record; r.Route != "cloud" {
		t.Errorf("third answered by %q, want cloud again: %s", r.Route, r.Why)
	}
}

func TestRefusedModelIsNotSentAgainAtOnce(t *testing.T) {
	c := testConfig()
	c.Models[0].Local = nil
	p := newPlant(t, c)
	p.link(30 * time.Millisecond)
	sends := 0
	p.remote = func(Action) (time.Duration, Event) {
		sends++
		return 0, Event{Kind: RemoteRefused, At: 30 * time.Millisecond, Error: "no such model", Lasting: true}
	}
	for range 30 {
		p.arrive(nil)
		p.until(p.now + 100*time.Millisecond)
	}
	if sends != 2 {
		t.Errorf("%d payloads in 3 s to a target that has not got the model, want one per RetryTarget: 2", sends)
	}
	if o := p.outcome(p.refs); o.Reason != NoPath || !strings.Contains(o.Record.Error, "refused model") {
		t.Errorf("%q (%s)", o.Reason, o.Record.Error)
	}
	if o := p.outcome(1); o.Reason != Failed || !strings.Contains(o.Record.Error, "cloud: no such model") {
		t.Errorf("%q (%s)", o.Reason, o.Record.Error)
	}
}

func TestNewestOfASourceWins(t *testing.T) {
	c := testConfig()
	c.Settings.Policy = PolicyLocal
	p := newPlant(t, c)
	same := func(task *Task) { task.Source = "camera/Frame" }
	running, waiting, newest := p.arrive(same), p.arrive(same), p.arrive(same)
	p.until(time.Second)
	if o := p.outcome(running); o.Answer == nil {
		t.Errorf("what runs already must not be superseded: %q", o.Reason)
	}
	if o := p.outcome(waiting); o.Reason != Superseded || !strings.Contains(o.Record.Error, "t3") {
		t.Errorf("reason %q (%s), want superseded by t3", o.Reason, o.Record.Error)
	}
	if o := p.outcome(newest); o.Answer == nil {
		t.Errorf("newest ended with %q", o.Reason)
	}
}

func TestWhatWaitsToBeSentRunsOnTheBoxWhenANewerOneComes(t *testing.T) {
	p := newPlant(t, costConfig())
	p.link(30 * time.Millisecond)
	p.remote = func(Action) (time.Duration, Event) { // the uplink stands still
		return time.Second, Event{Kind: RemoteFailed, At: 2 * time.Second, Error: "deadline exceeded"}
	}
	same := func(task *Task) { task.Source = "camera/Frame" }
	stuck, waits := p.arrive(same), p.arrive(same)
	p.until(10 * time.Millisecond)
	newest := p.arrive(same)
	p.until(time.Second)
	if r := p.outcome(waits).Record; r.Route != Local || !within5ms(r.LatencyMs, 30) || r.Attempts[0].Result != "cancelled" {
		t.Errorf("what waited ended with %q by %q after %.0f ms, want the box's answer after 30", r.Reason, r.Route, r.LatencyMs)
	}
	for _, ref := range []uint64{stuck, newest} {
		if r := p.outcome(ref).Record; r.Route != Local || !r.DeadlineMet {
			t.Errorf("task %d ended with %q by %q, want its backup's answer", ref, r.Reason, r.Route)
		}
	}
}

func TestLateDeliveredOlderFrameDoesNotDisplaceTheNewer(t *testing.T) {
	c := testConfig()
	c.Settings.Policy = PolicyLocal
	p := newPlant(t, c)
	p.arrive(nil) // occupies the worker
	p.until(10 * time.Millisecond)
	newer := p.arrive(func(t *Task) { t.Source = "camera/Frame" })
	older := p.arrive(func(t *Task) { t.Source, t.Created = "camera/Frame", t.Created.Add(-5*time.Millisecond) })
	p.until(time.Second)
	if o := p.outcome(older); o.Reason != Superseded {
		t.Errorf("the older frame ended with %q, want superseded", o.Reason)
	}
	if o := p.outcome(newer); o.Answer == nil {
		t.Errorf("the newer frame ended with %q", o.Reason)
	}
}

func TestCriticalGoesFirstUnlessItStillMakesItLater(t *testing.T) {
	c := testConfig()
	c.Settings.Policy = PolicyLocal
	p := newPlant(t, c)
	p.arrive(nil) // occupies the worker until 20 ms
	// 95 ms left: it makes it behind the low one, which would be late behind it.
	critical := p.arrive(func(t *Task) { t.Priority, t.Deadline = Critical, t.Created.Add(95*time.Millisecond) })
	low := p.arrive(func(t *Task) { t.Priority, t.Deadline = Low, t.Created.Add(50*time.Millisecond) })
	p.until(time.Second)
	if r := p.outcome(low).Record; !r.DeadlineMet || !within5ms(r.LatencyMs, 40) {
		t.Errorf("low: met %v after %.0f ms, want 40", r.DeadlineMet, r.LatencyMs)
	}
	if r := p.outcome(critical).Record; !r.DeadlineMet || !within5ms(r.LatencyMs, 60) {
		t.Errorf("critical: met %v after %.0f ms, want 60", r.DeadlineMet, r.LatencyMs)
	}

	p = newPlant(t, c)
	p.arrive(nil)
	critical = p.arrive(func(t *Task) { t.Priority, t.Deadline = Critical, t.Created.Add(45*time.Millisecond) })
	low = p.arrive(func(t *Task) { t.Priority, t.Deadline = Low, t.Created.Add(42*time.Millisecond) })
	p.until(time.Second)
	if r := p.outcome(critical).Record; !r.DeadlineMet {
		t.Errorf("critical missed its deadline behind a lower one")
	}
	if o := p.outcome(low); o.Reason != Shed {
		t.Errorf("low ended with %q, want shed", o.Reason)
	}
}

func TestFullQueueDropsTheLeastUrgent(t *testing.T) {
	c := testConfig()
	c.Settings.Policy, c.Settings.QueueLimit = PolicyLocal, 2
	p := newPlant(t, c)
	p.arrive(nil)
	low := p.arrive(func(t *Task) { t.Priority = Low })
	p.arrive(nil)
	p.arrive(func(t *Task) { t.Priority = Critical })
	if o := p.outcome(low); o.Reason != QueueFull {
		t.Errorf("low ended with %q, want queue_full", o.Reason)
	}
}

func TestBackupsThatFillTheQueueDropTheLeastUrgent(t *testing.T) {
	c := testConfig()
	c.Settings.QueueLimit = 1
	p := newPlant(t, c)
	p.link(30 * time.Millisecond)
	p.remote = func(Action) (time.Duration, Event) { // all hang
		return 0, Event{Kind: RemoteFailed, At: time.Second, Error: "deadline exceeded"}
	}
	p.local = func(Action) Event {
		return Event{Answer: &Answer{Label: "good"}, Execution: 200 * time.Millisecond}
	}
	var refs []uint64
	for range 4 { // their backups come due together
		refs = append(refs, p.arrive(func(t *Task) { t.Priority = Critical }))
	}
	local := c.Settings
	local.Policy = PolicyLocal
	p.until(150 * time.Millisecond)
	p.do(Event{Kind: SettingsChanged, Settings: &local})
	for range 2 { // one runs, one waits and is in the backups' way
		refs = append(refs, p.arrive(func(t *Task) { t.Priority, t.Deadline = Low, t.Created.Add(time.Second) }))
	}
	p.until(10 * time.Second)
	for _, ref := range refs {
		p.outcome(ref)
	}
}

func TestLateTaskIsRefusedAtOnce(t *testing.T) {
	p := newPlant(t, testConfig())
	p.until(time.Second)
	ref := p.arrive(func(t *Task) { t.Deadline = t.Created.Add(-30 * time.Millisecond) })
	if o := p.outcome(ref); o.Reason != Shed || !strings.Contains(o.Record.Error, "30 ms after its deadline") {
		t.Errorf("%q (%s)", o.Reason, o.Record.Error)
	}
}

func TestUnknownModelNamesEachPath(t *testing.T) {
	c := testConfig()
	c.Targets = nil
	p := newPlant(t, c)
	ref := p.arrive(func(t *Task) { t.Model = "weather" })
	if o := p.outcome(ref); o.Reason != NoPath || !strings.Contains(o.Record.Error, `model "weather": local: no model ready on the box`) {
		t.Errorf("%q (%s)", o.Reason, o.Record.Error)
	}
}

func TestFailedLocalRunGoesElsewhere(t *testing.T) {
	c := testConfig()
	c.Settings.Policy = PolicyThreshold // the link is not measured: local first
	p := newPlant(t, c)
	p.local = func(Action) Event { return Event{Execution: time.Millisecond, Error: "out of memory"} }
	ref := p.arrive(nil)
	p.until(time.Second)
	if r := p.outcome(ref).Record; r.Route != "cloud" || r.Attempts[0].Error != "out of memory" {
		t.Errorf("route %q, attempts %+v", r.Route, r.Attempts)
	}
}

// A model server that is gone takes its variant with it, and not those that run here.
func TestAVariantThatFailsIsReplacedByAnother(t *testing.T) {
	c := testConfig()
	c.Targets = nil
	c.Models[0].Local = append(c.Models[0].Local, Variant{Name: "surface-served/1", Accuracy: .93, Service: 20 * time.Millisecond})
	p := newPlant(t, c)
	runs := map[string]int{}
	p.local = func(a Action) Event {
		runs[a.Variant]++
		if a.Variant == "surface-served/1" {
			return Event{Execution: time.Millisecond, Error: "connection refused"}
		}
		return Event{Execution: 20 * time.Millisecond, Answer: &Answer{Label: "good"}}
	}
	ref := p.arrive(nil)
	p.until(time.Second)
	r := p.outcome(ref).Record
	if r.Route != Local || !r.DeadlineMet || len(r.Attempts) != 2 || r.Attempts[1].Variant != "surface-small/1" || r.Attempts[1].Why != "fallback" {
		t.Errorf("route %q, attempts %+v", r.Route, r.Attempts)
	}

	p.local = func(a Action) Event {
		runs[a.Variant]++
		return Event{Execution: time.Millisecond, Error: "out of memory"}
	}
	clear(runs)
	ref = p.arrive(nil)
	p.until(2 * time.Second)
	if o := p.outcome(ref); o.Reason != Failed || runs["surface-served/1"] != 1 || runs["surface-small/1"] != 1 {
		t.Errorf("%q after %v", o.Reason, runs)
	}
}

func TestOneSlowRunDoesNotEndLocalInference(t *testing.T) {
	c := testConfig()
	c.Targets = nil
	p := newPlant(t, c)
	takes := 2 * time.Second
	p.local = func(a Action) Event { return Event{Execution: takes, Answer: &Answer{Label: "good"}} }
	p.arrive(nil)
	p.until(3 * time.Second)
	takes = 10 * time.Millisecond
	met := 0
	for range 40 {
		ref := p.arrive(nil)
		p.until(p.now + time.Second)
		if p.outcome(ref).Record.DeadlineMet {
			met++
		}
	}
	if met < 25 {
		t.Errorf("%d of 40 tasks were in time after one slow run", met)
	}
}

func TestSmallerVariantWhereItAloneFits(t *testing.T) {
	c := testConfig()
	c.Targets = nil
	c.Models[0].Local = []Variant{
		{Name: "small", Accuracy: .8, Service: 10 * time.Millisecond},
		{Name: "large", Accuracy: .9, Service: 100 * time.Millisecond},
	}
	p := newPlant(t, c)
	p.local = func(a Action) Event {
		d := map[string]time.Duration{"small": 10 * time.Millisecond, "large": 100 * time.Millisecond}[a.Variant]
		return Event{Execution: d, Answer: &Answer{Label: "good", Model: a.Variant}}
	}
	long := p.arrive(nil)
	p.until(time.Second)
	short := p.arrive(func(t *Task) { t.Deadline = t.Created.Add(50 * time.Millisecond) })
	p.until(2 * time.Second)
	if a, b := p.outcome(long).Record.AnsweredBy, p.outcome(short).Record.AnsweredBy; a != "large" || b != "small" {
		t.Errorf("answered by %s and %s, want large with 300 ms and small with 50 ms", a, b)
	}
}

// A driver that says what the best variant takes, as package runner does, kept the smaller one
// from ever being tried.
func TestTimeOfTheBestVariantDoesNotHideASmallerOne(t *testing.T) {
	c := testConfig()
	c.Targets = nil
	c.Models[0].Local = []Variant{
		{Name: "large", Accuracy: .9, Service: 100 * time.Millisecond},
		{Name: "small", Accuracy: .8, Service: 10 * time.Millisecond},
	}
	p := newPlant(t, c)
	p.local = func(a Action) Event {
		return Event{Execution: 10 * time.Millisecond, Answer: &Answer{Label: "good", Model: a.Variant}}
	}
	short := p.arrive(func(t *Task) {
		t.Deadline = t.Created.Add(50 * time.Millisecond)
		t.ExpectedLocal = 100 * time.Millisecond
	})
	p.until(time.Second)
	if by := p.outcome(short).Record.AnsweredBy; by != "small" {
		t.Errorf("answered by %q, want small: it alone fits", by)
	}
}

func TestStopEndsEveryTask(t *testing.T) {
	p := newPlant(t, testConfig())
	var refs []uint64
	for range 20 {
		refs = append(refs, p.arrive(nil))
	}
	p.do(Event{Kind: Stop})
	refs = append(refs, p.arrive(nil))
	for _, ref := range refs {
		p.outcome(ref)
	}
	if o := p.outcome(refs[len(refs)-1]); o.Reason != Stopped {
		t.Errorf("a task after the stop ended with %q", o.Reason)
	}
}

func TestTruthScoresTheAnswer(t *testing.T) {
	p := newPlant(t, testConfig())
	right := p.arrive(func(t *Task) { t.Truth = "good" })
	wrong := p.arrive(func(t *Task) { t.Truth = "scratch" })
	none := p.arrive(nil)
	p.until(time.Second)
	if c := p.outcome(right).Record.Correct; c == nil || !*c {
		t.Errorf("right answer scored %v", c)
	}
	if c := p.outcome(wrong).Record.Correct; c == nil || *c {
		t.Errorf("wrong answer scored %v", c)
	}
	if c := p.outcome(none).Record.Correct; c != nil {
		t.Errorf("answer without a truth scored %v", *c)
	}
}
