// SPDX-License-Identifier: Apache-2.0

package main

import (
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"edgex-offload/standalone/emulator"
)

var update = flag.Bool("update", false, "write the golden files anew")

// course is half a minute: a good link, a spike of the round trip, two outages, a slow
// rest with some loss.
func course() emulator.Trace {
	trace := emulator.Trace{Slots: make([]emulator.Conditions, 600)}
	for i := range trace.Slots {
		c := emulator.Conditions{RTT: 20*time.Millisecond + time.Duration(i%10)*time.Millisecond, UpBps: 1.25e6, DownBps: 5e6}
		switch {
		case i >= 100 && i < 110:
			c.RTT = 90 * time.Millisecond
		case i >= 200 && i < 260, i >= 300 && i < 304:
			c = emulator.Conditions{Loss: 1}
		case i >= 400:
			c.RTT *= 2
			c.UpBps, c.DownBps, c.Loss = 1e5+2e2*float64(i), 2.5e5, .02
		}
		trace.Slots[i] = c
	}
	trace.Slots[500].RTT = 800 * time.Millisecond // one that must not flatten the rest
	return trace
}

func written(t *testing.T, trace emulator.Trace) string {
	t.Helper()
	var csv strings.Builder
	require.NoError(t, trace.Write(&csv))
	file := filepath.Join(t.TempDir(), "course.csv")
	require.NoError(t, os.WriteFile(file, []byte(csv.String()), 0o600))
	return file
}

func TestTraceShow(t *testing.T) {
	file := written(t, course())
	for name, args := range map[string][]string{
		"whole": nil,
		"part":  {"--from", "9s", "--for", "2s", "--width", "60"},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := run(t, append([]string{"trace", "show", file}, args...)...)
			require.NoError(t, err)
			golden := filepath.Join("testdata", "trace-"+name+".golden")
			if *update {
				require.NoError(t, os.MkdirAll("testdata", 0o755))
				require.NoError(t, os.WriteFile(golden, []byte(got), 0o644))
			}
			want, err := os.ReadFile(golden)
			require.NoError(t, err)
			assert.Equal(t, string(want), got)
		})
	}
}

// Whatever the link and the width, no line is wider than asked for.
func TestTraceShowKeepsItsWidth(t *testing.T) {
	for _, p := range emulator.Profiles() {
		for _, slots := range []int{1, 7, 71, 72, 73, 5000} {
			file := written(t, emulator.Record(p.Start(1), slots))
			for _, width := range []string{"40", "80", "400"} {
				got, err := run(t, "trace", "show", file, "--width", width)
				require.NoError(t, err)
				most := map[string]int{"40": 40, "80": 80, "400": 400}[width]
				for _, line := range strings.Split(got, "\n") {
					if strings.ContainsAny(line, "│└") {
						assert.LessOrEqual(t, len([]rune(line)), most, "%s, %d slots: %s", p.Name, slots, line)
					}
				}
			}
		}
	}
}

func TestTraceShowOfNothingButAnOutage(t *testing.T) {
	got, err := run(t, "trace", "show", written(t, course()), "--from", "11s", "--for", "1s")
	require.NoError(t, err)
	assert.Contains(t, got, "100.0% of the time: 1 of them, the longest 1s")
	assert.NotContains(t, got, "NaN")
	assert.NotContains(t, got, "p95", "there is no round trip to speak of")
}

func TestTraceGenerateIsWhatUpRuns(t *testing.T) {
	file := filepath.Join(t.TempDir(), "flaky.csv")
	_, err := run(t, "trace", "generate", "--kind", "flaky", "--for", "60s", "--seed", "7", "--to", file)
	require.NoError(t, err)
	got, err := readTrace(file)
	require.NoError(t, err)
	profile, err := emulator.ProfileNamed("flaky")
	require.NoError(t, err)
	want := emulator.Record(profile.Start(7), 1200)
	require.Len(t, got.Slots, len(want.Slots))
	for i := range want.Slots {
		assert.InDelta(t, want.Slots[i].RTT, got.Slots[i].RTT, float64(time.Microsecond), "slot %d", i)
		assert.Equal(t, want.Slots[i].Out(), got.Slots[i].Out(), "slot %d", i)
	}

	csv, err := run(t, "trace", "generate", "--kind", "flaky", "--seed", "7")
	require.NoError(t, err)
	kept, err := os.ReadFile(file)
	require.NoError(t, err)
	assert.Equal(t, string(kept), csv, "a minute, to the standard output")
}

func TestTraceTeaches(t *testing.T) {
	help, err := run(t, "help", "trace", "generate")
	require.NoError(t, err)
	for _, p := range emulator.Profiles() {
		assert.Contains(t, help, p.About)
	}
	help, err = run(t, "help", "trace", "record")
	require.NoError(t, err)
	for _, text := range []string{"--app", "--address", "MB an hour", "Ctrl-C", "must be new", "offload up --trace"} {
		assert.Contains(t, help, text)
	}
}

func TestTraceMistakes(t *testing.T) {
	file := written(t, course())
	other := filepath.Join(t.TempDir(), "other.csv")
	require.NoError(t, os.WriteFile(other, []byte("time,rtt\n1,2\n"), 0o600))
	for says, args := range map[string][]string{
		"from 30s: allowed is 0s to before the trace's end at 30s":      {"show", file, "--from", "30s"},
		"from -1s: allowed is 0s to before":                             {"show", file, "--from", "-1s"},
		"for 10ms: allowed is 0, or 50ms and more":                      {"show", file, "--for", "10ms"},
		"width 20: allowed is 0, or 40 to 400":                          {"show", file, "--width", "20"},
		other + `: line 1, column header: "time,rtt": allowed is t_ms,`: {"show", other},
		"no such file": {"show", other + ".gone"},
		"png: open":    {"show", file, "--png", t.TempDir()},
		`kind "6g": allowed are lan, wifi, lte, 5g, `: {"generate", "--kind", "6g"},
		`required flag(s) "kind" not set`:             {"generate"},
		"for 0s: allowed is 50ms to 14h33m48.8s":      {"generate", "--kind", "lte", "--for", "0s"},
		"to: open":                                    {"generate", "--kind", "lte", "--to", t.TempDir()},
	} {
		_, err := run(t, append([]string{"trace"}, args...)...)
		assert.ErrorContains(t, err, says)
	}
}

func TestNiceAboveIsAboveAndNear(t *testing.T) {
	for v := 1e-3; v < 1e6; v *= 1.07 {
		top := niceAbove(v)
		assert.GreaterOrEqual(t, top, v)
		assert.Less(t, top, 1.51*v)
	}
}
