// SPDX-License-Identifier: Apache-2.0

package twin

import (
	"strings"
	"testing"
	"time"

	"edgex-offload/offload"
)

// On a thin link frames arrive in time as features that would not as pictures.
func TestASplitPaysOnAThinLink(t *testing.T) {
	playWith := func(trace Trace, splits ...Split) Score {
		scenario := Benchmark()
		scenario.Models[0].Splits = splits
		class, err := scenario.Class("xavier")
		if err != nil {
			t.Fatal(err)
		}
		settings := offload.DefaultSettings()
		settings.Grace = 0
		score, err := Run(Cell{Settings: settings, Scenario: &scenario, Class: class, Trace: trace, Seed: 1})
		if err != nil {
			t.Fatal(err)
		}
		return score
	}
	cut := Split{Name: "frame-head", Accuracy: .95, HeadShare: .5, TailShare: .5, Bytes: 3000}
	thin := steady(20*time.Millisecond, 1, 30*time.Second)
	without, with := playWith(thin), playWith(thin, cut)
	t.Logf("1 Mbit/s: utility %.3f and %.1f MB without, %.3f and %.1f MB with a split", without.Utility, without.SentMB, with.Utility, with.SentMB)
	if with.Utility < without.Utility+.01 {
		t.Errorf("utility %.3f with a split, %.3f without", with.Utility, without.Utility)
	}
	if with.Miss > without.Miss+.002 {
		t.Errorf("%.4f of the deadlines missed with a split, %.4f without", with.Miss, without.Miss)
	}

	// A link that carries the pictures as they are: nothing is lost by having one.
	wide := steady(10*time.Millisecond, 100, 30*time.Second)
	without, with = playWith(wide), playWith(wide, cut)
	if with.Utility < without.Utility-.005 {
		t.Errorf("100 Mbit/s: utility %.3f with a split, %.3f without", with.Utility, without.Utility)
	}
}

func TestBadSplits(t *testing.T) {
	scenario := Benchmark()
	scenario.Models[0].Splits = []Split{{Name: "frame", Accuracy: 2, HeadShare: 1, TailShare: 1, Bytes: 0}}
	err := scenario.Validate()
	for _, want := range []string{`models[0].splits[0].name`, `models[0].splits[0].accuracy`, `models[0].splits[0].bytes`} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v does not name %s", err, want)
		}
	}
}
