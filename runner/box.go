// SPDX-License-Identifier: Apache-2.0

package runner

import "edgex-offload/offload"

// Box is what the box runs on, and how warm it is. The zero value is an empty battery.
type Box struct {
	// Battery is its charge, 0 to 1; 1 where there is none. Charging: it is not being drained,
	// as always on the mains.
	Battery  float64 `json:"battery"`
	Charging bool    `json:"charging"`
	// TemperatureC is that of the hottest sensor, in degrees Celsius; nil is unknown.
	TemperatureC *float64 `json:"temperatureC,omitempty"`
	// Speed is the share of its full clock that it may run at, 0 to 1: what its power mode
	// allows and heat leaves. 0 is unknown and counts as 1.
	Speed float64 `json:"speed,omitempty"`
}

// SetBox tells what the box runs on now. One whose charge or speed is not 0 to 1 is left out.
func (r *Runner) SetBox(b Box) {
	if !(b.Battery >= 0 && b.Battery <= 1 && b.Speed >= 0 && b.Speed <= 1) { // NaN too
		return
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.box = b
	r.handle(offload.Event{Kind: offload.BoxChanged, Battery: b.Battery, Charging: b.Charging, Speed: b.Speed})
}
