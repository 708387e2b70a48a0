// SPDX-License-Identifier: Apache-2.0

package report_test

import (
	"bytes"
	"encoding/json"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"edgex-offload/offload"
	"edgex-offload/offload/trial"
	"edgex-offload/standalone/report"
)

func yes(b bool) *bool { return &b }

// paths are what a decision saw of the box and of the cloud.
func paths(rttMs, upKbps float64) []offload.PathView {
	return []offload.PathView{
		{Target: "local", Variant: "small/1", Usable: true, Accuracy: .8},
		{Target: "cloud", Usable: upKbps > 0, Accuracy: .9, RTTMs: rttMs, JitterMs: rttMs / 10, UpKbps: upKbps, LossRatio: .1},
	}
}

func records() []offload.Record {
	answer := func(source, route, variant string, latency float64, inTime bool, correct *bool) offload.Record {
		return offload.Record{
			Source: source, Model: "m", Policy: "cost", Route: route, LatencyMs: latency, DeadlineMet: inTime, Correct: correct,
			Attempts: []offload.AttemptView{{Target: route, Variant: variant, Result: "ok"}}, Paths: paths(50, 4000),
		}
	}
	return []offload.Record{
		answer("cam/Frame", "local", "small/1", 10, true, yes(true)),
		answer("cam/Frame", "cloud", "", 60, true, yes(true)),
		answer("cam/Frame", "cloud", "", 400, false, yes(false)),
		{Source: "cam/Frame", Model: "m", Policy: "cost", Reason: offload.Superseded, Paths: paths(70, 0)},
		answer("mic/Window", "local", "small/1", 20, true, nil),
	}
}

func TestFrom(t *testing.T) {
	got := report.From(records(), report.Seen{Frames: 6, EventsPublished: 4, Duration: 30040 * time.Millisecond, Profile: "wifi"})
	third, promised := .6667, .8667
	assert.Equal(t, report.Report{
		Frames: 6, Tasks: 5,
		Outcomes: report.Outcomes{Local: 2, Cloud: 2, Dropped: map[string]int{"superseded": 1}, Late: 1},
		OnTime:   .6, Accuracy: &third, PromisedAccuracy: &promised,
		LatencyMs:       report.Quantiles{P50: 20, P95: 400, P99: 400},
		Link:            report.Link{RTTMs: 54, JitterMs: 5.4, UpKbps: 4000, Loss: .1},
		EventsPublished: 4, DurationS: 30, Policy: "cost", Profile: "wifi",
		BySource: map[string]report.Source{
			"cam/Frame":  {Tasks: 4, Local: 1, Cloud: 2, Dropped: 1, OnTime: .5, Accuracy: &third, PromisedAccuracy: &promised, P50Ms: 60},
			"mic/Window": {Tasks: 1, Local: 1, OnTime: 1, P50Ms: 20},
		},
	}, exported(got))
	assert.Equal(t, []string{"cam/Frame", "mic/Window"}, got.SourceNames())
}

// An answer of the box whose split had run its head before was taken for the head's, which no
// file promises anything of.
func TestAHeadIsNotTakenForWhoAnswered(t *testing.T) {
	records := records()[:1]
	answer := &records[0].Attempts[0]
	records[0].Attempts = []offload.AttemptView{{Target: "local", Variant: "large-head/1", Why: "head", Result: "ok"}, *answer}
	got := report.From(records, report.Seen{})
	require.NotNil(t, got.PromisedAccuracy)
	assert.InDelta(t, .8, *got.PromisedAccuracy, 0)
	assert.Zero(t, got.Outcomes.Features)
}

func TestWhatWentAsFeaturesIsCounted(t *testing.T) {
	records := records()[1:3]
	records[0].Attempts[0].Variant, records[0].Attempts[0].Bytes = "large-tail/1", 2313
	got := report.From(records, report.Seen{})
	assert.Equal(t, 2, got.Outcomes.Cloud)
	assert.Equal(t, 1, got.Outcomes.Features)
}

// exported leaves out what the JSON does not have.
func exported(r report.Report) (only report.Report) {
	body, err := json.Marshal(r)
	if err == nil {
		err = json.Unmarshal(body, &only)
	}
	if err != nil {
		panic(err)
	}
	return only
}

// TestKeys guards the keys that scripts rely on.
func TestKeys(t *testing.T) {
	body, err := json.Marshal(report.From(records(), report.Seen{}))
	require.NoError(t, err)
	var keys map[string]any
	require.NoError(t, json.Unmarshal(body, &keys))
	for _, key := range []string{"frames", "tasks", "outcomes", "on_time", "accuracy", "latency_ms", "link", "events_published", "duration_s"} {
		assert.Contains(t, keys, key)
	}
	for group, inside := range map[string][]string{
		"outcomes": {"local", "cloud", "dropped"}, "latency_ms": {"p50", "p95", "p99"}, "link": {"rtt_ms", "jitter_ms", "up_kbps", "loss"},
	} {
		for _, key := range inside {
			assert.Contains(t, keys[group], key)
		}
	}
	without, err := json.Marshal(report.From(nil, report.Seen{}))
	require.NoError(t, err)
	assert.Contains(t, string(without), `"accuracy":null`)
}

