// SPDX-License-Identifier: Apache-2.0

package page

import (
	"math"
	"slices"

	"edgex-offload/twin"
)

// metric is a figure of a cell.
type metric struct {
	key, Name, unit string // key is its JSON name in twin.Score
	of              func(twin.Score) float64
	// better is -1 where less is better, 1 where more is, 0 where it depends.
	better int
}

// metrics that have a mean over cells.
func metrics() []metric {
	return []metric{
		{"miss", "missed", "%", func(s twin.Score) float64 { return s.Miss }, -1},
		{"miss_p0", "missed, priority 0", "%", func(s twin.Score) float64 { return s.MissCritical }, -1},
		{"miss_first_10s", "missed, first 10 s", "%", func(s twin.Score) float64 { return s.MissFirst10s }, -1},
		{"utility", "utility", "", func(s twin.Score) float64 { return s.Utility }, 1},
		{"sent_mb", "sent", "MB", func(s twin.Score) float64 { return s.SentMB }, -1},
		{"energy_j", "energy", "J", func(s twin.Score) float64 { return s.EnergyJ }, -1},
		{"sent_share", "tasks sent", "%", func(s twin.Score) float64 { return s.SentShare }, 0},
		{"hedge_won", "hedges won", "%", func(s twin.Score) float64 { return s.HedgeWon }, 0},
		{"hedge_wasted", "hedges wasted", "%", func(s twin.Score) float64 { return s.HedgeWasted }, 0},
		{"ece", "ECE", "", func(s twin.Score) float64 { return known(s.ECE) }, -1},
		{"brier", "Brier score", "", func(s twin.Score) float64 { return known(s.Brier) }, -1},
	}
}

// glanced are those that stand beside each other; the Brier score is left to the cells.
func glanced() []metric {
	return slices.DeleteFunc(metrics(), func(m metric) bool { return m.key == "brier" })
}

// quantiles of latency have no mean over cells, since one without a result would be infinite.
func quantiles() []metric {
	return []metric{
		{"p50_ms", "p50", "ms", func(s twin.Score) float64 { return s.P50Ms }, -1},
		{"p95_ms", "p95", "ms", func(s twin.Score) float64 { return s.P95Ms }, -1},
		{"p99_ms", "p99", "ms", func(s twin.Score) float64 { return s.P99Ms }, -1},
		{"p999_ms", "p99.9", "ms", func(s twin.Score) float64 { return s.P999Ms }, -1},
	}
}

// known makes twin.None what is no number.
func known(v float64) float64 {
	if v == twin.None {
		return math.NaN()
	}
	return v
}

// metricOf finds a metric by its key; an unknown one has its key for a name.
func metricOf(key string) metric {
	for _, m := range append(metrics(), quantiles()...) {
		if m.key == key {
			return m
		}
	}
	return metric{key: key, Name: clean(key), of: func(twin.Score) float64 { return math.NaN() }}
}

// head names the metric with its unit.
func (m metric) head() string {
	if m.unit == "" {
		return m.Name
	}
	return m.Name + ", " + m.unit
}

// bare is a value without its unit.
func (m metric) bare(v float64) string {
	switch m.unit {
	case "%":
		return decimals(100*v, 2)
	case "":
		return decimals(v, 3)
	}
	return short(v)
}

func (m metric) text(v float64) string {
	if m.unit == "%" {
		return withUnit(m.bare(v), m.unit)
	}
	return withUnit(m.bare(v), orNothing(m.unit != "", " "+m.unit))
}

// apart names the metric of a difference: that of two shares is in percentage points.
func (m metric) apart() string {
	if m.unit == "%" {
		return m.Name + ", points"
	}
	return m.head()
}

// tick is a value on an axis.
func (m metric) tick(v float64) string {
	if m.unit == "%" {
		return withUnit(plain(100*v), "%")
	}
	return plain(v)
}
