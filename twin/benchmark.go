// SPDX-License-Identifier: Apache-2.0

package twin

import (
	"time"

	"edgex-offload/offload"
)

// Benchmark is the scenario that policies are compared with: four classes of box with
// cameras, sensor windows and bursts, and one cloud.
func Benchmark() Scenario {
	const ms = time.Millisecond
	return Scenario{
		Name:       "benchmark",
		Longest:    400 * time.Second,
		Chunks:     8,
		RadioWatts: 2.5,
		Weights:    Weights{Critical: 8, High: 4, Medium: 2, Low: 1},
		Wire:       Wire{Overhead: 200, Answer: 2000, FirstRetry: 200 * ms, LastRetry: 3200 * ms, Retries: 12},
		Targets:    []Target{{Name: "cloud", Link: Link{Trace: CellTrace}, Service: 15 * ms, Accuracy: .90}},
		Models: []Model{
			{
				Name: "frame", LocalShare: 1, RemoteShare: 1,
				Variants: []Variant{{"frame", .80, 1}, {"frame-tiny", .65, .4}},
			},
			{
				Name: "window", LocalShare: .3, RemoteShare: .5,
				Variants: []Variant{{"window", .80, 1}, {"window-tiny", .65, .4}},
			},
		},
		LocalTime:  Spread{Sigma: .10, SpikeShare: .005, SpikeFactor: 2.5},
		TargetTime: Spread{Sigma: .25, SpikeShare: .01, SpikeFactor: 1, SpikeExtra: 40 * ms, SpikeTail: 60 * ms},
		Throttling: Episodes{Every: time.Minute, Least: time.Second, Tail: 2 * time.Second, Factor: 1.6},
		Overload:   Episodes{Every: time.Minute, Least: time.Second, Tail: 2 * time.Second, Factor: 5},
		Classes: []Class{
			{"nano", 60 * ms, 7, benchmarkSources(1, 10, 60e3, 100*ms, 6, 6)},
			{"xavier", 22 * ms, 12, benchmarkSources(2, 15, 60e3, 100*ms, 10, 8)},
			{"orin", 8 * ms, 15, benchmarkSources(3, 30, 40e3, 50*ms, 20, 12)},
			{"xavier-overloaded", 22 * ms, 12, benchmarkSources(3, 15, 60e3, 100*ms, 10, 8)},
		},
	}
}

// benchmarkSources are cameras of so many frames a second, whose size is in bytes, sensor
// windows a second, and frames that come at once.
func benchmarkSources(cameras int, fps, bytes float64, deadline time.Duration, windows float64, burst int) []Source {
	const (
		ms             = time.Millisecond
		critical, high = Priority(offload.Critical), Priority(offload.High)
		medium, low    = Priority(offload.Medium), Priority(offload.Low)
	)
	return []Source{
		{
			Name: "camera", Count: cameras, Model: "frame", Arrivals: Periodic, PerSecond: fps, Jitter: 2 * ms, Burst: 1,
			Bytes: Size{Median: bytes, Sigma: .35, SourceSigma: .2, Least: 20e3, Most: 500e3},
			Kinds: []Kind{{deadline, high}, {deadline, medium}, {deadline, low}},
		},
		{
			Name: "sensor", Count: 1, Model: "window", Arrivals: Poisson, PerSecond: windows, Burst: 1,
			Bytes: Size{Least: 1000, Most: 10e3},
			Kinds: []Kind{{50 * ms, critical}, {100 * ms, high}, {200 * ms, low}, {200 * ms, medium}},
		},
		{
			Name: "burst", Count: 1, Model: "frame", Arrivals: Poisson, Every: 15 * time.Second, Burst: burst, Spacing: 100 * time.Microsecond,
			Bytes: Size{Median: bytes, Sigma: .35, Least: 20e3, Most: 500e3},
			Kinds: []Kind{{200 * ms, critical}},
		},
	}
}
