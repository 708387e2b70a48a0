// SPDX-License-Identifier: Apache-2.0

package page

import "edgex-offload/twin"

// metric is a figure of a cell.
type metric struct {
	key  string // its JSON name in twin.Score
	Name string
	of   func(twin.Score) float64
	// text gives a value with its unit, difference one between two values.
	text, difference func(float64) string
	// better is -1 where less is better, 1 where more is, 0 where it depends.
	better int
}

func points(share float64) string { return withUnit(decimals(100*share, 2), " points") }

func three(v float64) string { return decimals(v, 3) }

func with(unit string) func(float64) string {
	return func(v float64) string { return withUnit(short(v), " "+unit) }
}

// metrics that have a mean over cells.
func metrics() []metric {
	mb, joules := with("MB"), with("J")
	return []metric{
		{"miss", "missed", func(s twin.Score) float64 { return s.Miss }, percent, points, -1},
		{"miss_p0", "missed, priority 0", func(s twin.Score) float64 { return s.MissCritical }, percent, points, -1},
		{"miss_first_10s", "missed, first 10 s", func(s twin.Score) float64 { return s.MissFirst10s }, percent, points, -1},
		{"utility", "utility", func(s twin.Score) float64 { return s.Utility }, three, three, 1},
		{"sent_mb", "sent, MB", func(s twin.Score) float64 { return s.SentMB }, mb, mb, -1},
		{"energy_j", "energy, J", func(s twin.Score) float64 { return s.EnergyJ }, joules, joules, -1},
		{"sent_share", "tasks sent", func(s twin.Score) float64 { return s.SentShare }, percent, points, 0},
		{"hedge_won", "hedges won", func(s twin.Score) float64 { return s.HedgeWon }, percent, points, 0},
		{"hedge_wasted", "hedges wasted", func(s twin.Score) float64 { return s.HedgeWasted }, percent, points, 0},
	}
}

// metricOf finds a metric by its key; an unknown one has its key for a name.
func metricOf(key string) metric {
	for _, m := range metrics() {
		if m.key == key {
			return m
		}
	}
	return metric{key: key, Name: clean(key), text: short, difference: short}
}
