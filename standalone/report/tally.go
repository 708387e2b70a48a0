// SPDX-License-Identifier: Apache-2.0

package report

import (
	"math"
	"slices"

	"edgex-offload/offload"
)

// tally adds up records.
type tally struct {
	tasks, onTime   int
	outcomes        Outcomes
	judged, correct int     // answers with ground truth
	promised        float64 // the accuracies that were promised for them, added up
	latencies       []float64
}

func newTally() *tally { return &tally{outcomes: Outcomes{Dropped: map[string]int{}}} }

func (t *tally) add(r *offload.Record, promised map[string]float64) {
	t.tasks++
	if r.DeadlineMet && r.Route != "" {
		t.onTime++
	}
	switch {
	case r.Route == "":
		t.outcomes.Dropped[string(r.Reason)]++
		return
	case r.Route == offload.Local:
		t.outcomes.Local++
	default:
		t.outcomes.Cloud++
		if asFeatures(r) {
			t.outcomes.Features++
		}
	}
	if !r.DeadlineMet {
		t.outcomes.Late++
	}
	t.latencies = append(t.latencies, r.LatencyMs)
	if r.Correct == nil {
		return
	}
	t.judged++
	t.promised += promised[promiseKey(r.Model, r.Route, answeredBy(r))]
	if *r.Correct {
		t.correct++
	}
}

func (t *tally) onTimeShare() float64 {
	if t.tasks == 0 {
		return 0
	}
	return round(float64(t.onTime)/float64(t.tasks), 4)
}

func (t *tally) source() Source {
	dropped := 0
	for _, n := range t.outcomes.Dropped {
		dropped += n
	}
	return Source{
		Tasks: t.tasks, Local: t.outcomes.Local, Cloud: t.outcomes.Cloud, Dropped: dropped, OnTime: t.onTimeShare(),
		Accuracy: share(t.correct, t.judged), PromisedAccuracy: meanOf(t.promised, t.judged), P50Ms: t.quantiles().P50,
	}
}

func (t *tally) quantiles() Quantiles {
	if len(t.latencies) == 0 {
		return Quantiles{}
	}
	sorted := slices.Sorted(slices.Values(t.latencies))
	at := func(q float64) float64 { // nearest rank: a latency that was there
		return round(sorted[max(int(math.Ceil(q*float64(len(sorted))))-1, 0)], 2)
	}
	return Quantiles{P50: at(.5), P95: at(.95), P99: at(.99)}
}

func promiseKey(model, target, variant string) string {
	if target != offload.Local {
		variant = "" // the box knows of a target's best variant alone
	}
	return model + "\x00" + target + "\x00" + variant
}

// answeredBy is the variant whose attempt gave the answer: not a head, whose features went on.
func answeredBy(r *offload.Record) string {
	for _, a := range r.Attempts {
		if a.Target == r.Route && a.Result == "ok" && !a.OfHead() {
			return a.Variant
		}
	}
	return r.AnsweredBy
}

// asFeatures tells that what was answered elsewhere had gone out as features.
func asFeatures(r *offload.Record) bool {
	return slices.ContainsFunc(r.Attempts, func(a offload.AttemptView) bool {
		return a.Target == r.Route && a.Result == "ok" && a.Bytes > 0
	})
}

// linkMeans adds up what decisions knew of the link.
type linkMeans struct {
	sum                Link
	rtts, rates, views int
}

func (l *linkMeans) add(p offload.PathView) {
	l.views++
	l.sum.Loss += p.LossRatio
	if p.RTTMs > 0 {
		l.rtts++
		l.sum.RTTMs += p.RTTMs
		l.sum.JitterMs += p.JitterMs
	}
	if p.UpKbps > 0 {
		l.rates++
		l.sum.UpKbps += p.UpKbps
	}
}

func (l *linkMeans) means() Link {
	return Link{
		RTTMs: mean(l.sum.RTTMs, l.rtts), JitterMs: mean(l.sum.JitterMs, l.rtts),
		UpKbps: mean(l.sum.UpKbps, l.rates), Loss: round(l.sum.Loss/float64(max(l.views, 1)), 4),
	}
}

func mean(sum float64, n int) float64 { return round(sum/float64(max(n, 1)), 2) }

// share and meanOf are nil for nothing of nothing.
func share(part, whole int) *float64 { return meanOf(float64(part), whole) }

func meanOf(sum float64, n int) *float64 {
	if n == 0 {
		return nil
	}
	value := round(sum/float64(n), 4)
	return &value
}

func round(value float64, digits int) float64 {
	scale := math.Pow10(digits)
	return math.Round(value*scale) / scale
}
