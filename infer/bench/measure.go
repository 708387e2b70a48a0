// SPDX-License-Identifier: Apache-2.0

package main

import (
	"fmt"
	"slices"
	"time"
)

// series has one value of each round.
type series []float64

// figure is the median of the rounds, the least and the most of them.
func (s series) figure() figure {
	sorted := slices.Sorted(slices.Values(s))
	return figure{Median: quantile(sorted, .5), Least: sorted[0], Most: sorted[len(sorted)-1]}
}

// over is the ratio of each round.
func (s series) over(t series) series {
	ratio := make(series, len(s))
	for i := range s {
		ratio[i] = s[i] / t[i]
	}
	return ratio
}

// quantile of what is sorted: the nearest rank.
func quantile(sorted []float64, q float64) float64 {
	return sorted[min(int(q*float64(len(sorted))), len(sorted)-1)]
}

func median(list []float64) float64 { return quantile(slices.Sorted(slices.Values(list)), .5) }

// side is one of the things that are compared.
type side func() error

// compare runs the sides in turns, each so many times in each round, and gives the median time of
// each side in each round, in milliseconds. What else the machine does meets all sides alike:
// they take turns call by call, and who begins changes.
func (b *bench) compare(times int, sides ...side) ([]series, error) {
	all := make([]series, len(sides))
	for range b.rounds {
		took, err := b.turns(times, sides)
		if err != nil {
			return nil, err
		}
		for i, list := range took {
			all[i] = append(all[i], median(list))
		}
	}
	return all, nil
}

func (b *bench) turns(times int, sides []side) ([][]float64, error) {
	took := make([][]float64, len(sides))
	for n := range times {
		for k := range sides {
			at := (n + k) % len(sides)
			began := time.Now()
			if err := sides[at](); err != nil {
				return nil, err
			}
			took[at] = append(took[at], ms(time.Since(began)))
		}
	}
	return took, nil
}

func ms(d time.Duration) float64 { return float64(d) / float64(time.Millisecond) }

// sides says what a ratio of times is of.
func sides(ours, theirs series) string {
	return fmt.Sprintf("%s : %s", quantity(ours.figure().Median, "ms"), quantity(theirs.figure().Median, "ms"))
}
