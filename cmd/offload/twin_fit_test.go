// SPDX-License-Identifier: Apache-2.0

package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"gopkg.in/yaml.v3"
)

// links writes traces of so many seconds, each of another rate.
func links(t *testing.T, seconds int, kbps ...int) string {
	t.Helper()
	dir := t.TempDir()
	for _, rate := range kbps {
		var csv strings.Builder
		csv.WriteString("t_ms,rtt_ms,up_kbps,down_kbps,loss\n")
		for i := range 20 * seconds {
			fmt.Fprintf(&csv, "%d,20,%d,%d,0\n", 50*i, rate, rate)
		}
		require.NoError(t, os.WriteFile(filepath.Join(dir, fmt.Sprintf("link%d.csv", rate)), []byte(csv.String()), 0o600))
	}
	return dir
}

func TestFitTellsWhatItFoundAndWhatItIsWorth(t *testing.T) {
	out, err := run(t, "twin", "fit", "--objective", "accuracy", "--traces", links(t, 5, 2000, 20000), "--classes", "nano",
		"--budget", "4", "--parameters", "Guard,Tuning.Margin", "--set", "Guard=7ms", "--longest", "4s")
	require.NoError(t, err)
	for _, text := range []string{"accuracy: 1 - U; less is better", "fold 2", "link2000", "all traces", "On traces left out, what was found is"} {
		assert.Contains(t, out, text)
	}
	_, text, found := strings.Cut(out, "\nOffload:\n")
	require.True(t, found)
	var config struct {
		Offload struct {
			Writable map[string]any `yaml:"Writable"`
		} `yaml:"Offload"`
	}
	require.NoError(t, yaml.Unmarshal([]byte("Offload:\n"+text), &config), "it can be pasted")
	assert.Len(t, config.Offload.Writable, 4)
}

func TestFitMistakes(t *testing.T) {
	one, two := links(t, 1, 1000), links(t, 1, 1000, 2000)
	for says, args := range map[string][]string{
		"objective \"luck\": allowed are balanced":        {"--traces", two, "--objective", "luck"},
		"traces 1: at least 2 are needed":                 {"--traces", one},
		"leave-out 2: allowed is 1 to 1 of 2 traces":      {"--traces", two, "--leave-out", "2"},
		"budget 1: allowed is 2 to 10000":                 {"--traces", two, "--budget", "1"},
		"Policy \"best\": allowed is quantile":            {"--traces", two, "--policy", "best"},
		"parameters \"Luck\": allowed are Weights.Accura": {"--traces", two, "--objective", "accuracy", "--parameters", "Luck"},
		"longest 1ns: allowed is":                         {"--traces", two, "--longest", "1ns"},
		"class \"toaster\": allowed are":                  {"--traces", two, "--classes", "toaster"},
		"traces: a folder or a file is needed":            {},
		"seeds 101: allowed is 1 to 100":                  {"--traces", two, "--seeds", "101"},
		"set Nothing: no such setting; allowed are Jitte": {"--traces", two, "--set", "Nothing=1"},
	} {
		_, err := run(t, append([]string{"twin", "fit"}, args...)...)
		require.Error(t, err, args)
		assert.Contains(t, err.Error(), says)
	}
}
