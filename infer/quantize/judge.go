// SPDX-License-Identifier: Apache-2.0

package quantize

import (
	"context"
	"fmt"
	"math"

	"edgex-offload/infer"
	"edgex-offload/offload"
)

// Cases are tasks that graphs are judged by.
type Cases struct {
	Count int
	// At gives one of them, and the label that is right; an empty one is not known.
	At func(i int) (offload.Task, string, error)
}

// Answers are what a graph says to cases.
type Answers struct {
	labels  []string
	answers []offload.Answer
}

// Ask takes all cases through a graph. Step may be nil.
func (c Cases) Ask(ctx context.Context, steps infer.Steps, graph infer.Graph, step func(done, of int)) (Answers, error) {
	var a Answers
	for i := range c.Count {
		task, label, err := c.At(i)
		if err != nil {
			return Answers{}, err
		}
		answer, err := steps.Answer(ctx, graph, task)
		if err != nil {
			return Answers{}, fmt.Errorf("%s: %w", task.ID, err)
		}
		a.labels = append(a.labels, label)
		a.answers = append(a.answers, answer)
		if step != nil {
			step(i+1, c.Count)
		}
	}
	return a, nil
}

// Accuracy is the share of answers with the right label.
func (a Answers) Accuracy() float64 {
	right := 0
	for i, answer := range a.answers {
		if answer.Label == a.labels[i] {
			right++
		}
	}
	return float64(right) / float64(max(1, len(a.answers)))
}

// Labelled says whether the right label of every case is known.
func (a Answers) Labelled() bool {
	for _, label := range a.labels {
		if label == "" {
			return false
		}
	}
	return len(a.labels) > 0
}

// agreeing is how much two boxes of the same label have to overlap to be the same object.
const agreeing = .5

// Agreement is how far two graphs say the same, 0 to 1: the share of the same labels; for
// detectors twice the objects that both found over all that either did (F1); for regressions
// one less what the values differ by, against how they vary (both as roots of mean squares).
func (a Answers) Agreement(with Answers) float64 {
	if a.regression() {
		return a.near(with)
	}
	same, all := 0., 0.
	for i, one := range a.answers {
		other := with.answers[i]
		if len(one.Objects) == 0 && len(other.Objects) == 0 {
			all++
			if one.Label == other.Label {
				same++
			}
			continue
		}
		all += float64(len(one.Objects)+len(other.Objects)) / 2
		same += float64(matched(one.Objects, other.Objects))
	}
	return same / max(1, all)
}

// regression says whether the answers are values alone.
func (a Answers) regression() bool {
	for _, answer := range a.answers {
		if answer.Label != "" || len(answer.Values) == 0 {
			return false
		}
	}
	return len(a.answers) > 0
}

func (a Answers) near(with Answers) float64 {
	worst := 1.
	for k := range a.answers[0].Values {
		mean, vary, differ := 0., 0., 0.
		for _, answer := range a.answers {
			mean += valueOf(answer, k) / float64(len(a.answers))
		}
		for i, answer := range a.answers {
			v, other := valueOf(answer, k), valueOf(with.answers[i], k)
			vary += (v - mean) * (v - mean)
			differ += (v - other) * (v - other)
		}
		if math.IsNaN(differ) {
			return 0
		}
		worst = min(worst, 1-relative(differ, vary))
	}
	return max(0, worst)
}

// valueOf is not a number where there is none.
func valueOf(a offload.Answer, k int) float64 {
	if k >= len(a.Values) {
		return math.NaN()
	}
	return a.Values[k].Value
}

// matched counts the objects that have a partner of their own, the best first.
func matched(list, others []offload.Object) int {
	taken := make([]bool, len(others))
	n := 0
	for _, o := range list {
		best, at := agreeing, -1
		for k, other := range others {
			if v := overlap(o, other); !taken[k] && o.Label == other.Label && v >= best {
				best, at = v, k
			}
		}
		if at >= 0 {
			taken[at] = true
			n++
		}
	}
	return n
}

// overlap is the intersection over the union of two boxes.
func overlap(a, b offload.Object) float64 {
	w := min(a.X+a.W, b.X+b.W) - max(a.X, b.X)
	h := min(a.Y+a.H, b.Y+b.H) - max(a.Y, b.Y)
	if w <= 0 || h <= 0 {
		return 0
	}
	both := float64(w) * float64(h)
	return both / (float64(a.W)*float64(a.H) + float64(b.W)*float64(b.H) - both)
}
