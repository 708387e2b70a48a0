// SPDX-License-Identifier: Apache-2.0

package offload

import (
	"fmt"
	"time"

	"edgex-offload/offload/link"
)

// path is one way to run a task, as a policy sees it.
type path struct {
	target   int // onBox or the target's index
	expected time.Duration
	// left is the time to the deadline; forever when there is none.
	left   time.Duration
	joules float64
	link   linkView
	// prediction is of a remote path.
	prediction link.Prediction
	bytes      int // that cross the link
	view       PathView
}

func (p *path) inTime() bool { return p.expected <= p.left }

// inTimeShare is the probability that a remote path is in time; 1 without a deadline.
func (p *path) inTimeShare() float64 {
	if p.left == forever {
		return 1
	}
	return p.prediction.By(p.left)
}

// linkView is what the simple policies ask of a link.
type linkView interface {
	Known() bool
	RTT() time.Duration
	Jitter() time.Duration
	Loss() float64
}

// policy chooses among the usable paths and says why in words; -1 for none. It may write
// view.Cost of each path and keeps nothing.
type policy func(paths []path, s *Settings) (chosen int, why string)

func policyFor(name string) policy {
	switch name {
	case PolicyLocal:
		return chooseLocal
	case PolicyCloud:
		return chooseCloud
	case PolicyThreshold:
		return chooseThreshold
	default:
		return chooseCost
	}
}

// quickest is the usable path with the least expected time that accept takes; -1 for none.
func quickest(paths []path, accept func(*path) bool) int {
	best := -1
	for i := range paths {
		p := &paths[i]
		if p.view.Usable && accept(p) && (best < 0 || p.expected < paths[best].expected) {
			best = i
		}
	}
	return best
}

func isLocal(p *path) bool  { return p.target == onBox }
func isRemote(p *path) bool { return p.target != onBox }

// onlyPath is for a policy whose own choice is out of the question.
func onlyPath(paths []path, wanted string, notes func(*path) bool) (int, string) {
	i := quickest(paths, func(*path) bool { return true })
	if i < 0 {
		return -1, "no usable path"
	}
	return i, fmt.Sprintf("%s is not usable (%s)", wanted, noteOf(paths, notes))
}

func noteOf(paths []path, which func(*path) bool) string {
	for i := range paths {
		if p := &paths[i]; which(p) && p.view.Note != "" {
			return p.view.Note
		}
	}
	return "none configured"
}

// chooseLocal runs on the box whatever the network does, and elsewhere only what the box cannot.
func chooseLocal(paths []path, _ *Settings) (int, string) {
	if i := quickest(paths, isLocal); i >= 0 {
		return i, "policy local"
	}
	return onlyPath(paths, "the box", isLocal)
}

// chooseCloud sends whatever can be sent, to the quickest target.
func chooseCloud(paths []path, _ *Settings) (int, string) {
	if i := quickest(paths, isRemote); i >= 0 {
		return i, "policy cloud"
	}
	return onlyPath(paths, "the cloud", isRemote)
}

// chooseThreshold sends while round trip, jitter and loss are within their limits.
func chooseThreshold(paths []path, s *Settings) (int, string) {
	over := ""
	i := quickest(paths, func(p *path) bool {
		if p.target == onBox {
			return false
		}
		note := beyond(p.link, &s.Threshold)
		if note != "" {
			over = note
		}
		return note == "" && p.inTime()
	})
	if i >= 0 {
		l := paths[i].link
		return i, fmt.Sprintf("within limits: rtt %.0f ms, jitter %.0f ms, loss %.0f%%", ms(l.RTT()), ms(l.Jitter()), 100*l.Loss())
	}
	if i := quickest(paths, isLocal); i >= 0 {
		if over == "" {
			over = "no target in time" + besides(paths, i)
		}
		return i, over
	}
	return onlyPath(paths, "the box", isLocal)
}

