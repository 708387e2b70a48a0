// SPDX-License-Identifier: Apache-2.0

package twincheck

import (
	"context"
	"fmt"
	"strconv"
	"strings"
	"time"

	"edgex-offload/offload"
	"edgex-offload/remote"
	"edgex-offload/twin"
)

// clock is a testbed.Clock, or a test's.
type clock interface {
	Now() time.Duration
	Sleep(ctx context.Context, until time.Duration) bool
}

// box runs tasks for as long as the twin has drawn.
type box struct {
	work  *twin.Work
	clock clock
	ran   func(time.Duration) // hears of each run that was not ended early
}

// Infer returns after the task's time, or when ctx has ended at the next border of a chunk
// of the run.
func (b *box) Infer(ctx context.Context, variant string, task offload.Task) (offload.Answer, error) {
	i, err := number(b.work, task)
	if err != nil {
		return offload.Answer{}, err
	}
	started := b.clock.Now()
	takes, chunks := b.work.Local(i, variant, started), b.work.Scenario().Chunks
	for chunk := 1; chunk <= chunks; chunk++ {
		b.clock.Sleep(context.WithoutCancel(ctx), started+takes*time.Duration(chunk)/time.Duration(chunks))
		if chunk < chunks && ctx.Err() != nil {
			return offload.Answer{}, ctx.Err()
		}
	}
	b.ran(takes)
	return offload.Answer{Label: "ok", Confidence: 1, Model: variant}, nil
}

// cloud answers after as long as the twin has drawn, with as many bytes as the twin's does.
type cloud struct {
	work   *twin.Work
	clock  clock
	answer offload.Answer
}

// framing is what gRPC, HTTP/2, TCP and IP add to an answer's output, about.
const framing = 300

func newCloud(work *twin.Work, clock clock) *cloud {
	return &cloud{work: work, clock: clock, answer: answerOf(work.Scenario().Wire.Answer - framing)}
}

// answerOf is one of so many bytes as JSON, about.
func answerOf(bytes int) offload.Answer {
	const fields, most = 75, 200 // of an object beside its label, and its label
	a := offload.Answer{Label: "ok", Confidence: 1, Model: "cloud"}
	for left := bytes - fields; left > fields; left -= fields + most {
		label := strings.Repeat("x", max(1, min(left-fields, most)))
		a.Objects = append(a.Objects, offload.Object{Label: label, Confidence: .9, X: 100.5, Y: 200.5, W: 30.25, H: 40.75})
	}
	return a
}

func (c *cloud) InferModel(ctx context.Context, task offload.Task) (offload.Answer, error) {
	i, err := number(c.work, task)
	if err != nil {
		return offload.Answer{}, fmt.Errorf("%w: %w", remote.ErrBadInput, err)
	}
	arrived := c.clock.Now()
	if !c.clock.Sleep(ctx, arrived+c.work.Remote(i, 0, arrived)) {
		return offload.Answer{}, ctx.Err()
	}
	return c.answer, nil
}

// number is a task's among the work's, from its ID.
func number(work *twin.Work, task offload.Task) (int, error) {
	i, err := strconv.Atoi(task.ID)
	if err != nil || i < 0 || i >= len(work.Tasks) {
		return 0, fmt.Errorf("task ID %q: allowed is 0 to %d", task.ID, len(work.Tasks)-1)
	}
	return i, nil
}
