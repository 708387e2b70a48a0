// SPDX-License-Identifier: Apache-2.0

package main

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"edgex-offload/twin"
)

func TestTwinPlaysEveryCell(t *testing.T) {
	dir := t.TempDir()
	var csv strings.Builder
	csv.WriteString("t_ms,rtt_ms,up_kbps,down_kbps,loss\n")
	for i := range 200 {
		fmt.Fprintf(&csv, "%d,20,50000,50000,0\n", 50*i)
	}
	for _, name := range []string{"a.csv", "b.csv"} {
		require.NoError(t, os.WriteFile(filepath.Join(dir, name), []byte(csv.String()), 0o600))
	}
	file := filepath.Join(dir, "r.json")
	out, err := run(t, "twin", "--traces", dir, "--policies", "local,cost", "--classes", "nano,orin", "--seeds", "2", "--report", file)
	require.NoError(t, err)
	assert.Contains(t, out, "means over 8 cells each")

	text, err := os.ReadFile(file)
	require.NoError(t, err)
	var report struct {
		Cells   []twin.Score
		Summary map[string]twin.Score
	}
	require.NoError(t, json.Unmarshal(text, &report))
	assert.Len(t, report.Cells, 16)
	assert.Greater(t, report.Summary["cost"].Utility, report.Summary["local"].Utility, "a link of 50 Mbit/s should pay")
	assert.Zero(t, report.Summary["local"].SentMB)
}

func TestTwinMistakes(t *testing.T) {
	dir := t.TempDir()
	bad := filepath.Join(dir, "bad.csv")
	require.NoError(t, os.WriteFile(bad, []byte("t_ms,rtt_ms,up_kbps,down_kbps,loss\n0,x,1,1,0\n"), 0o600))
	for says, args := range map[string][]string{
		"no .csv file in it":                {"--traces", t.TempDir()},
		"line 2, column rtt_ms: \"x\"":      {"--traces", bad},
		"seeds 0: allowed is 1 to 100":      {"--traces", bad, "--seeds", "0"},
		"Policy \"best\": allowed is local": {"--traces", filepath.Join("testdata", "steady.csv"), "--policies", "best"},
		"class \"toaster\": allowed are":    {"--traces", filepath.Join("testdata", "steady.csv"), "--classes", "toaster"},
		"no such file":                      {"--traces", filepath.Join(dir, "missing")},
		"required flag(s) \"traces\" not":   {},
	} {
		_, err := run(t, append([]string{"twin"}, args...)...)
		require.Error(t, err, args)
		assert.Contains(t, err.Error(), says)
	}
}
