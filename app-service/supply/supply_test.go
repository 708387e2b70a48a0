// SPDX-License-Identifier: Apache-2.0

package supply

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"edgex-offload/runner"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func TestFixturesOfSysfs(t *testing.T) {
	warm := 63.25
	for name, want := range map[string]runner.Box{
		"jetson-on-battery": {Battery: .37, TemperatureC: &warm},
		"two-batteries":     {Battery: .6, Charging: true},
		"mains":             {Battery: 1, Charging: true},
		"absurd":            {Battery: 1, Charging: true},
		"missing":           {Battery: 1, Charging: true},
	} {
		folder := filepath.Join("testdata", name)
		got := Reader{filepath.Join(folder, "power_supply"), filepath.Join(folder, "thermal")}.Read()
		require.InDelta(t, want.Battery, got.Battery, 1e-9, name)
		require.Equal(t, []any{want.Charging, want.TemperatureC}, []any{got.Charging, got.TemperatureC}, name)
	}
	require.Equal(t, runner.Box{Battery: 1, Charging: true}, Reader{}.Read(), "nothing is looked at")
}

// A file that is not sysfs' costs no memory.
func TestLongFilesAreCut(t *testing.T) {
	folder := t.TempDir()
	require.NoError(t, os.WriteFile(filepath.Join(folder, "type"), []byte(strings.Repeat("9", 1<<20)), 0o600))
	require.Len(t, line(folder, "type"), mostBytes)
}

func TestFollowTellsChangesAlone(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	box, reads, tick, told := runner.Box{Battery: 1, Charging: true}, 0, make(chan time.Time), make(chan runner.Box, 8)
	done := make(chan struct{})
	go func() {
		defer close(done)
		Follow(ctx, func() runner.Box {
			if reads++; reads == 3 {
				box.Charging, box.Battery = false, .9
			}
			return box
		}, tick, func(b runner.Box) { told <- b })
	}()
	for range 3 {
		tick <- time.Time{}
	}
	cancel()
	<-done
	close(told)
	var all []runner.Box
	for b := range told {
		all = append(all, b)
	}
	require.Equal(t, []runner.Box{{Battery: 1, Charging: true}, {Battery: .9}}, all)
}
