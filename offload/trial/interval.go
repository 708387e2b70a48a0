// SPDX-License-Identifier: Apache-2.0

package trial

import (
	"encoding/json"
	"math"
)

// Interval is an estimate and what it lies between with 95%. An infinite figure is null in
// JSON: there is none.
type Interval struct {
	Value, Low, High float64
}

// jsonInterval is an Interval on the wire.
type jsonInterval struct {
	Value *float64 `json:"value"`
	Low   *float64 `json:"low"`
	High  *float64 `json:"high"`
}

// MarshalJSON implements json.Marshaler.
func (i Interval) MarshalJSON() ([]byte, error) {
	finite := func(v *float64) *float64 {
		if math.IsInf(*v, 0) || math.IsNaN(*v) {
			return nil
		}
		return v
	}
	return json.Marshal(jsonInterval{finite(&i.Value), finite(&i.Low), finite(&i.High)})
}

// UnmarshalJSON implements json.Unmarshaler.
func (i *Interval) UnmarshalJSON(text []byte) error {
	var read jsonInterval
	if err := json.Unmarshal(text, &read); err != nil {
		return err
	}
	or := func(v *float64) float64 {
		if v == nil {
			return math.Inf(1)
		}
		return *v
	}
	*i = Interval{or(read.Value), or(read.Low), or(read.High)}
	return nil
}

// z95 is the quantile of the normal distribution that leaves 2.5% on each side.
const z95 = 1.959964

// Wilson is the score interval of a share of n independent trials (Wilson, JASA 22, 1927). It
// stays within 0 to 1, and is not empty when nothing was missed. Without trials it is all.
func Wilson(missed, n float64) Interval {
	if n <= 0 {
		return Interval{Low: 0, High: 1}
	}
	p, z2 := missed/n, z95*z95
	middle := (p + z2/(2*n)) / (1 + z2/n)
	half := z95 / (1 + z2/n) * math.Sqrt(p*(1-p)/n+z2/(4*n*n))
	return Interval{Value: p, Low: max(0, middle-half), High: min(1, middle+half)}
}

// wider reaches as far as either.
func wider(a, b Interval) Interval {
	return Interval{Value: a.Value, Low: min(a.Low, b.Low), High: max(a.High, b.High)}
}

// batches keep what the interval of batch means needs. Tasks that follow each other miss
// together, which Wilson's interval does not know; stretches of time that are longer than what
// hits them are nearly independent (Law and Carson, Operations Research 27, 1979).
type batches struct {
	open         int64
	n, missed    float64 // of the open one
	closed       uint64
	nn, nm, mm   float64 // sums over the closed ones
	allN, allMis float64
}

func (b *batches) add(index int64, missed float64) {
	if index != b.open {
		b.close()
		b.open = index
	}
	b.n, b.missed = b.n+1, b.missed+missed
}

func (b *batches) close() {
	if b.n == 0 {
		return
	}
	b.closed++
	b.nn, b.nm, b.mm = b.nn+b.n*b.n, b.nm+b.n*b.missed, b.mm+b.missed*b.missed
	b.allN, b.allMis = b.allN+b.n, b.allMis+b.missed
	b.n, b.missed = 0, 0
}

func (b *batches) count() uint64 {
	if b.n > 0 {
		return b.closed + 1
	}
	return b.closed
}

// fewestBatches is how many it takes to tell how they vary.
const fewestBatches = 5

// interval is that of the ratio of the batches' misses to their tasks, by Student's
// distribution; with too few batches nothing beside the estimate.
func (b batches) interval() Interval { // a copy: the open batch stays open
	b.close()
	if b.allN == 0 {
		return Interval{Low: 0, High: 1}
	}
	p := b.allMis / b.allN
	if b.closed < fewestBatches {
		return Interval{p, p, p}
	}
	k := float64(b.closed)
	squares := max(0, b.mm-2*p*b.nm+p*p*b.nn)
	half := student95(k-1) * math.Sqrt(k/(k-1)*squares) / b.allN
	return Interval{Value: p, Low: max(0, p-half), High: min(1, p+half)}
}

// student95 is the quantile of Student's distribution that leaves 2.5% on each side, by the
// expansion of Cornish and Fisher, to 1% from 4 degrees of freedom on.
func student95(freedom float64) float64 {
	const z = z95
	z3, z5, z7 := z*z*z, z*z*z*z*z, z*z*z*z*z*z*z
	return z + (z3+z)/(4*freedom) + (5*z5+16*z3+3*z)/(96*freedom*freedom) +
		(3*z7+19*z5+17*z3-15*z)/(384*freedom*freedom*freedom)
}
