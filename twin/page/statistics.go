// SPDX-License-Identifier: Apache-2.0

package page

import (
	"math"

	"edgex-offload/twin"
)

// estimate is a mean over cells with its standard error; NaN where there is none.
type estimate struct {
	mean, se float64
	n        int
}

// mean leaves out what is no number. The standard error is that of cells which count as
// independent; it is unknown for a single one.
func mean(values []float64) estimate {
	sum, squares, n := 0., 0., 0
	for _, v := range values {
		if finite(v) {
			n++
			sum += v
		}
	}
	e := estimate{mean: sum / float64(n), se: math.NaN(), n: n}
	if n < 2 {
		return e
	}
	for _, v := range values {
		if finite(v) {
			squares += (v - e.mean) * (v - e.mean)
		}
	}
	e.se = math.Sqrt(squares / float64(n-1) / float64(n))
	return e
}

// over is the mean of a metric over cells.
func over(cells []twin.Score, of func(twin.Score) float64) estimate {
	values := make([]float64, len(cells))
	for i, c := range cells {
		values[i] = of(c)
	}
	return mean(values)
}

// place is what two cells must share to be compared.
type place struct {
	class, trace string
	seed         uint64
}

// differences is the mean of a - b over the cells that both played.
func differences(a, b []twin.Score, of func(twin.Score) float64) estimate {
	other := map[place]float64{}
	for _, c := range b {
		other[place{c.Class, c.Trace, c.Seed}] = of(c)
	}
	var values []float64
	for _, c := range a {
		if v, both := other[place{c.Class, c.Trace, c.Seed}]; both {
			values = append(values, of(c)-v)
		}
	}
	return mean(values)
}

// limits are the least and the most of what is a number; 0 and 1 without any.
func limits(values []float64) (least, most float64) {
	least, most = math.Inf(1), math.Inf(-1)
	for _, v := range values {
		if finite(v) {
			least, most = min(least, v), max(most, v)
		}
	}
	if least > most {
		return 0, 1
	}
	return least, most
}
