// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bytes"
	"encoding/json"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"edgex-offload/infer/ort/orttest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func TestTable(t *testing.T) {
	r := report{Machine: machine{"arm64", "Cortex", 6, "dot products"}, Rounds: 3, Rows: judged([]row{
		{Part: "a", What: "ratio", figure: series{1.02, 1.01, 1.2}.figure(), Unit: "x", Target: atMost(1.03), Of: "5 ms : 4.9 ms"},
		{Part: "a", What: "count", figure: one(11), Target: atMost(10)},
		{Part: "b", What: "time", figure: series{.4, 123.4, 12.34}.figure(), Unit: "ms", Target: atLeast(.5)},
	})}
	var b strings.Builder
	require.NoError(t, r.print(&b))
	want, err := os.ReadFile(filepath.Join("testdata", "table.md"))
	require.NoError(t, err)
	assert.Equal(t, string(want), b.String())
}

func TestArguments(t *testing.T) {
	for want, args := range map[string][]string{
		`rounds 0: allowed is 1 to 1000`: {"--rounds", "0"},
		`only "all": allowed are engine`: {"--only", "split,all"},
		"flag provided but not defined":  {"--fast"},
	} {
		assert.ErrorContains(t, run(t.Context(), args, io.Discard, io.Discard), want)
	}
}

// One part through the whole program; which figures come is the machine's matter.
func TestItRuns(t *testing.T) {
	library := orttest.Library(t)
	file := filepath.Join(t.TempDir(), "figures.json")
	var out bytes.Buffer
	require.NoError(t, run(t.Context(), []string{"--rounds", "1", "--only", "split", "--models", "../../models", "--library", library, "--json", file}, &out, io.Discard))
	assert.Contains(t, out.String(), "| split | head and tail of surface-large over the whole")
	written, err := os.ReadFile(file)
	require.NoError(t, err)
	var r report
	require.NoError(t, json.Unmarshal(written, &r))
	require.Len(t, r.Rows, 6)
	assert.True(t, *r.Rows[2].Met, "head and tail equal the whole")
}
