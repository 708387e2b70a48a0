// SPDX-License-Identifier: Apache-2.0

package cascade

import (
	"fmt"
	"slices"
	"strings"
	"time"
)

// leastShare keeps a default from being so small that its stage has no chance.
const leastShare = .01

// share gives the stages without a share theirs, checks that no way asks for more than there
// is, and works out what is ahead of each stage.
func (c *Cascade) share(check *checker, order []int) {
	given := make([]bool, len(c.Stages))
	for i, from := range order {
		given[i] = check.lines.Has(at(from, "share"))
	}
	ways := c.ways()
	rest := make([]float64, len(c.Stages)) // for each stage without a share; 2 is not worked out
	for i := range rest {
		rest[i] = 2
	}
	for _, way := range ways {
		sum, open := 0., 0
		for _, i := range way {
			switch {
			case given[i]:
				sum += c.Stages[i].Share
			case c.Stages[i].Model != "":
				open++
			}
		}
		if sum > 1+1e-9 {
			check.wrong(at(order[way[len(way)-1]], "share"), ": along %s the shares add up to %.3g: allowed is up to 1", c.names(way), sum)
			return
		}
		for _, i := range way {
			if !given[i] && c.Stages[i].Model != "" {
				rest[i] = min(rest[i], (1-sum)/float64(open))
			}
		}
	}
	for i, from := range order {
		s := &c.Stages[i]
		if s.Model == "" {
			continue
		}
		if !given[i] {
			s.Share = rest[i]
		}
		if s.Share < leastShare {
			check.wrong(at(from, "share"), " is %.3g, or what the others leave: allowed for a stage with a model is %g to 1", s.Share, leastShare)
		}
	}
	for i := len(c.Stages) - 1; i >= 0; i-- {
		for _, next := range c.links[i].feeds {
			c.links[i].ahead = max(c.links[i].ahead, c.links[next].ahead)
		}
		c.links[i].ahead += c.Stages[i].Share
	}
}

// ways are all ways from a stage that needs none to one that nobody needs. There are few: a
// stage has one input, and only crop stages take the picture beside it.
func (c *Cascade) ways() [][]int {
	var all [][]int
	var walk func(way []int, i int)
	walk = func(way []int, i int) {
		way = append(slices.Clone(way), i)
		if len(c.links[i].feeds) == 0 {
			all = append(all, way)
		}
		for _, next := range c.links[i].feeds {
			walk(way, next)
		}
	}
	for i := range c.Stages {
		if len(c.links[i].needs) == 0 {
			walk(nil, i)
		}
	}
	return all
}

// LongestPath is the way from the picture to an end with the greatest sum of shares, the one of
// more stages where several have it.
func (c *Cascade) LongestPath() (stages []string, share float64) {
	var longest []int
	for _, way := range c.ways() {
		sum := 0.
		for _, i := range way {
			sum += c.Stages[i].Share
		}
		if longest == nil || sum > share+1e-9 || sum > share-1e-9 && len(way) > len(longest) {
			longest, share = way, max(sum, share)
		}
	}
	for _, i := range longest {
		stages = append(stages, c.Stages[i].Name)
	}
	return stages, share
}

func (c *Cascade) names(way []int) string {
	names := make([]string, 0, len(way))
	for _, i := range way {
		names = append(names, c.Stages[i].Name)
	}
	return strings.Join(names, " → ")
}

// Deadline is by when a stage that begins now should be done, if all is to be done by end:
//
//	now + (end − now) · share / ahead
//
// where ahead is the greatest sum of shares along a way from the stage to an end, its own with
// it. What an earlier stage left over is in (end − now), and so is divided among all that is
// still ahead; the last stage of a way has all that is left. It is now for a share of 0, and end
// once that has passed.
func (c *Cascade) Deadline(stage int, now, end time.Time) time.Time {
	left := end.Sub(now)
	ahead := c.links[stage].ahead
	if left <= 0 || ahead <= 0 {
		return end
	}
	part := min(c.Stages[stage].Share/ahead, 1)
	return now.Add(time.Duration(part * float64(left)))
}

// Plan tells by when each stage is to be done, as a time from the picture's capture, when each
// takes all of its share of so much time.
func (c *Cascade) Plan(allowed time.Duration) []time.Duration {
	var zero time.Time
	end, until := zero.Add(allowed), make([]time.Duration, len(c.Stages))
	for i := range c.Stages {
		begins := zero
		for _, need := range c.links[i].needs {
			begins = later(begins, zero.Add(until[need]))
		}
		until[i] = c.Deadline(i, begins, end).Sub(zero)
	}
	return until
}

func later(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}

// String is a stage in a few words.
func (s Stage) String() string {
	if s.Model == "" {
		return fmt.Sprintf("%s (%s)", s.Name, s.Does)
	}
	return fmt.Sprintf("%s (%s: %s)", s.Name, s.Does, s.Model)
}
