// SPDX-License-Identifier: Apache-2.0

package routes

import (
	"github.com/prometheus/client_golang/prometheus"

	"edgex-offload/app-service/supply"
)

// machineCollector turns how the box stands into metrics at each scrape. What is unknown has no
// sample: a 0 would look like a box that stands still, or is as cold as ice.
type machineCollector struct {
	view  func() View
	descs machineDescs
}

type machineDescs struct {
	speed, clock, cores, mode             *prometheus.Desc
	temperature, criticalIn, nearCritical *prometheus.Desc
	throttled, watts, rails, overCurrents *prometheus.Desc
	battery, charging                     *prometheus.Desc
}

func newMachineDescs() machineDescs {
	desc := func(name, help string, labels ...string) *prometheus.Desc {
		return prometheus.NewDesc("offload_box_"+name, help, labels, nil)
	}
	return machineDescs{
		speed:        desc("speed_ratio", "Share of its full clock that the box may run models at."),
		clock:        desc("clock_hertz", "Clocks, by what of them: now, limit (allowed now), full (what the hardware could do).", "clock", "what"),
		cores:        desc("cores", "Cores that are on."),
		mode:         desc("power_mode", "1 for the power mode that is set.", "mode"),
		temperature:  desc("temperature_celsius", "Temperature of the hottest sensor."),
		criticalIn:   desc("below_critical_celsius", "Degrees that the nearest sensor is below the temperature at which the box is turned off."),
		nearCritical: desc("near_critical", "1 while that is so little that a warning was due."),
		throttled:    desc("throttled", "1 while something is slowed down because of its heat."),
		watts:        desc("power_watts", "What the box draws."),
		rails:        desc("rail_power_watts", "What a part of it draws.", "rail"),
		overCurrents: desc("over_current_events_total", "Times the hardware was slowed down because the supply could not follow."),
		battery:      desc("battery_ratio", "Charge of the battery; 1 without one."),
		charging:     desc("charging", "0 while the battery is drained."),
	}
}

// Describe sends nothing: which metrics there are depends on the box.
func (c *machineCollector) Describe(chan<- *prometheus.Desc) {}

// Collect is called by many goroutines at once.
func (c *machineCollector) Collect(out chan<- prometheus.Metric) {
	v, d, s := c.view(), &c.descs, sink{out}
	m := v.Machine
	s.gauge(d.battery, v.Box.Battery)
	s.gauge(d.charging, one(v.Box.Charging))
	if v.Box.Speed > 0 {
		s.gauge(d.speed, v.Box.Speed)
	}
	c.clocks(s, m)
	if m.Mode != "" {
		s.gauge(d.mode, 1, m.Mode)
	}
	s.known(d.temperature, v.Box.TemperatureC)
	s.known(d.criticalIn, m.CriticalInC)
	if m.CriticalInC != nil {
		s.gauge(d.nearCritical, one(*m.CriticalInC <= supply.NearCritical))
	}
	s.gauge(d.throttled, one(len(m.Throttled) > 0))
	s.known(d.watts, m.Watts)
	for rail, watts := range m.Rails {
		s.gauge(d.rails, watts, rail)
	}
	if m.OverCurrents != nil {
		s.counter(d.overCurrents, *m.OverCurrents)
	}
}

func (c *machineCollector) clocks(s sink, m supply.State) {
	for kind, clock := range map[string]supply.Clock{"cpu": m.CPU, "gpu": m.GPU} {
		if clock.FullMHz == 0 {
			continue
		}
		for what, mhz := range map[string]float64{"now": clock.NowMHz, "limit": clock.LimitMHz, "full": clock.FullMHz} {
			s.gauge(c.descs.clock, mhz*1e6, kind, what)
		}
	}
	if m.CPU.Cores > 0 {
		s.gauge(c.descs.cores, float64(m.CPU.Cores))
	}
}

// known sends a gauge unless it is unknown.
func (s sink) known(desc *prometheus.Desc, v *float64) {
	if v != nil {
		s.gauge(desc, *v)
	}
}
