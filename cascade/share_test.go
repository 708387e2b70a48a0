// SPDX-License-Identifier: Apache-2.0

package cascade

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

// drawn is the text of a random cascade that is right: a decode stage, detectors of the picture,
// and below them crops, classifiers of those, detectors within them.
func drawn(t *rapid.T) string {
	type stage struct{ does, needs string }
	var stages []stage
	var detectors, crops []string
	name := func() string { return fmt.Sprintf("s%d", len(stages)) }
	add := func(does, needs string) string {
		n := name()
		stages = append(stages, stage{does, needs})
		return n
	}
	detectors = append(detectors, add(Detect, ""))
	needs := rapid.SampledFrom([]string{"", detectors[0]}).Draw(t, "lazy")
	picture := add(Decode, needs)
	for range rapid.IntRange(0, MaxStages-3).Draw(t, "more") {
		switch rapid.SampledFrom([]string{Detect, Crop, Classify}).Draw(t, "does") {
		case Detect:
			detectors = append(detectors, add(Detect, rapid.SampledFrom(append([]string{"", picture}, crops...)).Draw(t, "of")))
		case Crop:
			crops = append(crops, add(Crop, picture+", "+rapid.SampledFrom(detectors).Draw(t, "of")))
		case Classify:
			add(Classify, rapid.SampledFrom(append([]string{"", picture}, crops...)).Draw(t, "of"))
		}
	}
	// What nobody needs ends in a classifier or is an output.
	var output []string
	lines := make([]string, 0, len(stages)+2)
	used := map[string]bool{}
	for _, s := range stages {
		for n := range strings.SplitSeq(s.needs, ", ") {
			used[n] = true
		}
	}
	for i, s := range stages {
		n := fmt.Sprintf("s%d", i)
		line := fmt.Sprintf("  - {name: %s, does: %s, needs: [%s]", n, s.does, s.needs)
		switch {
		case s.does == Detect || s.does == Classify:
			line += ", model: m"
			output = append(output, n)
		case !used[n] && s.does == Crop:
			output = append(output, n+"c")
			lines = append(lines, fmt.Sprintf("  - {name: %sc, does: classify, model: m, needs: [%s]}", n, n))
		case !used[n]:
			output = append(output, n+"c")
			lines = append(lines, fmt.Sprintf("  - {name: %sc, does: classify, model: m, needs: [%s]}", n, n))
		}
		if rapid.Bool().Draw(t, "shared") {
			line += fmt.Sprintf(", share: %.3f", rapid.Float64Range(.02, .06).Draw(t, "share"))
		}
		lines = append(lines, line+"}")
	}
	lines = rapid.Permutation(lines).Draw(t, "order")
	return "stages:\n" + strings.Join(lines, "\n") + "\noutput: [" + strings.Join(output, ", ") + "]\n"
}

// drawCascade skips what came out with more stages than there may be.
func drawCascade(t *rapid.T) *Cascade {
	text := drawn(t)
	if strings.Count(text, "name:") > MaxStages {
		t.Skip("too many stages")
	}
	c, err := Parse("test", []byte(text))
	require.NoError(t, err, text)
	return c
}

// Along every way the shares add up to at most 1, and stages that take all that they are given
// end in time: at the end exactly along the longest way.
func TestSharesAddUp(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		c := drawCascade(t)
		allowed := time.Duration(rapid.Int64Range(int64(time.Millisecond), int64(time.Minute)).Draw(t, "allowed"))
		slack := time.Duration(2 * len(c.Stages)) // of rounding, a nanosecond a stage
		longest, most := c.LongestPath()
		for _, way := range c.ways() {
			sum, start := 0., time.Unix(0, 0)
			now, end := start, start.Add(allowed)
			for _, i := range way {
				sum += c.Stages[i].Share
				until := c.Deadline(i, now, end)
				require.False(t, until.Before(now), "%s", c.Stages[i].Name)
				now = until
			}
			require.LessOrEqual(t, sum, most+1e-9)
			require.LessOrEqual(t, sum, 1+1e-6)
			require.LessOrEqual(t, now.Sub(start), allowed+slack)
			if c.names(way) == strings.Join(longest, " → ") {
				require.InDelta(t, float64(allowed), float64(now.Sub(start)), float64(slack))
			}
		}
		for i, until := range c.Plan(allowed) {
			require.LessOrEqual(t, until, allowed+slack, "%s", c.Stages[i].Name)
		}
	})
}

func TestDeadline(t *testing.T) {
	c := parsed(t, `
stages:
  - {name: faces, does: detect, model: f, share: 0.5}
  - {name: picture, does: decode, needs: [faces]}
  - {name: heads, does: crop, needs: [picture, faces], share: 0.1}
  - {name: who, does: classify, model: m, needs: [heads], share: 0.4}
  - {name: hat, does: classify, model: n, needs: [heads], share: 0.2}
output: [faces, who, hat]
`)
	start := time.Unix(100, 0)
	at := func(ms int) time.Time { return start.Add(time.Duration(ms) * time.Millisecond) }
	end := at(1000)
	assert.Equal(t, at(500), c.Deadline(0, start, end))
	assert.Equal(t, at(100), c.Deadline(1, at(100), end), "no share")
	assert.Equal(t, at(280), c.Deadline(2, at(100), end), "what the detector left is shared by all that is ahead: 900 ms · 0.1/0.5")
	assert.Equal(t, end, c.Deadline(3, at(200), end), "the last one has all that is left")
	assert.Equal(t, end, c.Deadline(4, at(200), end), "and so has the one beside it")
	assert.Equal(t, end, c.Deadline(0, at(1200), end), "what is over is over")
	assert.Equal(t, []time.Duration{500 * time.Millisecond, 500 * time.Millisecond, 600 * time.Millisecond, time.Second, time.Second}, c.Plan(time.Second))
}
