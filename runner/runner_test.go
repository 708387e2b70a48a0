// SPDX-License-Identifier: Apache-2.0

package runner

import (
	"context"
	"errors"
	"strings"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	"edgex-offload/offload"
	"edgex-offload/remote"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// fakeLocal answers at once, or does what run says.
type fakeLocal struct {
	mu   sync.Mutex
	seen []offload.Task
	run  func(ctx context.Context) (offload.Answer, error)
}

func (f *fakeLocal) Infer(ctx context.Context, variant string, task offload.Task) (offload.Answer, error) {
	f.mu.Lock()
	f.seen = append(f.seen, task)
	f.mu.Unlock()
	if f.run != nil {
		return f.run(ctx)
	}
	return offload.Answer{Label: "good", Confidence: .9, Model: variant}, nil
}

// fakeRemote answers at once while reachable; probed gets a value per probe.
type fakeRemote struct {
	mu          sync.Mutex
	unreachable bool
	hang        bool
	seen        []offload.Task
	probed      chan struct{}
}

var errDown = &remote.Error{Class: remote.Unreachable, Reason: "connection refused"}

func (f *fakeRemote) Offload(ctx context.Context, task offload.Task, sent func()) (remote.Reply, error) {
	f.mu.Lock()
	down, hang := f.unreachable, f.hang
	f.seen = append(f.seen, task)
	f.mu.Unlock()
	if down {
		return remote.Reply{}, errDown
	}
	sent()
	if hang {
		<-ctx.Done()
		return remote.Reply{}, &remote.Error{Class: remote.Late, Reason: "deadline exceeded"}
	}
	return remote.Reply{Answer: offload.Answer{Label: "scratch", Model: "surface-large/1"}, ProcessedBy: "cloud-7", Execution: time.Microsecond}, nil
}

func (f *fakeRemote) Probe(ctx context.Context) (remote.ProbeReply, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	select {
	case f.probed <- struct{}{}:
	default:
	}
	if f.unreachable {
		return remote.ProbeReply{}, errDown
	}
	now := time.Now()
	return remote.ProbeReply{Received: now, Sent: now}, nil
}

func (f *fakeRemote) set(unreachable, hang bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.unreachable, f.hang = unreachable, hang
}

type bench struct {
	*Runner
	local  *fakeLocal
	remote *fakeRemote
}

// start runs a runner until the test ends.
func start(t *testing.T, mod func(*Options)) bench {
	t.Helper()
	b := bench{local: &fakeLocal{}, remote: &fakeRemote{probed: make(chan struct{}, 1)}}
	o := Options{
		Settings: offload.DefaultSettings(), Local: b.local, Targets: []Target{{Name: "cloud", Remote: b.remote}},
		Probing: quick(),
		Models: []offload.Model{{
			Name:  "surface",
			Local: []offload.Variant{{Name: "surface-small/1", Accuracy: .8}}, Remote: offload.RemoteModel{Accuracy: .95},
		}},
	}
	o.Settings.Weights.Accuracy = 1e6 // the cloud whenever it can be reached
	if mod != nil {
		mod(&o)
	}
	r, err := New(o)
	if err != nil {
		t.Fatal(err)
	}
	b.Runner = r
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- r.Run(ctx) }()
	t.Cleanup(func() {
		cancel()
		if err := <-ended; err != nil {
			t.Error(err)
		}
	})
	return b
}

// quick probes do not keep a test waiting.
func quick() offload.Probing {
	p := offload.DefaultProbing()
	p.IntervalMin, p.IntervalMax = 10*time.Millisecond, 10*time.Millisecond
	return p
}

func newTask(id string) offload.Task {
	now := time.Now()
	return offload.Task{
		ID: id, Source: id, Model: "surface", Payload: []byte("jpeg"), Created: now, Deadline: now.Add(time.Minute),
		Truth: "scratch", Context: map[string]string{"content-type": "image/jpeg"},
	}
}

// eventually waits for a condition that needs no luck, only time.
func eventually(t *testing.T, what string, is func() bool) {
	t.Helper()
	for end := time.Now().Add(30 * time.Second); !is(); time.Sleep(time.Millisecond) {
		if time.Now().After(end) {
			t.Fatal(what)
		}
	}
}

