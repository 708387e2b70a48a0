// SPDX-License-Identifier: Apache-2.0

package offload

import "fmt"

// happened tells what came of a decision.
func (t *telling) happened() {
	r := t.r
	t.heading("What happened")
	for i := range r.Attempts {
		t.line("  %s", r.Attempts[i].words())
	}
	if r.HeldMs > 0 {
		t.line("  %.0f ms: the box's answer was ready, and was held while a better one might come", r.HeldMs)
	}
	t.line("  %s", r.ending())
	t.line("  %s", r.kept())
}

// words tells of one attempt.
func (a *AttemptView) words() string {
	did := fmt.Sprintf("%.0f ms: sent to %s", a.StartedMs, a.Target)
	switch {
	case a.Target == Local:
		did = fmt.Sprintf("%.0f ms: started on the box with %s", a.StartedMs, a.Variant)
	case a.StartedMs == 0 && a.Result == "cancelled":
		did = fmt.Sprintf("waited to be sent to %s", a.Target)
	}
	if why := a.reason(); why != "" {
		did += " (" + why + ")"
	}
	if a.InTime > 0 {
		did += fmt.Sprintf(", promised to be in time with %s", percent(a.InTime))
	}
	return did + a.end()
}

func (a *AttemptView) reason() string {
	switch a.Why {
	case "decision":
		return "as decided"
	case "fallback":
		return "after another attempt failed"
	case "rescue":
		return "the box could not make it any more"
	}
	return a.Why
}

func (a *AttemptView) end() string {
	switch a.Result {
	case "":
		return "; was under way at the end"
	case "ok":
		return fmt.Sprintf("; answered at %.0f ms", a.EndedMs)
	case "preempted":
		return fmt.Sprintf("; stopped at %.0f ms for more urgent work", a.EndedMs)
	case "cancelled":
		return fmt.Sprintf("; cancelled at %.0f ms", a.EndedMs)
	}
	return fmt.Sprintf("; %s at %.0f ms: %s", a.Result, a.EndedMs, a.Error)
}

// ending is how the task ended.
func (r *Record) ending() string {
	if r.Route == "" {
		return fmt.Sprintf("%.0f ms: ended without a result, %s: %s", r.LatencyMs, r.Reason, r.Error)
	}
	when := "in time"
	switch {
	case r.DeadlineMs == 0:
		when = "without a deadline"
	case !r.DeadlineMet:
		when = fmt.Sprintf("%.0f ms late", r.LatencyMs-r.DeadlineMs)
	}
	answer := fmt.Sprintf("%q (confidence %.2f, %s)", r.Label, r.Confidence, r.AnsweredBy)
	if r.Label == "" { // a detector that found nothing, or a regression
		answer = fmt.Sprintf("without a label (%s)", r.AnsweredBy)
	}
	who := r.Route
	if who == Mixed {
		who = "the box and targets together"
	}
	said := fmt.Sprintf("%.0f ms: %s answered %s, %s", r.LatencyMs, who, answer, when)
	switch {
	case r.Correct == nil:
	case *r.Correct:
		said += "; the answer is right"
	default:
		said += fmt.Sprintf("; the answer is wrong, it is %q", r.Truth)
	}
	return said
}

// kept compares what happened with what the chosen path promised.
func (r *Record) kept() string {
	p := r.path(r.Decided)
	if p == nil {
		return "Nothing was promised."
	}
	promised := fmt.Sprintf("%s was expected to answer at %.0f ms", p.Target, r.ArrivedMs+p.ExpectedMs)
	if r.DeadlineMs > 0 {
		promised += fmt.Sprintf(", in time with %s", percent(p.InTime))
	}
	switch {
	case r.Route == p.Target && (r.DeadlineMet || r.DeadlineMs == 0):
		return fmt.Sprintf("As promised: %s%s.", promised, r.within(p))
	case r.Route != "" && r.DeadlineMet:
		return fmt.Sprintf("In time, but not by the path that was chosen: %s.", promised)
	case p.InTime < .5 && r.DeadlineMs > 0:
		return fmt.Sprintf("Little was promised: %s.", promised)
	}
	return fmt.Sprintf("Not as promised: %s.", promised)
}

// within says how the time compares, where a path told its distribution.
func (r *Record) within(p *PathView) string {
	took := r.LatencyMs - r.ArrivedMs
	switch {
	case p.P95Ms == 0:
		return ""
	case took <= p.P95Ms:
		return fmt.Sprintf("; it took %.0f ms, within the %.0f ms that 95%% of such take", took, p.P95Ms)
	}
	return fmt.Sprintf("; it took %.0f ms, longer than the %.0f ms that 95%% of such take", took, p.P95Ms)
}
