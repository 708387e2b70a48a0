// SPDX-License-Identifier: Apache-2.0

package supply

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// Limits of what a chip can measure: millivolts, milliamperes, microwatts.
const (
	mostMilli  = 1_000_000
	mostMicroW = 10_000_000_000
	// rails of one chip; an INA3221 has three, and at 4 to 7 the voltages of its shunts
	mostRails = 3
)

// rails are what is drawn, in watts, in all and by part; nil without a chip that measures it.
func (r Reader) rails() (watts *float64, rails map[string]float64) {
	for _, chip := range entries(r.Hwmon, "hwmon") {
		kind := name(chip, "name")
		if kind != "ina3221" && kind != "ina238" {
			continue
		}
		for i := 1; i <= mostRails; i++ {
			label, drawn, ok := rail(chip, kind, i)
			if !ok {
				continue
			}
			if rails == nil {
				rails = map[string]float64{}
			}
			rails[label] = drawn
		}
	}
	if rails == nil {
		return nil, nil
	}
	return total(rails), rails
}

// rail is one of a chip: what it is called, and the volts times the amperes. A Thor's INA238
// measures what comes in, which tegrastats calls VIN, and multiplies itself.
func rail(chip, kind string, i int) (label string, watts float64, ok bool) {
	label = name(chip, fmt.Sprintf("in%d_label", i))
	if label == "" && kind == "ina238" && i == 1 {
		label = "VIN"
	}
	if label == "" || label == "NC" || strings.Contains(label, "shunt") { // NC: not connected
		return "", 0, false
	}
	volts, known := number(chip, fmt.Sprintf("in%d_input", i), 0, mostMilli)
	amperes, flows := number(chip, fmt.Sprintf("curr%d_input", i), -mostMilli, mostMilli)
	if known && flows {
		return label, max(0, volts*amperes/1e6), true
	}
	micro, ok := number(chip, fmt.Sprintf("power%d_input", i), 0, mostMicroW)
	return label, micro / 1e6, ok
}

// total is what comes in where a rail measures that: VDD_IN (Xavier NX, Orin NX and Nano),
// POM_5V_IN (Nano), VIN (Thor). Elsewhere, as on an AGX Orin, it is the sum, as in
// jetson_stats (jtop/core/power.py).
func total(rails map[string]float64) *float64 {
	for _, all := range []string{"VDD_IN", "POM_5V_IN", "VIN"} {
		if watts, ok := rails[all]; ok {
			return &watts
		}
	}
	var names []string
	for label := range rails {
		names = append(names, label)
	}
	slices.Sort(names) // a sum of floats depends on the order
	sum := 0.
	for _, label := range names {
		sum += rails[label]
	}
	return &sum
}

// overCurrents are the events that an Orin and a Thor count: under-voltage, and the average and
// the instantaneous current above a limit. Each slows the box down in hardware, where no clock's
// limit shows it (NVIDIA Jetson Linux Developer Guide, Platform Power and Performance).
func (r Reader) overCurrents() *uint64 {
	var sum uint64
	found := false
	for _, chip := range entries(r.Hwmon, "hwmon") {
		if name(chip, "name") != "soctherm_oc" {
			continue
		}
		for i := 1; i <= mostRails; i++ {
			if n, err := strconv.ParseUint(line(chip, fmt.Sprintf("oc%d_event_cnt", i)), 10, 32); err == nil {
				sum, found = sum+n, true
			}
		}
	}
	if !found {
		return nil
	}
	return &sum
}
