// SPDX-License-Identifier: Apache-2.0

package offload

import (
	"fmt"
	"slices"
	"strings"
)

// Block is what keeps a path from being used; the zero value nothing.
type Block struct {
	What Blocked `json:"what,omitempty"`
	// N counts what What speaks of, Ms is for how long.
	N    int     `json:"n,omitempty"`
	Ms   float64 `json:"ms,omitempty"`
	Text string  `json:"text,omitempty"`
}

// Blocked names a reason why a path is out of the question.
type Blocked string

// The reasons.
const (
	NoModel     Blocked = "no_model"
	Unreachable Blocked = "unreachable"
	Crowded     Blocked = "crowded"
	ProbesGone  Blocked = "probes_lost"
	Stalled     Blocked = "stalled"
	TriedBefore Blocked = "tried"
	Refused     Blocked = "refused"
	Private     Blocked = "private"
	// FeaturesOnly: its payload does not leave the box as it is, and nothing splits its model.
	FeaturesOnly Blocked = "features_only"
	// FeaturesLate: there is a head, and what it gives would hardly be in time.
	FeaturesLate Blocked = "features_late"
)

// String says it in words; "" for nothing.
func (b Block) String() string {
	switch b.What {
	case "":
		return ""
	case NoModel:
		return "no model ready on the box"
	case Unreachable:
		return "unreachable: " + b.Text
	case Crowded:
		return fmt.Sprintf("%d attempts under way", b.N)
	case ProbesGone:
		return fmt.Sprintf("%d probes lost in a row", b.N)
	case Stalled:
		return fmt.Sprintf("stalled: %s unanswered for %.0f ms", b.Text, b.Ms)
	case TriedBefore:
		return "tried before"
	case Refused:
		return fmt.Sprintf("refused model %q lately", b.Text)
	case Private:
		return "its source never leaves the box"
	case FeaturesLate:
		return "its source leaves the box as features alone, and these would not be in time"
	case FeaturesOnly:
		return "its source leaves the box as features alone, and no head of its model is ready"
	}
	return string(b.What)
}

// Settled is what settled a decision; Record.Paths has the figures.
type Settled struct {
	Term Term `json:"term"`
	// Against is the path that the chosen one was compared with; "" for none.
	Against string `json:"against,omitempty"`
	// Limit is the one that does not hold, in the unit of its figure.
	Limit float64 `json:"limit,omitempty"`
}

// Term names what settles a decision.
type Term string

// The terms.
const (
	ByPolicy     Term = "policy"            // the policy always does so
	OnlyUsable   Term = "only_usable"       // what the policy wants is out of the question
	WithinLimits Term = "within_limits"     // threshold: all of them hold
	BeyondRTT    Term = "beyond_rtt"        // threshold: this one does not
	BeyondJitter Term = "beyond_jitter"     //
	BeyondLoss   Term = "beyond_loss"       //
	NotMeasured  Term = "not_measured"      // threshold: the link is not known
	NoneInTime   Term = "no_target_in_time" //
	ByCost       Term = "cost"              // the cheaper of those in time
	OnlyInTime   Term = "only_in_time"      //
	NearestTime  Term = "nearest_to_time"   // none is in time
	ByGain       Term = "gain"              // quantile: the gain is worth the cost
	NoGain       Term = "no_gain"           // quantile: it is not
	BoxCannot    Term = "box_cannot"        // quantile: the box will not make it
	Explores     Term = "explores"          // nothing has been heard for long
	ByScore      Term = "score"             // linucb, dqn: the better score
	NoNetwork    Term = "no_network"        // dqn: it decides as cost
	NoUsablePath Term = "no_usable_path"
)

// Detach gives a copy that may be kept: the engine uses the original's memory again.
func (r *Record) Detach() Record {
	c := *r
	c.Paths, c.Attempts, c.Shadows = slices.Clone(r.Paths), slices.Clone(r.Attempts), slices.Clone(r.Shadows)
	for i := range c.Paths {
		c.Paths[i].Note = c.Paths[i].Block.String()
	}
	c.Why = c.words()
	return c
}

// path is the view of a path by its name; nil for none.
func (r *Record) path(name string) *PathView {
	for i := range r.Paths {
		if r.Paths[i].Target == name && name != "" {
			return &r.Paths[i]
		}
	}
	return nil
}

