// SPDX-License-Identifier: Apache-2.0

package supply

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"edgex-offload/runner"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// tree reads a folder as README.md in testdata says.
func tree(folder string) Reader {
	in := func(name string) string { return filepath.Join(folder, name) }
	return Reader{
		Power: in("power_supply"), Thermal: in("thermal"), CPU: in("cpu"), Devfreq: in("devfreq"), Hwmon: in("hwmon"),
		Mode: in("nvpmodel/status"), Modes: in("nvpmodel/nvpmodel.conf"),
	}
}

// To write the expected states anew: OFFLOAD_WRITE_GOLDEN=1 go test -run Fixtures ./app-service/supply
func TestFixturesOfSysfs(t *testing.T) {
	folders, err := os.ReadDir("testdata")
	require.NoError(t, err)
	for _, folder := range folders {
		if !folder.IsDir() || folder.Name() == "fuzz" {
			continue
		}
		t.Run(folder.Name(), func(t *testing.T) {
			s := tree(filepath.Join("testdata", folder.Name())).Read()
			got, err := json.MarshalIndent(struct {
				Box   runner.Box `json:"box"`
				CPU   float64    `json:"cpuSpeed"`
				GPU   float64    `json:"gpuSpeed"`
				State `json:"machine"`
			}{Box: s.Box, CPU: s.CPU.Share(), GPU: s.GPU.Share(), State: s}, "", "  ")
			require.NoError(t, err)
			file := filepath.Join("testdata", folder.Name(), "expected.json")
			if os.Getenv("OFFLOAD_WRITE_GOLDEN") != "" {
				require.NoError(t, os.WriteFile(file, append(got, '\n'), 0o600))
			}
			want, err := os.ReadFile(file)
			require.NoError(t, err)
			require.JSONEq(t, string(want), string(got))
		})
	}
}

func TestNothingIsThere(t *testing.T) {
	none := State{Box: runner.Box{Battery: 1, Charging: true}}
	require.Equal(t, none, Reader{}.Read(), "nothing is looked at")
	require.Equal(t, none, tree("testdata/missing").Read())
}

// A processor that idles is not one that throttles.
func TestIdleIsNotSlow(t *testing.T) {
	pc := tree("testdata/pc").Read()
	require.InDelta(t, 800, pc.CPU.NowMHz, 1)
	require.Equal(t, 1., pc.CPU.Share())
	require.Empty(t, pc.Throttled)
}

func TestWhatSlowsModelsDown(t *testing.T) {
	for kind, want := range map[string]bool{
		"cpufreq-cpu0": true, "thermal-cpufreq-1": true, "devfreq-17000000.gpu": true, "devfreq-gpu-gpc-0": true,
		"thermal-devfreq-0": true, "57000000.gpu": true, "cpu-throttle-alert": true, "gpu-throttle-alert": true,
		"soc012-throttle-alert": true, "Processor": true,
		"pwm-fan": false, "hot-surface-alert": false, "cv0-throttle-alert": false, "devfreq-gpu-nvd-0": false,
		"TCC Offset": false, "intel_powerclamp": false, "Fan": false, "iwlwifi_1": false, "": false,
	} {
		require.Equal(t, want, slows(kind), kind)
	}
}

// A file that is not sysfs' costs no memory, and a pipe no time.
func TestFilesAreBounded(t *testing.T) {
	folder := t.TempDir()
	require.NoError(t, os.WriteFile(filepath.Join(folder, "type"), []byte(strings.Repeat("9", 1<<20)), 0o600))
	require.Len(t, line(folder, "type"), mostBytes)
	list := strings.Repeat("1000000 ", mostList/8) + "9000000"
	require.Equal(t, 1e6, greatest(list[:mostList]))
	require.Equal(t, 1e6, greatest(list[:mostList-1]+"9"), "the last one is cut")
	require.Zero(t, greatest(strings.Repeat("9", mostList)))
	for i := range 3 * mostEntries {
		require.NoError(t, os.Mkdir(filepath.Join(folder, "zone"+strings.Repeat("0", i%100)+string(rune('a'+i/100))), 0o700))
	}
	require.LessOrEqual(t, len(entries(folder, "")), mostEntries)
}

func FuzzPowerMode(f *testing.F) {
	f.Add("pmode:0002 fmode:quiet", "< POWER_MODEL ID=2 NAME=MODE_15W_6CORE >\nGPU MAX_FREQ -1\n")
	f.Add("pmode:-1", "< POWER_MODEL NAME= ID=x >")
	f.Fuzz(func(t *testing.T, status, configuration string) {
		id, ok := modeNumber(status)
		if ok && (id < 0 || id > 1<<16) {
			t.Errorf("%q is mode %d", status, id)
		}
		if called := modeName(configuration, id); len(called) > mostBytes || named(called) != called {
			t.Errorf("mode %d is called %q", id, called)
		}
	})
}

func FuzzFrequencies(f *testing.F) {
	f.Add("306000000 408000000 510000000")
	f.Add(strings.Repeat("9 ", mostList))
	f.Fuzz(func(t *testing.T, list string) {
		if hz := greatest(list); !(hz >= 0 && hz <= mostHz) {
			t.Errorf("%q has %v Hz", list, hz)
		}
		if c := (Clock{LimitMHz: 1, FullMHz: greatest(list) / 1e6}); !(c.Share() >= 0 && c.Share() <= 1) {
			t.Errorf("%q: a share of %v", list, c.Share())
		}
	})
}
