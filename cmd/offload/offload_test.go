// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"edgex-offload/offload"
)

// run is the command line in this process.
func run(t *testing.T, args ...string) (string, error) {
	t.Helper()
	var out bytes.Buffer
	root := command()
	root.SetArgs(args)
	root.SetOut(&out)
	err := root.ExecuteContext(t.Context())
	return out.String(), err
}

func TestReportOfKeptDecisions(t *testing.T) {
	file := filepath.Join(t.TempDir(), "run.jsonl")
	line, err := json.Marshal(offload.Record{Seq: 1, Source: "cam/Frame", Policy: "cost", Route: "local", LatencyMs: 12, DeadlineMet: true})
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(file, append(line, '\n'), 0o600))
	out, err := run(t, "report", file)
	require.NoError(t, err)
	assert.Contains(t, out, "local 1, cloud 0, none dropped")

	require.NoError(t, os.WriteFile(file, nil, 0o600))
	_, err = run(t, "report", file)
	require.ErrorContains(t, err, "no record")
}

func TestUpTeaches(t *testing.T) {
	out, err := run(t, "help", "up")
	require.NoError(t, err)
	for _, text := range []string{"5g-drive", "flaky", "offload up --camera", "--decisions", "names the stage"} {
		assert.Contains(t, out, text)
	}
}

func TestMistakes(t *testing.T) {
	for says, args := range map[string][]string{
		"port-base 80: allowed is 0, or 1024 to 65000": {"up", "--port-base", "80"},
		"for 5ms: allowed is 0, or 1s and more":        {"up", "--for", "5ms"},
		"[profile trace] were all set":                 {"up", "--profile", "lan", "--trace", "x.csv"},
		"task type \"dance\": allowed are":             {"submit", "--kind", "dance", "offload_test.go"},
	} {
		_, err := run(t, args...)
		require.Error(t, err, args)
		assert.Contains(t, err.Error(), says)
	}
}
