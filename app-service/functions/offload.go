// SPDX-License-Identifier: Apache-2.0

package functions

import (
	"context"
	"fmt"
	"sync"

	"github.com/edgexfoundry/app-functions-sdk-go/v3/pkg/interfaces"

	"edgex-offload/offload"
)

// Engine decides and runs one task; *runner.Runner is one. Do blocks until the task
// ended, in exactly one outcome, and may be called by many goroutines.
type Engine interface {
	Do(ctx context.Context, task offload.Task) offload.Outcome
}

// Cascades run a picture through the cascade of a name; *cascade.Set is one. Do blocks until
// it ended, in exactly one outcome, and may be called by many goroutines.
type Cascades interface {
	Do(ctx context.Context, name string, task offload.Task) offload.Outcome
}

// Offload returns a pipeline function that takes a []Job, has engine run each, or cascades
// those that ask for one, blocks until all have ended, and passes on a []Result in the same
// order. A job that a newer one of its source superseded ends at once, with that reason.
// Cancelling ctx ends what is under way; seen is told each result as it comes. cascades may
// be nil where no rule asks for one.
func Offload(ctx context.Context, engine Engine, cascades Cascades, seen ...func(Result)) interfaces.AppFunction {
	do := func(job Job) offload.Outcome {
		if job.Cascade != "" {
			return cascades.Do(ctx, job.Cascade, job.Task)
		}
		return engine.Do(ctx, job.Task)
	}
	run := func(job Job) Result {
		result := Result{From: job.From, Outcome: do(job)}
		for _, tell := range seen {
			tell(result)
		}
		return result
	}
	return func(_ interfaces.AppFunctionContext, data any) (bool, any) {
		jobs, ok := data.([]Job)
		if !ok {
			return false, fmt.Errorf("Offload got %T: allowed is []functions.Job, from DecodeEvent", data)
		}
		results := make([]Result, len(jobs))
		var rest sync.WaitGroup
		for i := range jobs[:max(len(jobs)-1, 0)] {
			rest.Go(func() { results[i] = run(jobs[i]) })
		}
		if last := len(jobs) - 1; last >= 0 { // most events have one: no goroutine for it
			results[last] = run(jobs[last])
		}
		rest.Wait()
		return true, results
	}
}
