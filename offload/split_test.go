// SPDX-License-Identifier: Apache-2.0

package offload

import (
	"strings"
	"testing"
	"time"
)

// testSplits are an early cut, with much to send, and a late one.
func testSplits() []Split {
	return []Split{
		{Name: "surface-early-head/1", Tail: "surface-early-tail/1", Accuracy: .95, Service: 4 * time.Millisecond, TailService: 12 * time.Millisecond, FeatureBytes: 12_000},
		{Name: "surface-late-head/1", Tail: "surface-late-tail/1", Accuracy: .95, Service: 15 * time.Millisecond, TailService: 3 * time.Millisecond, FeatureBytes: 2_000},
	}
}

// splitPlant has 5 Mbit/s, and a box whose heads give what was measured of them.
func splitPlant(t *testing.T, mod func(*Config)) *plant {
	t.Helper()
	c := testConfig()
	c.Models[0].Splits = testSplits()
	if mod != nil {
		mod(&c)
	}
	p := newPlant(t, c)
	whole := p.local
	p.local = func(a Action) Event {
		for _, s := range testSplits() {
			if s.Name == a.Variant {
				return Event{Answer: &Answer{Features: make([]byte, s.FeatureBytes), Model: s.Name}, Execution: s.Service}
			}
		}
		return whole(a)
	}
	p.link(30 * time.Millisecond)
	p.until(100 * time.Millisecond)
	return p
}

// raw is a frame of 400 KB: 640 ms on the uplink.
func raw(task *Task) {
	task.Payload = make([]byte, 400_000)
	task.Context = map[string]string{"content-type": "image/png", "line": "7"}
}

func TestASplitIsTakenWhereItWins(t *testing.T) {
	p := splitPlant(t, nil)
	var sent *Task
	remote := p.remote
	p.remote = func(a Action) (time.Duration, Event) { sent = a.Task; return remote(a) }
	ref := p.arrive(raw)
	p.until(time.Second)
	r := p.outcome(ref).Record
	if r.Decided != "cloud" || r.Route != "cloud" || !r.DeadlineMet || len(r.Attempts) < 2 {
		t.Fatalf("decided %q, route %q, in time %v, %+v: %s", r.Decided, r.Route, r.DeadlineMet, r.Attempts, r.Why)
	}
	head, rest := r.Attempts[0], r.Attempts[1]
	if head.Target != Local || head.Variant != "surface-late-head/1" || head.Why != "head" || head.Result != "ok" {
		t.Errorf("head %+v", head)
	}
	if rest.Target != "cloud" || rest.Variant != "surface-late-tail/1" || rest.Bytes != 2_000 || rest.Result != "ok" {
		t.Errorf("rest %+v", rest)
	}
	if sent.Model != "surface-late-tail/1" || len(sent.Payload) != 2_000 || sent.Context["content-type"] != FeaturesType || sent.Context["line"] != "7" {
		t.Errorf("sent %d bytes for %q with %v", len(sent.Payload), sent.Model, sent.Context)
	}
	v := r.path("cloud")
	if v.Variant != "surface-late-head/1" || !within5ms(v.HeadMs, 15) {
		t.Errorf("path %+v", v)
	}
	if sum := v.HeadMs + v.WaitMs + v.TransferMs + v.RTTMs + v.ServiceMs + v.MarginMs; !within5ms(sum, v.ExpectedMs) {
		t.Errorf("terms of %.1f ms, expected %.1f", sum, v.ExpectedMs)
	}
	if text := Explain(&r); !strings.Contains(text, "surface-late-head/1") || !strings.Contains(text, "head 15.0") {
		t.Error(text)
	}
}

func TestASmallPayloadGoesAsItIs(t *testing.T) {
	p := splitPlant(t, nil)
	ref := p.arrive(func(task *Task) { task.Payload = make([]byte, 1000) })
	p.until(time.Second)
	if r := p.outcome(ref).Record; r.Route != "cloud" || r.path("cloud").Variant != "" || r.Attempts[0].Target != "cloud" {
		t.Errorf("route %q, %+v", r.Route, r.Attempts)
	}
}

// The plant itself fails the test if such a task is sent as it is.
func TestAFrameThatMayNotLeaveAsItIs(t *testing.T) {
	small := func(task *Task) { task.FeaturesOnly = true }
	p := splitPlant(t, nil)
	ref := p.arrive(small)
	p.until(time.Second)
	if r := p.outcome(ref).Record; r.Route != "cloud" || r.Attempts[0].Why != "head" || !r.FeaturesOnly {
		t.Errorf("route %q, %+v", r.Route, r.Attempts)
	}

	p = splitPlant(t, func(c *Config) { c.Models[0].Splits = nil })
	ref = p.arrive(small)
	p.until(time.Second)
	if r := p.outcome(ref).Record; r.Route != Local || r.path("cloud").Block.What != FeaturesOnly {
		t.Errorf("without a head: route %q, %+v", r.Route, r.Paths)
	}

	p = splitPlant(t, func(c *Config) { c.Models[0].Splits, c.Models[0].Local = nil, nil })
	ref = p.arrive(small)
	p.until(time.Second)
	if o := p.outcome(ref); o.Reason != NoPath || !strings.Contains(o.Record.Error, "as features alone") {
		t.Errorf("without any: %q (%s)", o.Reason, o.Record.Error)
	}

	p = splitPlant(t, func(c *Config) { c.Models[0].Local = nil })
	ref = p.arrive(func(task *Task) { task.Private = true })
	p.until(time.Second)
	if o := p.outcome(ref); o.Reason != NoPath {
		t.Errorf("a private task goes nowhere, not as features either: %q by %q", o.Reason, o.Record.Route)
	}
}

