// SPDX-License-Identifier: Apache-2.0

package remote

import (
	"context"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"edgex-offload/offload"
)

// Whatever comes: never more run than there are places nor wait than the limit, nobody
// waits while a place is free, each is decided once, and nobody runs before a more
// important one that waits.
func TestGateProperties(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		g := &gate{places: rapid.IntRange(1, 3).Draw(t, "places"), limit: rapid.IntRange(1, 4).Draw(t, "limit")}
		var waiting []*ticket
		runs := 0
		settle := func() { // who was decided meanwhile
			waiting = slices.DeleteFunc(waiting, func(u *ticket) bool {
				select {
				case err := <-u.admitted:
					if err == nil {
						runs++
					}
					return true
				default:
					return false
				}
			})
		}
		t.Repeat(map[string]func(*rapid.T){
			"arrive": func(t *rapid.T) {
				priority := offload.Priority(rapid.IntRange(0, 3).Draw(t, "priority"))
				var deadline time.Time
				if s := rapid.IntRange(0, 3).Draw(t, "deadline"); s > 0 {
					deadline = time.Unix(int64(s), 0)
				}
				ticket, err := g.queue(priority, deadline)
				switch {
				case ticket != nil:
					waiting = append(waiting, ticket)
				case err == nil:
					runs++
				default:
					require.ErrorIs(t, err, errNoRoom)
					for _, u := range waiting {
						require.GreaterOrEqual(t, u.priority, priority)
					}
				}
				settle()
			},
			"leave": func(t *rapid.T) {
				if runs == 0 {
					t.Skip("nobody runs")
				}
				first := slices.MinFunc(append(slices.Clone(waiting), &ticket{}), (*ticket).before)
				runs--
				g.leave()
				settle()
				if len(first.admitted) == 0 && first.number > 0 {
					require.NotContains(t, waiting, first, "the first in order runs next")
				}
			},
			"withdraw": func(t *rapid.T) {
				if len(waiting) == 0 {
					t.Skip("nobody waits")
				}
				at := rapid.IntRange(0, len(waiting)-1).Draw(t, "who")
				require.True(t, g.withdraw(waiting[at]))
				require.False(t, g.withdraw(waiting[at]), "once")
				waiting = slices.Delete(waiting, at, at+1)
			},
			"": func(t *rapid.T) {
				running, queued := g.load()
				require.Equal(t, runs, running)
				require.Equal(t, len(waiting), queued)
				require.LessOrEqual(t, running, g.places)
				require.LessOrEqual(t, queued, g.limit)
				require.True(t, queued == 0 || running == g.places, "nobody waits beside a free place")
				require.True(t, slices.IsSortedFunc(g.waiting, (*ticket).before))
			},
		})
	})
}

func TestGateGivesUpWithItsContext(t *testing.T) {
	g := &gate{places: 1, limit: 1}
	require.NoError(t, g.enter(t.Context(), offload.Low, time.Time{}))
	require.ErrorIs(t, g.enter(cancelled(), offload.Low, time.Time{}), errTooLate)
	g.leave()
	running, waiting := g.load()
	assert.Zero(t, running+waiting)
	require.NoError(t, g.enter(context.Background(), offload.Low, time.Time{}), "the place is free")
}

func TestServiceTimesAreTheFastestOfTheLastRuns(t *testing.T) {
	s := &serviceTimes{byModel: make(map[modelKey]*runs)}
	task := offload.Task{Model: "surface"}
	now := time.Unix(1000, 0)
	assert.Zero(t, s.atLeast(task, now), "unknown")
	s.learn(task, 5*time.Millisecond, now)
	s.learn(task, 9*time.Millisecond, now)
	assert.Equal(t, 5*time.Millisecond, s.atLeast(task, now))
	for range learnedRuns {
		s.learn(task, 7*time.Millisecond, now)
	}
	assert.Equal(t, 7*time.Millisecond, s.atLeast(task, now), "the fast one is long ago")
	later := now.Add(learnedFor + 1)
	assert.Zero(t, s.atLeast(task, later), "forgotten")
	s.learn(task, 20*time.Millisecond, later)
	assert.Equal(t, 20*time.Millisecond, s.atLeast(task, later), "a new start")

	for i := range 2 * learnedModels {
		s.learn(offload.Task{Model: string(rune(i))}, 1, now)
	}
	assert.Len(t, s.byModel, learnedModels, "names from outside take no more memory")
}
