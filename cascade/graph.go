// SPDX-License-Identifier: Apache-2.0

package cascade

import (
	"fmt"
	"slices"
	"strings"
)

// none is the index of no stage.
const none = -1

// links say how a stage hangs together with the others, by their indexes in Cascade.Stages.
type links struct {
	// needs have to end before it begins; feeds need it.
	needs, feeds []int
	// picture, objects and crops are where it has its input from; none for the task's own
	// picture, or for what it does not take.
	picture, objects, crops int
	// ahead is the greatest sum of shares along a way from it to an end, its own with it.
	ahead float64
}

// link orders the stages, ties them together and gives each its share. The checker knows the
// keys by the stages' places in the file.
func (c *Cascade) link(check *checker, stages []Stage) {
	order, cycle := sorted(stages)
	if cycle != nil {
		check.wrong("stages", " go in a circle, each needs the one before: %s: take one of these needs out", strings.Join(cycle, " → "))
		return
	}
	index := map[string]int{}
	for i, from := range order {
		c.Stages = append(c.Stages, stages[from])
		index[stages[from].Name] = i
	}
	c.links = make([]links, len(order))
	for i, from := range order {
		c.links[i] = links{picture: none, objects: none, crops: none}
		for _, name := range stages[from].Needs {
			need := index[name]
			c.links[i].needs = append(c.links[i].needs, need)
			c.links[need].feeds = append(c.links[need].feeds, i)
		}
		c.fit(check, i, at(from, "needs"))
	}
	if check.err() != nil {
		return
	}
	for i, from := range order {
		if s := &c.Stages[i]; len(c.links[i].feeds) == 0 && !slices.Contains(c.Output, s.Name) {
			check.wrong(at(from, "name"), " %s: no stage needs it and output does not list it: use it, or take it out", quoted(s.Name))
		}
	}
	c.share(check, order)
}

// sorted gives the stages' places in an order in which each comes after what it needs, as near
// to the file's as can be, or the names along a cycle.
func sorted(stages []Stage) (order []int, cycle []string) {
	place := map[string]int{}
	for i, s := range stages {
		place[s.Name] = i
	}
	done := make([]bool, len(stages))
	for len(order) < len(stages) {
		next := slices.IndexFunc(stages, func(s Stage) bool {
			return !done[place[s.Name]] && !slices.ContainsFunc(s.Needs, func(n string) bool { return !done[place[n]] })
		})
		if next < 0 {
			return nil, circle(stages, place, done)
		}
		done[next] = true
		order = append(order, next)
	}
	return order, nil
}

// circle walks from a stage that cannot be done to one that it waits for until it has been at
// one before.
func circle(stages []Stage, place map[string]int, done []bool) []string {
	at := slices.Index(done, false)
	var walked []int
	for !slices.Contains(walked, at) {
		walked = append(walked, at)
		for _, need := range stages[at].Needs {
			if !done[place[need]] {
				at = place[need]
				break
			}
		}
	}
	walked = walked[slices.Index(walked, at):]
	slices.Reverse(walked) // from what is needed to what needs it
	names := []string{stages[walked[len(walked)-1]].Name}
	for _, i := range walked {
		names = append(names, stages[i].Name)
	}
	return names
}

// fit checks that a stage gets what it takes from those it needs.
func (c *Cascade) fit(check *checker, i int, key string) {
	s, l := &c.Stages[i], &c.links[i]
	counts := map[string]int{}
	for _, need := range l.needs {
		does := c.Stages[need].Does
		counts[does]++
		switch does {
		case Decode:
			l.picture = need
		case Detect:
			l.objects = need
		case Crop:
			l.crops = need
		}
	}
	var ok bool
	var allowed string
	switch s.Does {
	case Decode:
		ok = len(l.needs) == 0 || len(l.needs) == 1 && counts[Detect] == 1
		allowed = "none, or one detect stage, so as to decode only where that found something"
	case Crop:
		ok = len(l.needs) == 2 && counts[Decode] == 1 && counts[Detect] == 1
		allowed = "the decode stage and one detect stage: the picture, and what to cut out of it"
	default:
		ok = len(l.needs) == 0 || len(l.needs) == 1 && counts[Detect] == 0 && counts[Classify] == 0
		allowed = "none for the picture as it came, the decode stage for the same once it is proved, or one crop stage for each of its crops"
	}
	if !ok {
		check.wrong(key, " is [%s]: allowed for a stage that does %s is %s", c.needsInWords(i), s.Does, allowed)
	}
}

func (c *Cascade) needsInWords(i int) string {
	words := make([]string, 0, len(c.links[i].needs))
	for _, need := range c.links[i].needs {
		words = append(words, fmt.Sprintf("%s (%s)", c.Stages[need].Name, c.Stages[need].Does))
	}
	return strings.Join(words, ", ")
}

// lazy tells whether the decode stage i may be left out where the detect stage that it needs
// finds nothing: all crops are of objects of that one, or of ones found in such crops.
func (c *Cascade) lazy(i int) bool {
	first := c.links[i].objects
	if first == none {
		return false
	}
	for k := range c.Stages {
		if c.Stages[k].Does == Crop && c.root(k) != first {
			return false
		}
	}
	return !slices.ContainsFunc(c.links[i].feeds, func(k int) bool { return c.Stages[k].Does != Crop })
}

// root is the detect stage at the beginning of a crop stage's way.
func (c *Cascade) root(crop int) int {
	for {
		detect := c.links[crop].objects
		if c.links[detect].crops == none {
			return detect
		}
		crop = c.links[detect].crops
	}
}

// index of a stage by its name; none where there is none.
func (c *Cascade) index(name string) int {
	return slices.IndexFunc(c.Stages, func(s Stage) bool { return s.Name == name })
}
