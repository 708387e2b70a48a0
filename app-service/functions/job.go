// SPDX-License-Identifier: Apache-2.0

package functions

import "edgex-offload/offload"

// Job is a task and the reading it was made of.
type Job struct {
	Task offload.Task
	// Cascade is what the task is to go through; "" for a task that the engine takes as it is.
	Cascade string
	From    Origin
}

// Origin says which reading a task was made of, for the event that carries its outcome.
type Origin struct {
	Profile, Device, Resource string
	// Seq and Captured are the reading's tags as they came, "" where it had none:
	// the source's own count and the capture time in nanoseconds since 1970.
	Seq, Captured string
}

// Result is how a job ended. The payload is not kept.
type Result struct {
	From    Origin
	Outcome offload.Outcome
}
