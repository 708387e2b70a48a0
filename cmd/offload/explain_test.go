// SPDX-License-Identifier: Apache-2.0

package main

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"edgex-offload/offload"
)

func explainable(seq uint64) offload.Record {
	return offload.Record{
		Seq: seq, TaskID: "event/Frame", Source: "cam\x1b[2J/Frame", Policy: "cost", Settled: offload.Settled{Term: offload.OnlyInTime},
		Decided: "local", Route: "local", Label: "good", LatencyMs: 12, DeadlineMs: 100, DeadlineMet: true,
		Paths: []offload.PathView{{Target: "local", Usable: true, ExpectedMs: 11, InTime: .9}},
	}
}

func TestExplainFromAFile(t *testing.T) {
	file := filepath.Join(t.TempDir(), "d.jsonl")
	var lines []byte
	for seq := range uint64(3) {
		line, err := json.Marshal(explainable(seq))
		require.NoError(t, err)
		lines = append(append(lines, line...), '\n')
	}
	require.NoError(t, os.WriteFile(file, lines, 0o600))
	out, err := run(t, "explain", "--decisions", file, "event/Frame")
	require.NoError(t, err)
	assert.Contains(t, out, "Policy cost chose local: only path in time")
	assert.Contains(t, out, "As promised: local was expected to answer at 11 ms")
	assert.NotContains(t, out, "\x1b")

	out, err = run(t, "explain", "--json", "--decisions", file, "event/Frame")
	require.NoError(t, err)
	var newest offload.Record
	require.NoError(t, json.Unmarshal([]byte(out[:1+indexOfEnd(out)]), &newest))
	assert.EqualValues(t, 2, newest.Seq)

	_, err = run(t, "explain", "--decisions", file, "other")
	require.ErrorContains(t, err, `task "other": none of the 3 records in `+file)
}

// indexOfEnd is where the first JSON object ends.
func indexOfEnd(text string) int {
	for i := range text {
		if text[i] == '}' && i > 0 && text[i-1] == '\n' {
			return i
		}
	}
	return len(text) - 1
}

func TestExplainAsksTheService(t *testing.T) {
	app := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.EscapedPath() {
		case "/api/v3/offload/decisions/event%2FFrame":
			_ = json.NewEncoder(w).Encode(map[string]any{"decisions": []map[string]any{{"record": explainable(1)}}})
		case "/api/v3/offload/decisions/broken":
			_, _ = w.Write([]byte("<html>"))
		default:
			w.WriteHeader(http.StatusNotFound)
			_, _ = w.Write([]byte(`{"message": "task \"gone\": none of the last 7 records is of it"}`))
		}
	}))
	defer app.Close()
	out, err := run(t, "explain", "--app", app.URL+"/", "event/Frame")
	require.NoError(t, err)
	assert.Contains(t, out, `12 ms: local answered "good"`)
	_, err = run(t, "explain", "--app", app.URL, "gone")
	require.EqualError(t, err, `task "gone": none of the last 7 records is of it`)
	_, err = run(t, "explain", "--app", app.URL, "broken")
	require.ErrorContains(t, err, "not an answer of the app service")
	_, err = run(t, "explain", "--app", "localhost:59740", "x")
	require.ErrorContains(t, err, `app "localhost:59740": allowed is a URL`)
}
