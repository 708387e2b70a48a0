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

	"edgex-offload/infer/mlp"
	"edgex-offload/models/policy"
	"edgex-offload/twin/compare"
)

// steadyTraces is a folder of two links of 50 Mbit/s, ten seconds long.
func steadyTraces(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	var csv strings.Builder
	csv.WriteString("t_ms,rtt_ms,up_kbps,down_kbps,loss\n")
	for i := range 200 {
		fmt.Fprintf(&csv, "%d,20,50000,50000,0\n", 50*i)
	}
	for _, name := range []string{"a.csv", "b.csv"} {
		require.NoError(t, os.WriteFile(filepath.Join(dir, name), []byte(csv.String()), 0o600))
	}
	return dir
}

func TestTwinPlaysEveryCell(t *testing.T) {
	dir := steadyTraces(t)
	file := filepath.Join(dir, "r.json")
	args := []string{
		"twin", "--traces", dir, "--policies", "local,cost", "--classes", "nano,orin", "--seeds", "2", "--report", file,
		"--sweep", "JitterFactor=0,4",
	}
	out, err := run(t, args...)
	require.NoError(t, err)
	for _, says := range []string{"means over 8 cells each", "local less", "of 8", "JitterFactor"} {
		assert.Contains(t, out, says)
	}

	text, err := os.ReadFile(file)
	require.NoError(t, err)
	var report compare.Report
	require.NoError(t, json.Unmarshal(text, &report))
	assert.Len(t, report.Cells, 16)
	assert.Len(t, report.Sweeps, 4)
	assert.Greater(t, report.Summary["cost"].Utility, report.Summary["local"].Utility, "a link of 50 Mbit/s should pay")
	assert.Zero(t, report.Summary["local"].SentMB)
	assert.Nil(t, report.Summary["local"].ECE, "nothing sent, nothing promised")

	_, err = run(t, append(args, "--parallel", "1")...)
	require.NoError(t, err)
	again, err := os.ReadFile(file)
	require.NoError(t, err)
	assert.Equal(t, string(text), string(again), "the same command gives the same bytes")
}

func TestTwinMistakes(t *testing.T) {
	dir := t.TempDir()
	bad := filepath.Join(dir, "bad.csv")
	require.NoError(t, os.WriteFile(bad, []byte("t_ms,rtt_ms,up_kbps,down_kbps,loss\n0,x,1,1,0\n"), 0o600))
	steady := filepath.Join("testdata", "steady.csv")
	for says, args := range map[string][]string{
		"no .csv file in it":                 {"--traces", t.TempDir()},
		"line 2, column rtt_ms: \"x\"":       {"--traces", bad},
		"seeds 0: allowed is 1 to 100":       {"--traces", bad, "--seeds", "0"},
		"policies \"best\": allowed are ":    {"--traces", steady, "--policies", "best"},
		"known-network, everything-known,":   {"--traces", steady, "--policies", "best"},
		"policies \"cost\": it is there":     {"--traces", steady, "--policies", "cost,cost"},
		"class \"toaster\": allowed are":     {"--traces", steady, "--classes", "toaster"},
		"parallel 0: allowed is 1 to 1024":   {"--traces", steady, "--parallel", "0"},
		"use --set JitterFactor=4":           {"--traces", steady, "--jitter-factor", "4"},
		"use --set Weights.Accuracy=9":       {"--traces", steady, "--accuracy-weight=9"},
		"use --set Hedge=false":              {"--traces", steady, "--hedge=false"},
		"use --set Hedge=true":               {"--traces", steady, "--hedge"},
		"set \"Guard\": allowed is KEY=VALU": {"--traces", steady, "--set", "Guard"},
		"set Gard: no such setting":          {"--traces", steady, "--set", "Gard=1ms"},
		"set Guard 2s: allowed is 0s to 1s":  {"--traces", steady, "--set", "Guard=2s"},
		"Guard \"2\": allowed is a time wit": {"--traces", steady, "--set", "guard=2"},
		"sweep: Guard 2s: allowed is":        {"--traces", steady, "--sweep", "Guard=1ms,2s"},
		"sweep \"Guard=\": allowed is KEY=":  {"--traces", steady, "--sweep", "Guard="},
		"no-such.yaml: no such file":         {"--traces", steady, "--scenario", "no-such.yaml"},
		"since the scenario names none":      {},
		"no such file":                       {"--traces", filepath.Join(dir, "missing")},
	} {
		_, err := run(t, append([]string{"twin"}, args...)...)
		require.Error(t, err, args)
		assert.Contains(t, err.Error(), says)
	}
}

func TestTwinTrainWritesANetworkThatIsPlayed(t *testing.T) {
	dir := steadyTraces(t)
	file := filepath.Join(dir, "dqn.onnx")
	out, err := run(t, "twin", "train", "--traces", dir, "--to", file, "--rounds", "1", "--episodes", "2", "--length", "10s", "--hidden", "8", "--gamma", "0.25")
	require.NoError(t, err)
	for _, part := range []string{"round  decisions", "best", "On 24 made-up links", "dqn", "quantile", "cost"} {
		assert.Contains(t, out, part)
	}
	content, err := os.ReadFile(file)
	require.NoError(t, err)
	metadata, err := mlp.Metadata(content)
	require.NoError(t, err)
	assert.Contains(t, metadata[policy.KeyReward], "gamma=0.25")
	assert.Contains(t, metadata[policy.KeyTrained], "offload twin train")
	assert.NotContains(t, metadata[policy.KeyTrained], dir, "where it was trained is nobody's business")

	out, err = run(t, "twin", "--traces", dir, "--policies", "dqn", "--classes", "nano", "--network", file)
	require.NoError(t, err)
	assert.Contains(t, out, "dqn")
}

func TestTwinTrainMistakes(t *testing.T) {
	to := filepath.Join(t.TempDir(), "dqn.onnx")
	for want, args := range map[string][]string{
		"links 0: allowed is 1 to 100":       {"--links", "0"},
		"length 1s: allowed is 10s to":       {"--length", "1s"},
		"rounds 0: allowed is":               {"--rounds", "0"},
		"Learning.Reward.Energy -1: allowed": {"--reward-energy", "-1"},
		"network: not a chain of Gemm":       nil,
	} {
		all := append([]string{"twin", "train", "--to", to}, args...)
		if args == nil {
			require.NoError(t, os.WriteFile(to, []byte("no network"), 0o600))
			all = []string{"twin", "--traces", steadyTraces(t), "--policies", "dqn", "--network", to}
		}
		_, err := run(t, all...)
		assert.ErrorContains(t, err, want)
	}
}
