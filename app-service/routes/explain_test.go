// SPDX-License-Identifier: Apache-2.0

package routes

import (
	"encoding/json"
	"math"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"edgex-offload/offload"
	"edgex-offload/offload/trial"
)

// keptRecords are two of one task, and one whose id has what a path must escape.
type keptRecords struct{}

func (keptRecords) Find(task string, limit int) []offload.Record {
	switch {
	case task == "people" && limit == mostTold-1:
		return []offload.Record{{Seq: 3, TaskID: task}}
	case limit != mostTold:
		return nil
	case task == "a":
		return []offload.Record{{Seq: 9, TaskID: "a"}, {Seq: 4, TaskID: "a"}}
	case task == "event/Frame 1%", task == "100%":
		return []offload.Record{{Seq: 5, TaskID: task}}
	}
	return nil
}

// summaries have one, of a cascade.
type summaries struct{}

func (summaries) Find(task string, limit int) []offload.Record {
	if task == "people" && limit == mostTold {
		return []offload.Record{{TaskID: task, Stages: []offload.StageView{{Name: "faces"}}}}
	}
	return nil
}

func (keptRecords) Kept() (int, int) { return 77, 1000 }

func compared() (time.Time, []trial.Row) {
	half := .5
	return time.Unix(1000, 0).UTC(), []trial.Row{
		{Policy: "cost", Role: trial.Acting, Tasks: 1000, Missed: trial.Interval{Value: .02, Low: .01, High: .03}, P99Ms: trial.Interval{Value: 90, Low: 80, High: 100}},
		{Policy: "local", Role: trial.Shadow, Tasks: 1000, P99Ms: trial.Interval{Value: math.Inf(1), Low: 50, High: math.Inf(1)}, Agreed: &half},
	}
}

func TestDecisionOfATask(t *testing.T) {
	r, _ := serve(t, nil)
	for path, want := range map[string][]uint64{"/a": {9, 4}, "/event%2FFrame%201%25": {5}, "/100%25": {5}, "/people": {0, 3}} {
		code, body := get(r, PathDecisions+path)
		require.Equal(t, http.StatusOK, code, body)
		var answer struct {
			APIVersion string `json:"apiVersion"`
			Decisions  []Told `json:"decisions"`
		}
		require.NoError(t, json.Unmarshal([]byte(body), &answer))
		require.Equal(t, "v3", answer.APIVersion)
		require.Len(t, answer.Decisions, len(want))
		for i, seq := range want {
			require.Equal(t, seq, answer.Decisions[i].Record.Seq)
			require.Equal(t, offload.Explain(&answer.Decisions[i].Record), answer.Decisions[i].Text)
		}
	}
}

func TestDecisionOfAnUnknownTask(t *testing.T) {
	r, _ := serve(t, nil)
	code, body := get(r, PathDecisions+"/gone")
	require.Equal(t, http.StatusNotFound, code)
	require.Contains(t, body, `task \"gone\": none of the last 77 records is of it`)
	require.Contains(t, body, `Offload.DecisionLog (1000) says how many are kept: raise it`)
	code, body = get(r, PathDecisions+"/"+strings.Repeat("x", mostAsked+1))
	require.Equal(t, http.StatusBadRequest, code)
	require.Less(t, len(body), 300, "what was sent is cut")
}

func TestPolicies(t *testing.T) {
	r, _ := serve(t, nil)
	code, body := get(r, PathPolicies)
	require.Equal(t, http.StatusOK, code)
	require.Contains(t, body, `"since":"1970-01-01T00:16:40Z"`)
	require.Contains(t, body, `"policy":"cost","role":"acting","tasks":1000,"missed":{"value":0.02,"low":0.01,"high":0.03}`)
	require.Contains(t, body, `"p99Ms":{"value":null,"low":50,"high":null},"agreed":0.5`)
}
