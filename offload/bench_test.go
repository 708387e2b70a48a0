// SPDX-License-Identifier: Apache-2.0

package offload

import (
	"testing"
	"time"
)

// BenchmarkTask is a task's whole way through the engine: arrival with its decision, local
// run, outcome and record.
func BenchmarkTask(b *testing.B) {
	e, err := NewEngine(testConfig())
	if err != nil {
		b.Fatal(err)
	}
	e.Handle(Event{Kind: ProbeDone, At: 1, RTT: 200 * time.Millisecond})
	task := &Task{Model: testModel, Source: "camera/Frame", Payload: make([]byte, 60_000), Created: testEpoch, Deadline: testEpoch.Add(1000 * time.Hour)}
	answer := &Answer{Label: "good"}
	b.ReportAllocs()
	for i := 0; b.Loop(); i++ {
		at := time.Duration(i) * time.Millisecond
		var attempt uint64
		for _, a := range e.Handle(Event{Kind: TaskArrived, At: at, Ref: uint64(i), Task: task}) {
			if a.Kind == StartLocal {
				attempt = a.Attempt
			}
		}
		e.Handle(Event{Kind: LocalDone, At: at, Attempt: attempt, Answer: answer, Execution: time.Millisecond})
	}
}