func beyond(l linkView, t *Threshold) string {
	switch {
	case !l.Known():
		return "link not measured yet"
	case l.RTT() > t.RTT:
		return fmt.Sprintf("rtt %.0f ms over its limit of %.0f ms", ms(l.RTT()), ms(t.RTT))
	case l.Jitter() > t.Jitter:
		return fmt.Sprintf("jitter %.0f ms over its limit of %.0f ms", ms(l.Jitter()), ms(t.Jitter))
	case l.Loss() > t.Loss:
		return fmt.Sprintf("loss %.1f%% over its limit of %.1f%%", 100*l.Loss(), 100*t.Loss)
	}
	return ""
}

// chooseCost takes the path with the least cost of those that are in time: expected time
// (with K times the jitter) plus energy and money, less what its accuracy is worth, all in
// milliseconds. When none is in time it takes the one that is nearest to it.
func chooseCost(paths []path, s *Settings) (int, string) {
	accuracy := 0. // of the best path: what the others lose against it is their cost
	for i := range paths {
		if paths[i].view.Usable {
			accuracy = max(accuracy, paths[i].view.Accuracy)
		}
	}
	best, second := -1, -1
	for i := range paths {
		p := &paths[i]
		if !p.view.Usable {
			continue
		}
		w := &s.Weights
		p.view.Cost = ms(p.expected) + w.Accuracy*100*(accuracy-p.view.Accuracy) +
			w.Energy*p.joules + w.Money*float64(p.bytes)/1e6
		if !p.inTime() {
			continue
		}
		switch {
		case best < 0 || p.view.Cost < paths[best].view.Cost:
			best, second = i, best
		case second < 0 || p.view.Cost < paths[second].view.Cost:
			second = i
		}
	}
	if best < 0 {
		i := quickest(paths, func(*path) bool { return true })
		if i < 0 {
			return -1, "no usable path"
		}
		return i, fmt.Sprintf("nothing in time (%.0f ms left): nearest is %s with %.0f ms",
			ms(paths[i].left), paths[i].view.Target, ms(paths[i].expected))
	}
	if second < 0 {
		return best, "only path in time" + besides(paths, best)
	}
	a, b := &paths[best].view, &paths[second].view
	return best, fmt.Sprintf("cost %.0f against %s's %.0f: %s", a.Cost, b.Target, b.Cost, settled(a, b))
}

// besides says what is wrong with the other path.
func besides(paths []path, chosen int) string {
	for i := range paths {
		p := &paths[i]
		switch {
		case i == chosen:
		case p.view.Note != "":
			return fmt.Sprintf(": %s %s", p.view.Target, p.view.Note)
		case !p.inTime():
			return fmt.Sprintf(": %s needs %.0f of %.0f ms", p.view.Target, ms(p.expected), ms(p.left))
		}
	}
	return ""
}

// settled names the term that speaks most for a against b.
func settled(a, b *PathView) string {
	terms := []struct {
		name  string
		gains float64 // milliseconds that a saves
	}{
		{"queue", b.WaitMs - a.WaitMs},
		{"transfer", b.TransferMs - a.TransferMs},
		{"round trip", b.RTTMs - a.RTTMs},
		{"execution", b.ServiceMs - a.ServiceMs},
		{"jitter", b.MarginMs - a.MarginMs},
	}
	best := 0
	others := (b.Cost - b.ExpectedMs) - (a.Cost - a.ExpectedMs) // accuracy, energy, money
	for i, t := range terms {
		if t.gains > terms[best].gains {
			best = i
		}
	}
	if others > terms[best].gains {
		if a.Accuracy > b.Accuracy {
			return fmt.Sprintf("accuracy %.2f against %.2f", a.Accuracy, b.Accuracy)
		}
		return fmt.Sprintf("energy and money, %.0f ms", others)
	}
	return fmt.Sprintf("%s, %.0f ms less", terms[best].name, terms[best].gains)
}
