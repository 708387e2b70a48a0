// SPDX-License-Identifier: Apache-2.0

package supply

import (
	"fmt"
	"slices"
	"strings"
)

// heat is what the sensors show, in degrees Celsius; nil is unknown.
type heat struct {
	hottest, criticalIn *float64
}

// Temperatures that a sensor can show, and a critical one can be, in millidegrees. A sensor of a
// part that is off says -256000 on a Jetson, or cannot be read.
const (
	coldest, melted                  = -100_000, 250_000
	leastCritical, mostTrips         = 40_000, 32
	milli                    float64 = 1000
)

func (r Reader) heat() (h heat) {
	for _, folder := range entries(r.Thermal, "thermal_zone") {
		// A TX2's and Nano's PMIC-Die says 100 degrees always (jetson_stats leaves it out too).
		if strings.HasPrefix(line(folder, "type"), "PMIC") {
			continue
		}
		temperature, ok := number(folder, "temp", coldest, melted)
		if !ok {
			continue
		}
		if c := temperature / milli; h.hottest == nil || c > *h.hottest {
			h.hottest = &c
		}
		critical, ok := critical(folder)
		if !ok {
			continue
		}
		if left := (critical - temperature) / milli; h.criticalIn == nil || left < *h.criticalIn {
			h.criticalIn = &left
		}
	}
	return h
}

// critical is the temperature at which the kernel turns the box off because of a sensor.
func critical(zone string) (float64, bool) {
	for i := range mostTrips {
		switch line(zone, fmt.Sprintf("trip_point_%d_type", i)) {
		case "critical":
			return number(zone, fmt.Sprintf("trip_point_%d_temp", i), leastCritical, melted)
		case "":
			return 0, false
		}
	}
	return 0, false
}

// throttled are the cooling devices that slow something down now, in order of name.
func (r Reader) throttled() []string {
	var all []string
	for _, folder := range entries(r.Thermal, "cooling_device") {
		kind := name(folder, "type")
		if state, ok := number(folder, "cur_state", 1, 1<<20); !ok || state == 0 || !slows(kind) || slices.Contains(all, kind) {
			continue
		}
		all = append(all, kind)
	}
	slices.Sort(all)
	return all
}

// slows tells by the type of a cooling device whether it slows down what runs models: clocks
// (cpufreq-cpu0, devfreq-17000000.gpu, and up to Linux 5.10 thermal-cpufreq-0 and
// thermal-devfreq-0, of which a Jetson has the GPU's alone), alerts (gpu-throttle-alert) and an
// x86's Processor; not a fan, an alert of a hot surface, or a limit that is kept at all times.
func slows(kind string) bool {
	if clock, ok := strings.CutPrefix(kind, "devfreq-"); ok {
		return isGPU(clock)
	}
	for _, clocks := range []string{"cpufreq-", "thermal-cpufreq-", "thermal-devfreq-"} {
		if strings.HasPrefix(kind, clocks) {
			return true
		}
	}
	part, alert := strings.CutSuffix(kind, "-throttle-alert")
	return kind == "Processor" || isGPU(kind) || alert && (part == "cpu" || part == "gpu" || strings.HasPrefix(part, "soc"))
}
