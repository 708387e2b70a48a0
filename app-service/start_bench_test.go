// SPDX-License-Identifier: Apache-2.0

package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"edgex-offload/app-service/routes"
)

// BenchmarkStart measures the program itself, built for it: the time from its start to
// taking messages and answering over HTTP, and its resident memory then, without models.
//
//	go test ./app-service -run '^$' -bench Start -benchtime 5x
func BenchmarkStart(b *testing.B) {
	program := filepath.Join(b.TempDir(), "app-service")
	out, err := exec.Command("go", "build", "-o", program, ".").CombinedOutput()
	require.NoError(b, err, string(out))
	var ready time.Duration
	var resident float64
	n := 0
	for b.Loop() {
		start := time.Now()
		s := startSite(b, program, "OFFLOAD_TARGETS_CLOUD_ADDRESS=")
		s.ready()
		s.get(routes.PathStatus)
		ready += time.Since(start)
		resident = max(resident, residentMB(b, s.cmd.Process.Pid))
		require.NoError(b, s.stop())
		n++
	}
	b.ReportMetric(float64(ready.Milliseconds())/float64(n), "ms-to-ready")
	b.ReportMetric(resident, "MB-resident")
}

func residentMB(b *testing.B, pid int) float64 {
	b.Helper()
	text, err := os.ReadFile(filepath.Join("/proc", strconv.Itoa(pid), "status"))
	if err != nil {
		b.Skip("resident memory is read from /proc: ", err)
	}
	for line := range strings.SplitSeq(string(text), "\n") {
		if rest, ok := strings.CutPrefix(line, "VmRSS:"); ok {
			kB, err := strconv.ParseFloat(strings.TrimSuffix(strings.TrimSpace(rest), " kB"), 64)
			require.NoError(b, err)
			return kB / 1000
		}
	}
	b.Fatal("no VmRSS")
	return 0
}
