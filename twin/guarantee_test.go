// SPDX-License-Identifier: Apache-2.0

package twin_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"edgex-offload/offload"
	"edgex-offload/standalone/emulator"
	"edgex-offload/twin"
)

// generatedLinks are one of each kind.
func generatedLinks() []twin.Trace {
	const length = 2 * time.Minute
	var links []twin.Trace
	for _, p := range emulator.Profiles() {
		links = append(links, asTrace(p.Name, emulator.Record(p.Start(7), int(length/emulator.Slot))))
	}
	return links
}

// A dead or a wild link may never cost more than having none: whatever decides, over the
// four boxes no more than 0.1 points of the deadlines are missed beyond those that a box
// without a network misses.
func TestNoPolicyMissesMoreThanTheBoxAlone(t *testing.T) {
	if testing.Short() {
		t.Skip("plays every link with every class and policy")
	}
	for name, links := range map[string]func(*testing.T) []twin.Trace{
		"generated": func(*testing.T) []twin.Trace { return generatedLinks() },
		"measured":  sharedTraces,
	} {
		t.Run(name, func(t *testing.T) {
			for _, link := range links(t) {
				alone := missed(t, offload.PolicyLocal, link)
				for _, policy := range offload.Policies() {
					if m := missed(t, policy, link); m > alone+.001 {
						t.Errorf("%s over %s missed %.2f%%, the box alone %.2f%%", policy, link.Name, 100*m, 100*alone)
					}
				}
			}
		})
	}
}

// missed is the mean over the classes of the benchmark.
func missed(t *testing.T, name string, link twin.Trace) float64 {
	t.Helper()
	scenario := twin.Benchmark()
	return missedIn(t, &scenario, name, link)
}

// What must show on the measured links, as in docs/benchmark.md; one seed, so the bounds are
// those of the benchmark and not of the day's figures.
func TestQuantileOnMeasuredLinks(t *testing.T) {
	if testing.Short() {
		t.Skip("plays every link with every class")
	}
	of := map[string][]twin.Score{}
	var usual []twin.Score // without the overloaded class
	for _, link := range sharedTraces(t) {
		for _, class := range twin.Benchmark().Classes {
			for _, name := range []string{offload.PolicyQuantile, offload.PolicyCost, "known"} {
				settings := offload.DefaultSettings()
				settings.Grace = 0
				if name == offload.PolicyCost {
					settings.Policy = name
				}
				s, err := twin.Run(twin.Cell{Settings: settings, Class: class, Trace: link, Seed: 1, Foresight: name == "known"})
				require.NoError(t, err)
				of[name] = append(of[name], s)
				if name == offload.PolicyQuantile && class.Name != "xavier-overloaded" {
					usual = append(usual, s)
				}
			}
		}
	}
	m, cost, known := twin.Mean(of[offload.PolicyQuantile]), twin.Mean(of[offload.PolicyCost]), twin.Mean(of["known"])
	for what, c := range map[string]struct{ is, most float64 }{
		"missed":                           {m.Miss, .0125},
		"missed without the overloaded":    {twin.Mean(usual).Miss, .008},
		"missed, critical":                 {m.MissCritical, .05},
		"missed, first 10 s":               {m.MissFirst10s, .013},
		"missed against cost":              {m.Miss / cost.Miss, .7},
		"regret to the known network":      {1 - m.Utility/known.Utility, .015},
		"calibration error of the promise": {m.ECE, .03},
	} {
		t.Logf("%-34s %.4f", what, c.is)
		if c.is > c.most {
			t.Errorf("%s: %.4f, want %.4f at most", what, c.is, c.most)
		}
	}
}