func (b bench) up() bool {
	s := b.Status().Targets[0]
	return s.Up && s.Probes > s.ProbesLost
}

func TestTaskGoesToTheCloudAndIsScored(t *testing.T) {
	b := start(t, nil)
	eventually(t, "no probe came back", b.up)
	o := b.Do(t.Context(), newTask("a"))
	r := o.Record
	if o.Answer == nil || r.Route != "cloud" || r.ProcessedBy != "cloud-7" || r.Correct == nil || !*r.Correct {
		t.Fatalf("%+v", o)
	}
	for _, task := range b.remote.seen {
		if task.Truth != "" {
			t.Error("the ground truth left the runner")
		}
	}
}

func TestTruthNeverReachesTheBoxsModel(t *testing.T) {
	b := start(t, func(o *Options) { o.Settings.Policy = offload.PolicyLocal })
	if o := b.Do(t.Context(), newTask("a")); o.Record.Route != offload.Local || *o.Record.Correct {
		t.Fatalf("%+v", o.Record)
	}
	if b.local.seen[0].Truth != "" {
		t.Error("the ground truth reached a model")
	}
}

func TestUnreachableCloudAndItsReturn(t *testing.T) {
	b := start(t, nil)
	b.remote.set(true, false)
	eventually(t, "the cloud is still up", func() bool { return !b.up() })
	if r := b.Do(t.Context(), newTask("a")).Record; r.Route != offload.Local {
		t.Errorf("answered by %q, want local", r.Route)
	}
	b.remote.set(false, false)
	eventually(t, "the cloud is still down", b.up)
	if r := b.Do(t.Context(), newTask("b")).Record; r.Route != "cloud" {
		t.Errorf("answered by %q, want cloud again (%s)", r.Route, r.Why)
	}
}

func TestHangingCloudIsBackedUp(t *testing.T) {
	b := start(t, nil)
	eventually(t, "no probe came back", b.up)
	b.remote.set(false, true)
	task := newTask("a")
	task.Deadline = task.Created.Add(300 * time.Millisecond)
	if o := b.Do(t.Context(), task); o.Answer == nil || o.Record.Route != offload.Local {
		t.Fatalf("%+v", o)
	}
}

func TestPanicIsTheTasksFailureAlone(t *testing.T) {
	b := start(t, func(o *Options) { o.Targets = nil })
	b.local.run = func(context.Context) (offload.Answer, error) { panic("index out of range") }
	if o := b.Do(t.Context(), newTask("a")); o.Reason != offload.Failed || !strings.Contains(o.Record.Error, "index out of range") {
		t.Fatalf("%+v", o)
	}
	b.local.run = nil
	if o := b.Do(t.Context(), newTask("b")); o.Answer == nil {
		t.Fatalf("the worker did not survive: %+v", o)
	}
}

func TestCallerThatGivesUpGetsAnOutcome(t *testing.T) {
	b := start(t, func(o *Options) { o.Targets = nil })
	started := make(chan struct{})
	b.local.run = func(ctx context.Context) (offload.Answer, error) {
		close(started)
		<-ctx.Done()
		return offload.Answer{}, ctx.Err()
	}
	ctx, cancel := context.WithCancel(t.Context())
	go func() { <-started; cancel() }()
	if o := b.Do(ctx, newTask("a")); o.Reason != offload.Stopped {
		t.Fatalf("%+v", o)
	}
}

func TestStopFinishesWhatIsUnderWay(t *testing.T) {
	local := &fakeLocal{}
	started := make(chan struct{}, 1)
	local.run = func(ctx context.Context) (offload.Answer, error) {
		started <- struct{}{}
		<-ctx.Done()
		return offload.Answer{}, ctx.Err()
	}
	r, err := New(Options{Settings: offload.DefaultSettings(), Local: local, Models: []offload.Model{{Name: "surface", Local: []offload.Variant{{Name: "v"}}}}})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- r.Run(ctx) }()
	outcomes := make(chan offload.Outcome, 5)
	for _, id := range []string{"a", "b", "c", "d", "e"} {
		go func() { outcomes <- r.Do(t.Context(), newTask(id)) }()
	}
	<-started
	eventually(t, "the tasks did not arrive", func() bool { return r.Status().Tasks.Arrived == 5 })
	cancel()
	for range 5 {
		if o := <-outcomes; o.Reason != offload.Stopped {
			t.Errorf("%q, want stopped", o.Reason)
		}
	}
	if err := <-ended; err != nil {
		t.Error(err)
	}
	if o := r.Do(t.Context(), newTask("late")); o.Reason != offload.Stopped {
		t.Errorf("a task after the end: %q", o.Reason)
	}
}

