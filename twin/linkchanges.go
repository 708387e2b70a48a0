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

// What is scripted: a steady link, a change after some time, and how long it is watched.
const (
	scriptRTT   = 40 * time.Millisecond
	scriptRate  = 10e6 / 8 // bytes per second
	changeAfter = 20 * time.Second
	outageLasts = 3 * time.Second
	watched     = 10 * time.Second
	watchEvery  = 5 * time.Millisecond
	rateIsKnown = .25 // relative error
)

// CheckChanges measures each change with each kind of traffic over runs with other tasks and
// phases.
func CheckChanges(runs int) ([]LinkChange, error) {
	var all []LinkChange
	for _, change := range []string{"rate halved", "outage", "recovery"} {
		for _, traffic := range []string{"busy", "asked"} {
			c := LinkChange{Change: change, Traffic: traffic, Runs: runs}
			var took []float64
			for seed := range runs {
				d, err := checkChange(change, traffic, uint64(seed+1))
				if err != nil {
					return nil, err
				}
				if d < 0 {
					c.Unknown++
					d = watched
				}
				took = append(took, float64(d)/float64(time.Millisecond))
			}
			slices.Sort(took)
			c.MedianMs = took[len(took)/2]
			c.P90Ms = took[int(math.Ceil(.9*float64(len(took))))-1]
			all = append(all, c)
		}
	}
	return all, nil
}

// checkChange is how long one change took to be known; negative when it was not.
func checkChange(change, traffic string, seed uint64) (time.Duration, error) {
	at := changeAfter + time.Duration(newDraw(seed).IntN(40))*SlotLength // another phase each time
	trace := Trace{Name: change, Slots: make([]Slot, (at+outageLasts+watched)/SlotLength)}
	recovers := at + outageLasts
	for i := range trace.Slots {
		when, rate := time.Duration(i)*SlotLength, scriptRate
		lost := change != "rate halved" && when >= at && when < recovers
		if change == "rate halved" && when >= at {
			rate /= 2
		}
		if lost {
			rate = 0
		}
		trace.Slots[i] = Slot{RTT: scriptRTT, Up: rate, Down: rate, Lost: lost}
	}
	settings := LinkCheckSettings()
	models := LinkCheckModels()
	if traffic == "asked" {
		settings.Policy = offload.PolicyLocal
		for i := range models {
			models[i].Local = []offload.Variant{{Name: models[i].Name, Accuracy: accuracyLocal, Service: time.Millisecond}}
		}
	}
	s, err := newSimulation(Cell{Settings: settings, Trace: trace, Seed: seed}, models)
	if err != nil {
		return 0, err
	}
	s.work = linkCheckWork(s.length, LinkCheckEvery(scriptRate), seed)
	s.finished = func(int, offload.Outcome) {}
	known, from := time.Duration(-1), at
	if change == "recovery" {
		from = recovers
	}
	for when := from; when < from+watched; when += watchEvery {
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
	return math.Abs(estimate.Up.BytesPerSecond-scriptRate/2) <= rateIsKnown*scriptRate/2
}