func TestAHeadThatFailsIsReplacedByAWholeRun(t *testing.T) {
	for name, fail := range map[string]Event{
		"fails":             {Error: "out of memory", Execution: 5 * time.Millisecond},
		"gives no features": {Answer: &Answer{Label: "good"}, Execution: 5 * time.Millisecond},
	} {
		p := splitPlant(t, nil)
		local := p.local
		p.local = func(a Action) Event {
			if strings.Contains(a.Variant, "head") {
				return fail
			}
			return local(a)
		}
		ref := p.arrive(raw)
		p.until(time.Second)
		r := p.outcome(ref).Record
		if r.Route != Local || !r.DeadlineMet || r.Attempts[0].Result != "failed" || r.Attempts[1].Variant != "surface-small/1" {
			t.Errorf("%s: route %q, %+v", name, r.Route, r.Attempts)
		}
	}
}

// The cloud goes away while the head runs: the box runs the whole model then.
func TestFeaturesThatCannotGoOnAreForgotten(t *testing.T) {
	p := splitPlant(t, nil)
	p.probe = nil
	ref := p.arrive(raw)
	p.do(Event{Kind: ProbeFailed, Error: "connection refused"})
	for range 5 {
		p.do(Event{Kind: ProbeLost})
	}
	p.engine.targets[0].failed(p.now, time.Minute, "connection refused")
	p.until(p.now + time.Second)
	r := p.outcome(ref).Record
	if r.Route != Local || !r.DeadlineMet || len(r.Attempts) != 2 || r.Attempts[1].Variant != "surface-small/1" {
		t.Errorf("route %q, %+v (%s)", r.Route, r.Attempts, r.Error)
	}
}

// A target without the tail says so once, and gets the payload from then on, or nothing.
func TestATargetWithoutTheTail(t *testing.T) {
	p := splitPlant(t, nil)
	remote, refused := p.remote, 0
	p.remote = func(a Action) (time.Duration, Event) {
		if strings.Contains(a.Task.Model, "tail") {
			refused++
			return 0, Event{Kind: RemoteRefused, At: 30 * time.Millisecond, Error: "no such model", Lasting: true}
		}
		return remote(a)
	}
	for range 6 {
		ref := p.arrive(raw)
		p.until(p.now + 150*time.Millisecond)
		if o := p.outcome(ref); o.Answer == nil || !o.Record.DeadlineMet {
			t.Errorf("%q, %+v", o.Reason, o.Record.Attempts)
		}
	}
	if refused > 2 {
		t.Errorf("refused %d times within a second: it should be asked once for each tail", refused)
	}
}

// A target that lacks the tail was told of as "no head of its model is ready".
func TestWhyFeaturesStayIsTheTargetsReason(t *testing.T) {
	p := splitPlant(t, nil)
	p.remote = func(Action) (time.Duration, Event) {
		return 0, Event{Kind: RemoteRefused, At: 30 * time.Millisecond, Error: "no such model", Lasting: true}
	}
	var r Record
	for range 4 { // one for each tail, and one more
		ref := p.arrive(func(task *Task) { raw(task); task.FeaturesOnly = true })
		p.until(p.now + 150*time.Millisecond)
		r = p.outcome(ref).Record
	}
	if block := r.Paths[1].Block; block.What != Refused || !strings.Contains(block.Text, "tail") {
		t.Errorf("%+v", block)
	}
}

func TestAHeadThatIsGoneBeforeItRan(t *testing.T) {
	p := splitPlant(t, nil)
	blocker := p.arrive(func(task *Task) { task.Private, task.Priority = true, Critical })
	ref := p.arrive(raw)
	models := testConfig().Models
	p.do(Event{Kind: ModelsChanged, Models: models})
	p.until(time.Second)
	if r := p.outcome(ref).Record; r.Route != Local || r.Attempts[0].Variant != "surface-small/1" {
		t.Errorf("route %q, %+v", r.Route, r.Attempts)
	}
	if r := p.outcome(blocker).Record; r.Route != Local {
		t.Error(r.Route)
	}
}

