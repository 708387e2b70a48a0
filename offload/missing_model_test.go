// SPDX-License-Identifier: Apache-2.0

package offload

import (
	"testing"
	"time"
)

// TestWithoutAModelOnTheBoxNothingWaitsForIt guards against a task that waited to be sent
// until its deadline and was then queued for a box that cannot run it.
func TestWithoutAModelOnTheBoxNothingWaitsForIt(t *testing.T) {
	c := testConfig()
	c.Models[0].Local = nil
	p := newPlant(t, c)
	p.until(2 * time.Second)                         // idle for long enough to explore
	p.remote = func(Action) (time.Duration, Event) { // takes the next payload after the deadline, within the grace
		return 350 * time.Millisecond, Event{Kind: RemoteFailed, At: time.Second, Error: "reset"}
	}
	first, second := p.arrive(nil), p.arrive(nil)
	p.until(5 * time.Second)
	for _, ref := range []uint64{first, second} {
		if o := p.outcome(ref); o.Reason != Expired {
			t.Errorf("task %d ended as %q, want %q", ref, o.Reason, Expired)
		}
	}
}

// TestModelThatGoesWhileATaskWaits guards the box against running a variant that is no more.
func TestModelThatGoesWhileATaskWaits(t *testing.T) {
	c := testConfig()
	c.Targets = nil
	p := newPlant(t, c)
	p.until(5 * time.Second) // idle for long enough to explore
	p.local = func(Action) Event { return Event{Answer: &Answer{Label: "good"}, Execution: 200 * time.Millisecond} }
	p.arrive(nil)
	waits := p.arrive(nil)
	p.do(Event{Kind: ModelsChanged})
	p.until(20 * time.Second)
	if o := p.outcome(waits); o.Answer != nil {
		t.Errorf("answered by a model that was gone: %+v", o.Answer)
	}
}