func TestManyCallersEachGetTheirOwn(t *testing.T) {
	b := start(t, func(o *Options) { o.Workers, o.Settings.QueueLimit, o.DecisionLog = 2, 1000, 50 })
	var all sync.WaitGroup
	for i := range 200 {
		all.Go(func() {
			id := string(rune('A'+i%26)) + time.Duration(i).String()
			if o := b.Do(t.Context(), newTask(id)); o.Record.TaskID != id {
				t.Errorf("%s got the outcome of %s", id, o.Record.TaskID)
			}
		})
	}
	all.Wait()
	s := b.Status()
	if s.Tasks.Finished != 200 || s.Tasks.Arrived != 200 || s.Tasks.UnderWay != 0 {
		t.Errorf("%+v", s.Tasks)
	}
	if last := b.Decisions(10, 0); len(last) != 10 || last[9].Seq != 200 {
		t.Errorf("the last 10 of 200 are %d, up to %d", len(last), last[len(last)-1].Seq)
	}
	if next := b.Decisions(1000, 160); len(next) != 40 || next[0].Seq != 161 {
		t.Errorf("after 160 come %d, want 40 from 161", len(next))
	}
	if lost := b.Decisions(1000, 3); len(lost) != 50 || lost[0].Seq != 151 {
		t.Errorf("of those after 3 only 50 are kept, got %d from %d", len(lost), lost[0].Seq)
	}
}

func TestBadSettingsChangeNothing(t *testing.T) {
	b := start(t, nil)
	s := offload.DefaultSettings()
	s.Policy = "fastest"
	if err := b.Configure(s); err == nil || !strings.Contains(err.Error(), `Policy "fastest"`) {
		t.Errorf("error %v", err)
	}
	if got := b.Status().Policy; got != offload.DefaultSettings().Policy {
		t.Errorf("policy is %q now", got)
	}
	s.Policy = offload.PolicyThreshold
	if err := b.Configure(s); err != nil || b.Status().Policy != offload.PolicyThreshold {
		t.Errorf("%v, policy %q", err, b.Status().Policy)
	}
}

func TestOptionsNameWhatIsWrong(t *testing.T) {
	if _, err := New(Options{}); err == nil || !strings.Contains(err.Error(), "Local is nil") {
		t.Errorf("error %v", err)
	}
	_, err := New(Options{Local: &fakeLocal{}, Settings: offload.DefaultSettings(), Probing: offload.Probing{IntervalMin: 1, IntervalMax: time.Second, Timeout: time.Hour}, DecisionLog: -1, Targets: []Target{{Name: "x"}}})
	for _, want := range []string{"Probing.IntervalMin 1ns", "Probing.Timeout 1h0m0s", "DecisionLog -1", `Targets "x" has no Remote`} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q is missing in: %v", want, err)
		}
	}
}

func TestWallClockOfTheTaskIsAnchored(t *testing.T) {
	b := start(t, func(o *Options) { o.Settings.Policy = offload.PolicyLocal })
	task := newTask("future")
	task.Created = task.Created.Add(time.Hour) // a camera whose clock is ahead
	if r := b.Do(t.Context(), task).Record; r.LatencyMs < 0 || r.LatencyMs > float64(time.Minute/time.Millisecond) {
		t.Errorf("latency %.0f ms of a task from the future", r.LatencyMs)
	}
}

func TestFailureTellsNoFromSilence(t *testing.T) {
	for err, want := range map[error]offload.EventKind{
		errDown: offload.RemoteFailed,
		&remote.Error{Class: remote.Late, Reason: "late"}:    offload.RemoteFailed,
		&remote.Error{Class: remote.Refused, Reason: "full"}: offload.RemoteRefused,
		&remote.Error{Class: remote.Failed, Reason: "bad"}:   offload.RemoteRefused,
		errors.New("unknown"):                                offload.RemoteFailed,
	} {
		if got := failure(err); got != want {
			t.Errorf("%v is %v, want %v", err, got, want)
		}
	}
}
