// SPDX-License-Identifier: Apache-2.0

package twin

import (
	"testing"
	"time"

	"edgex-offload/offload"
)

// BenchmarkRun is one cell of 400 s of the class with the most tasks.
func BenchmarkRun(b *testing.B) {
	class, err := benchmarkClass("orin")
	if err != nil {
		b.Fatal(err)
	}
	trace := steady(30*time.Millisecond, 20, 400*time.Second)
	settings := offload.DefaultSettings()
	settings.Grace = 0
	b.ReportAllocs()
	tasks := 0
	for b.Loop() {
		score, err := Run(Cell{Settings: settings, Class: class, Trace: trace, Seed: 1})
		if err != nil {
			b.Fatal(err)
		}
		tasks += score.Tasks
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(tasks), "ns/task")
}
