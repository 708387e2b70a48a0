// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"edgex-offload/offload"
)

// decisions is a file of records of a camera of ten frames a second.
func decisions(t *testing.T, dir string) string {
	t.Helper()
	var lines bytes.Buffer
	for i := range 200 {
		require.NoError(t, json.NewEncoder(&lines).Encode(offload.Record{
			Source: "camera-1/Frame", Model: "surface", Priority: "HIGH", Bytes: 50_000 + 10*i, DeadlineMs: 250,
			Created: time.Unix(1000, 0).Add(time.Duration(i) * 100 * time.Millisecond),
			Paths: []offload.PathView{
				{Target: offload.Local, Variant: "surface-small/1", Accuracy: .9}, {Target: "cloud", Accuracy: .96, ServiceMs: 12},
			},
			Attempts: []offload.AttemptView{
				{Target: offload.Local, Variant: "surface-small/1", StartedMs: 1, EndedMs: 31, Result: "ok"},
				{Target: "cloud", StartedMs: 1, EndedMs: 60, Result: "ok"},
			},
		}))
	}
	file := filepath.Join(dir, "d.jsonl")
	require.NoError(t, os.WriteFile(file, lines.Bytes(), 0o600))
	return file
}

func TestScenarioOfARecordingIsPlayed(t *testing.T) {
	dir := steadyTraces(t)
	site := filepath.Join(dir, "site.yaml")
	_, err := run(t, "twin", "scenario", "--decisions", decisions(t, dir), "--trace", filepath.Join(dir, "a.csv"), "--out", site)
	require.NoError(t, err)
	text, err := os.ReadFile(site)
	require.NoError(t, err)
	for _, says := range []string{
		"# Made from 200 decision records", "name: camera-1/Frame", "arrivals: periodic", "every: 100ms", "deadline: 250ms", "priority: HIGH",
		"service: 30ms", "service: 12ms", "accuracy: 0.96", "name: surface-small/1",
	} {
		assert.Contains(t, string(text), says)
	}

	out, err := run(t, "twin", "--scenario", site, "--policies", "cost") // the trace is the scenario's
	require.NoError(t, err)
	assert.Contains(t, out, "means over 1 cells each")
}

func TestScenarioToStartFrom(t *testing.T) {
	out, err := run(t, "twin", "scenario")
	require.NoError(t, err)
	file := filepath.Join(t.TempDir(), "my.yaml")
	require.NoError(t, os.WriteFile(file, []byte(out), 0o600))
	_, err = readScenario(file)
	require.NoError(t, err)
}

func TestScenarioMistakes(t *testing.T) {
	dir := t.TempDir()
	records := decisions(t, dir)
	empty := filepath.Join(dir, "empty.jsonl")
	require.NoError(t, os.WriteFile(empty, nil, 0o600))
	bad := filepath.Join(dir, "bad.yaml")
	require.NoError(t, os.WriteFile(bad, []byte("targets: [{name: a, service: 1ms, link: {trace: gone.csv}}]"), 0o600))
	for says, args := range map[string][]string{
		"trace: allowed beside --decisions alone": {"scenario", "--trace", "x.csv"},
		"0 records: allowed is 2 and more":        {"scenario", "--decisions", empty},
		"line 1: not a decision record":           {"scenario", "--decisions", bad},
		"no.jsonl: no such file":                  {"scenario", "--decisions", "no.jsonl"},
		"trace: open no.csv":                      {"scenario", "--decisions", records, "--trace", "no.csv"},
		"targets[0].link.trace: open " + dir:      {"--scenario", bad, "--traces", "testdata"},
	} {
		_, err := run(t, append([]string{"twin"}, args...)...)
		assert.ErrorContains(t, err, says)
	}
}
