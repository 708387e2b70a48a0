// SPDX-License-Identifier: Apache-2.0

package offload

import (
	"fmt"
	"strings"
	"time"
)

// Explain tells a record's story in plain words: what was asked, what was known, what each
// path promised, what settled it, what happened, and whether that was what was promised. The
// times are those of the record, in milliseconds from capture unless it says otherwise.
func Explain(r *Record) string {
	t := telling{r: r}
	t.asked()
	if len(r.Stages) > 0 {
		t.stages()
		return t.text.String()
	}
	if r.Settled.Term == "" {
		t.line("It was not decided. %s", t.undecided())
		return t.text.String()
	}
	t.known()
	t.promises()
	t.settled()
	t.happened()
	return t.text.String()
}

// telling is an explanation that is being written.
type telling struct {
	r    *Record
	text strings.Builder
}

func (t *telling) line(format string, args ...any) {
	fmt.Fprintf(&t.text, format+"\n", args...)
}

func (t *telling) heading(text string) { t.line("\n%s", text) }

func (t *telling) asked() {
	r := t.r
	t.line("Task %s of %s, captured %s", r.TaskID, r.Source, r.Created.UTC().Format(time.RFC3339Nano))
	by := "model"
	if len(r.Stages) > 0 {
		by = "cascade"
	}
	t.line("%s with %s %q, priority %s, %.1f KB%s.", r.Kind, by, r.Model, r.Priority, float64(r.Bytes)/1e3, t.privately())
	if r.DeadlineMs == 0 {
		t.line("It had no deadline, and reached the engine %.0f ms after capture.", r.ArrivedMs)
		return
	}
	left := fmt.Sprintf("%.0f ms were left", r.DeadlineMs-r.ArrivedMs)
	if r.ArrivedMs >= r.DeadlineMs {
		left = "too late"
	}
	t.line("It was to be answered within %.0f ms of capture, and reached the engine after %.0f ms: %s.", r.DeadlineMs, r.ArrivedMs, left)
}

func (t *telling) privately() string {
	if t.r.Private {
		return "; private, so that it must not leave the box"
	}
	if t.r.FeaturesOnly {
		return "; it must not leave the box but as features"
	}
	return ""
}

func (t *telling) undecided() string {
	if t.r.Error != "" {
		return fmt.Sprintf("It ended as %s: %s.", t.r.Reason, t.r.Error)
	}
	return fmt.Sprintf("It ended as %s.", t.r.Reason)
}

func (t *telling) known() {
	t.heading("What was known")
	for i := range t.r.Paths {
		switch p := &t.r.Paths[i]; {
		case p.Target == Local:
			t.line("  %s: %.0f ms of work ahead of it on the box", p.Target, p.WaitMs)
		case !p.Measured:
			t.line("  %s: its link was not measured yet; what is said of it is assumed", p.Target)
		default:
			t.line("  %s: round trip %.0f ms, jitter %.0f ms, loss %.0f%%, %s up, %.0f ms of payloads ahead of it",
				p.Target, p.RTTMs, p.JitterMs, 100*p.LossRatio, rateInWords(p.UpKbps), p.WaitMs)
		}
	}
	if t.r.Speed > 0 {
		t.line("  the box ran at %.0f%% of its full speed: its power mode or its heat does not allow more", 100*t.r.Speed)
	}
	if t.r.EnergyWeight > 0 {
		t.line("  a joule was worth %.0f ms", t.r.EnergyWeight)
	}
}

func rateInWords(kbps float64) string {
	if kbps >= 1000 {
		return fmt.Sprintf("%.1f Mbit/s", kbps/1000)
	}
	return fmt.Sprintf("%.0f kbit/s", kbps)
}

func (t *telling) promises() {
	t.heading("What each path promised")
	for i := range t.r.Paths {
		p := &t.r.Paths[i]
		if !p.Usable {
			t.line("  %s: out of the question: %s", p.Target, p.Block)
			continue
		}
		t.line("  %s: %s", p.Target, t.promise(p))
	}
}

// promise is all that a path promised, its time term by term.
func (t *telling) promise(p *PathView) string {
	terms := make([]string, 0, 5)
	for _, term := range []struct {
		name string
		ms   float64
	}{
		{"head", p.HeadMs}, {"waiting", p.WaitMs}, {"transfer", p.TransferMs}, {"round trip", p.RTTMs}, {"execution", p.ServiceMs}, {"margin", p.MarginMs},
	} {
		if term.ms >= .05 {
			terms = append(terms, fmt.Sprintf("%s %.1f", term.name, term.ms))
		}
	}
	said := []string{fmt.Sprintf("%.0f ms (%s)", p.ExpectedMs, strings.Join(terms, ", "))}
	if p.P95Ms > 0 {
		said = append(said, fmt.Sprintf("95%% of such within %.0f ms", p.P95Ms))
	}
	if t.r.DeadlineMs > 0 {
		said = append(said, fmt.Sprintf("in time with %s", percent(p.InTime)))
	}
	if p.HeadMs > 0 {
		said = append(said, "features of "+p.Variant+" instead of the payload")
	}
	said = append(said, fmt.Sprintf("accuracy %.2f", p.Accuracy))
	if p.Joules > 0 {
		said = append(said, fmt.Sprintf("%.2f J", p.Joules))
	}
	if p.Price > 0 {
		said = append(said, fmt.Sprintf("price %.4g", p.Price))
	}
	switch {
	case p.Gain != 0:
		said = append(said, fmt.Sprintf("gain %.3f for a cost of %.3f", p.Gain, p.Cost))
	case t.r.Settled.Term == ByScore:
		said = append(said, fmt.Sprintf("score %.3f", -p.Cost))
	case p.Cost != 0:
		said = append(said, fmt.Sprintf("cost %.0f ms", p.Cost))
	}
	return strings.Join(said, "; ")
}

// percent of a probability; one that is nearly certain is not shown as certain.
func percent(p float64) string {
	if p > .995 && p < 1 {
		return fmt.Sprintf("%.1f%%", min(100*p, 99.9))
	}
	return fmt.Sprintf("%.0f%%", 100*p)
}

func (t *telling) settled() {
	r := t.r
	t.heading("What settled it")
	by := "Policy " + r.Policy
	if r.Trial {
		by += ", on trial for this source,"
	}
	if r.Decided == "" {
		t.line("  %s chose no path: %s.", by, r.words())
	} else {
		t.line("  %s chose %s: %s.", by, r.Decided, r.words())
	}
	if local := r.path(Local); r.BackupAtMs > 0 && local != nil {
		t.line("  A backup on the box was to start at %.0f ms: the last moment at which %.0f ms of execution, with some slack and the work ahead of it, still end by %.0f ms.",
			r.BackupAtMs, local.ServiceMs, r.DeadlineMs)
	}
	for _, s := range r.Shadows {
		t.line("  Policy %s, which did not act, %s", s.Policy, s.words(r))
	}
}

func (s *ShadowView) words(r *Record) string {
	switch {
	case s.Decided == "":
		return "would have chosen no path."
	case s.Decided == r.Decided:
		return "would have chosen " + s.Decided + " too."
	}
	return fmt.Sprintf("would have chosen %s: %.0f ms, in time with %s.", s.Decided, s.ExpectedMs, percent(s.InTime))
}
