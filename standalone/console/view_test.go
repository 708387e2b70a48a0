// SPDX-License-Identifier: Apache-2.0

package console

import (
	"bytes"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"edgex-offload/offload"
	"edgex-offload/standalone/emulator"
	"edgex-offload/standalone/report"
)

func good(source, route string) offload.Record {
	right := true
	return offload.Record{
		Source: source, Decided: route, Route: route, LatencyMs: 23.4, DeadlineMs: 250, DeadlineMet: true, Label: "scratch",
		Correct: &right, Why: route + " is best",
	}
}

func up(mbit float64) emulator.Conditions {
	return emulator.Conditions{RTT: 40 * time.Millisecond, UpBps: mbit * 125e3, DownBps: mbit * 250e3}
}

func TestViewShowsAFewDecisionsAndEachChange(t *testing.T) {
	var out bytes.Buffer
	v := New(&out, false)
	wrong, backup := good("cam/Frame", "local"), good("cam/Frame", "local")
	no := false
	wrong.Correct, wrong.DeadlineMet, wrong.LatencyMs = &no, false, 301
	backup.Decided, backup.Why = "cloud", "cloud is best"
	backup.Attempts = []offload.AttemptView{{Target: "cloud", Why: "decision"}, {Target: "local", Why: "backup"}}
	dropped := offload.Record{Source: "cam/Frame", Reason: offload.Superseded}

	v.Tick(time.Second, up(8), []offload.Record{good("cam/Frame", "cloud"), good("cam/Frame", "cloud"), good("cam/Frame", "cloud")})
	v.Tick(1500*time.Millisecond, up(7), nil)
	v.Tick(2*time.Second, up(1), []offload.Record{good("cam/Frame", "cloud"), wrong, dropped, dropped})
	v.Tick(3*time.Second, emulator.Conditions{Loss: 1}, []offload.Record{backup})
	v.Tick(4*time.Second, emulator.Conditions{Loss: 1}, nil)
	v.Tick(5*time.Second, up(1), nil)

	assert.Equal(t, strings.TrimPrefix(`
    1.0s  -- link: 40 ms, 8.0 Mbit/s up, 16.0 Mbit/s down --
    TIME  SOURCE                BY       TOOK             ANSWER          RIGHT  WHY
    1.0s  cam/Frame             cloud       23 of 250 ms  scratch         right  cloud is best  (+2 cloud)
    2.0s  -- link: 40 ms, 1.0 Mbit/s up, 2.0 Mbit/s down --
    2.0s  cam/Frame             dropped 2: superseded
    2.0s  cam/Frame             local      301 of 250 ms  scratch         WRONG  local is best  (+1 cloud)
    3.0s  -- link down --
    3.0s  cam/Frame             local       23 of 250 ms  scratch         right  cloud is best; local answered (backup)
    5.0s  -- link up after 2.0 s: 40 ms, 1.0 Mbit/s up, 2.0 Mbit/s down --
`, "\n"), out.String())
}

func TestATerminalIsSafeFromLabels(t *testing.T) {
	var out bytes.Buffer
	evil := good("cam/Frame", "local")
	evil.Label = "\x1b[2Jgone"
	New(&out, false).Tick(0, up(1), []offload.Record{evil})
	assert.NotContains(t, out.String(), "\x1b")
	assert.Equal(t, "a…", cut("abc", 2))
}

func TestColourOnlyForATerminal(t *testing.T) {
	var out bytes.Buffer
	New(&out, true).Tick(0, up(1), []offload.Record{good("cam/Frame", "local")})
	assert.Contains(t, out.String(), "\x1b[33mlocal")
}

// Each run ended with "passed over: unknown_resource 2": two devices had said that they run.
func TestWhatDevicesSayOfThemselvesIsNoLoss(t *testing.T) {
	summary := func(passed map[string]int) string {
		var out bytes.Buffer
		require.NoError(t, Summary(&out, report.From(nil, report.Seen{PassedOver: passed})))
		return out.String()
	}
	assert.NotContains(t, summary(map[string]int{"device_state": 2}), "passed over")
	assert.Contains(t, summary(map[string]int{"device_state": 2, "malformed": 1}), "passed over: malformed 1")
}

func TestSummary(t *testing.T) {
	var out bytes.Buffer
	records := []offload.Record{good("cam/Frame", "local"), good("cam/Frame", "cloud"), {Source: "cam/Frame", Reason: offload.Shed}}
	require.NoError(t, Summary(&out, report.From(records, report.Seen{Frames: 3, EventsPublished: 2, Duration: 30 * time.Second, Profile: "wifi"})))
	for _, line := range []string{"local 1, cloud 1, dropped: shed 1", "66.7% of all tasks", "accuracy     100.0% right", "cam/Frame"} {
		assert.Contains(t, out.String(), line)
	}
}
