// SPDX-License-Identifier: Apache-2.0

package supply

import (
	"fmt"
	"log/slog"
	"math"
	"strings"
)

// notices are what an operator is told of changes, each once. The zero value has told nothing.
type notices struct {
	begun     bool
	mode      string
	share     float64 // that was told last
	throttles bool
	coolFor   int // looks in a row without throttling
	hot       bool
}

type notice struct {
	level slog.Level
	text  string
}

const (
	// A box has ended to throttle when it did not for so many looks in a row: at its limit it
	// comes and goes.
	calmLooks = 15
	// A change of the share by less than this is not told.
	leastChange = .05
	// NearCritical is how near to the critical temperature a warning is due, coolAgain from
	// where on the next one would be; degrees Celsius. Throttling, which begins before, has not helped.
	NearCritical, coolAgain = 5., 10.
)

// of gives what is to be told of a state, and of the clock that counts in it.
func (n *notices) of(s State, c Clock) (all []notice) {
	tell := func(level slog.Level, format string, args ...any) {
		all = append(all, notice{level, fmt.Sprintf(format, args...)})
	}
	if s.Mode != n.mode {
		if n.begun && n.mode != "" {
			tell(slog.LevelInfo, "the box's power mode is %s, it was %s", orUnknown(s.Mode), n.mode)
		} else {
			tell(slog.LevelInfo, "the box's power mode is %s", orUnknown(s.Mode))
		}
		n.mode = s.Mode
	}
	switch {
	case len(s.Throttled) > 0:
		n.coolFor = 0
		if !n.throttles {
			n.throttles = true
			tell(slog.LevelWarn, "the box is too warm and throttles (%s)%s; see docs/jetson.md", strings.Join(s.Throttled, ", "), mayRunAt(c))
		}
	case n.throttles:
		if n.coolFor++; n.coolFor >= calmLooks {
			n.throttles = false
			tell(slog.LevelInfo, "the box throttles no more%s", mayRunAt(c))
			n.share = c.Share()
		}
	default:
		n.changed(c, tell)
	}
	n.heat(s.CriticalInC, tell)
	n.begun = true
	return all
}

// changed tells of another share of the full clock than that of the last time; at the start, of
// one that is not all of it.
func (n *notices) changed(c Clock, tell func(slog.Level, string, ...any)) {
	share := c.Share()
	if share == 0 { // unknown
		return
	}
	before := n.share
	if before == 0 {
		before = 1
	}
	if math.Abs(share-before) >= leastChange {
		tell(slog.LevelInfo, "the limit of the box's clock has changed%s", mayRunAt(c))
		n.share = share
	}
}

func (n *notices) heat(criticalIn *float64, tell func(slog.Level, string, ...any)) {
	switch {
	case criticalIn == nil:
	case *criticalIn <= NearCritical && !n.hot:
		n.hot = true
		tell(slog.LevelWarn, "the box is %.1f degrees below the temperature at which it is turned off: look after its fan, its heat sink and what surrounds it", *criticalIn)
	case *criticalIn >= coolAgain:
		n.hot = false
	}
}

// mayRunAt says what a clock may run at; nothing of one that is unknown.
func mayRunAt(c Clock) string {
	if c.Share() == 0 {
		return ""
	}
	return fmt.Sprintf(": %s may run at %.0f of %.0f MHz, %.0f%% of its full speed", c.Name, c.LimitMHz, c.FullMHz, 100*c.Share())
}

func orUnknown(mode string) string {
	if mode == "" {
		return "unknown"
	}
	return mode
}
