// SPDX-License-Identifier: Apache-2.0

package offload

// battery is what the box runs on; the zero value is the mains.
type battery struct {
	draining bool
	charge   float64 // 0 to 1
}

func (b *battery) set(charge float64, charging bool) {
	if !within(charge, 0, 1) {
		return
	}
	b.charge, b.draining = charge, !charging
}

// energyPrice is what a joule is worth, in milliseconds.
func (b *battery) energyPrice(w *Weights) float64 {
	if !b.draining {
		return w.Energy
	}
	missing := 1 - b.charge
	return w.Energy + w.Battery*missing*missing
}
