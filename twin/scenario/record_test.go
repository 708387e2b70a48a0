// SPDX-License-Identifier: Apache-2.0

package scenario_test

import (
	"bytes"
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"edgex-offload/offload"
	"edgex-offload/twin"
	"edgex-offload/twin/scenario"
)

// recorded are the decision records of a run of a class of the benchmark, over a link of so
// many Mbit/s.
func recorded(t *testing.T, class string, mbit float64) (twin.Class, []offload.Record) {
	t.Helper()
	benchmark := twin.Benchmark()
	c, err := benchmark.Class(class)
	require.NoError(t, err)
	c.Sources[2].Every = 2 * time.Second // as many bursts as it takes to know their rate
	trace := twin.Trace{Name: "steady", Slots: make([]twin.Slot, 6000)}
	for i := range trace.Slots {
		trace.Slots[i] = twin.Slot{RTT: 10 * time.Millisecond, Up: mbit * 1e6 / 8, Down: mbit * 1e6 / 8}
	}
	var records []offload.Record
	settings := offload.DefaultSettings()
	settings.Policy = offload.PolicyCost
	_, err = twin.Run(twin.Cell{
		Settings: settings, Scenario: &benchmark, Class: c, Trace: trace, Seed: 1,
		Observe: func(_ time.Duration, o *offload.Outcome) {
			r := o.Record.Detach()
			r.Source = r.TaskID // in the twin each task has a source of its own
			records = append(records, r)
		},
	})
	require.NoError(t, err)
	return c, records
}

// The head of a split was taken for one more model of the box, and its features for an answer.
func TestAHeadIsNoVariantOfTheBox(t *testing.T) {
	_, records := recorded(t, "xavier", 20)
	for i := range records {
		if r := &records[i]; r.Route == "cloud" {
			head := offload.AttemptView{Target: offload.Local, Variant: "frame-head/1", Why: "head", EndedMs: 9, Result: "ok"}
			r.Attempts = append([]offload.AttemptView{head}, r.Attempts...)
		}
	}
	s, _, err := scenario.FromRecords(records)
	require.NoError(t, err)
	for _, m := range s.Models {
		for _, v := range m.Variants {
			assert.NotContains(t, v.Name, "head")
		}
	}
}

func TestScenarioOfARunIsLikeItsOwn(t *testing.T) {
	for _, name := range []string{"nano", "xavier", "orin"} {
		class, records := recorded(t, name, 20)
		s, notes, err := scenario.FromRecords(records)
		require.NoError(t, err)
		t.Log(notes)
		of := map[string]twin.Source{}
		for _, source := range s.Classes[0].Sources {
			of[source.Name] = source
		}
		for _, want := range class.Sources {
			for n := range want.Count {
				key := want.Name
				if want.Count > 1 {
					key = fmt.Sprintf("%s-%d", want.Name, n+1)
				}
				got, found := of[key]
				require.True(t, found, "%s: %s", name, key)
				assertAlike(t, name+", "+key, want, n, got)
			}
		}
		assert.InEpsilon(t, class.Service, s.Classes[0].Service, .1, "%s: service time", name)
		assert.InEpsilon(t, class.Watts, s.Classes[0].Watts, .001, "%s: watts", name)
		assert.InDelta(t, .9, s.Targets[0].Accuracy, 1e-9)
		assert.Equal(t, .8, s.Models[0].Variants[0].Accuracy)
		require.NoError(t, s.Validate())
	}
}

// assertAlike compares a source with the n-th of those that it was recorded from.
func assertAlike(t *testing.T, name string, want twin.Source, n int, got twin.Source) {
	t.Helper()
	assert.Equal(t, want.Arrivals, got.Arrivals, name)
	assert.Equal(t, want.Model, got.Model, name)
	assert.Equal(t, want.Burst, got.Burst, name)
	tolerance := .1
	if want.Burst > 1 { // some 150 of them: a standard error of 8%
		tolerance = .25
	}
	assert.InEpsilon(t, want.Gap().Seconds(), got.Gap().Seconds(), tolerance, "%s: gap", name)
	if want.Arrivals == twin.Periodic {
		assert.Equal(t, want.Kinds[n%len(want.Kinds)], got.Kinds[0], name)
		return
	}
	for _, kind := range want.Kinds {
		assert.Contains(t, got.Kinds, kind, name)
	}
}

func TestRecordedScenarioIsWrittenAndPlayed(t *testing.T) {
	_, records := recorded(t, "xavier", 50)
	s, _, err := scenario.FromRecords(records)
	require.NoError(t, err)
	var file bytes.Buffer
	require.NoError(t, scenario.Write(&file, s))
	read, err := scenario.Read(&file, nil)
	require.NoError(t, err)
	assert.Equal(t, s.Classes, read.Classes)
	trace := twin.Trace{Name: "steady", Slots: []twin.Slot{{RTT: 1e7, Up: 5e6, Down: 5e6}}}
	score, err := twin.Run(twin.Cell{Settings: offload.DefaultSettings(), Scenario: &read, Class: read.Classes[0], Trace: trace, Seed: 1})
	require.NoError(t, err)
	assert.Positive(t, score.Tasks)
}

func TestRecordsOfNothing(t *testing.T) {
	at := time.Unix(0, 0)
	for says, records := range map[string][]offload.Record{
		"0 records: allowed is 2 and more": nil,
		"none of the tasks names a model":  {{Source: "a"}, {Source: "a"}},
		"no source has two tasks or more":  {{Source: "a", Model: "m"}, {Source: "b", Model: "m"}},
		"models[1].name \"00000": {
			{Source: "a", Model: "m"}, {Source: "a", Model: "m"}, {Source: "a", Model: fmt.Sprintf("%065d", 1)},
		},
	} {
		for i := range records {
			records[i].Created = at.Add(time.Duration(i) * time.Second)
		}
		_, _, err := scenario.FromRecords(records)
		assert.ErrorContains(t, err, says)
	}
	few := []offload.Record{{Source: "a", Model: "m", Created: at}, {Source: "a", Model: "m", Created: at.Add(time.Second)}}
	s, notes, err := scenario.FromRecords(few)
	require.NoError(t, err)
	assert.Empty(t, s.Models[0].Variants)
	assert.Equal(t, 30*time.Second, s.Classes[0].Sources[0].Kinds[0].Deadline)
	assert.Contains(t, fmt.Sprint(notes), "nothing ran on the box")
}
