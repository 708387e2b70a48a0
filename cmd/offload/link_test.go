// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

func runLink(t *testing.T, args ...string) (string, error) {
	t.Helper()
	var out bytes.Buffer
	root := command()
	root.SetOut(&out)
	root.SetErr(&bytes.Buffer{})
	root.SetArgs(append([]string{"link"}, args...))
	err := root.ExecuteContext(t.Context())
	return out.String(), err
}

func TestLinkCheckOfAGeneratedLink(t *testing.T) {
	dir := t.TempDir()
	trace, report := filepath.Join(dir, "made.csv"), filepath.Join(dir, "r.json")
	root := command()
	root.SetArgs([]string{"trace", "generate", "--kind", "5g", "--for", "60s", "--to", trace})
	require.NoError(t, root.ExecuteContext(t.Context()))
	out, err := runLink(t, "check", "--traces", trace, "--seeds", "2", "--runs", "2", "--report", report)
	require.NoError(t, err)
	require.Contains(t, out, "made")
	require.Contains(t, out, "rate halved")
	raw, err := os.ReadFile(report)
	require.NoError(t, err)
	var got linkReport
	require.NoError(t, json.Unmarshal(raw, &got))
	require.Equal(t, levelVirtual, got.Level)
	require.Len(t, got.Links, 1)
	require.Equal(t, got.Links[0].Attempts, got.All.Attempts)
	require.Greater(t, got.All.Attempts, 500)
	require.Greater(t, got.All.Held95, .85)
	require.Len(t, got.Changes, 6)
}

func TestLinkCheckNamesWhatIsWrong(t *testing.T) {
	_, err := runLink(t, "check", "--traces", t.TempDir(), "--level", "copper", "--seeds", "0", "--runs", "-1", "--parallel", "0", "--for", "1s")
	require.Error(t, err)
	for _, want := range []string{
		`level "copper": allowed are virtual, ip`, "seeds 0: allowed is 1 to 100", "runs -1: allowed is 0 to 1000",
		"parallel 0: allowed is 1 and more", "for 1s: allowed is 5s to 1h",
	} {
		require.Contains(t, err.Error(), want)
	}
	_, err = runLink(t, "check", "--traces", t.TempDir())
	require.ErrorContains(t, err, "no .csv file in it")
	_, err = runLink(t, "cost", "--for", "1s")
	require.ErrorContains(t, err, "for 1s: allowed is 5s to 1h")
	help, err := runLink(t, "check", "--help")
	require.NoError(t, err)
	require.True(t, strings.Contains(help, "held95"))
}
