// SPDX-License-Identifier: Apache-2.0

package twincheck

import (
	"math"
	"testing"

	"github.com/stretchr/testify/assert"
	"pgregory.net/rapid"

	"edgex-offload/twin"
)

// results are n tasks of which those in [from, to) were missed.
func results(n, from, to int) []twin.TaskResult {
	all := make([]twin.TaskResult, n)
	for i := range all {
		all[i].InTime = i < from || i >= to
	}
	return all
}

func TestVerdict(t *testing.T) {
	for name, c := range map[string]struct {
		live, virtual []twin.TaskResult
		want          Verdict
	}{
		"none missed":        {results(100, 0, 0), results(100, 0, 0), Verdict{Agree: true}},
		"the same missed":    {results(100, 0, 50), results(100, 0, 50), Verdict{Agree: true, StandardError: math.Sqrt(.5 / 100)}},
		"a point apart":      {results(100, 0, 1), results(100, 0, 0), Verdict{Difference: .01, Agree: true, StandardError: math.Sqrt(.01 * .99 / 100), OnlyLive: 1}},
		"more than a point":  {results(100, 0, 0), results(100, 0, 2), Verdict{Difference: -.02, StandardError: math.Sqrt(.02 * .98 / 100), OnlyTwin: 2}},
		"others, as many":    {results(100, 0, 10), results(100, 10, 20), Verdict{Agree: true, StandardError: math.Sqrt(.18 / 100), OnlyLive: 10, OnlyTwin: 10}},
		"no task at all":     {nil, nil, Verdict{Agree: true}},
		"all against no one": {results(10, 0, 10), results(10, 0, 0), Verdict{Difference: 1, OnlyLive: 10}},
	} {
		t.Run(name, func(t *testing.T) {
			got := newVerdict(c.live, c.virtual)
			assert.InDelta(t, c.want.Difference, got.Difference, 1e-12)
			assert.InDelta(t, c.want.StandardError, got.StandardError, 1e-12)
			got.Difference, got.StandardError, c.want.Difference, c.want.StandardError = 0, 0, 0, 0
			assert.Equal(t, c.want, got)
		})
	}
}

func TestVerdictIsFairToBothSides(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		n := rapid.IntRange(1, 300).Draw(t, "tasks")
		draw := func(side string) []twin.TaskResult {
			all := make([]twin.TaskResult, n)
			for i := range all {
				all[i].InTime = rapid.Bool().Draw(t, side)
			}
			return all
		}
		live, virtual := draw("live"), draw("twin")
		there, back := newVerdict(live, virtual), newVerdict(virtual, live)
		if there.Difference != -back.Difference || there.StandardError != back.StandardError || there.Agree != back.Agree ||
			there.OnlyLive != back.OnlyTwin || there.OnlyTwin != back.OnlyLive {
			t.Fatalf("%+v against %+v", there, back)
		}
		if got := float64(there.OnlyLive-there.OnlyTwin) / float64(n); math.Abs(got-there.Difference) > 1e-9 {
			t.Fatalf("difference %v, by tasks %v", there.Difference, got)
		}
	})
}
