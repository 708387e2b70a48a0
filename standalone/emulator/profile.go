// SPDX-License-Identifier: Apache-2.0

package emulator

import (
	"fmt"
	"slices"
	"strings"
	"time"
)

// Profile is a kind of link that is made up from a seed. Its regimes are what it is like
// for a while; a course of it is drawn from them by the model that course describes. Its
// figures are of the size that public measurements of such links have, none of which is
// copied; TestProfilesYieldWhatTheySay holds what each yields to a table.
type Profile struct {
	Name string
	// Also is another word for it.
	Also string
	// About says in a line what it is like.
	About   string
	regimes []regime
}

// regime is what a link is like for a while. Ranges are drawn from when it is entered:
// durations evenly, rates evenly in their logarithm.
type regime struct {
	stay [2]time.Duration
	// rtt is the round trip without noise and queue.
	rtt [2]time.Duration
	// noise is the mean of what scheduling adds to each round trip, exponentially
	// distributed and new in each slot.
	noise time.Duration
	// up and down are what the link carries at full signal, in Mbit/s.
	up, down [2]float64
	// fading is the standard deviation of the signal: of the logarithm of what it leaves.
	fading float64
	// load is the share of the mean capacity that others want, above 0 for a queue to be.
	load float64
	// buffer is the longest queue, as the time that the full signal takes to empty it.
	buffer time.Duration
	// loss is of single packets, outside outages.
	loss float64
	// handover interrupts the link on entering. Packets wait meanwhile, as cells hand them
	// on to each other, or it loses them.
	handover [2]time.Duration
	loses    bool
	// stalls keep packets waiting, outages lose them.
	stalls, outages interruption
	next            []step
}

// interruption happens at random with a mean frequency. Its length is lognormal with this
// median and shape (the standard deviation of the logarithm), cut at the longest.
type interruption struct {
	perMin  float64
	median  time.Duration
	shape   float64
	longest time.Duration
}

// step leads to a regime by its index with a weight; the weights of a regime add up to 1.
type step struct {
	regime int
	weight float64
}

const ms, second = time.Millisecond, time.Second

func span(from, until time.Duration) [2]time.Duration { return [2]time.Duration{from, until} }
func rates(from, until float64) [2]float64            { return [2]float64{from, until} }
func to(regime int) []step                            { return []step{{regime, 1}} }

// ProfileNamed finds a profile; the error lists what is allowed.
func ProfileNamed(name string) (Profile, error) {
	var names []string
	for _, p := range Profiles() {
		if name != "" && slices.Contains([]string{p.Name, p.Also}, name) {
			return p, nil
		}
		names = append(names, p.Name)
	}
	return Profile{}, fmt.Errorf("profile %q: allowed are %s", name, strings.Join(names, ", "))
}
