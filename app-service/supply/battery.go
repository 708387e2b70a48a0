// SPDX-License-Identifier: Apache-2.0

package supply

import "strconv"

// batteries is the mean charge of those that the box runs on, 1 without any, and whether none
// of them is being drained.
func (r Reader) batteries() (charge float64, charging bool) {
	sum, count, charging := 0., 0, true
	for _, folder := range entries(r.Power, "") {
		charge, draining, ok := battery(folder)
		if !ok {
			continue
		}
		sum, count = sum+charge, count+1
		charging = charging && !draining
	}
	if count == 0 {
		return 1, true
	}
	return sum / float64(count), charging
}

// battery reads one that the box runs on: not a mouse's, and not one that was taken out.
func battery(folder string) (charge float64, draining, ok bool) {
	kind := line(folder, "type")
	if (kind != "Battery" && kind != "UPS") || line(folder, "scope") == "Device" || line(folder, "present") == "0" {
		return 0, false, false
	}
	percent, err := strconv.ParseFloat(line(folder, "capacity"), 64)
	if err != nil || !(percent >= 0 && percent <= 100) {
		return 0, false, false
	}
	return percent / 100, line(folder, "status") == "Discharging", true
}
