// SPDX-License-Identifier: Apache-2.0

package fit

import (
	"math/rand/v2"
	"slices"
)

// point is a place for each parameter, 0 to 1; nil is where the search begins: the settings as
// they are.
type point []float64

// sample draws points for the first half of a search: every other one anywhere, evenly over
// each parameter, the rest around where it begins. A fraction of the parameters moves at a
// time, since most of them are best left alone.
func sample(begin point, n int, r *rand.Rand) []point {
	points := make([]point, n)
	even := make([][]float64, len(begin))
	for k := range even {
		for _, i := range r.Perm(n) {
			even[k] = append(even[k], (float64(i)+r.Float64())/float64(n))
		}
	}
	for i := range points {
		points[i] = slices.Clone(begin)
		for k := range begin {
			switch {
			case i%2 == 0:
				points[i][k] = even[k][i]
			case r.IntN(2) == 0:
				points[i][k] = within(begin[k] + nearby*r.NormFloat64())
			}
		}
	}
	return points
}

const (
	nearby    = .15 // of a parameter's range
	firstStep = .2
	lastStep  = .01
)

func within(x float64) float64 { return min(max(x, 0), 1) }

// descend is a pattern search (Hooke and Jeeves, 1961): a step up or down in each parameter, in
// random order, is kept where it is better; once none is, steps get shorter. It looks at so
// many points at most.
func descend(from point, value float64, budget int, r *rand.Rand, look func(point) (float64, error)) (point, float64, error) {
	for step := firstStep; budget > 0 && step >= lastStep; {
		began := value
		for _, k := range r.Perm(len(from)) {
			for _, by := range [2]float64{step, -step} {
				next := slices.Clone(from)
				next[k] = within(from[k] + by)
				if budget == 0 || next[k] == from[k] {
					continue
				}
				v, err := look(next)
				if err != nil {
					return nil, 0, err
				}
				budget--
				if v < value {
					from, value = next, v
					break
				}
			}
		}
		if value == began {
			step /= 2
		}
	}
	return from, value, nil
}
