// SPDX-License-Identifier: Apache-2.0

package twin

import (
	"math"
	"slices"
	"time"

	"edgex-offload/offload"
)

// LinkChange is how long it takes until a change of the link is known.
type LinkChange struct {
	// Change is "rate halved", "outage" or "recovery"; Traffic is "busy" where every task is
	// sent, "asked" where all run on the box and only probes measure.
	Change  string `json:"change"`
	Traffic string `json:"traffic"`
	// MedianMs and P90Ms are over Runs; Unknown of them were not known within ten seconds.
	Runs     int     `json:"runs"`
	MedianMs float64 `json:"median_ms"`
	P90Ms    float64 `json:"p90_ms"`
	Unknown  int     `json:"unknown"`
}

// What is scripted wherever changes are measured: a steady link, how long a change of it is
// watched, and how often it is looked for.
const (
	ScriptRTT  = 40 * time.Millisecond
	ScriptRate = 10e6 / 8 // bytes per second
	Watched    = 10 * time.Second
	WatchEvery = 5 * time.Millisecond
)

// RateIsKnown tells whether an estimate is near enough to a rate.
func RateIsKnown(estimate, rate float64) bool {
	const within = .25 // relative error
	return math.Abs(estimate-rate) <= within*rate
}

// NewLinkChange sums up how long a change took in each run; one that was not known counts as
// Watched.
func NewLinkChange(change, traffic string, took []time.Duration, unknown int) LinkChange {
	slices.Sort(took)
	n := len(took)
	return LinkChange{
		Change: change, Traffic: traffic, Runs: n, Unknown: unknown,
		MedianMs: milliseconds(took[n/2]), P90Ms: milliseconds(took[int(math.Ceil(.9*float64(n)))-1]),
	}
}

func milliseconds(d time.Duration) float64 { return float64(d) / float64(time.Millisecond) }

// accuracyAsked is what a model on the box is told to have then; any would do.
const accuracyAsked = .8

// Asked changes a check's settings and models so that every task is decided by the link and
// runs on the box.
func Asked(settings *offload.Settings, models []offload.Model) {
	settings.Policy = offload.PolicyLocal
	for i := range models {
		m := &models[i]
		m.Local = []offload.Variant{{Name: m.Name + "-small/1", Accuracy: accuracyAsked, Service: time.Millisecond}}
	}
}

const (
	changeAfter = 20 * time.Second
	outageLasts = 3 * time.Second
)

// CheckChanges measures each change with each kind of traffic over runs with other tasks and
// phases.
func CheckChanges(runs int) ([]LinkChange, error) {
	var all []LinkChange
	for _, change := range []string{"rate halved", "outage", "recovery"} {
		for _, traffic := range []string{"busy", "asked"} {
			var took []time.Duration
			unknown := 0
			for seed := range runs {
				d, err := checkChange(change, traffic, uint64(seed+1))
				if err != nil {
					return nil, err
				}
				if d < 0 {
					unknown++
					d = Watched
				}
				took = append(took, d)
			}
			all = append(all, NewLinkChange(change, traffic, took, unknown))
		}
	}
	return all, nil
}

// checkChange is how long one change took to be known; negative when it was not.
func checkChange(change, traffic string, seed uint64) (time.Duration, error) {
	at := changeAfter + time.Duration(newDraw(seed).IntN(40))*SlotLength // another phase each time
	trace := Trace{Name: change, Slots: make([]Slot, (at+outageLasts+Watched)/SlotLength)}
	recovers := at + outageLasts
	for i := range trace.Slots {
		when, rate := time.Duration(i)*SlotLength, ScriptRate
		lost := change != "rate halved" && when >= at && when < recovers
		if change == "rate halved" && when >= at {
			rate /= 2
		}
		if lost {
			rate = 0
		}
		trace.Slots[i] = Slot{RTT: ScriptRTT, Up: rate, Down: rate, Lost: lost}
	}
	settings := LinkCheckSettings()
	models := LinkCheckModels()
	if traffic == "asked" {
		Asked(&settings, models)
	}
	s, err := newSimulation(Cell{Settings: settings, Trace: trace, Seed: seed}, models)
	if err != nil {
		return 0, err
	}
	s.work = linkCheckWork(s.length, LinkCheckEvery(ScriptRate), seed)
	s.finished = func(int, *offload.Outcome) {}
	known, from := time.Duration(-1), at
	if change == "recovery" {
		from = recovers
	}
	for when := from; when < from+Watched; when += WatchEvery {
		s.at(when, func() {
			if known < 0 && isKnown(s.engine, change) {
				known = s.now - from
			}
		})
	}
	s.run()
	return known, nil
}

func isKnown(e *offload.Engine, change string) bool {
	switch usable := e.Target(0).Unusable == ""; change {
	case "outage":
		return !usable
	case "recovery":
		return usable
	}
	estimate, _ := e.Estimate(0)
	return RateIsKnown(estimate.Up.BytesPerSecond, ScriptRate/2)
}