// words says what settled the decision, with the figures.
func (r *Record) words() string {
	a, b := r.path(r.Decided), r.path(r.Settled.Against)
	left := r.DeadlineMs - r.ArrivedMs
	switch r.Settled.Term {
	case "":
		return ""
	case ByPolicy:
		return "policy " + r.Policy
	case NoUsablePath:
		return "no usable path"
	case OnlyUsable:
		return fmt.Sprintf("%s is not usable (%s)", r.wanted(), r.whyNot())
	}
	if a == nil {
		return string(r.Settled.Term)
	}
	switch r.Settled.Term {
	case WithinLimits:
		return fmt.Sprintf("within limits: rtt %.0f ms, jitter %.0f ms, loss %.0f%%", a.RTTMs, a.JitterMs, 100*a.LossRatio)
	case OnlyInTime:
		return "only path in time" + r.besides(a, left)
	case NoneInTime:
		return "no target in time" + r.besides(a, left)
	case NearestTime:
		return fmt.Sprintf("nothing in time (%.0f ms left): nearest is %s with %.0f ms", left, a.Target, a.ExpectedMs)
	case NoNetwork:
		return fmt.Sprintf("no network that works: as policy %s, %s for a cost of %.0f", PolicyCost, a.Target, a.Cost)
	case Explores:
		return fmt.Sprintf("nothing was heard of %s for a while: the task shows whether it works", a.Target)
	}
	if b == nil {
		return string(r.Settled.Term)
	}
	switch r.Settled.Term {
	case NotMeasured:
		return "link not measured yet"
	case BeyondRTT:
		return fmt.Sprintf("rtt %.0f ms over its limit of %.0f ms", b.RTTMs, r.Settled.Limit)
	case BeyondJitter:
		return fmt.Sprintf("jitter %.0f ms over its limit of %.0f ms", b.JitterMs, r.Settled.Limit)
	case BeyondLoss:
		return fmt.Sprintf("loss %.1f%% over its limit of %.1f%%", 100*b.LossRatio, 100*r.Settled.Limit)
	case ByCost:
		return fmt.Sprintf("cost %.0f against %s's %.0f: %s", a.Cost, b.Target, b.Cost, dearest(a, b))
	case ByGain:
		return fmt.Sprintf("%s is in time with %.0f%%: gain %.3f for a cost of %.3f, accuracy %.2f against %.2f", a.Target, 100*a.InTime, a.Gain, a.Cost, a.Accuracy, b.Accuracy)
	case BoxCannot:
		return fmt.Sprintf("the box is in time with %.0f%%, %s with %.0f%%: gain %.3f for a cost of %.3f", 100*b.InTime, a.Target, 100*a.InTime, a.Gain, a.Cost)
	case NoGain:
		return fmt.Sprintf("%s is in time with %.0f%%: its gain of %.3f is not worth its cost of %.3f", b.Target, 100*b.InTime, b.Gain, b.Cost)
	case ByScore:
		return fmt.Sprintf("score %.3f against %s's %.3f", -a.Cost, b.Target, -b.Cost)
	}
	return string(r.Settled.Term)
}

// wanted is what the policy would have taken.
func (r *Record) wanted() string {
	if r.Policy == PolicyCloud {
		return "the cloud"
	}
	return "the box"
}

func (r *Record) whyNot() string {
	for i := range r.Paths {
		p := &r.Paths[i]
		if note := p.Block.String(); (p.Target == Local) == (r.Policy != PolicyCloud) && note != "" {
			return note
		}
	}
	return "none configured"
}

// besides says what is wrong with the other path.
func (r *Record) besides(chosen *PathView, left float64) string {
	for i := range r.Paths {
		p := &r.Paths[i]
		switch {
		case p.Target == chosen.Target:
		case !p.Usable:
			return fmt.Sprintf(": %s is out of the question (%s)", p.Target, p.Block)
		case p.ExpectedMs > left:
			return fmt.Sprintf(": %s needs %.0f of %.0f ms", p.Target, p.ExpectedMs, left)
		}
	}
	return ""
}

// dearest names the term that speaks most for a against b.
func dearest(a, b *PathView) string {
	terms := [...]struct {
		name  string
		gains float64 // milliseconds that a saves
	}{
		{"head", b.HeadMs - a.HeadMs},
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

// notes are what each path of a task without any is blocked by.
func (r *Record) notes() string {
	all := make([]string, 0, len(r.Paths))
	for i := range r.Paths {
		all = append(all, r.Paths[i].Target+": "+r.Paths[i].Block.String())
	}
	return strings.Join(all, "; ")
}
