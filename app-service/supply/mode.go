// SPDX-License-Identifier: Apache-2.0

package supply

import (
	"fmt"
	"strconv"
	"strings"
)

// mode is the power mode by its name, or by its number where names cannot be read. nvpmodel
// writes "pmode:0002", with JetPack 5 and the mode of the fan behind it, each time that it sets one.
func (r Reader) mode() string {
	if r.Mode == "" {
		return ""
	}
	id, ok := modeNumber(read(r.Mode, mostBytes))
	if !ok {
		return ""
	}
	if r.Modes != "" {
		if called := modeName(read(r.Modes, mostModes), id); called != "" {
			return called
		}
	}
	return fmt.Sprintf("mode %d", id)
}

func modeNumber(status string) (id int, ok bool) {
	for _, field := range strings.Fields(status) {
		if digits, found := strings.CutPrefix(field, "pmode:"); found {
			n, err := strconv.ParseUint(digits, 10, 16)
			return int(n), err == nil
		}
	}
	return 0, false
}

// modeName finds "< POWER_MODEL ID=2 NAME=15W >" in the configuration of nvpmodel; "" where no
// such line is.
func modeName(configuration string, id int) string {
	for text := range strings.Lines(configuration) {
		fields := strings.Fields(text)
		if len(fields) < 4 || fields[0] != "<" || fields[1] != "POWER_MODEL" {
			continue
		}
		called, same := "", false
		for _, field := range fields[2:] {
			if digits, found := strings.CutPrefix(field, "ID="); found {
				n, err := strconv.Atoi(digits)
				same = err == nil && n == id
			}
			if text, found := strings.CutPrefix(field, "NAME="); found && len(text) <= mostBytes {
				called = named(text)
			}
		}
		if same {
			return called
		}
	}
	return ""
}
