// SPDX-License-Identifier: Apache-2.0

package report

import (
	"cmp"
	"math"
	"slices"
	"time"

	"edgex-offload/offload"
)

// Report is what a run came to. Shares are 0 to 1.
type Report struct {
	// Frames are the events of the device service on the bus: frames and sensor windows.
	Frames int `json:"frames"`
	// Tasks are the decision records.
	Tasks    int      `json:"tasks"`
	Outcomes Outcomes `json:"outcomes"`
	// OnTime is the share of all tasks that had their result by the deadline.
	OnTime float64 `json:"on_time"`
	// Accuracy is the share of answers that agree with the ground truth; nil without truth.
	Accuracy *float64 `json:"accuracy"`
	// PromisedAccuracy is what the models' files state for the same answers, in the mean.
	PromisedAccuracy *float64 `json:"promised_accuracy"`
	// LatencyMs is from capture to result.
	LatencyMs Quantiles `json:"latency_ms"`
	// Link is what the box knew of its link to the cloud, in the mean over its decisions.
	Link Link `json:"link"`
	// EventsPublished are the outcome events on the bus.
	EventsPublished int     `json:"events_published"`
	DurationS       float64 `json:"duration_s"`
	// PassedOver counts what came from the bus and became no task, by reason.
	PassedOver map[string]int `json:"passed_over"`
	// Policy, and Profile: the emulated link's profile or trace.
	Policy  string `json:"policy"`
	Profile string `json:"profile"`
	// BySource has the same figures for each device and resource.
	BySource map[string]Source `json:"by_source"`
}

// Outcomes counts how tasks ended.
type Outcomes struct {
	Local   int            `json:"local"`
	Cloud   int            `json:"cloud"`
	Dropped map[string]int `json:"dropped"`
	// Late are those of Local and Cloud that came after their deadline.
	Late int `json:"late"`
}

// Quantiles are in milliseconds; all 0 without any result.
type Quantiles struct {
	P50 float64 `json:"p50"`
	P95 float64 `json:"p95"`
	P99 float64 `json:"p99"`
}

// Link is the estimate of the link; 0 is unknown.
type Link struct {
	RTTMs    float64 `json:"rtt_ms"`
	JitterMs float64 `json:"jitter_ms"` // standard deviation of the round trip
	UpKbps   float64 `json:"up_kbps"`
	Loss     float64 `json:"loss"`
}

// Source is what one source came to.
type Source struct {
	Tasks            int      `json:"tasks"`
	Local            int      `json:"local"`
	Cloud            int      `json:"cloud"`
	Dropped          int      `json:"dropped"`
	OnTime           float64  `json:"on_time"`
	Accuracy         *float64 `json:"accuracy"`
	PromisedAccuracy *float64 `json:"promised_accuracy"`
	P50Ms            float64  `json:"p50_ms"`
}

// Seen is what the records do not tell.
type Seen struct {
	Frames, EventsPublished int
	PassedOver              map[string]int
	Duration                time.Duration
	Profile                 string
}

// From computes a report.
func From(records []offload.Record, seen Seen) Report {
	all := newTally()
	sources := map[string]*tally{}
	promised := promises(records)
	var policy string
	for i := range records {
		r := &records[i]
		policy = r.Policy
		if sources[r.Source] == nil {
			sources[r.Source] = newTally()
		}
		all.add(r, promised)
		sources[r.Source].add(r, promised)
	}
	report := Report{
		Frames: seen.Frames, Tasks: len(records), Outcomes: all.outcomes, OnTime: all.onTimeShare(),
		Accuracy: share(all.correct, all.judged), PromisedAccuracy: meanOf(all.promised, all.judged),
		LatencyMs: all.quantiles(), Link: meanLink(records),
		EventsPublished: seen.EventsPublished, DurationS: round(seen.Duration.Seconds(), 1),
		PassedOver: seen.PassedOver, Policy: policy, Profile: seen.Profile, BySource: map[string]Source{},
	}
	for name, t := range sources {
		report.BySource[name] = t.source()
	}
	return report
}

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

// promises collects the accuracy that decisions stated for each variant of each path.
func promises(records []offload.Record) map[string]float64 {
	stated := map[string]float64{}
	for _, r := range records {
		for _, p := range r.Paths {
			if p.Accuracy > 0 {
				stated[promiseKey(r.Model, p.Target, p.Variant)] = p.Accuracy
			}
		}
	}
	return stated
}

func promiseKey(model, target, variant string) string {
	if target != offload.Local {
		variant = "" // the box knows of a target's best variant alone
	}
	return model + "\x00" + target + "\x00" + variant
}

// answeredBy is the variant whose attempt gave the answer.
func answeredBy(r *offload.Record) string {
	for _, a := range r.Attempts {
		if a.Target == r.Route && a.Result == "ok" {
			return a.Variant
		}
	}
	return r.AnsweredBy
}

func meanLink(records []offload.Record) Link {
	var link Link
	var rtts, rates, views int
	for _, r := range records {
		for _, p := range r.Paths {
			if p.Target == offload.Local {
				continue
			}
			views++
			link.Loss += p.LossRatio
			if p.RTTMs > 0 {
				rtts++
				link.RTTMs += p.RTTMs
				link.JitterMs += p.JitterMs
			}
			if p.UpKbps > 0 {
				rates++
				link.UpKbps += p.UpKbps
			}
		}
	}
	return Link{
		RTTMs: mean(link.RTTMs, rtts), JitterMs: mean(link.JitterMs, rtts),
		UpKbps: mean(link.UpKbps, rates), Loss: round(link.Loss/float64(max(views, 1)), 4),
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

// Expect says which stages must have carried something.
type Expect struct {
	// Cloud: the cloud's model is better, so it must have answered. Otherwise it is enough
	// that the box could have used it, unless CloudUnused.
	Cloud, CloudUnused bool
}

// Missing names the stages that carried nothing, in the order of the flow; none is well.
func (r Report) Missing(records []offload.Record, expect Expect) []string {
	answered := r.Outcomes.Local + r.Outcomes.Cloud
	reachable := expect.CloudUnused || r.Outcomes.Cloud > 0 || slices.ContainsFunc(records, couldUseCloud)
	var missing []string
	for _, stage := range []struct {
		carried bool
		name    string
	}{
		{r.Frames > 0, "frames: no frame and no window of the device service came over the bus"},
		{r.Tasks > 0, "tasks: the app service decided no task"},
		{answered > 0, "outcomes: no task was answered"},
		{r.EventsPublished > 0, "events: no outcome event came over the bus"},
		{reachable, "cloud: the app service could never use it"},
		{!expect.Cloud || !reachable || r.Outcomes.Cloud > 0, "cloud: it answered no task"},
	} {
		if !stage.carried {
			missing = append(missing, stage.name)
		}
	}
	return missing
}

func couldUseCloud(r offload.Record) bool {
	return slices.ContainsFunc(r.Paths, func(p offload.PathView) bool { return p.Target != offload.Local && p.Usable })
}

// SourceNames are sorted, the busiest first.
func (r Report) SourceNames() []string {
	names := make([]string, 0, len(r.BySource))
	for name := range r.BySource {
		names = append(names, name)
	}
	slices.SortFunc(names, func(a, b string) int {
		return cmp.Or(cmp.Compare(r.BySource[b].Tasks, r.BySource[a].Tasks), cmp.Compare(a, b))
	})
	return names
}
