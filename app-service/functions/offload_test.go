// SPDX-License-Identifier: Apache-2.0

package functions

import (
	"context"
	"fmt"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"edgex-offload/offload"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// engineFunc is an Engine.
type engineFunc func(ctx context.Context, task offload.Task) offload.Outcome

func (f engineFunc) Do(ctx context.Context, task offload.Task) offload.Outcome { return f(ctx, task) }

func jobs(n int) []Job {
	all := make([]Job, n)
	for i := range all {
		all[i] = Job{Task: offload.Task{ID: fmt.Sprint(i)}, From: Origin{Device: fmt.Sprint(i)}}
	}
	return all
}

// All jobs of an event are under way at once, and the results keep their order.
func TestOffloadRunsTheJobsOfAnEventTogether(t *testing.T) {
	const n = 5
	var together sync.WaitGroup
	together.Add(n)
	engine := engineFunc(func(_ context.Context, task offload.Task) offload.Outcome {
		together.Done()
		together.Wait() // blocks for ever unless all n came
		return offload.Outcome{Answer: &offload.Answer{Label: task.ID}}
	})
	var mu sync.Mutex
	seen := 0
	more, data := Offload(t.Context(), engine, nil, func(Result) { mu.Lock(); seen++; mu.Unlock() })(testContext(), jobs(n))
	require.True(t, more)
	require.Equal(t, n, seen)
	for i, r := range data.([]Result) {
		require.Equal(t, fmt.Sprint(i), r.Outcome.Answer.Label)
		require.Equal(t, fmt.Sprint(i), r.From.Device)
	}
}

// cascadesFunc are Cascades.
type cascadesFunc func(name string, task offload.Task) offload.Outcome

func (f cascadesFunc) Do(_ context.Context, name string, task offload.Task) offload.Outcome {
	return f(name, task)
}

func TestOffloadGivesACascadeItsPictures(t *testing.T) {
	engine := engineFunc(func(context.Context, offload.Task) offload.Outcome {
		return offload.Outcome{Answer: &offload.Answer{Label: "engine"}}
	})
	cascades := cascadesFunc(func(name string, task offload.Task) offload.Outcome {
		return offload.Outcome{Answer: &offload.Answer{Label: name + " " + task.ID}}
	})
	both := jobs(2)
	both[1].Cascade = "people"
	_, data := Offload(t.Context(), engine, cascades)(testContext(), both)
	require.Equal(t, "engine", data.([]Result)[0].Outcome.Answer.Label)
	require.Equal(t, "people 1", data.([]Result)[1].Outcome.Answer.Label)
}

func TestOffloadTellsTheSuperseded(t *testing.T) {
	engine := engineFunc(func(context.Context, offload.Task) offload.Outcome {
		return offload.Outcome{Reason: offload.Superseded}
	})
	more, data := Offload(t.Context(), engine, nil)(testContext(), jobs(1))
	require.True(t, more)
	require.Equal(t, offload.Superseded, data.([]Result)[0].Outcome.Reason)
}

func TestOffloadEndsWithItsContext(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	engine := engineFunc(func(ctx context.Context, _ offload.Task) offload.Outcome {
		cancel()
		<-ctx.Done()
		return offload.Outcome{Reason: offload.Stopped}
	})
	_, data := Offload(ctx, engine, nil)(testContext(), jobs(3))
	for _, r := range data.([]Result) {
		require.Equal(t, offload.Stopped, r.Outcome.Reason)
	}
}

func TestOffloadRefusesOtherData(t *testing.T) {
	more, data := Offload(t.Context(), nil, nil)(testContext(), "text")
	require.False(t, more)
	require.ErrorContains(t, data.(error), "Offload got string: allowed is []functions.Job")
	more, data = Offload(t.Context(), nil, nil)(testContext(), []Job{})
	require.True(t, more)
	require.Empty(t, data)
}
