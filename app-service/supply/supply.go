// SPDX-License-Identifier: Apache-2.0

package supply

import (
	"time"

	"edgex-offload/runner"
)

// Interval is how often it is looked at: a charge changes within minutes, and what heat takes
// of the clocks within seconds.
const Interval = 2 * time.Second

// Reader reads the folders and files; "" is none, and its part stays unknown.
type Reader struct {
	// Power has a folder for each supply, Thermal one for each sensor and each cooling device.
	Power, Thermal string
	// CPU has a folder for each group of cores with one clock, Devfreq one for each other clock.
	CPU, Devfreq string
	// Hwmon has a folder for each chip that measures.
	Hwmon string
	// Mode is the file with the number of the power mode, Modes the one with their names.
	Mode, Modes string
}

// State is how the box stands; the zero value of a part is unknown.
type State struct {
	// Box is what counts for decisions, without its speed: that depends on what runs the models.
	Box runner.Box `json:"-"`
	// Mode is the power mode.
	Mode string `json:"mode,omitempty"`
	CPU  Clock  `json:"cpu,omitzero"`
	GPU  Clock  `json:"gpu,omitzero"`
	// Throttled are the cooling devices that slow something down now.
	Throttled []string `json:"throttled,omitempty"`
	// CriticalInC is by how many degrees the nearest sensor is below the temperature at which
	// the kernel turns the box off.
	CriticalInC *float64 `json:"criticalInC,omitempty"`
	// Watts is what the box draws, Rails what its parts do.
	Watts *float64           `json:"watts,omitempty"`
	Rails map[string]float64 `json:"railsWatts,omitempty"`
	// OverCurrents counts how often the supply could not follow and the hardware slowed the box
	// down; nil is not counted.
	OverCurrents *uint64 `json:"overCurrents,omitempty"`
}

// Read gives how the box stands now.
func (r Reader) Read() State {
	charge, charging := r.batteries()
	heat := r.heat()
	watts, rails := r.rails()
	return State{
		Box:  runner.Box{Battery: charge, Charging: charging, TemperatureC: heat.hottest},
		Mode: r.mode(), CPU: r.cpu(), GPU: r.gpu(),
		Throttled: r.throttled(), CriticalInC: heat.criticalIn,
		Watts: watts, Rails: rails, OverCurrents: r.overCurrents(),
	}
}