// A head that is told to stop for a more urgent run may be done before it does.
func TestAHeadThatIsDoneAlthoughItWasToldToStop(t *testing.T) {
	p := splitPlant(t, nil)
	ref := p.arrive(raw)
	j := p.engine.byRef[ref]
	if j.running() == nil || !j.heading() {
		t.Fatal("the head does not run")
	}
	p.engine.stop(j.running())
	p.engine.queueLocal(j)
	p.until(p.now + time.Second)
	if r := p.outcome(ref).Record; r.Route != "cloud" || len(p.engine.box.queue) != 0 {
		t.Errorf("route %q, %+v, %d wait", r.Route, r.Attempts, len(p.engine.box.queue))
	}
}

// nothingLeft are the models of a box that has the tested one no more.
func nothingLeft() Event {
	return Event{Kind: ModelsChanged, Models: []Model{{Name: testModel, Remote: RemoteModel{Accuracy: .95}}}}
}

// A task whose head waits must not wait for a model that has gone; no deadline would end it.
func TestAHeadThatIsGoneWithItsModel(t *testing.T) {
	p := splitPlant(t, nil)
	p.arrive(func(task *Task) { task.Private, task.Priority = true, Critical })
	ref := p.arrive(func(task *Task) { task.FeaturesOnly, task.Deadline = true, time.Time{} })
	if !p.engine.byRef[ref].heading() || !p.engine.byRef[ref].waiting {
		t.Fatal("its head does not wait")
	}
	p.do(nothingLeft())
	if o := p.outcome(ref); o.Reason != Failed || !strings.Contains(o.Record.Error, "no longer on the box") {
		t.Errorf("%q (%s), %+v", o.Reason, o.Record.Error, o.Record.Attempts)
	}
}

// Models change whenever one is loaded or unloaded: a head that is there still goes on.
func TestAHeadThatIsThereStillAfterAChangeOfModels(t *testing.T) {
	p := splitPlant(t, nil)
	ref := p.arrive(raw)
	p.do(Event{Kind: ModelsChanged, Models: p.config.Models})
	p.until(p.now + time.Second)
	if r := p.outcome(ref).Record; r.Route != "cloud" || r.Attempts[1].Variant != "surface-late-tail/1" {
		t.Errorf("route %q, %+v", r.Route, r.Attempts)
	}
}

// What the policies that learn choose is what happens: the whole runs beside the features.
func TestBothWithASplit(t *testing.T) {
	p := splitPlant(t, func(c *Config) { c.Settings.Policy, c.Network = PolicyDQN, prefers(ActBoth) })
	ref := p.arrive(func(task *Task) { task.FeaturesOnly = true })
	p.until(p.now + time.Second)
	r := p.outcome(ref).Record
	if a := r.Attempts; len(a) != 3 || a[0].Why != "head" || a[2].Why != "backup" || a[1].StartedMs != a[2].StartedMs {
		t.Errorf("%+v, want a head, its features and a backup at once", a)
	}
}

// A head's joules are in those that its path promised, and count once in a reward.
func TestAHeadIsPaidForOnce(t *testing.T) {
	p := splitPlant(t, nil)
	ref := p.arrive(raw)
	j := p.engine.byRef[ref]
	var spent spending
	remote := p.remote
	p.remote = func(a Action) (time.Duration, Event) { spent = p.engine.spent(j); return remote(a) }
	p.until(p.now + 20*time.Millisecond)
	if want := j.record.Paths[1].Joules; want == 0 || spent.joules < .9*want || spent.joules > 1.1*want {
		t.Errorf("%.3f J were spent, the path said %.3f", spent.joules, want)
	}
}

// A run that was stopped for a more urgent one has nothing to run again if its model went.
func TestARunThatIsStoppedAfterItsModelWent(t *testing.T) {
	c := testConfig()
	c.Models = append(c.Models, otherModel())
	p := newPlant(t, c)
	p.obeys = true
	p.local = func(a Action) Event {
		return Event{Answer: &Answer{Label: "good"}, Execution: map[string]time.Duration{"surface-small/1": 200 * time.Millisecond}[a.Variant] + 10*time.Millisecond}
	}
	low := p.arrive(func(task *Task) { task.Private, task.Priority, task.Deadline = true, Low, time.Time{} })
	p.do(Event{Kind: ModelsChanged, Models: []Model{otherModel()}})
	p.engine.box.running[0].expected, p.engine.box.running[0].whole = 200*time.Millisecond, 200*time.Millisecond
	urgent := func() uint64 {
		return p.arrive(func(task *Task) {
			task.Private, task.Model, task.Priority, task.Deadline = true, "other", Critical, task.Created.Add(50*time.Millisecond)
		})
	}
	first, second := urgent(), urgent() // the second one is decided while the first one waits
	p.until(p.now + time.Second)
	for _, ref := range []uint64{first, second} {
		if r := p.outcome(ref).Record; !r.DeadlineMet {
			t.Errorf("task %d: %q, %+v", ref, r.Reason, r.Attempts)
		}
	}
	if o := p.outcome(low); o.Reason != Failed || !strings.Contains(o.Record.Error, "model") {
		t.Errorf("%q (%s), %+v", o.Reason, o.Record.Error, o.Record.Attempts)
	}
}