func TestMissing(t *testing.T) {
	all := records()
	alone, byOrder := all[0], all[0]
	alone.Paths = paths(0, 0)
	byOrder.Paths, byOrder.Policy = paths(0, 0), offload.PolicyLocal
	chosen := all[0] // for the cloud, and answered by the backup
	chosen.Decided = "cloud"
	for _, c := range []struct {
		name           string
		records        []offload.Record
		frames, events int
		want           []string // how each begins
	}{
		{"all carried", all, 1, 1, nil},
		{"nothing carried", nil, 0, 0, []string{"frames:", "tasks:", "outcomes:", "events:", "cloud: the app"}},
		{"only drops", all[3:4], 1, 0, []string{"outcomes:", "events:", "cloud: the app"}},
		{"the cloud was there and never better", all[:1], 1, 1, nil},
		{"the cloud failed a few times", slices.Repeat([]offload.Record{chosen}, 4), 1, 1, nil},
		{"the cloud failed each time", slices.Repeat([]offload.Record{chosen}, 5), 1, 1, []string{"cloud: it was chosen 5 times"}},
		{"the cloud was not there", []offload.Record{alone}, 1, 1, []string{"cloud: the app"}},
		{"the cloud is not wanted", []offload.Record{byOrder}, 1, 1, nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			got := report.From(c.records, report.Seen{Frames: c.frames, EventsPublished: c.events}).Missing()
			require.Len(t, got, len(c.want), "%q", got)
			for i, begin := range c.want {
				assert.True(t, strings.HasPrefix(got[i], begin), got[i])
			}
		})
	}
}

// The records alone say what the service shows at /api/v3/offload/policies.
func TestPoliciesAreComparedByTheRecords(t *testing.T) {
	made, table := records(), trial.New()
	for i := range made {
		made[i].Settled.Term = offload.ByCost
		made[i].Shadows = []offload.ShadowView{{Policy: "local", Decided: "local", InTime: .9, ExpectedMs: 10}}
		table.Add(&made[i])
	}
	got := report.From(made, report.Seen{})
	require.Equal(t, table.Rows(), got.Policies)
	require.Equal(t, got.Policies, exported(got).Policies, "as it is written and read")
	require.Len(t, got.Policies, 2)
	require.InDelta(t, .4, got.Policies[0].Missed.Value, 1e-9)
}

func TestEveryTaskIsCountedOnce(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		made := rapid.SliceOf(rapid.Custom(func(t *rapid.T) offload.Record {
			r := offload.Record{
				Source: rapid.SampledFrom([]string{"a", "b"}).Draw(t, "source"), Route: rapid.SampledFrom([]string{"", "local", "cloud"}).Draw(t, "route"),
				LatencyMs: rapid.Float64Range(0, 1e4).Draw(t, "latency"), DeadlineMet: rapid.Bool().Draw(t, "met"), Paths: paths(1, 1),
			}
			if r.Route == "" {
				r.Reason = rapid.SampledFrom([]offload.Reason{offload.Shed, offload.Expired}).Draw(t, "reason")
			} else if rapid.Bool().Draw(t, "truth") {
				r.Correct = yes(rapid.Bool().Draw(t, "correct"))
			}
			return r
		})).Draw(t, "records")
		got := report.From(made, report.Seen{})
		sum, bySource := got.Outcomes.Local+got.Outcomes.Cloud, 0
		for _, n := range got.Outcomes.Dropped {
			sum += n
		}
		for _, s := range got.BySource {
			bySource += s.Local + s.Cloud + s.Dropped
		}
		if sum != len(made) || bySource != len(made) {
			t.Fatalf("%d records, %d counted, %d by source", len(made), sum, bySource)
		}
		run := report.New()
		for i := range made {
			run.Add(made[i : i+1])
		}
		if piecewise := run.Report(report.Seen{}); !reflect.DeepEqual(piecewise, got) {
			t.Fatalf("piece by piece %+v, at once %+v", piecewise, got)
		}
		if got.OnTime < 0 || got.OnTime > 1 || got.LatencyMs.P50 > got.LatencyMs.P95 || got.LatencyMs.P95 > got.LatencyMs.P99 {
			t.Fatalf("%+v", got)
		}
	})
}

func TestRecordsReadBackAsWritten(t *testing.T) {
	var file bytes.Buffer
	encoder := json.NewEncoder(&file)
	for _, r := range records() {
		require.NoError(t, encoder.Encode(r))
	}
	read, err := report.ReadRecords(&file)
	require.NoError(t, err)
	assert.Equal(t, records(), read)
	_, err = report.ReadRecords(strings.NewReader("{}\n\nno\n"))
	require.ErrorContains(t, err, "line 3: not a decision record")
}

func FuzzReadRecords(f *testing.F) {
	f.Add("{\"seq\":1,\"route\":\"local\"}\n")
	f.Fuzz(func(_ *testing.T, file string) {
		if read, err := report.ReadRecords(strings.NewReader(file)); err == nil {
			report.From(read, report.Seen{})
		}
	})
}
