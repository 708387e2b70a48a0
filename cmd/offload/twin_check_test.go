// SPDX-License-Identifier: Apache-2.0

package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"edgex-offload/standalone/testbed"
	"edgex-offload/standalone/twincheck"
	"edgex-offload/twin"
)

func TestTwinCheckNamesWhatIsWrong(t *testing.T) {
	trace := filepath.Join(t.TempDir(), "t.csv")
	require.NoError(t, os.WriteFile(trace, []byte("t_ms,rtt_ms,up_kbps,down_kbps,loss\n0,20,50000,50000,0\n"), 0o600))
	for _, c := range []struct {
		args []string
		says string
	}{
		{[]string{"--for", "1s"}, "for 1s: allowed is 5s to 400s"},
		{[]string{"--for", "401s"}, "for 6m41s: allowed is 5s to 400s"},
		{[]string{"--level", "udp"}, `level "udp": allowed are auto, ip, tcp`},
		{[]string{"--seed", "-1"}, "seed -1: allowed is 0 and more"},
		{[]string{"--class", ""}, "class: at least one is needed"},
		{[]string{"--class", "toaster"}, `class "toaster": allowed are [nano xavier`},
		{[]string{"--policy", "fastest"}, `Policy "fastest": allowed is`},
	} {
		_, err := run(t, append([]string{"twin", "check", "--trace", trace}, c.args...)...)
		require.ErrorContains(t, err, c.says)
	}
	_, err := run(t, "twin", "check")
	require.ErrorContains(t, err, `"trace" not set`)
	_, err = run(t, "twin", "check", "--trace", trace+".nosuch")
	require.ErrorIs(t, err, os.ErrNotExist)
}

func TestTwinCheckFailsWhereTheTwoDisagree(t *testing.T) {
	near := &twincheck.Comparison{
		Class: "nano", Live: twin.Score{Tasks: 1000, Miss: .021, P99Ms: twin.None}, Twin: twin.Score{Tasks: 1000, Miss: .014, P99Ms: 99.6},
		Verdict: twincheck.Verdict{Difference: .007, StandardError: .0059, Agree: true, OnlyLive: 9, OnlyTwin: 2},
		Wakes:   testbed.Wakes{All: 5000, Late: 3, Worst: 1700 * time.Microsecond},
	}
	far := &twincheck.Comparison{Class: "xavier", Verdict: twincheck.Verdict{Difference: -.02}}
	o := twinCheckOptions{trace: "traces/drive.csv", policy: "cost", length: time.Minute, seed: 1}
	var out strings.Builder
	require.NoError(t, o.print(&out, twincheck.OverIP, []*twincheck.Comparison{near}))
	for _, want := range []string{
		"drive.csv, policy cost, 1m0s, seed 1, level ip", "2.10%", "1.40%", "never", "100",
		"nano: agree: live missed +0.70 points against the twin (standard error 0.59); 9 tasks live alone, 2 the twin alone; 3 of 5000 wake-ups late, the worst by 1.7 ms",
	} {
		assert.Contains(t, out.String(), want)
	}
	err := o.print(&out, twincheck.OverIP, []*twincheck.Comparison{near, far})
	require.ErrorContains(t, err, "differ by more than 1 point in missed deadlines: xavier")
	assert.Contains(t, out.String(), "xavier: DISAGREE: live missed -2.00 points")
}
