// SPDX-License-Identifier: Apache-2.0

package train

import (
	"errors"
	"fmt"
	"math"
	"time"

	"edgex-offload/infer/mlp"
	"edgex-offload/offload"
	"edgex-offload/twin"
)

// Options are what a training is made of.
type Options struct {
	// Scenario has the classes of box; each episode draws one of them.
	Scenario *twin.Scenario
	// Training, Validation and HeldOut are links: to learn on, to choose the best network by,
	// and to compare it on at the end.
	Training, Validation, HeldOut []twin.Trace
	// Settings are those of every policy; Learning.Reward is what is learned.
	Settings offload.Settings
	// After each of Rounds of Episodes the network is tried on Validation.
	Rounds, Episodes int
	Seed             uint64
	// Hidden are the widths of the layers between state and values.
	Hidden []int
	// Gamma is what the reward of the next decision counts, that after it Gamma², and so on.
	Gamma float64
	// Rate is Adam's at first; it falls evenly to a twentieth.
	Rate float64
	// ExploreFirst to ExploreLast is the share of actions that are drawn, falling evenly.
	ExploreFirst, ExploreLast float64
	// A batch of Batch from the last Replay transitions is learned from after Every new ones,
	// once there are Warmup; the target network is renewed after Renew batches.
	Batch, Replay, Every, Warmup, Renew int
}

// DefaultOptions is what the shipped network was trained with, without its links.
func DefaultOptions() Options {
	s := offload.DefaultSettings()
	s.Grace = 0 // a late result scores nothing
	return Options{
		Settings: s, Rounds: 20, Episodes: 64, Seed: 1, Hidden: []int{32, 32}, Gamma: .5, Rate: .001,
		ExploreFirst: .5, ExploreLast: .05, Batch: 64, Replay: 200_000, Every: 16, Warmup: 2000, Renew: 500,
	}
}

func (o *Options) validate() error {
	var errs []error
	whole := func(key string, v, low, high int) {
		if v < low || v > high {
			errs = append(errs, fmt.Errorf("%s %d: allowed is %d to %d", key, v, low, high))
		}
	}
	share := func(key string, v, low, high float64) {
		if math.IsNaN(v) || v < low || v > high {
			errs = append(errs, fmt.Errorf("%s %v: allowed is %v to %v", key, v, low, high))
		}
	}
	whole("rounds", o.Rounds, 1, 10_000)
	whole("episodes", o.Episodes, 1, 100_000)
	whole("hidden layers", len(o.Hidden), 1, mlp.MaxLayers-1)
	for _, h := range o.Hidden {
		whole("hidden", h, 1, mlp.MaxWidth)
	}
	whole("batch", o.Batch, 1, 10_000)
	whole("replay", o.Replay, o.Batch, 10_000_000)
	whole("every", o.Every, 1, 10_000)
	whole("warmup", o.Warmup, 1, o.Replay)
	whole("renew", o.Renew, 1, 1_000_000)
	share("gamma", o.Gamma, 0, .99)
	share("rate", o.Rate, 1e-6, .1)
	share("explore first", o.ExploreFirst, 0, 1)
	share("explore last", o.ExploreLast, 0, 1)
	for name, links := range map[string][]twin.Trace{"training": o.Training, "validation": o.Validation, "held-out": o.HeldOut} {
		if len(links) == 0 {
			errs = append(errs, fmt.Errorf("%s links: at least one is needed", name))
		}
		for _, l := range links {
			if l.Length() < time.Second {
				errs = append(errs, fmt.Errorf("%s link %q lasts %s: allowed is 1s and more", name, l.Name, l.Length()))
			}
		}
	}
	if o.Scenario == nil || len(o.Scenario.Classes) == 0 {
		errs = append(errs, errors.New("scenario: one with a class is needed"))
	}
	return errors.Join(append(errs, o.Settings.Validate())...)
}
